/**
 * Changes to a checkout and its git configuration, as values: first found, then shown or made.
 *
 * Each can be made again where a run was interrupted. Files are replaced whole; a file that somebody else changes meanwhile
 * is left to the next run. git's own lock is waited for and never removed.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeFileAtomically } from '../files/atomic-write.ts'
import { ioError } from '../files/io-error.ts'
import { BUSY_TIMEOUT_MS, pause } from '../files/pause.ts'
import { runGit, tryGit } from '../git/git.ts'
import { PlanError } from '../model/errors.ts'

/** A file's bytes as latin1; null for no file. */
export interface FileChange {
  path: string
  before: string | null
  after: string | null
  /** Permissions of a new file. */
  mode?: number
  /** The texts that were put in, where only they tell what was there before. */
  inserted?: readonly string[]
}

/** A value of the clone's git configuration; null takes it out. */
export interface ConfigChange {
  key: string
  value: string | null
}

/** All that a run changes. Paths are absolute. */
export interface Changes {
  config: ConfigChange[]
  /** Folders to make, a folder before those in it. */
  folders: string[]
  files: FileChange[]
  /** Folders to remove where nothing is in them any more, the innermost first. */
  emptied: string[]
}

/** The bytes of a file as latin1; null where there is nothing. @throws PlanError io. */
export function readLatin1(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw ioError(error, path)
  }
}

/** The clone's git configuration: what stands in its own file. @throws PlanError no_git, git_failed. */
export function readLocalConfig(root: string): Map<string, string> {
  const entries = runGit(root, ['config', '--local', '--no-includes', '-z', '--list']).toString().split('\0')
  return new Map(
    entries.filter(Boolean).map(entry => {
      const lineBreak = entry.indexOf('\n')
      return lineBreak === -1 ? [entry, ''] : [entry.slice(0, lineBreak), entry.slice(lineBreak + 1)]
    }),
  )
}

/** Changes the clone's git configuration. @throws PlanError no_git, git_failed, busy. */
export function applyConfig(root: string, changes: readonly ConfigChange[], timeoutMs = BUSY_TIMEOUT_MS): void {
  for (const { key, value } of changes) {
    const change = value === null ? ['--unset-all', key] : ['--replace-all', key, value]
    const args = ['config', '--local', ...change]
    for (const startedAt = performance.now(); ; pause()) {
      const { status, stderr } = tryGit(root, args)
      // 5: somebody has taken it out already.
      if (status === 0 || (status === 5 && value === null)) break
      if (!/could not lock config file .*: File exists/.test(stderr)) {
        throw new PlanError('git_failed', `git's configuration of ${root} cannot be changed: ${stderr.trim()}`, {
          command: args.join(' '),
          status,
          stderr,
        })
      }
      const waitedMs = Math.round(performance.now() - startedAt)
      if (waitedMs < timeoutMs) continue
      const lock = `${runGit(root, ['rev-parse', '--path-format=absolute', '--git-path', 'config']).toString().trim()}.lock`
      const message = `git's configuration is locked by ${lock}, after ${waitedMs} ms still: wait for the git command that holds it, or look whether one was interrupted, and run this again`
      throw new PlanError('busy', message, { lock, waitedMs, holder: null })
    }
  }
}

/** Makes and removes folders and files. @throws PlanError io, contended. */
export function applyFiles({ folders, files, emptied }: Omit<Changes, 'config'>): void {
  for (const { path, before, after, mode } of files) {
    const stillExpected = () => readLatin1(path) === before
    if (after === null) {
      if (!stillExpected()) throw contended(path)
      attempt(path, () => rmSync(path, { force: true }))
      continue
    }
    attempt(path, () => mkdirSync(dirname(path), { recursive: true }))
    const placement = { create: before === null, mode: before === null ? mode : lstatSync(path).mode, stillExpected }
    const written = writeFileAtomically(path, Buffer.from(after, 'latin1'), placement)
    if (written === 'changed' && readLatin1(path) !== after) throw contended(path)
  }
  for (const folder of folders) attempt(folder, () => mkdirSync(folder, { recursive: true }))
  for (const folder of emptied) attempt(folder, () => isEmptyFolder(folder) && rmdirSync(folder))
}

function isEmptyFolder(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length === 0
}

function contended(path: string): PlanError {
  return new PlanError('contended', `${path} was changed by another program just now: run the command again`, { path })
}

function attempt(path: string, action: () => unknown): void {
  try {
    action()
  } catch (error) {
    throw ioError(error, path)
  }
}

/** Which of the folders would be empty once those files are gone; the innermost first. */
export function emptiedFolders(folders: readonly string[], gone: readonly string[]): string[] {
  const left = new Set(gone)
  const emptied: string[] = []
  for (const folder of [...folders].sort((a, b) => b.length - a.length)) {
    const stat = lstatSync(folder, { throwIfNoEntry: false })
    if (!stat?.isDirectory() || readdirSync(folder).some(name => !left.has(join(folder, name)))) continue
    left.add(folder)
    emptied.push(folder)
  }
  return emptied
}
