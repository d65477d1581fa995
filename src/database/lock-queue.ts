/**
 * The order of the processes that wait for the write lock: first come, first served.
 *
 * A waiting process has an empty file in the folder of the lock, named after the time at which it came, and touches it while it
 * waits. The file of a process that was killed or stopped is ignored soon after. The queue is only about order: the lock itself
 * keeps writers apart, so a clock that is wrong or a file that is removed costs no more than the place.
 */
import { closeSync, openSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { shareFile } from '../files/state-folder.ts'

const PREFIX = 'waiting-'
/** A file that was not touched for so long is that of a process that does not wait any more. */
const STALE_MS = 1000
const TOUCH_EVERY_MS = 200

/** The place of a waiting process. */
export interface Place {
  /** Returns how many processes are before this one. */
  position(): number
  leave(): void
}

/** True while no process waits. */
export function isQueueEmpty(folder: string): boolean {
  return listWaiting(folder).length === 0
}

/** Joins the queue at its end. */
export function joinQueue(folder: string): Place {
  const { randomBytes } = process.getBuiltinModule('node:crypto')
  const name = `${PREFIX}${String(Date.now()).padStart(15, '0')}-${process.pid}-${randomBytes(4).toString('hex')}`
  const path = join(folder, name)
  let touchedAt = -Infinity
  const touch = () => {
    if (performance.now() - touchedAt < TOUCH_EVERY_MS) return
    touchedAt = performance.now()
    quietly(() => {
      try {
        utimesSync(path, new Date(), new Date())
      } catch {
        const file = openSync(path, 'wx') // new, or removed while this process was stopped
        try {
          shareFile(file, path)
        } finally {
          closeSync(file)
        }
      }
    })
  }
  touch()
  return {
    position() {
      touch()
      const before = listWaiting(folder).filter(other => other < name)
      if (before.length > 0 && isStale(join(folder, before[0]!))) quietly(() => rmSync(join(folder, before.shift()!)))
      return before.length
    },
    leave: () => quietly(() => rmSync(path, { force: true })),
  }
}

/** Lists the names of the files of waiting processes, the first one first. */
function listWaiting(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter(name => name.startsWith(PREFIX))
      .sort()
  } catch {
    return [] // the lock itself reports what is wrong with the folder
  }
}

function isStale(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return !stat || Math.abs(Date.now() - stat.mtimeMs) > STALE_MS
}

// Where the folder cannot be written, there is no queue.
function quietly(action: () => void): void {
  try {
    action()
  } catch {}
}
