/**
 * Reads of one checkout: answers over one snapshot of the index and of the claims.
 *
 * Invariant: a read reflects every file change that finished before it began. It never writes a Ticket file.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Claims, LiveClaims } from '../claims/claims.ts'
import { isPlanError } from '../model/errors.ts'
import type { Facts } from '../model/facts.ts'
import type { TicketId } from '../model/names.ts'
import { isoTime } from '../model/text.ts'
import type { IndexQueries, TicketRow } from '../ticket-index/query.ts'
import type { Progress, Reconciled } from '../ticket-index/reconcile.ts'
import type { TicketIndex } from '../ticket-index/ticket-index.ts'
import type { Checkout } from './checkout.ts'
import { indexFacts } from './index-facts.ts'
import { resolveName } from './resolve-name.ts'
import { type Watcher, watcherTrust } from './watcher-trust.ts'
import { worktreeReader } from './worktrees.ts'

/** One snapshot of the index and of the live claims. */
export interface View {
  queries: IndexQueries
  claims: LiveClaims
  facts: Facts
  /** Returns the Ticket that an id or a slug names. @throws PlanError unknown_ticket, ambiguous_slug. */
  resolve(name: string): { id: TicketId; row: TicketRow | null }
}

export interface Reads {
  /** Runs the action over the current content of all files. */
  read<T>(action: (view: View) => T): T
  /**
   * Runs the action like `read`, for an answer that depends on few Tickets: while a watcher is trusted, only their files are
   * checked. The action must have no effects, because it may run more than once.
   */
  readFew<T>(action: (view: View) => T): T
  /** Runs the action over the rows of the index as they are, even if they are out of date. */
  peek<T>(action: (view: View) => T): T
  /**
   * Runs the action, whose reads take the rows of the index as they are and the configuration as it was last read. For a caller
   * who knows that both equal the files.
   */
  overCurrentRows<T>(action: () => T): T
  /** Makes the index equal to the files. */
  reconcile(): Reconciled
  /** Rebuilds the index. */
  rebuild(): Reconciled
  /** Relies on a watcher until the returned function is called. */
  trust(watcher: Watcher): () => void
}

/** What the store itself needs too. */
export interface StoreReads extends Reads {
  /** Runs the action over rows that are equal to the files, without the claims. */
  readRows<T>(action: (queries: IndexQueries) => T): T
}

/** Returns the reads of a checkout. `progress` is called during long work. */
export function storeReads(
  checkout: Checkout,
  claims: Claims,
  now: () => number,
  progress: Progress | undefined,
): StoreReads {
  const trust = watcherTrust()

  const viewOf = (queries: IndexQueries) => openView(checkout, queries, claims.snapshot(), now)
  /** Runs work that checks all files, under the current configuration. */
  const checking = <T>(work: (index: TicketIndex) => T): T => {
    checkout.refreshAndCheck()
    return trust.recordScan(checkout.index, () => work(checkout.index))
  }
  let areRowsCurrent = false
  const peek = <T>(action: (view: View) => T): T => checkout.index.peek(queries => action(viewOf(queries)))
  const readCurrent = <T>(action: (view: View) => T): T => {
    checkout.check()
    return peek(action)
  }
  const read = <T>(action: (view: View) => T): T =>
    areRowsCurrent ? readCurrent(action) : checking(index => index.read(queries => action(viewOf(queries)), progress))

  return {
    read,
    readFew(action) {
      if (areRowsCurrent) return readCurrent(action)
      checkout.refresh()
      const generation = trust.trustedGeneration()
      try {
        const few =
          generation === undefined ? undefined : checkout.index.readFew(generation, queries => action(viewOf(queries)))
        if (few) return few.answer
      } catch (error) {
        if (!isPlanError(error)) throw error // what is unknown may be in a file that has not been read yet
      }
      return read(action)
    },
    peek,
    overCurrentRows(action) {
      areRowsCurrent = true
      try {
        return action()
      } finally {
        areRowsCurrent = false
      }
    },
    reconcile: () => checking(index => index.reconcile(progress)),
    rebuild: () => checking(index => index.rebuild(progress)),
    trust: trust.add,
    readRows: action => checking(index => index.read(action, progress)),
  }
}

/** Returns the view of one snapshot of the rows and of the claims. */
function openView(
  { repository, states }: Checkout,
  queries: IndexQueries,
  claims: LiveClaims,
  now: () => number,
): View {
  return {
    queries,
    claims,
    facts: indexFacts(queries, claims, {
      now: () => isoTime(now()),
      states,
      pools: repository.config.pools,
      areas: repository.config.areas,
      isAtRoot: name => existsSync(join(repository.root, name)),
      otherWorktrees: worktreeReader(repository),
    }),
    resolve: name => resolveName(queries, name),
  }
}
