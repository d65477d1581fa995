/**
 * Owns the connections to local.db: one for reading and writing, or one for reading only where the file cannot be written.
 *
 * Invariant: a connection that is handed out is to the file that has the name now. A damaged or deleted file is replaced with a
 * new one, with a notice: its claims are lost, Tickets are not. Takes no lock.
 */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { inodeOf } from '../files/file-system.ts'
import { isPlanError } from '../model/errors.ts'
import { busyError } from './busy-error.ts'
import { readFencingMark } from './fencing-mark.ts'
import { openLocal, openLocalReadOnly, setAsideIfDamaged } from './local-file.ts'
import type { Connection } from './open.ts'
import { isDamaged, isUnwritable } from './sqlite-error.ts'

const LOST = 'its claims are lost, and running workers have to claim again; Tickets are not affected'

export interface LocalConnection {
  /** Returns the connection; opens it first where it is not open or the file was replaced. @throws PlanError busy, database, io. */
  open(): Connection
  /** Returns a connection for reading; undefined while there is no file. @throws PlanError busy, database, io. */
  openForReading(): Connection | undefined
  /** True while the open connection is to the file that has the name now. */
  isCurrent(): boolean
  /** Closes the connection and sets the file aside if it is damaged. @throws PlanError database, io. */
  setAsideIfDamaged(): void
  close(): void
}

/** Returns the owner of the connections to one file; nothing is opened yet. */
export function localConnection(path: string, timeoutMs: number, notify: (message: string) => void): LocalConnection {
  let connection: Connection | undefined
  let readOnly: Connection | undefined
  let inode: number | null = null

  const close = () => {
    connection?.close()
    readOnly?.close()
    connection = readOnly = undefined
  }
  const isCurrent = () => connection !== undefined && inodeOf(path) === inode
  const open = (): Connection => {
    if (connection && isCurrent()) return connection
    const wasReplaced = connection !== undefined && inodeOf(path) !== null
    close()
    try {
      connection = openOrReplace(path, timeoutMs, notify)
    } catch (error) {
      const isBusy = isPlanError(error, 'database') && error.data.sqliteCode === 'SQLITE_BUSY'
      throw isBusy ? busyError(path, timeoutMs) : error
    }
    inode = inodeOf(path)
    if (wasReplaced && readFencingMark(dirname(path)) > 0)
      notify(`${path} was removed or replaced by another process: ${LOST}`)
    return connection
  }

  return {
    open,
    isCurrent,
    openForReading() {
      if (inodeOf(path) === null) return undefined
      try {
        return open()
      } catch (error) {
        if (!isUnwritable(error)) throw error
        readOnly?.close()
        readOnly = undefined
        try {
          readOnly = openLocalReadOnly(path, timeoutMs) // opened again each time: it may be a copy
        } catch {
          throw error
        }
        return readOnly
      }
    },
    setAsideIfDamaged() {
      close()
      setAside(path, timeoutMs, notify)
    },
    close,
  }
}

/** Opens the file. Replaces a damaged or deleted one, with a notice. @throws PlanError database, io. */
function openOrReplace(path: string, timeoutMs: number, notify: (message: string) => void): Connection {
  try {
    // The mark is read first: while another process creates the file, it is empty only until a token is written.
    const isLost = readFencingMark(dirname(path)) > 0 && !statSync(path, { throwIfNoEntry: false })?.size
    const connection = openLocal(path, timeoutMs)
    if (isLost) notify(`${path} was deleted and has been recreated: ${LOST}`)
    return connection
  } catch (error) {
    if (!isPlanError(error, 'database') || !isDamaged(error.cause)) throw error
    setAside(path, timeoutMs, notify)
    return openLocal(path, timeoutMs)
  }
}

function setAside(path: string, timeoutMs: number, notify: (message: string) => void): void {
  const aside = setAsideIfDamaged(path, timeoutMs)
  if (aside !== null) notify(`${path} was damaged and has been renamed to ${aside}: ${LOST}`)
}
