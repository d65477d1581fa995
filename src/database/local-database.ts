/**
 * The one lock around every read-modify-write: `BEGIN IMMEDIATE` on local.db, so that a clone has one writer at a time.
 *
 * The lock needs no clean-up: the kernel frees it when the process that holds it ends, however it ends. Locking writes nothing to
 * the file. Only errors of statements on local.db are treated as errors of local.db; what else an action throws passes unchanged.
 */
import { retryUntil } from '../files/pause.ts'
import { isPlanError } from '../model/errors.ts'
import { busyError } from './busy-error.ts'
import { localConnection } from './local-connection.ts'
import type { Connection } from './open.ts'
import { databaseError, isDamaged, sqliteCode } from './sqlite-error.ts'

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
  /** The connection whose lock this process holds. */
  let held: Connection | undefined

  /** Takes the lock if it is free. */
  const tryLock = (): Connection | undefined => {
    const connection = file.open()
    if (!tryBegin(connection, path)) return undefined
    if (file.isCurrent()) return connection
    file.close() // the file was deleted or replaced in between, so this lock is no longer the lock
    return tryLock()
  }
  const lock = (): Connection => {
    const startedAt = performance.now()
    const connection = retryUntil(timeoutMs, tryLock, found => found !== undefined)
    if (connection) return connection
    throw busyError(path, Math.round(performance.now() - startedAt))
  }
  const locked = <T>(action: () => T): T => {
    if (held) return action()
    const connection = lock()
    held = connection
    try {
      const result = action()
      if (connection.inTransaction) named(path, () => connection.exec('commit'))
      return result
    } catch (error) {
      if (connection.inTransaction) connection.exec('rollback')
      if (isDamageOf(error, path)) file.setAsideIfDamaged()
      throw error
    } finally {
      held = undefined
    }
  }

  return {
    path,
    locked,
    write: action => locked(() => named(path, () => action(held!))),
    read(action) {
      if (held) return named(path, () => action(held))
      try {
        return action(file.openForReading())
      } catch (error) {
        if (!isDamaged(error)) throw databaseError(error, path)
        file.close() // opening it again sets the damaged file aside
        return named(path, () => action(file.openForReading()))
      }
    },
    close: file.close,
  }
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

/**
 * Takes the lock if it is free. Without SQLite's own busy timeout, whose pauses grow to 100 ms: a process that writes again and
 * again would then keep all others out.
 */
function tryBegin(connection: Connection, path: string): boolean {
  const timeoutMs = connection.pragma('busy_timeout', { simple: true })
  connection.pragma('busy_timeout = 0')
  try {
    connection.exec('begin immediate')
    return true
  } catch (error) {
    if (sqliteCode(error) !== 'SQLITE_BUSY') throw databaseError(error, path)
    return false
  } finally {
    connection.pragma(`busy_timeout = ${timeoutMs}`)
  }
}
