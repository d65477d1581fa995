/**
 * When the word of a watcher can be taken, so that an answer needs to look at few files only.
 *
 * It can while the watcher hears, has heard of nothing since the last full check began, that check is not too old, and the
 * tickets folder's own times are what they were then: those tell of files that were added, replaced or removed before the watcher
 * could hear of them.
 */
import { lstatSync } from 'node:fs'
import { stampOf } from '../files/ticket-files.ts'
import { isRacy } from './reconcile.ts'
import type { TicketIndex } from './ticket-index.ts'

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
  /** Runs work that looks at all files of the folder, and takes note of it. */
  noting<T>(ticketsDir: string, index: TicketIndex, work: () => T): T
  /** The database over which a look at the files that an answer rests on is enough; undefined where all must be looked at. */
  trustedMark(ticketsDir: string): number | undefined
  /** Takes the word of a watcher, until the function that it gives is called. */
  trust(watcher: Watcher): () => void
}

export function fullChecks(): FullChecks {
  const watchers = new Set<Watcher>()
  /** The last one: when it began, over which database, and what the folder was then; that is empty where it was too young. */
  let last: { at: number; mark: number; folder: string } | undefined

  return {
    noting(ticketsDir, index, work) {
      if (watchers.size === 0) return work()
      const at = performance.now()
      const stat = lstatSync(ticketsDir, { throwIfNoEntry: false })
      const folder = stat && !isRacy(stat.mtimeMs, stat.ctimeMs, Date.now()) ? stampOf(stat) : ''
      const result = work()
      last = { at, mark: index.mark(), folder }
      return result
    },
    trustedMark(ticketsDir) {
      if (watchers.size === 0 || !last?.folder) return undefined
      const { at, mark, folder } = last
      const isTrusted = ({ isHearing, heardAt, trustedMs }: Watcher) =>
        isHearing() && heardAt < at && performance.now() < at + trustedMs
      if (![...watchers].some(isTrusted)) return undefined
      return stampOf(lstatSync(ticketsDir, { throwIfNoEntry: false })) === folder ? mark : undefined
    },
    trust(watcher) {
      watchers.add(watcher)
      return () => {
        watchers.delete(watcher)
      }
    },
  }
}
