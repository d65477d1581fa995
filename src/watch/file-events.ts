/**
 * File events of the tickets folder, which may be removed, created again, or replaced by another one in the configuration.
 *
 * Where events are unavailable (no inotify watches left, a network file system) the owner must run scans more often.
 */
import { lstatSync } from 'node:fs'
import { isSharedFileSystem } from '../files/file-system.ts'
import { watchFolder } from './folder-watch.ts'

export interface FileEvents {
  /** True while an event arrives for every change, as far as this process can know. */
  isReliable(): boolean
  /** True where events are missing and will be missing. Neither is true just after the start. */
  isUnavailable(): boolean
  /** Listens to the folder that is at this path now, unless it does so already. @throws io errors where there is no folder. */
  follow(path: string): void
  /** Stops listening; `follow` starts it again. */
  stop(): void
}

/** Returns a source of events that follows no folder yet. `onEvent` is also called when events become reliable. */
export function fileEvents(onEvent: () => void, onUnavailable: (reason: string) => void): FileEvents {
  let state: 'starting' | 'reliable' | 'unavailable' = 'starting'
  let followed = ''
  let stopWatching: (() => void) | undefined

  const stop = () => {
    stopWatching?.()
    stopWatching = undefined
    followed = ''
    state = 'starting'
  }
  const fallBackToScans = (reason: string) => {
    state = 'unavailable'
    onUnavailable(reason)
  }
  return {
    isReliable: () => state === 'reliable',
    isUnavailable: () => state === 'unavailable',
    follow(path) {
      const identity = identityOf(path)
      if (identity === followed) return
      stop()
      followed = identity
      if (isSharedFileSystem(path)) return fallBackToScans('other machines can write to this file system')
      stopWatching = watchFolder(path, {
        onReady() {
          state = 'reliable'
          onEvent()
        },
        onEvent,
        onFailure: fallBackToScans,
      })
    },
    stop,
  }
}

/** Differs for a different folder, even at the same path with the same inode number; empty where there is none. */
function identityOf(folder: string): string {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  return stat ? `${folder} ${stat.dev} ${stat.ino} ${stat.birthtimeMs}` : ''
}
