/** The error of a lock that was not free in time, with its holder where the system shows it (Linux). */
import { readFileSync } from 'node:fs'
import { inodeOf } from '../files/file-system.ts'
import { PlanError } from '../model/errors.ts'

/** SQLite's write locks: byte 120 of the shared memory in WAL mode, the reserved byte of the file itself otherwise. */
const LOCK_BYTES = [
  { suffix: '-shm', byte: 120 },
  { suffix: '', byte: 0x40000001 },
]

const ANOTHER = 'another process'
/** A file system without locks answers like one whose lock is held. */
const UNLISTED =
  'no process that this machine lists: one of another machine or container, or the file system has no locks'

/** Returns the error of a database whose lock was not free in time. */
export function busyError(path: string, waitedMs: number): PlanError<'busy'> {
  const locks = readLocks()
  const holder = locks === null ? null : findHolder(path, locks)
  const waited = `waited ${(waitedMs / 1000).toFixed(1)} s for the lock ${path}`
  const by = holder ?? (locks === null ? ANOTHER : UNLISTED)
  return new PlanError('busy', `busy: ${waited}, held by ${by}; run the command again when that process has finished`, {
    lock: path,
    waitedMs,
    holder,
  })
}

function readLocks(): string | null {
  try {
    return readFileSync('/proc/locks', 'utf8')
  } catch {
    return null // not on Linux, or hidden
  }
}

function findHolder(path: string, locks: string): string | null {
  for (const { suffix, byte } of LOCK_BYTES) {
    const inode = inodeOf(path + suffix)
    for (const [, pid, lockedInode, start, end] of locks.matchAll(
      /POSIX\s+ADVISORY\s+WRITE\s+(\d+)\s+\w+:\w+:(\d+)\s+(\d+)\s+(\d+)/g,
    )) {
      if (Number(lockedInode) !== inode || Number(start) > byte || Number(end) < byte) continue
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
    return '' // it has ended, or belongs to another user
  }
}
