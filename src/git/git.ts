/**
 * Runs git. No other module starts it.
 *
 * Arguments are fixed lists, never a shell; callers put `--end-of-options` or `--` before names from outside. git runs without
 * the caller's GIT_*, because those of a hook or a merge driver belong to the command that started it; only the places of the
 * user's own settings are kept. git starts no hook of the hooks folder and no file system monitor that a repository configures,
 * and fetches nothing: an object that is missing is an error. Hooks that the configuration itself defines: `noConfiguredHooks`.
 */
import { existsSync } from 'node:fs'
import { PlanError } from '../model/errors.ts'
import { shellWord } from './shell-word.ts'

/** How git ended. */
export interface GitRun {
  /** 0 on success. */
  status: number
  stdout: Buffer
  stderr: string
}

/** Options of one run. */
export interface GitOptions {
  /** The index file to use instead of the work tree's: git passes it to a hook in `GIT_INDEX_FILE`. */
  indexFile?: string | undefined
  /** Values of configuration that win over those of the files, by key. */
  settings?: Readonly<Record<string, string>>
}

const NO_PROGRAMS = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null']
/**
 * In a partial clone git fetches a missing object with the programs that the repository's configuration names. The first
 * variable forbids that from git 2.45 on; an older git starts a fetch, which the second one allows no protocol.
 */
const NO_FETCH = { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: '' }
const KEPT = new Set(['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM'])
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024

/** Returns what git printed. Throws where its exit status is not 0. @throws PlanError no_git, git_failed. */
export function runGit(
  folder: string,
  args: readonly string[],
  input?: string | Uint8Array,
  options?: GitOptions,
): Buffer {
  const { status, stdout, stderr } = tryGit(folder, args, input, options)
  if (status === 0) return stdout
  // Some commands then only say that there is no repository.
  const refusal = whyRefused(folder)
  if (refusal !== null) throw new PlanError('git_failed', refusal, { command: args.join(' '), status, stderr })
  const [, missing] = /could not fetch ([0-9a-f]{40,64}) from promisor remote/.exec(stderr) ?? []
  if (missing !== undefined) throw missingObject(folder, missing, { command: args.join(' '), status, stderr })
  const message = `git ${args[0]} failed in ${folder} with status ${status}: ${stderr.trim() || 'it printed no message'}`
  throw new PlanError('git_failed', message, { command: args.join(' '), status, stderr })
}

/** Returns the error about an object that a clone lacks: a partial one has not fetched it, or the repository is damaged. */
export function missingObject(
  folder: string,
  id: string,
  run: { command: string; status: number | null; stderr: string },
): PlanError<'git_failed'> {
  const message = `git has no object ${id} in ${folder}; in a partial clone run "git fetch --refetch --no-filter" first, else restore the repository from another clone`
  return new PlanError('git_failed', message, run)
}

/** Returns why git refuses to work in a repository that another user owns, with the remedy; null where it does not. */
export function whyRefused(folder: string): string | null {
  const { status, stderr } = tryGit(folder, ['rev-parse', '--git-dir'])
  if (status === 0 || !stderr.includes('dubious ownership')) return null
  const advised = /safe\.directory (.+)/.exec(stderr)?.[1]?.trim() ?? shellWord(folder)
  return `git refuses to work in ${folder}, because another user owns it; if you trust its content, run: git config --global --add safe.directory ${advised}`
}

/** Runs git for a caller that handles other exit statuses too. @throws PlanError no_git, git_failed. */
export function tryGit(
  folder: string,
  args: readonly string[],
  input?: string | Uint8Array,
  { indexFile, settings = {} }: GitOptions = {},
): GitRun {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_') || KEPT.has(name)),
  )
  // Loaded when git is started: most commands do not start it.
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const { error, status, signal, stdout, stderr } = spawnSync('git', [...NO_PROGRAMS, ...args], {
    cwd: folder,
    env: {
      ...env,
      LC_ALL: 'C',
      GIT_OPTIONAL_LOCKS: '0',
      ...NO_FETCH,
      ...(indexFile !== undefined && { GIT_INDEX_FILE: indexFile }),
      ...settingVariables(settings),
    },
    input: input ?? '',
    maxBuffer: MAX_OUTPUT_BYTES,
    windowsHide: true,
  })
  if (status !== null && !error) return { status, stdout, stderr: stderr.toString() }
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  // A program that exits before it has read all of its input has still reported its status.
  if (code === 'EPIPE' && status !== null) return { status, stdout, stderr: stderr.toString() }
  const fail = (why: string) => {
    const message = `git ${args[0]} in ${folder}: ${why}`
    return new PlanError(
      'git_failed',
      message,
      { command: args.join(' '), status, stderr: stderr?.toString() ?? '' },
      error,
    )
  }
  if (code === 'ENOBUFS') throw fail(`it printed more than ${MAX_OUTPUT_BYTES} bytes`)
  if (signal) throw fail(`it was killed by ${signal}`)
  if (!existsSync(folder)) throw fail('no such folder')
  if (code !== 'ENOENT' && code !== 'EACCES') throw fail(error?.message ?? 'it did not exit')
  const message = `git cannot be started (${code}); install it, or add its folder to PATH, and run the command again`
  throw new PlanError('no_git', message, { folder }, error)
}

