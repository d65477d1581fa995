/**
 * Keeps the rows of the index equal to the Ticket files, by events of the folders instead of a scan for each answer.
 *
 * Invariant: after `refresh` has returned true, the rows contain every change whose event has been delivered. A folder is watched
 * before it is scanned. Whatever events cannot say leads to a full scan: a folder that came or went, an event without a name,
 * other settings, more events than the kernel's queue surely holds. In doubt the answer is false, and the asker reads by itself.
 */
import { lstatSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Store } from '../store/store.ts'
import { folderEvents } from './folder-events.ts'

export interface CurrentRows {
  /** Makes the rows equal to the files; false where that cannot be known. @throws PlanError of a scan. */
  refresh(): boolean
  /** Counts an event of another folder, which is in the same queue of the kernel. */
  countEvent(): void
  close(): void
}

/** The number of events after which all files are checked: the kernel silently drops events that its queue cannot hold. */
const MAX_EVENTS = 4096
/** With more changed files, a full scan is as fast. */
const MAX_CHANGED = 100
/** With more folders, a look at each takes too much of an answer. */
const MAX_FOLDERS = 200
/** How often a scan is repeated that finds folders which are not watched yet. */
const ATTEMPTS = 4

/** Returns the rows of a store, of which nothing is known yet. */
export function currentRows(store: Store): CurrentRows {
  const maxEvents = Math.min(MAX_EVENTS, queueSize() / 4)
  const changed = new Set<string>()
  let scanned: { basis: string; folders: ReadonlyMap<string, string> } | undefined
  let eventCount = 0
  let isBroken = false

  const events = folderEvents(
    (folder, name) => {
      eventCount++
      if (name?.startsWith('.')) return // a temporary file
      if (name?.endsWith('.json') && !name.includes('\ufffd') && changed.size < MAX_CHANGED)
        changed.add(join(folder, name))
      else scanned = undefined
    },
    () => {
      isBroken = true
    },
  )
  /** Watches folders, then scans all files. */
  const scan = (): boolean => {
    scanned = undefined
    let folders = [store.repository.ticketsDir]
    for (let left = ATTEMPTS; left > 0; left--) {
      events.clear()
      const states = new Map(folders.map(folder => [folder, identityOf(folder)]))
      for (const folder of folders) events.add(folder)
      eventCount = 0
      changed.clear()
      store.reconcile()
      folders = [...store.index.folders()]
      if (store.index.inMemory || folders.length > MAX_FOLDERS) return false
      if (!folders.every(folder => states.get(folder) === identityOf(folder))) continue
      scanned = { basis: store.index.basis(), folders: states }
      return true
    }
    return false
  }
  /** Reads the files whose events have come; false where a scan is needed. */
  const follow = (): boolean => {
    if (!scanned || eventCount > maxEvents || store.index.inMemory || store.index.basis() !== scanned.basis)
      return false
    for (const [folder, identity] of scanned.folders) if (identityOf(folder) !== identity) return false
    const paths = [...changed]
    if (!paths.every(isFileOrGone)) return false
    if (paths.length > 0) store.index.apply(paths.map(path => relative(store.repository.root, path)))
    changed.clear()
    return true
  }
  return {
    refresh() {
      // What a sparse checkout leaves out is in no folder that could be watched.
      if (isBroken || store.index.hasLeftOut()) return false
      return follow() || scan()
    },
    countEvent() {
      eventCount++
    },
    close: events.clear,
  }
}

/** Differs for a different folder at the same path. */
function identityOf(folder: string): string {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  return stat?.isDirectory() ? `${stat.dev} ${stat.ino} ${stat.birthtimeMs}` : ''
}

function isFileOrGone(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? true
}

/** Returns how many events the kernel holds for a process. */
function queueSize(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || 0
  } catch {
    return 0
  }
}
