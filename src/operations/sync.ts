import * as z from 'zod/mini'
import { count } from '../model/count.ts'
import { isPlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import type { Store } from '../store/store.ts'
import type { Reconciled } from '../ticket-index/reconcile.ts'
import { flag, operation } from './operation.ts'

const counts = lazy(() =>
  z.object({
    tickets: z.int(),
    decisions: z.int(),
    /** Files whose content in the index changed, was added or was removed. */
    changed: z.int(),
    quarantined: z.int(),
    /** Milliseconds, rounded. */
    ms: z.int(),
  }),
)

/** The index, made equal to the files. */
export const sync = operation({
  name: 'sync',
  summary: 'Make the index equal to the Ticket files, reading only what changed',
  details: 'Every command does this first; on its own it is for scripts, after a git pull for example.',
  writes: false,
  fields: {
    quiet: {
      schema: flag,
      help: 'for hooks: print nothing where all is well, and one line where files cannot be read; a branch without a tickets folder is well',
    },
  },
  output: counts,
  examples: ['ticketplan sync', 'git pull && ticketplan sync'],
  run(store, { quiet }) {
    if (!quiet) return timed(store, () => store.reconcile())
    try {
      const done = timed(store, () => store.reconcile())
      if (done.quarantined > 0) store.notify(unreadable(done.quarantined))
      return done
    } catch (error) {
      if (!isPlanError(error, 'not_initialized')) throw error
      return { tickets: 0, decisions: 0, quarantined: 0, changed: 0, ms: 0 }
    }
  },
})

function unreadable(files: number): string {
  return `${count(files, 'Ticket file')} cannot be read: "ticketplan verify" names ${files === 1 ? 'it' : 'them'}`
}

/** The index, made anew. */
export const rebuild = operation({
  name: 'rebuild',
  summary: 'Make the index anew from the Ticket files',
  details:
    'Never needed for right answers; for measuring, and for peace of mind. Readers see the old index or the new one.',
  writes: false,
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