/** Returns the variables that pass settings to git. In `-c`, a key with "=" would end there. */
function settingVariables(settings: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(settings)
  const variables = entries.flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ])
  return { ...Object.fromEntries(variables), GIT_CONFIG_COUNT: String(entries.length) }
}

/**
 * Returns the settings that disable the hooks which the configuration defines, as it can from git 2.54 on: `core.hooksPath`
 * covers those of a folder alone. Needed by commands that change git's index or refs. @throws PlanError no_git, git_failed.
 */
export function noConfiguredHooks(folder: string): Record<string, string> {
  const keys = tryGit(folder, ['config', '--name-only', '-z', '--get-regexp', '^hook\\..*\\.(command|event)$']).stdout
  const names = keys.toString().split('\0').filter(Boolean)
  return Object.fromEntries(names.map(key => [key.replace(/\.\w+$/, '.enabled'), 'false']))
}

/**
 * Returns git's text merge of three files, with markers where the sides differ; undefined where git cannot merge them, as
 * with binary content.
 */
export function mergeText({ base, ours, theirs }: { base: string; ours: string; theirs: string }): Buffer | undefined {
  const labels = ['-L', 'ours', '-L', 'base', '-L', 'theirs']
  const { status, stdout } = tryGit('.', ['merge-file', '-p', ...labels, '--', ours, base, theirs])
  return status < 128 ? stdout : undefined // the number of conflicts
}

/** Returns the error about a folder outside of git; `rest` says what follows from that and what to do. */
export function notInGit(root: string, rest: string): PlanError<'no_git'> {
  return new PlanError('no_git', `${root} is not in a git repository, so ${rest}`, { folder: root })
}

/** Returns the id of the commit that a revision names; undefined where there is none, but not where git refuses to say. @throws PlanError no_git, git_failed. */
export function findCommit(folder: string, revision: string): string | undefined {
  const verify = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]
  const { status, stdout, stderr } = tryGit(folder, verify)
  const refusal = status === 0 ? null : whyRefused(folder)
  if (refusal !== null) throw new PlanError('git_failed', refusal, { command: verify.join(' '), status, stderr })
  const id = stdout.toString().trim().split('\n').at(-1)!
  return status === 0 && /^[0-9a-f]{40,64}$/.test(id) ? id : undefined
}

/** Returns a value of git's configuration for the folder; undefined where it is not set or git is not installed. */
export function findGitConfig(folder: string, key: string): string | undefined {
  return findOutput(folder, ['config', '--get', key])
}

/** Returns a value of the clone's own configuration, not of the user's or the system's; undefined where it is not set there. */
export function findCloneConfig(folder: string, key: string): string | undefined {
  const found = findOutput(folder, ['config', '--show-scope', '--get', key])
  return /^(?:local|worktree)\t(.*)$/.exec(found ?? '')?.[1]
}

/** Returns the version of git, for example "2.39.5"; undefined where git cannot be started. */
export function findGitVersion(folder: string): string | undefined {
  return /\d[\w.]*/.exec(findOutput(folder, ['--version']) ?? '')?.[0]
}

function findOutput(folder: string, args: readonly string[]): string | undefined {
  try {
    const { status, stdout } = tryGit(folder, args)
    return status === 0 ? stdout.toString().trim() || undefined : undefined
  } catch (error) {
    if (error instanceof PlanError) return undefined
    throw error
  }
}
