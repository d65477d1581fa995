/**
 * Opens a database file: pragmas, migrations, and the check that the file is one of ours.
 *
 * Invariant: nothing here reads a database file with `fs`, because closing that handle would drop SQLite's locks; names and
 * inodes are safe. Migrations are drizzle-kit's files. `user_version` is how many of them a file has, and they run in the
 * transaction that sets it, so that two processes that open a new file at once end with the same one.
 */
import { readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { isSharedFileSystem } from '../files/file-system.ts'
import { packageRoot } from '../files/package-root.ts'
import { retryUntil } from '../files/pause.ts'
import { checkStateFiles, createStateFile, createStateFolder } from '../files/state-folder.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { sqliteCode } from './sqlite-error.ts'

export type Connection = Database.Database
export type Statement<P extends unknown[], R> = Database.Statement<P, R>

/** SQLite's application_id of each kind of file: `tkpi` and `tkpl`. */
const APPLICATION_ID = { index: 0x746b7069, local: 0x746b706c } as const
/** The number of migrations of each kind of file. A new index migration makes every older index be rebuilt. */
export const SCHEMA_VERSION = { index: 4, local: 5 } as const
/** A database file and its companions. The companions come first: a new file must never meet an old journal. */
export const FILE_SUFFIXES = ['-wal', '-shm', '-journal', ''] as const

export type DatabaseKind = keyof typeof SCHEMA_VERSION

/** What a database file is, before it is used: ours and of this version, empty, another program's, or of another version. */
export type FileState = 'ours' | 'new' | 'foreign' | 'newer' | 'older'

/** Opens a connection with our pragmas. Creates the file where there is none; migrates nothing. @throws SqliteError. */
export function connect(path: string, kind: DatabaseKind, timeoutMs: number): Connection {
  if (path !== ':memory:') prepareFile(path)
  const connection = openFile(path, timeoutMs)
  try {
    if (path !== ':memory:') setJournalMode(connection, journalModeOf(path, kind), timeoutMs)
    connection.pragma(`synchronous = ${kind === 'local' ? 'full' : 'normal'}`)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Opens the file of a lock, an empty database. Creates the file where there is none. @throws PlanError unsafe_path, io; SqliteError. */
export function openLockFile(path: string): Connection {
  prepareFile(path)
  const connection = openFile(path, 0)
  try {
    connection.pragma('journal_mode = memory') // nothing is ever written, so no journal has to be created and removed
  } catch {
    // taking the lock says what is wrong
  }
  return connection
}

/** Opens a connection. better-sqlite3 throws a bare TypeError where it cannot reach the folder. */
function openFile(path: string, timeout: number): Connection {
  try {
    return new Database(path, { timeout })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const folder = dirname(path)
    throw new PlanError('io', `${folder}: the folder cannot be reached`, { path: folder, syscallCode: 'EIO' }, error)
  }
}

/**
 * local.db has a rollback journal. In WAL mode, a process whose file was removed would delete the write-ahead log of the new
 * file when it closes, because SQLite finds the log by its name, and with it claims that were acknowledged.
 */
function journalModeOf(path: string, kind: DatabaseKind): 'delete' | 'wal' {
  return kind === 'local' || isSharedFileSystem(dirname(path)) ? 'delete' : 'wal'
}

// SQLite reports "busy" at once, whatever its timeout, while another process writes a file that is not in WAL mode yet.
function setJournalMode(connection: Connection, mode: 'delete' | 'wal', timeoutMs: number): void {
  const tryOnce = (): unknown => {
    try {
      connection.pragma(`journal_mode = ${mode}`)
      return undefined
    } catch (error) {
      return error
    }
  }
  const failure = retryUntil(timeoutMs, tryOnce, error => sqliteCode(error) !== 'SQLITE_BUSY')
  if (failure !== undefined) throw failure
}

/** Returns whose file it is, and of which version. @throws SqliteError where it is damaged. */
export function fileState(connection: Connection, kind: DatabaseKind): FileState {
  // In one snapshot: another process may be creating the file.
  const state = connection.transaction((): FileState => {
    const id = connection.pragma('application_id', { simple: true }) as number
    const version = connection.pragma('user_version', { simple: true }) as number
    if (id === APPLICATION_ID[kind]) {
      return version === SCHEMA_VERSION[kind] ? 'ours' : version > SCHEMA_VERSION[kind] ? 'newer' : 'older'
    }
    const tables = connection.prepare('select count(*) from sqlite_master').pluck().get()
    return id === 0 && version === 0 && tables === 0 ? 'new' : 'foreign'
  })
  return state.deferred()
}

/** Migrates a new or older file to this version, in one transaction. A second process finds nothing left to do. */
export function migrate(connection: Connection, kind: DatabaseKind): void {
  connection
    .transaction(() => {
      const done = connection.pragma('user_version', { simple: true }) as number
      for (const statements of migrationTexts(kind).slice(done)) connection.exec(statements)
      connection.pragma(`application_id = ${APPLICATION_ID[kind]}`)
      connection.pragma(`user_version = ${SCHEMA_VERSION[kind]}`)
    })
    .immediate()
}

/** Returns the SQL of each migration, in order, as drizzle-kit wrote it. */
export function migrationTexts(kind: DatabaseKind): string[] {
  const folder = join(packageRoot(), 'migrations', kind)
  const journal = JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')) as {
    entries: { tag: string }[]
  }
  return journal.entries.map(({ tag }) => readFileSync(join(folder, `${tag}.sql`), 'utf8'))
}

/** Removes a database file and its companions. */
export function removeDatabase(path: string): void {
  for (const suffix of FILE_SUFFIXES) rmSync(path + suffix, { force: true })
}

/** Creates the folder and the file of a database where there is none; neither may be a link. @throws PlanError unsafe_path, io. */
function prepareFile(path: string): void {
  const folder = dirname(path)
  try {
    createStateFolder(folder)
    checkStateFiles(FILE_SUFFIXES.map(suffix => path + suffix))
    createStateFile(path)
  } catch (error) {
    if (isPlanError(error)) throw error
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    const what = `the folder or a file in it cannot be created: ${message}`
    throw new PlanError('io', `${folder}: ${what}`, { path: folder, syscallCode: code }, error)
  }
}
