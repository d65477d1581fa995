/**
 * local.db under the write lock: every read-modify-write of a clone is one transaction on it, and one at a time.
 *
 * The lock is a file of its own (write-lock.ts), so that a clone has one writer also where local.db is removed or replaced. What
 * was written to a local.db that has gone is never acknowledged: the file is checked before the commit. Only errors of statements
 * on local.db are treated as errors of local.db; what else an action throws passes unchanged.
 */
import { dirname, join } from 'node:path'
import { monotonicMs, retryUntil } from '../files/pause.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { busyError } from './busy-error.ts'
import { type LocalConnection, localConnection } from './local-connection.ts'
import type { Connection, Statement } from './open.ts'
import { databaseError, isDamaged, isUnlockFailure, sqliteCode } from './sqlite-error.ts'
import { writeLock } from './write-lock.ts'

/** local.db, opened when first needed, and opened again where the file was replaced. */
export interface LocalDatabase {
  readonly path: string
  /**
   * Runs the action while no other process of this clone writes, and commits what it wrote with `write`; rolls that back where
   * it throws. Within a lock that this process holds, the action joins the outer one. @throws PlanError busy, database, io.
   */
  locked<T>(action: () => T): T
  /** Runs an action that changes local.db, under the lock. @throws PlanError busy, database, io. */
  write<T>(action: (connection: Connection) => T): T
  /**
   * Runs an action that reads local.db, without the lock; with undefined while there is no file. Runs it a second time where the
   * file was damaged and is replaced. @throws PlanError busy, database, io.
   */
  read<T>(action: (connection: Connection | undefined) => T): T
  /**
   * Fails where the lock that this process holds is no longer the clone's. Called right before a Ticket file is replaced.
   * @throws PlanError io.
   */
  checkLock(): void
  close(): void
}

/**
 * Returns the database at a path; nothing is opened yet. `timeoutMs` limits the wait for the lock. `notify` receives a sentence
 * where claims were lost.
 */
export function localDatabase(
  path: string,
  timeoutMs: number,
  notify: (message: string) => void = () => {},
): LocalDatabase {
  const file = localConnection(path, timeoutMs, notify)
  const lock = writeLock(join(dirname(path), 'write-lock'), timeoutMs)
  /** The connection that is in a transaction, under the lock. */
  let held: Connection | undefined
  let hasWritten = false
  const commit = (connection: Connection) => {
    if (hasWritten) {
      lock.check()
      if (!file.isCurrent()) throw removed(path)
    }
    if (connection.inTransaction) commitOn(connection, file, path)
  }
  const inTransaction = <T>(action: () => T): T => {
    const connection = begin(file, path, timeoutMs)
    held = connection
    hasWritten = false
    try {
      const result = action()
      commit(connection)
      return result
    } catch (error) {
      if (connection.inTransaction) connection.exec('rollback')
      if (isDamageOf(error, path)) file.setAsideIfDamaged()
      throw error
    } finally {
      held = undefined
    }
  }
  const locked = <T>(action: () => T): T => {
    if (held) return action()
    lock.acquire()
    try {
      return inTransaction(action)
    } finally {
      lock.release()
    }
  }

  return {
    path,
    locked,
    checkLock: lock.check,
    write: action =>
      locked(() => {
        hasWritten = true
        return named(path, () => action(held!))
      }),
    read: action => (held ? named(path, () => action(held)) : readNow(file, path, action)),
    close() {
      file.close()
      lock.close()
    },
  }
}

/** Begins a transaction. @throws PlanError busy where another program than ticketplan has one. */
function begin(file: LocalConnection, path: string, timeoutMs: number): Connection {
  const tryNow = (): Connection | undefined => {
    const connection = file.open()
    if (!tryBegin(connection, path)) return undefined
    if (file.isCurrent()) return connection
    file.close() // removed or replaced in between
    return tryNow()
  }
  const startedAt = monotonicMs()
  const connection = retryUntil(timeoutMs, tryNow, found => found !== undefined)
  if (connection) return connection
  throw busyError(path, Math.round(monotonicMs() - startedAt))
}

function commitOn(connection: Connection, file: LocalConnection, path: string): void {
  try {
    connection.exec('commit')
  } catch (error) {
    if (!isUnlockFailure(error)) throw databaseError(error, path)
    file.close() // a connection that is opened again has no lock
  }
}

/** Runs the action, and a second time where the file was damaged and is replaced. */
function readNow<T>(file: LocalConnection, path: string, action: (connection: Connection | undefined) => T): T {
  try {
    return action(file.openForReading())
  } catch (error) {
    if (!isDamaged(error)) throw databaseError(error, path)
    file.close() // opening it again sets the damaged file aside
    return named(path, () => action(file.openForReading()))
  }
}

function removed(path: string): PlanError<'database'> {
  const message = `${path} was removed or replaced while this command used it: no claim was changed; run the command again`
  return new PlanError('database', message, { path, sqliteCode: 'SQLITE_READONLY_DBMOVED' })
}

/** Runs statements on the database at the path; their failures become errors with that path. */
function named<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw databaseError(error, path)
  }
}

function isDamageOf(error: unknown, path: string): boolean {
  return isPlanError(error, 'database') && error.data.path === path && isDamaged(error.cause)
}

/** Begins a transaction if no other program has one. Without SQLite's own busy timeout, whose pauses grow to 100 ms. */
function tryBegin(connection: Connection, path: string): boolean {
  const busyTimeout = busyTimeoutOf(connection)
  busyTimeout.remove.get()
  try {
    connection.exec('begin immediate')
    return true
  } catch (error) {
    if (sqliteCode(error) !== 'SQLITE_BUSY') throw databaseError(error, path)
    return false
  } finally {
    busyTimeout.restore.get()
  }
}

const busyTimeouts = new WeakMap<Connection, BusyTimeout>()

interface BusyTimeout {
  remove: Statement<[], unknown>
  restore: Statement<[], unknown>
}

/** Returns statements that are prepared once: a pragma takes as long as the begin. */
function busyTimeoutOf(connection: Connection): BusyTimeout {
  const known = busyTimeouts.get(connection)
  if (known) return known
  const timeoutMs = connection.pragma('busy_timeout', { simple: true })
  const setTo = (ms: unknown) => connection.prepare<[], unknown>(`pragma busy_timeout = ${ms}`)
  const prepared = { remove: setTo(0), restore: setTo(timeoutMs) }
  busyTimeouts.set(connection, prepared)
  return prepared
}
