/**
 * The only place that starts git.
 *
 * Arguments are fixed lists, never a shell; the environment's GIT_* is left out, because a hook's or a merge driver's
 * belong to the command that runs it. A failure is typed and carries what git said.
 */
import { PlanError } from '../model/errors.ts'

/** What git prints for the arguments, run in the folder. @throws PlanError git. */
export function runGit(folder: string, args: readonly string[]): string {
  const result = spawnGit(folder, args)
  if (result.error)
    throw new PlanError('git', `git could not be started: ${result.error.message}`, {
      command: args[0] ?? '',
      status: null,
    })
  if (result.status !== 0) {
    const said = result.stderr.trim() || `exit ${result.status}`
    throw new PlanError('git', `git ${args.join(' ')} failed: ${said}`, {
      command: args[0] ?? '',
      status: result.status,
    })
  }
  return result.stdout
}

/** A value of git's configuration as the folder sees it; undefined where it is not set, or there is no git. */
export function findGitConfig(folder: string, key: string): string | undefined {
  const result = spawnGit(folder, ['config', '--get', key])
  return result.status === 0 ? result.stdout.trim() || undefined : undefined
}

/** The version of git, for example "2.39.5"; undefined where it cannot be started. */
export function findGitVersion(folder: string): string | undefined {
  const result = spawnGit(folder, ['--version'])
  return result.status === 0 ? /\d[\w.]*/.exec(result.stdout)?.[0] : undefined
}

function spawnGit(folder: string, args: readonly string[]) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  // Loaded when git is started: most commands never do.
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  return spawnSync('git', args, { cwd: folder, env, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 })
}
