/** The error of a lock that was not free in time, with its holder where the system shows it (Linux). */
import { readFileSync } from 'node:fs'
import { inodeOf } from '../files/file-system.ts'
import { PlanError } from '../model/errors.ts'

/** SQLite's write locks: byte 120 of the shared memory in WAL mode, the reserved byte of the file itself otherwise. */
const LOCK_BYTES = [
  { suffix: '-shm', byte: 120 },
  { suffix: '', byte: 0x40000001 },
]

/** Returns the error of a database whose lock was not free in time. */
export function busyError(path: string, waitedMs: number): PlanError<'busy'> {
  const holder = findHolder(path)
  const waited = `waited ${(waitedMs / 1000).toFixed(1)} s for the lock ${path}`
  return new PlanError(
    'busy',
    `busy: ${waited}, held by ${holder ?? 'another process'}; run the command again when that process has finished`,
    { lock: path, waitedMs, holder },
  )
}

function findHolder(path: string): string | null {
  let locks: string
  try {
    locks = readFileSync('/proc/locks', 'utf8')
  } catch {
    return null // not on Linux
  }
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
