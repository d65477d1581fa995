import * as z from 'zod/mini'
import { count } from '../model/count.ts'
import { isPlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import type { Store } from '../store/store.ts'
import type { Reconciled } from '../ticket-index/reconcile.ts'
import { changedSourceNotes } from './import-source.ts'
import { flag, operation } from './operation.ts'

const counts = lazy(() =>
  z.object({
    tickets: z.int(),
    decisions: z.int(),
    /** Files that were added to the index, changed in it or removed from it. */
    changed: z.int(),
    quarantined: z.int(),
    /** Milliseconds, rounded. */
    ms: z.int(),
  }),
)

/** Reconciles the index with the files. */
export const sync = operation({
  name: 'sync',
  summary: 'Reconcile the index with the Ticket files',
  details:
    'Reads only the files that changed. Every command does this first; alone it is useful in scripts, for example after git pull.',
  writes: false,
  alone: true,
  fields: {
    quiet: {
      schema: flag,
      help: 'for hooks: print only one line if files cannot be read; accept a branch without a tickets folder',
    },
  },
  output: counts,
  examples: ['ticketplan sync', 'git pull && ticketplan sync'],
  run(store, { quiet }) {
    try {
      const done = timed(store, () => store.reconcile())
      if (quiet && done.quarantined > 0)
        store.notify(`${count(done.quarantined, 'Ticket file')} cannot be read; see "ticketplan verify"`)
      notifyOfSources(store)
      return done
    } catch (error) {
      if (!quiet || !isPlanError(error, 'not_initialized')) throw error
      return { tickets: 0, decisions: 0, quarantined: 0, changed: 0, ms: 0 }
    }
  },
})

/** Notifies of the sources in the repository that have changed. A problem with one does not fail the sync. */
function notifyOfSources(store: Store): void {
  if (store.repository.config.sources.length === 0) return
  try {
    for (const note of changedSourceNotes(store)) store.notify(note)
  } catch (error) {
    if (!isPlanError(error)) throw error
    store.notify((error as Error).message)
  }
}

/** Rebuilds the index. */
export const rebuild = operation({
  name: 'rebuild',
  summary: 'Rebuild the index from the Ticket files',
  details:
    'Never needed for correct answers: the index is reconciled before each one. Readers see either the old index or the new one.',
  writes: false,
  alone: true,
  fields: {},
  output: counts,
  examples: ['ticketplan rebuild'],
  run: store => timed(store, () => store.rebuild()),
})

function timed(store: Store, work: () => Reconciled) {
  const startedAt = performance.now()
  const { changed } = work()
  return { ...store.index.peek(queries => queries.counts()), changed, ms: Math.round(performance.now() - startedAt) }
}
