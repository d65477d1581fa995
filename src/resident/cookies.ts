/**
 * Waits until every file event from before now has been delivered: writes a file, a cookie, and waits for its event, which the
 * kernel queues behind all earlier ones.
 */
import { closeSync, openSync, readdirSync, unlinkSync } from 'node:fs'
import { type FolderEvents, folderEvents } from './folder-events.ts'
import type { ResidentPlace } from './place.ts'

export interface Cookies {
  /** Resolves with true once all earlier events have been delivered; with false where that does not happen in time. */
  settle(): Promise<boolean>
  close(): void
}

const PREFIX = 'cookie-'
const TIMEOUT_MS = 250

/** Starts listening in the folder of a resident, and removes what is left of earlier cookies. @throws the system's error. */
export function cookies(place: ResidentPlace, folder: string, onEvent: () => void): Cookies {
  const waiting = new Map<string, (isDelivered: boolean) => void>()
  const events: FolderEvents = folderEvents(
    (_, name) => {
      onEvent()
      if (name !== null) waiting.get(name)?.(true)
    },
    () => {},
  )
  events.add(folder)
  for (const name of readdirSync(place.path('.'))) if (name.startsWith(PREFIX)) remove(place.path(name))
  let count = 0

  return {
    settle() {
      const name = `${PREFIX}${process.pid}-${++count}`
      return new Promise(resolve => {
        const done = (isDelivered: boolean) => {
          clearTimeout(timer)
          waiting.delete(name)
          remove(place.path(name))
          setImmediate(resolve, isDelivered) // after the events that were delivered together with this one
        }
        const timer = setTimeout(done, TIMEOUT_MS, false)
        waiting.set(name, done)
        try {
          closeSync(openSync(place.path(name), 'wx', 0o600))
        } catch {
          done(false) // a full disk, for example
        }
      })
    },
    close: events.clear,
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Gone already, or removed by the next resident.
  }
}
