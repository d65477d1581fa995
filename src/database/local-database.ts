/**
 * The one lock around every read-modify-write: `BEGIN IMMEDIATE` on local.db, so one writer a clone at a time.
 *
 * SQLite's lock needs no clean-up: the kernel frees it with the process that holds it, however that ends. A holder that
 * stops without ending is named where the system tells (Linux). Nothing is written to the database by locking.
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { inodeOf } from '../files/file-system.ts'
import { pause } from '../files/pause.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { readFencingMark } from './fencing-mark.ts'
import { type Connection, openLocal, openLocalReadOnly, setAsideIfDamaged } from './open.ts'
import { databaseError, isDamaged, isUnwritable, sqliteCode } from './sqlite-error.ts'

/** local.db, opened when first needed, and opened anew where the file was replaced. */
export interface LocalDatabase {
  readonly path: string
  /** Runs the action while no other process of this clone writes; its result, once committed. */
  locked<T>(action: (connection: Connection) => T): T
  /** The connection for reads; undefined while there is no file. */
  reader(): Connection | undefined
  close(): void
}

/**
 * Ready to open local.db at a path; nothing is opened yet. `timeoutMs` bounds the wait for the lock. `notify` is told where
 * claims were lost with a damaged file.
 */
export function localDatabase(
  path: string,
  timeoutMs: number,
  notify: (message: string) => void = () => {},
): LocalDatabase {
  let connection: Connection | undefined
  let readOnly: Connection | undefined
  let inode: number | null = null
  let depth = 0

  const close = () => {
    connection?.close()
    readOnly?.close()
    connection = readOnly = undefined
  }
  const setAside = (): boolean => {
    const aside = setAsideIfDamaged(path, timeoutMs)
    if (aside === null) return false
    notify(
      `${path} was damaged and is now ${aside}: the claims in it are lost, and running workers have to claim again; Tickets are not affected`,
    )
    return true
  }
  const openUndamaged = (): Connection => {
    try {
      // In this order: a file that another process is making is empty only as long as no token is noted.
      const isLost = readFencingMark(dirname(path)) > 0 && !statSync(path, { throwIfNoEntry: false })?.size
      const opened = openLocal(path, timeoutMs)
      if (isLost) {
        notify(
          `${path} was gone and is made anew: claims are lost, and running workers have to claim again; Tickets are not affected`,
        )
      }
      return opened
    } catch (error) {
      if (!isPlanError(error, 'database') || !isDamaged(error.cause)) throw error
      setAside()
      return openLocal(path, timeoutMs)
    }
  }
  const open = (): Connection => {
    if (connection && inodeOf(path) === inode) return connection
    close()
    try {
      connection = openUndamaged()
    } catch (error) {
      const isBusy = isPlanError(error, 'database') && error.data.sqliteCode === 'SQLITE_BUSY'
      throw isBusy ? busyError(path, timeoutMs) : error
    }
    inode = inodeOf(path)
    return connection
  }
  const begin = (): Connection => {
    const startedAt = performance.now()
    for (;;) {
      const opened = open()
      if (!tryBegin(opened, path)) {
        const waitedMs = Math.round(performance.now() - startedAt)
        if (waitedMs >= timeoutMs) throw busyError(path, waitedMs)
        pause()
      } else if (inodeOf(path) === inode) return opened
      else close() // the file was deleted or replaced while we waited: its lock is no longer the lock
    }
  }

  return {
    path,
    locked(action) {
      if (depth > 0) return action(connection!)
      const locked = begin()
      depth++
      try {
        const result = action(locked)
        if (locked.inTransaction) locked.exec('commit')
        return result
      } catch (error) {
        if (locked.inTransaction) locked.exec('rollback')
        if (sqliteCode(error) === undefined) throw error
        if (isDamaged(error)) {
          close()
          setAside()
        }
        throw databaseError(error, path)
      } finally {
        depth--
      }
    },
    reader() {
      if (depth > 0) return connection
      if (inodeOf(path) === null) return undefined
      try {
        return open()
      } catch (error) {
        if (!isUnwritable(error)) throw error
        readOnly?.close()
        readOnly = undefined
        try {
          readOnly = openLocalReadOnly(path, timeoutMs) // anew each time: it may be a copy
        } catch {
          throw error
        }
        return readOnly
      }
    },
    close,
  }
}

/**
 * Takes the lock if it is free. Without SQLite's own waiting: its pauses grow to 100 ms, so a process that writes time
 * after time would keep all others out.
 */
function tryBegin(connection: Connection, path: string): boolean {
  const patience = connection.pragma('busy_timeout', { simple: true })
  connection.pragma('busy_timeout = 0')
  try {
    connection.exec('begin immediate')
    return true
  } catch (error) {
    if (sqliteCode(error) !== 'SQLITE_BUSY') throw databaseError(error, path)
    return false
  } finally {
    connection.pragma(`busy_timeout = ${patience}`)
  }
}

/** The error of a lock that was not free in time. It names the holder where /proc tells. */
export function busyError(path: string, waitedMs: number): PlanError<'busy'> {
  const holder = findHolder(path)
  const who = holder ? `held by ${holder}` : 'held by another process'
  return new PlanError(
    'busy',
    `busy: the lock ${path} is ${who}, waited ${(waitedMs / 1000).toFixed(1)} s; run the command again when that is done`,
    { lock: path, waitedMs, holder },
  )
}

// SQLite's write locks: byte 120 of the shared memory in WAL mode, the reserved byte of the file itself otherwise.
const LOCK_BYTES = [
  { suffix: '-shm', first: 120 },
  { suffix: '', first: 0x40000001 },
]

function findHolder(path: string): string | null {
  let locks: string
  try {
    locks = readFileSync('/proc/locks', 'utf8')
  } catch {
    return null // only Linux tells
  }
  for (const { suffix, first } of LOCK_BYTES) {
    const inode = inodeOf(path + suffix)
    for (const [, pid, lockedInode, start, end] of locks.matchAll(
      /POSIX\s+ADVISORY\s+WRITE\s+(\d+)\s+\w+:\w+:(\d+)\s+(\d+)\s+(\d+)/g,
    )) {
      if (Number(lockedInode) !== inode || Number(start) > first || Number(end) < first) continue
      return `process ${pid}${commandOf(pid!)}`
    }
  }
  return null
}

function commandOf(pid: string): string {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()
    return command ? ` (${command.slice(0, 200)})` : ''
  } catch {
    return '' // it ended in the meantime, or belongs to another user
  }
}
