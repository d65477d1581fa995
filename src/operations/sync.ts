import * as z from 'zod/mini'
import { lazy } from '../model/lazy.ts'
import type { Store } from '../store.ts'
import type { Reconciled } from '../ticket-index/reconcile.ts'
import { operation } from './operation.ts'

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
  fields: {},
  output: counts,
  examples: ['ticketplan sync', 'git pull && ticketplan sync'],
  run: store => timed(store, () => store.reconcile()),
})

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
