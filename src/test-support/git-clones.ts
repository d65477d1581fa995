/** Real git on Ticket files, with the merge driver of dist/: repositories, clones, and what their files hold. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { attributesLine } from '../setup/attributes.ts'
import { driverCommand } from '../setup/driver-config.ts'
import { CLI, PACKAGE_ROOT } from './run-cli.ts'

const DRIVER = join(PACKAGE_ROOT, 'dist', 'merge-driver.cjs')

/** What `.gitattributes` says of Ticket files. */
export const ATTRIBUTES = `${attributesLine('tickets')}\n`

/** What `init` writes into git's configuration, for the Node that runs the tests, and this program or another. */
export function testDriver(mergeDriver = DRIVER, node = process.execPath): string {
  if (!existsSync(DRIVER)) throw new Error(`${DRIVER} is missing: run "npm run build" first`)
  return driverCommand({ node, cli: CLI, mergeDriver })
}

/** What git said, and how it ended. */
export interface GitRun {
  status: number | null
  output: string
}

export interface GitOptions {
  /** The time of commits, in milliseconds since 1970. */
  nowMs?: number
  /** The whole environment, in place of that of the tests. */
  env?: NodeJS.ProcessEnv
}

const OWN_ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_EDITOR: 'true',
  GIT_MERGE_AUTOEDIT: 'no',
  GIT_AUTHOR_NAME: 'tester',
  GIT_AUTHOR_EMAIL: 'tester@example.org',
  GIT_COMMITTER_NAME: 'tester',
  GIT_COMMITTER_EMAIL: 'tester@example.org',
}

/** Runs git as a shell would, without the configuration of this machine. */
export function tryGit(folder: string, args: readonly string[], { nowMs, env }: GitOptions = {}): GitRun {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(GIT_|TICKETPLAN_|NODE_OPTIONS$|VITEST)/.test(name),
  )
  const date = nowMs === undefined ? undefined : `${Math.floor(nowMs / 1000)} +0000`
  const { status, stdout, stderr, error } = spawnSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...(env ?? Object.fromEntries(inherited)),
      ...OWN_ENVIRONMENT,
      ...(date && { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }),
    },
    maxBuffer: 64 * 1024 * 1024,
  })
  if (error) throw error
  return { status, output: stdout + stderr }
}

/** The same where only success will do; gives what git said. */
export function git(folder: string, args: readonly string[], options: GitOptions = {}): string {
  const { status, output } = tryGit(folder, args, options)
  if (status !== 0) throw new Error(`git ${args.join(' ')} ended with ${status} in ${folder}:\n${output}`)
  return output
}

/** The files that git holds to be in conflict. */
export function unmerged(folder: string): string[] {
  return git(folder, ['diff', '--name-only', '--diff-filter=U', '-z']).split('\0').filter(Boolean)
}

/** Every Ticket file of a checkout with its text, by its path. */
export function ticketTexts(root: string): Map<string, string> {
  const folder = join(root, 'tickets')
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.json'))
  return new Map(paths.sort().map(path => [path, readFileSync(join(folder, path), 'utf8')]))
}
