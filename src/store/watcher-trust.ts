/**
 * Decides when an answer may check few files only, because a watcher listens to all others.
 *
 * It may while the watcher receives file events, there was no event since the last full scan began, that scan is not too old,
 * and no folder of Tickets has other times than at that scan: these show files that were added, replaced or removed before an
 * event could arrive. In doubt, the answer is no.
 */
import { lstatSync } from 'node:fs'
import { statKey } from '../files/file-system.ts'
import { isRacy } from '../files/racy-times.ts'
import type { TicketIndex } from '../ticket-index/ticket-index.ts'

/** Listens to the files of the tickets folder, and runs a full scan now and then. */
export interface Watcher {
  /** True while it receives an event for every change, as far as it can know. */
  isReliable(): boolean
  /** When the last event arrived, by `performance.now()`. */
  lastEventAt: number
  /** How long a full scan stays valid without an event. */
  trustedMs: number
}

export interface WatcherTrust {
  /** Runs work that does a full scan, and records the scan. */
  recordScan<T>(index: TicketIndex, work: () => T): T
  /** The generation of the index over which few files need a check; undefined where a full scan is needed. */
  trustedGeneration(): number | undefined
  /** Adds a watcher; returns a function that removes it. */
  add(watcher: Watcher): () => void
}

/** The last full scan. */
interface FullScan {
  startedAt: number
  generation: number
  folders: FolderState[]
}

interface FolderState {
  path: string
  /** Differs after each change in the folder. */
  fingerprint: string
}

/** With more folders, reading their times takes too much of an answer. */
const MAX_FOLDERS = 50

/** Returns the trust in the watchers of one checkout; there are none yet. */
export function watcherTrust(): WatcherTrust {
  const watchers = new Set<Watcher>()
  let last: FullScan | undefined

  return {
    recordScan(index, work) {
      if (watchers.size === 0) return work()
      const startedAt = performance.now()
      const startedMs = Date.now()
      const result = work()
      const folders = findUnchanged(index.folders(), startedMs)
      last = folders && { startedAt, generation: index.generation(), folders }
      return result
    },
    trustedGeneration() {
      if (watchers.size === 0 || !last) return undefined
      const { startedAt, generation, folders } = last
      const now = performance.now()
      const isTrusted = ({ isReliable, lastEventAt, trustedMs }: Watcher) =>
        isReliable() && lastEventAt < startedAt && now < startedAt + trustedMs
      if (![...watchers].some(isTrusted)) return undefined
      const isSame = ({ path, fingerprint }: FolderState) =>
        statKey(lstatSync(path, { throwIfNoEntry: false })) === fingerprint
      return folders.every(isSame) ? generation : undefined
    },
    add(watcher) {
      watchers.add(watcher)
      return () => {
        watchers.delete(watcher)
      }
    },
  }
}

/** Returns the state of the folders at a time, in ms since 1970; undefined where one may have changed since, or there are too many. */
function findUnchanged(paths: readonly string[], atMs: number): FolderState[] | undefined {
  if (paths.length > MAX_FOLDERS) return undefined
  const folders: FolderState[] = []
  for (const path of paths) {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (!stat || isRacy(stat.mtimeMs, stat.ctimeMs, atMs)) return undefined
    folders.push({ path, fingerprint: statKey(stat) })
  }
  return folders.length > 0 ? folders : undefined
}
