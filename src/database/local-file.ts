/**
 * Opens the file local.db, and sets a damaged one aside.
 *
 * Invariant: a file of another program or of a later version is never changed; a damaged file is renamed, never deleted.
 */
import { existsSync, readFileSync, renameSync } from 'node:fs'
import Database from 'better-sqlite3'
import { PlanError } from '../model/errors.ts'
import { type Connection, connect, FILE_SUFFIXES, type FileState, fileState, migrate } from './open.ts'
import { databaseError, isDamaged } from './sqlite-error.ts'

/** Opens local.db; creates or migrates it as needed. @throws PlanError database, io. */
export function openLocal(path: string, timeoutMs: number): Connection {
  let connection: Connection | undefined
  try {
    connection = connect(path, 'local', timeoutMs)
    const state = fileState(connection, 'local')
    if (state === 'foreign') throw mismatch(path, 'belongs to another program; move it to another folder')
    if (state === 'newer') throw mismatch(path, 'was written by a later version of ticketplan; update ticketplan')
    if (state !== 'ours') migrate(connection, 'local')
    // Reads all of its few rows, so that damage shows before anything relies on them.
    connection.prepare('select sum(ttl_ms), (select sum(token) from marks) from leases').get()
    return connection
  } catch (error) {
    connection?.close()
    throw databaseError(error, path)
  }
}

/**
 * Opens local.db for reading where it cannot be written: in place while another process that can write has it open, else as
 * a copy in memory, because SQLite opens no file in WAL mode whose companions it cannot create.
 * @throws PlanError database, SqliteError, the system's error.
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
    const bytes = readFileSync(path) // no lock is lost: this process cannot have the file open
    bytes.fill(1, 18, 20) // in the header: a plain file instead of WAL mode
    connection = new Database(bytes, options)
    state = fileState(connection, 'local')
  }
  if (state === 'ours') return connection
  connection.close()
  throw mismatch(path, 'was written by another version of ticketplan')
}

/**
 * Renames local.db and its companions to a free name, if it is damaged. Returns the new name, or null where the file is not
 * damaged any more. Takes a lock of its own, so that of several processes that find the damage one renames, and none sets the
 * next file aside.
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
    for (const suffix of FILE_SUFFIXES) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
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

function mismatch(path: string, what: string): PlanError<'database'> {
  return new PlanError('database', `${path} ${what}`, { path, sqliteCode: 'SQLITE_MISMATCH' })
}
