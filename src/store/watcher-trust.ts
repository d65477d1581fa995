/**
 * When the word of a watcher can be taken, so that an answer needs to look at few files only.
 *
 * It can while the watcher hears, has heard of nothing since the last full check began, that check is not too old, and every
 * folder of Tickets has the times that it had then: those tell of files that were added, replaced or removed before the watcher
 * could hear of them.
 */
import { lstatSync } from 'node:fs'
import { stampOf } from '../files/ticket-files.ts'
import { isRacy } from '../ticket-index/reconcile.ts'
import type { TicketIndex } from '../ticket-index/ticket-index.ts'

/** Somebody who hears of changes to the files of the tickets folder, and has all of them checked now and then. */
export interface Watcher {
  /** True while it hears of every change, as far as anybody can know. */
  isHearing(): boolean
  /** When it last heard of one, by `performance.now()`. */
  heardAt: number
  /** For how long after a full check its word is taken. */
  trustedMs: number
}

export interface FullChecks {
  /** Runs work that looks at all files, and takes note of it. */
  noting<T>(index: TicketIndex, work: () => T): T
  /** The database over which a look at the files that an answer rests on is enough; undefined where all must be looked at. */
  trustedMark(): number | undefined
  /** Takes the word of a watcher, until the function that it gives is called. */
  trust(watcher: Watcher): () => void
}

/** With more folders, looking at their times costs too much of an answer. */
const FEW_FOLDERS = 50

export function fullChecks(): FullChecks {
  const watchers = new Set<Watcher>()
  /** The last one: when it began, over which database, and the folders with their stamps, unless one was too young to tell. */
  let last: { at: number; mark: number; folders: [folder: string, stamp: string][] } | undefined

  return {
    noting(index, work) {
      if (watchers.size === 0) return work()
      const at = performance.now()
      const startedMs = Date.now()
      const result = work()
      const folders = index.folders()
      const stamps = folders.length > FEW_FOLDERS ? [] : folders.map(folder => stampBefore(folder, startedMs))
      const isKnown = stamps.length > 0 && stamps.every(stamp => stamp !== '')
      last = isKnown
        ? { at, mark: index.mark(), folders: folders.map((folder, position) => [folder, stamps[position]!]) }
        : undefined
      return result
    },
    trustedMark() {
      if (watchers.size === 0 || !last) return undefined
      const { at, mark, folders } = last
      const isTrusted = ({ isHearing, heardAt, trustedMs }: Watcher) =>
        isHearing() && heardAt < at && performance.now() < at + trustedMs
      if (![...watchers].some(isTrusted)) return undefined
      const isSame = ([folder, stamp]: [string, string]) =>
        stampOf(lstatSync(folder, { throwIfNoEntry: false })) === stamp
      return folders.every(isSame) ? mark : undefined
    },
    trust(watcher) {
      watchers.add(watcher)
      return () => {
        watchers.delete(watcher)
      }
    },
  }
}

/** What a folder was at a time, in ms since 1970; empty where it may have changed since, or too shortly before. */
function stampBefore(folder: string, atMs: number): string {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  return stat && !isRacy(stat.mtimeMs, stat.ctimeMs, atMs) ? stampOf(stat) : ''
}
