/**
 * The one lock around every read-modify-write of a clone: `BEGIN IMMEDIATE` on an empty database file that holds nothing else.
 *
 * The kernel frees the lock when the process that holds it ends, however it ends. The file is never replaced, so nobody has a
 * reason to remove it, as people remove local.db. Where it is removed all the same, its holder finds out before it writes:
 * `check` is called right before a Ticket file is replaced and before a commit. Waiting is first come, first served.
 */
import { dirname } from 'node:path'
import { inodeOf } from '../files/file-system.ts'
import { pause } from '../files/pause.ts'
import { PlanError } from '../model/errors.ts'
import { busyError } from './busy-error.ts'
import { isQueueEmpty, joinQueue } from './lock-queue.ts'
import { type Connection, openLockFile } from './open.ts'
import { databaseError, sqliteCode } from './sqlite-error.ts'

export interface WriteLock {
  /** Waits for the lock and takes it. @throws PlanError busy, database, io, unsafe_path. */
  acquire(): void
  /** Fails where the file was removed or replaced, so that another process may have the lock too. @throws PlanError io. */
  check(): void
  /** Frees the lock. Never fails: what was written under the lock is acknowledged or refused by then. */
  release(): void
  close(): void
}

/** The longest pause of a process that has others before it. */
const MAX_PAUSE_MS = 20

/** Returns the lock of a file; nothing is opened yet. */
export function writeLock(path: string, timeoutMs: number): WriteLock {
  let connection: Connection | undefined
  let inode: number | null = null

  const close = () => {
    connection?.close()
    connection = undefined
  }
  const isCurrent = () => inodeOf(path) === inode
  const tryAcquire = (): boolean => {
    if (connection && !isCurrent()) close()
    if (!connection) {
      connection = openLockFile(path)
      inode = inodeOf(path)
    }
    try {
      connection.exec('begin immediate')
    } catch (error) {
      if (sqliteCode(error) === 'SQLITE_BUSY') return false
      throw error
    }
    if (isCurrent()) return true
    close() // removed in between, so this lock is no longer the lock
    return false
  }

  return {
    acquire() {
      try {
        if (!isQueueEmpty(dirname(path)) || !tryAcquire()) waitInQueue(path, timeoutMs, tryAcquire)
      } catch (error) {
        throw databaseError(error, path)
      }
    },
    check() {
      if (isCurrent()) return
      const message = `${path} was removed or replaced while this command held it: nothing was written; run the command again`
      throw new PlanError('io', message, { path, syscallCode: 'ESTALE' })
    },
    release() {
      try {
        if (connection?.inTransaction) connection.exec('rollback')
      } catch {
        close() // frees the lock; what was done under it stays done
      }
    },
    close,
  }
}

/** Takes the lock when all who came before have had it. @throws PlanError busy. */
function waitInQueue(path: string, timeoutMs: number, tryAcquire: () => boolean): void {
  const startedAt = performance.now()
  const place = joinQueue(dirname(path))
  try {
    for (;;) {
      const position = place.position()
      if (position === 0 && tryAcquire()) return
      const waitedMs = performance.now() - startedAt
      if (waitedMs >= timeoutMs) throw busyError(path, Math.round(waitedMs))
      pause(Math.min(1 + 2 * position, MAX_PAUSE_MS))
    }
  } finally {
    place.leave()
  }
}
