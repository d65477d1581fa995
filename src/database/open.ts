/**
 * Opens the two databases: pragmas, migrations, and the check that a file is ours.
 *
 * Invariant: nothing here reads a database file with `fs` (closing that handle would drop SQLite's locks); names and
 * inodes are fair game. Migrations are drizzle-kit's files; `user_version` says how many a file has, and they run in the
 * one transaction that also sets it, so that two processes that open a new file at once end with the same one.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { isSharedFileSystem } from '../files/file-system.ts'
import { packageRoot } from '../files/package-root.ts'
import { pause } from '../files/pause.ts'
import { PlanError } from '../model/errors.ts'
import { databaseError, isDamaged, sqliteCode } from './sqlite-error.ts'

export type Connection = Database.Database
export type Statement<P extends unknown[], R> = Database.Statement<P, R>

/** `tkpi` and `tkpl`, as SQLite's application_id. */
const APPLICATION_ID = { index: 0x746b7069, local: 0x746b706c } as const
/** How many migrations each kind of file has. A new index migration makes every older index be rebuilt. */
export const SCHEMA_VERSION = { index: 1, local: 1 } as const

export type DatabaseKind = keyof typeof SCHEMA_VERSION

/** What a database file was found to be, before it was used. */
export type FileState = 'ours' | 'new' | 'foreign' | 'newer' | 'older'

/** A connection with our pragmas; the file is made where there is none. Nothing is migrated. @throws SqliteError. */
export function connect(path: string, kind: DatabaseKind, timeoutMs: number): Connection {
  if (path !== ':memory:') makeFolder(dirname(path))
  const connection = new Database(path, { timeout: timeoutMs })
  try {
    if (path !== ':memory:') {
      setJournalMode(connection, isSharedFileSystem(dirname(path)) ? 'delete' : 'wal', timeoutMs)
    }
    connection.pragma(`synchronous = ${kind === 'local' ? 'full' : 'normal'}`)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

// SQLite gives up at once where another process writes a file that is not in WAL mode yet, whatever the time-out.
function setJournalMode(connection: Connection, mode: 'delete' | 'wal', timeoutMs: number): void {
  for (const deadline = performance.now() + timeoutMs; ; pause()) {
    try {
      connection.pragma(`journal_mode = ${mode}`)
      return
    } catch (error) {
      if (sqliteCode(error) !== 'SQLITE_BUSY' || performance.now() >= deadline) throw error
    }
  }
}

/** Whose file it is, and of which version. @throws SqliteError where it is damaged. */
export function fileState(connection: Connection, kind: DatabaseKind): FileState {
  // In one snapshot: another process may be making the file.
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

/** Brings a new or older file to this version, in one transaction; whoever comes second finds it done. */
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

/** The SQL of each migration in order, as drizzle-kit wrote it. */
export function migrationTexts(kind: DatabaseKind): string[] {
  const folder = join(packageRoot(), 'migrations', kind)
  const journal = JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')) as {
    entries: { tag: string }[]
  }
  return journal.entries.map(({ tag }) => readFileSync(join(folder, `${tag}.sql`), 'utf8'))
}

/** Opens local.db, made or migrated as needed. @throws PlanError database. */
export function openLocal(path: string, timeoutMs: number): Connection {
  let connection: Connection | undefined
  try {
    connection = connect(path, 'local', timeoutMs)
    const state = fileState(connection, 'local')
    if (state === 'foreign' || state === 'newer') {
      const why = state === 'foreign' ? 'belongs to another program' : 'was written by a later version of ticketplan'
      throw new PlanError('database', `${path} ${why}: it is left as it is`, { path, sqliteCode: 'SQLITE_MISMATCH' })
    }
    if (state !== 'ours') migrate(connection, 'local')
    // A few rows, all read: damage shows here, before anybody relies on them.
    connection.prepare('select sum(ttl_ms), (select sum(token) from marks) from leases').get()
    return connection
  } catch (error) {
    connection?.close()
    throw databaseError(error, path)
  }
}

/**
 * Renames local.db and its companions to a free name, if it is damaged; the new name, or null where nothing is wrong by now. Of
 * several processes that find the damage one renames, under a lock of its own: nobody sets the next file aside.
 * @throws PlanError database, io.
 */
export function setAsideIfDamaged(path: string, timeoutMs: number): string | null {
  const lock = new Database(`${path}.repair-lock`, { timeout: timeoutMs })
  try {
    lock.exec('begin immediate')
    if (!isFileDamaged(path, timeoutMs)) return null
    let number = 1
    while (existsSync(`${path}.damaged-${number}`)) number++
    const aside = `${path}.damaged-${number}`
    // The companions go first: a new file must never meet an old journal.
    for (const suffix of ['-wal', '-shm', '-journal', ''])
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
    return aside
  } catch (error) {
    throw databaseError(error, path)
  } finally {
    lock.close()
  }
}

function isFileDamaged(path: string, timeoutMs: number): boolean {
  if (!existsSync(path)) return false
  let connection: Connection | undefined
  try {
    connection = openLocal(path, timeoutMs)
    return connection.pragma('quick_check(1)', { simple: true }) !== 'ok'
  } catch (error) {
    const cause = error instanceof PlanError ? error.cause : error
    return isDamaged(cause)
  } finally {
    connection?.close()
  }
}

/**
 * local.db as it is now, where it cannot be written: in place while a process that can write has it open, else as a copy in
 * memory, because SQLite opens no file of WAL mode whose companions it cannot make. @throws PlanError database, and others.
 */
export function openLocalReadOnly(path: string, timeoutMs: number): Connection {
  const options = { readonly: true, timeout: timeoutMs }
  let connection: Connection | undefined
  let state: FileState
  try {
    connection = new Database(path, options)
    state = fileState(connection, 'local')
  } catch {
    connection?.close()
    const bytes = readFileSync(path) // no lock to lose: this process cannot have it open
    bytes.fill(1, 18, 20) // the header's mark of WAL mode, as that of a plain file
    connection = new Database(bytes, options)
    state = fileState(connection, 'local')
  }
  if (state === 'ours') return connection
  connection.close()
  throw new PlanError('database', `${path} is of another version: it is left as it is`, {
    path,
    sqliteCode: 'SQLITE_MISMATCH',
  })
}

/** Removes a database file and what belongs to it. The companions go first: a new file must never meet an old journal. */
export function removeDatabase(path: string): void {
  for (const suffix of ['-wal', '-shm', '-journal', '']) rmSync(path + suffix, { force: true })
}

function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  try {
    mkdirSync(folder) // never its parents: a git folder that is not there is not to be made up
    if (basename(folder) === '.ticketplan') writeFileSync(join(folder, '.gitignore'), '*\n')
  } catch (error) {
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return // another process was faster
    throw new PlanError('io', `${folder} cannot be made: ${message}`, { path: folder, syscallCode: code }, error)
  }
}
