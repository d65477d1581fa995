/**
 * Changes to a checkout and to its git configuration, as values: planned first, then printed or applied.
 *
 * Every change can be applied again after an interrupted run. Files are replaced whole; a file that another program changes
 * meanwhile makes the run fail with `contended`. Waits for git's own lock, and never removes it.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeFileAtomically } from '../files/atomic-write.ts'
import { ioError } from '../files/io-error.ts'
import { BUSY_TIMEOUT_MS, pause } from '../files/pause.ts'
import { shareFolder } from '../files/state-folder.ts'
import { runGit, tryGit } from '../git/git.ts'
import { PlanError } from '../model/errors.ts'

/** A change of a file: its bytes before and after as latin1, null for no file. */
export interface FileChange {
  path: string
  before: string | null
  after: string | null
  /** The permissions of a new file. */
  mode?: number
  /** The texts that were added, where the result alone does not show them. */
  inserted?: readonly string[]
  /** True where what earlier runs inserted is gone from the file. */
  isReplaced?: boolean
}

/** A value of the clone's git configuration; null removes it. */
export interface ConfigChange {
  key: string
  value: string | null
}

/** All changes of a run. Paths are absolute. */
export interface Changes {
  config: ConfigChange[]
  /** Folders to create, a folder before those in it. */
  folders: string[]
  files: FileChange[]
  /** Folders to remove where nothing is left in them, the innermost first. */
  emptied: string[]
}

/** Reads the bytes of a file as latin1; null where there is none. @throws PlanError io. */
export function readLatin1(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw ioError(error, path)
  }
}

/** Reads the git configuration in the clone's own file. @throws PlanError no_git, git_failed. */
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
  for (const change of changes) {
    const startedAt = performance.now()
    while (!trySetConfig(root, change)) {
      const waitedMs = Math.round(performance.now() - startedAt)
      if (waitedMs >= timeoutMs) throw configBusy(root, waitedMs)
      pause()
    }
  }
}

/** Changes one value; false where another program holds git's lock. */
function trySetConfig(root: string, { key, value }: ConfigChange): boolean {
  const args = ['config', '--local', ...(value === null ? ['--unset-all', key] : ['--replace-all', key, value])]
  const { status, stderr } = tryGit(root, args)
  // 5: the key is not there, so another program has removed it already.
  if (status === 0 || (status === 5 && value === null)) return true
  if (/could not lock config file .*: File exists/.test(stderr)) return false
  const message = `git's configuration of ${root} cannot be changed: ${stderr.trim()}`
  throw new PlanError('git_failed', message, { command: args.join(' '), status, stderr })
}

function configBusy(root: string, waitedMs: number): PlanError {
  const path = runGit(root, ['rev-parse', '--path-format=absolute', '--git-path', 'config']).toString().trim()
  const lock = `${path}.lock`
  const message = `git's configuration is still locked by ${lock} after ${waitedMs} ms; wait for the git command that holds the lock, or check whether one was interrupted, then run this again`
  return new PlanError('busy', message, { lock, waitedMs, holder: null })
}

/** Creates and removes folders and files. @throws PlanError io, contended. */
export function applyFiles({ folders, files, emptied }: Omit<Changes, 'config'>): void {
  for (const change of files) applyFile(change)
  for (const folder of folders) attempt(folder, () => createFolder(folder))
  for (const folder of emptied) attempt(folder, () => isEmptyFolder(folder) && rmdirSync(folder))
}

function applyFile({ path, before, after, mode }: FileChange): void {
  const stillExpected = () => readLatin1(path) === before
  if (after === null) {
    if (!stillExpected()) throw contended(path)
    attempt(path, () => rmSync(path, { force: true }))
    return
  }
  attempt(path, () => createFolder(dirname(path)))
  const placement = { create: before === null, mode: before === null ? mode : lstatSync(path).mode, stillExpected }
  const written = writeFileAtomically(path, Buffer.from(after, 'latin1'), placement)
  if (written === 'changed' && readLatin1(path) !== after) throw contended(path)
}

/** Creates a folder and its parents. Each has the access of the group to the folder above, as in a shared repository. */
function createFolder(folder: string): void {
  if (existsSync(folder)) return
  createFolder(dirname(folder))
  // With `recursive` a folder that another process creates at the same time is no error; then that one shares it.
  if (mkdirSync(folder, { recursive: true }) !== undefined) shareFolder(folder)
}

function isEmptyFolder(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length === 0
}

function contended(path: string): PlanError {
  const message = `${path}: another program changed the file at the same time; run the command again`
  return new PlanError('contended', message, { path })
}

function attempt(path: string, action: () => unknown): void {
  try {
    action()
  } catch (error) {
    throw ioError(error, path)
  }
}

/** Returns those of the folders that are empty without the removed files; the innermost first. */
export function emptiedFolders(folders: readonly string[], removed: readonly string[]): string[] {
  const gone = new Set(removed)
  const emptied: string[] = []
  for (const folder of [...folders].sort((a, b) => b.length - a.length)) {
    const stat = lstatSync(folder, { throwIfNoEntry: false })
    if (!stat?.isDirectory() || readdirSync(folder).some(name => !gone.has(join(folder, name)))) continue
    gone.add(folder)
    emptied.push(folder)
  }
  return emptied
}
