/**
 * Events of single folders, in the order in which the kernel queued them: the watches of a process share one queue, and a change
 * is in it before the system call that makes it returns.
 *
 * Node's own watch is used, not chokidar, because it starts at once: between the start and a scan that follows it, no change is
 * missed. Must not keep the process running.
 */
import { type FSWatcher, watch } from 'node:fs'

export interface FolderEvents {
  /** Listens to a folder too. @throws the system's error, as where no watches are left. */
  add(folder: string): void
  has(folder: string): boolean
  /** Stops listening to all folders. */
  clear(): void
}

/**
 * Listens to no folder yet. `onEvent` gets the folder and the name in it of what has changed; null for the name where it is unknown.
 * `onFailure` is called where events of a folder will be missing.
 */
export function folderEvents(
  onEvent: (folder: string, name: string | null) => void,
  onFailure: () => void,
): FolderEvents {
  const watchers = new Map<string, FSWatcher>()
  return {
    add(folder) {
      const watcher = watch(folder, { persistent: false }, (_, name) => onEvent(folder, name))
      watcher.on('error', onFailure)
      watchers.set(folder, watcher)
    },
    has: folder => watchers.has(folder),
    clear() {
      for (const watcher of watchers.values()) watcher.close()
      watchers.clear()
    },
  }
}
