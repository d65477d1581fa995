/**
 * The only place that starts git.
 *
 * Arguments are fixed lists, never a shell; the environment's GIT_* is left out, because a hook's or a merge driver's
 * belong to the command that runs it. Without git, or where it fails, there is no answer.
 */

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
