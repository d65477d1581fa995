/**
 * index.db as an owned resource: opened when needed, replaced where it is unusable, held in memory where it cannot be written.
 *
 * The index is derived data: a file that is damaged, foreign or of another version is removed and created again, with a notice.
 * Removing happens under the clone's write lock, so that of several processes one replaces the file. Any other failure is
 * thrown. Must not read the file with `fs`, which would drop SQLite's locks.
 */
import { busyError } from '../database/busy-error.ts'
import type { LocalDatabase } from '../database/local-database.ts'
import { type Connection, connect, FILE_SUFFIXES, fileState, migrate, removeDatabase } from '../database/open.ts'
import { databaseError, isDamaged, isUnwritable, sqliteCode } from '../database/sqlite-error.ts'
import { inodeOf } from '../files/file-system.ts'
import { monotonicMs, pause } from '../files/pause.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { openInMemory, type PreparedIndex } from './prepared-index.ts'

export interface IndexFile {
  readonly path: string
  /** True where the index is in memory because its file cannot be written. */
  readonly inMemory: boolean
  /**
   * Runs the action on the open index. Where the action finds it damaged, removed or unwritable, it runs again, on a new file
   * or in memory.
   * @throws PlanError busy, database, io; what the action throws.
   */
  use<T>(action: (index: PreparedIndex) => T): T
  /** Removes the file, which is unusable, unless another process has replaced it already. */
  discard(): void
  close(): void
}

/** Where the file is, and what belongs to it. */
interface IndexFileOptions {
  path: string
  /** Has the write lock under which a file is replaced. */
  local: LocalDatabase
  timeoutMs: number
  /** Receives messages for a person, one sentence each. */
  notify(message: string): void
  /** Called once for each connection. */
  prepare(connection: Connection): PreparedIndex
}

interface OpenFile {
  index: PreparedIndex
  /** The file that is open; for an index in memory, the file that could not be written. */
  inode: number | null
}

/** Returns the index file at a path; nothing is opened yet. */
export function indexFile(options: IndexFileOptions): IndexFile {
  const { path, local, timeoutMs, notify, prepare } = options
  let opened: OpenFile | undefined
  let inMemory = false

  const close = () => {
    opened?.index.connection.close()
    opened = undefined
  }
  const useMemory = (error: unknown) => {
    close()
    inMemory = true
    const reason = (databaseError(error, path) as Error).message
    notify(`the index cannot be written (${reason}); this answer comes from the Ticket files, loaded into memory`)
    opened = { index: prepare(openInMemory(timeoutMs)), inode: inodeOf(path) }
  }
  const open = (): PreparedIndex => {
    if (opened && inodeOf(path) !== opened.inode) {
      close() // also an index in memory: another file may be usable
      inMemory = false
    }
    if (opened) return opened.index
    try {
      opened = openPersistently(options)
    } catch (error) {
      if (!isUnwritable(error)) throw error
      useMemory(error)
    }
    return opened!.index
  }
  const discard = () => {
    const unusable = opened?.inode
    close()
    local.locked(() => {
      if (inodeOf(path) === unusable) removeDatabase(path)
    })
    notify(`the index ${path} was damaged; it was rebuilt from the Ticket files`)
  }
  /** Makes the index usable again after a failure, or throws the failure where that cannot help. */
  const recover = (error: unknown) => {
    // A PlanError is about something else that the action needed: a Ticket file, local.db.
    if (inMemory || error instanceof PlanError) throw error
    // The file was removed or replaced, which is all that its failure says. The next attempt opens the new one.
    if (opened && inodeOf(path) !== opened.inode) return close()
    if (isUnwritable(error)) useMemory(error)
    else if (isDamaged(error)) discard()
    else throw error
  }

  return {
    path,
    get inMemory() {
      return inMemory
    },
    use: action => tryAgain(path, () => action(open()), recover),
    discard,
    close,
  }
}

/** How often an index that is removed again and again is opened. */
const ATTEMPTS = 5

/** Runs the attempt; after a failure, recovers from it and runs it again, a few times. @throws PlanError instead of SqliteError. */
function tryAgain<T>(path: string, attempt: () => T, recover: (error: unknown) => void): T {
  const startedAt = monotonicMs()
  try {
    for (let left = ATTEMPTS; left > 1; left--) {
      try {
        return attempt()
      } catch (error) {
        if (sqliteCode(error) === 'SQLITE_BUSY') throw busyError(path, Math.round(monotonicMs() - startedAt))
        recover(error)
      }
    }
    return attempt()
  } catch (error) {
    throw databaseError(error, path)
  }
}

/** Opens the file; once more after each time that it was removed or replaced while it was being opened. */
function openPersistently(options: IndexFileOptions): OpenFile {
  for (let left = ATTEMPTS; left > 1; left--) {
    const before = inodeOf(options.path)
    try {
      removeLeftOvers(options)
      return openOrReplace(options)
    } catch (error) {
      // Companions of a file that was removed show as errors of the disk, until the processes that have it open let go.
      const isPassing = inodeOf(options.path) !== before || sqliteCode(error) === 'SQLITE_IOERR'
      if (!isPassing || isPlanError(error)) throw error
      pause()
    }
  }
  return openOrReplace(options)
}

/** Removes the companions of a file that was removed alone: a new file must never meet them. */
function removeLeftOvers({ path, local }: IndexFileOptions): void {
  const isLeftOver = () => inodeOf(path) === null && FILE_SUFFIXES.some(suffix => inodeOf(path + suffix) !== null)
  if (isLeftOver()) local.locked(() => isLeftOver() && removeDatabase(path))
}

/** Opens the file, after replacing one that is unusable. */
function openOrReplace(options: IndexFileOptions): OpenFile {
  const { path, local, notify } = options
  const first = tryOpen(options)
  if (typeof first !== 'string') return first
  return local.locked(() => {
    const second = tryOpen(options) // another process may have replaced it before we had the lock
    if (typeof second !== 'string') return second
    removeDatabase(path)
    notify(`the index ${path} was ${second}; it was rebuilt from the Ticket files`)
    const third = tryOpen(options)
    if (typeof third !== 'string') return third
    throw new Error(`${path}: the new index is ${third}`)
  })
}

/** Opens the file, created where there is none. Returns what is wrong with a file that is unusable. */
function tryOpen({ path, timeoutMs, prepare }: IndexFileOptions): OpenFile | string {
  let connection: Connection | undefined
  try {
    connection = connect(path, 'index', timeoutMs)
    const state = fileState(connection, 'index')
    if (state === 'new') migrate(connection, 'index')
    if (state === 'new' || state === 'ours') return { index: prepare(connection), inode: inodeOf(path) }
    connection.close()
    return UNUSABLE[state]
  } catch (error) {
    connection?.close()
    if (isDamaged(error)) return 'damaged'
    throw error
  }
}

const UNUSABLE = {
  foreign: 'created by another program',
  newer: 'written by a later version',
  older: 'written by an earlier version',
}
