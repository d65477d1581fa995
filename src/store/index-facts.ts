/**
 * The facts on which a verdict depends, read from one snapshot of the index and from the live claims.
 *
 * Each fact is read at most once for an answer, however many Tickets of the queue depend on it. Must not decide anything: that
 * is for `model/verdict.ts`.
 */
import type { LiveClaims } from '../claims/claims.ts'
import { ANY_TICKET } from '../files/quarantine.ts'
import { idFromPath } from '../files/ticket-files.ts'
import type { DecisionOf } from '../model/decision.ts'
import { isStoredKind, type StoredKind } from '../model/decision-kinds.ts'
import type { Facts, RelationFact, TicketFact } from '../model/facts.ts'
import { FORMAT } from '../model/format.ts'
import { idKey } from '../model/names.ts'
import { compareText } from '../model/order.ts'
import { remembered } from '../model/remembered.ts'
import { compareStates, type States } from '../model/states.ts'
import type {
  ActiveDecisionRow,
  IncomingConflictRow,
  IndexQueries,
  QuarantineRow,
  TicketRow,
} from '../ticket-index/query.ts'

/** What facts are made of beside the index and the claims. */
export interface FactSources {
  /** The wall clock, as a timestamp. */
  now: string
  states: States
  /** The configured capacities. */
  pools: Record<string, number>
  /** The same Ticket in the other worktrees of the clone. */
  otherWorktrees(id: string, path: string): { worktree: string; state: string; state_at: string | null }[]
}

/** Returns facts that are read when needed. */
export function indexFacts(queries: IndexQueries, claims: LiveClaims, sources: FactSources): Facts {
  const { now, states, pools } = sources
  let quarantined: QuarantineRow[] | undefined
  const unreadable = () => (quarantined ??= queries.quarantined())
  const active = remembered(id => queries.activeDecisions(id))
  const relations = (id: string, kind: string): RelationRow[] =>
    active(id).filter((row): row is ActiveDecisionRow & RelationRow => row.kind === kind && row.other !== null)
  const decisions = <K extends StoredKind>(id: string, kind: K): DecisionOf<K>[] =>
    active(id)
      .filter(row => row.kind === kind && row.body !== null)
      .map(row => JSON.parse(row.body!))
  const waits = {
    blocked_by: remembered(id => groupByOther(relations(id, 'blocked_by'))),
    after: remembered(id => groupByOther(relations(id, 'after'))),
  }

  return {
    now,
    queuedStates: states.lists.queued,
    phaseOf: states.phaseOf,
    ticket: remembered(id => {
      const row = queries.ticket(id)
      if (row) return ticketFact(row, states)
      const file = unreadable().find(({ path }) => path.endsWith('.json') && idKey(idFromPath(path)) === idKey(id))
      return file && { readable: false, id, path: file.path }
    }),
    waitsFor: (id, kind) => waits[kind](id),
    parents: remembered(id => groupByOther(relations(id, 'part_of'))),
    holds: id =>
      decisions(id, 'hold').map(({ id: decision, not_before, reason }) => ({ decision, not_before, reason })),
    unknownKinds: id =>
      active(id)
        .filter(({ kind, body }) => !isStoredKind(kind) && JSON.parse(body!).advisory !== true)
        .map(({ kind, decision }) => ({ kind, decision })),
    acceptedAt: id => decisions(id, 'accepted_plan')[0]?.at,
    elsewhere: remembered(id => {
      const row = queries.ticket(id)
      if (!row) return []
      return sources
        .otherWorktrees(id, row.path)
        .filter(other => states.phaseOf(other.state) !== row.phase && compareStates(other, row, states.phaseOf) > 0)
    }),
    released: id => claims.released(id),
    conflicts: remembered(id => {
      const rows = [...relations(id, 'conflicts_with'), ...queries.incomingConflicts(id)].sort(byOther)
      const strict = groupByOther(rows.filter(row => row.advisory === 0))
      const advisory = groupByOther(
        rows.filter(row => row.advisory === 1 && !strict.some(({ other }) => other === row.other)),
      )
      return [
        ...strict.map(fact => ({ ...fact, advisory: false })),
        ...advisory.map(fact => ({ ...fact, advisory: true })),
      ]
    }),
    waiting: remembered(id => {
      const wait = decisions(id, 'waiting_for_capacity')[0]
      return wait && { decision: wait.id, pool: wait.pool, until: wait.until, reason: wait.reason }
    }),
    contested: id => decisions(id, 'contested').map(({ id: decision, field, lost }) => ({ decision, field, lost })),
    claim: id => claims.find(id),
    slots(pool, exceptTicket) {
      const capacity = Object.hasOwn(pools, pool) ? pools[pool] : undefined
      if (capacity === undefined) return undefined
      const isTerminal = (id: string) => queries.ticket(id)?.phase === 'terminal'
      return { capacity, taken: claims.countInPool(pool, exceptTicket, isTerminal) }
    },
    suspects: id =>
      unreadable()
        .map(({ path, mentions }) => ({ ticket: idFromPath(path), path, mentions: JSON.parse(mentions) as string[] }))
        .filter(({ ticket, mentions }) => {
          // A file that could not be read at all may conflict with anything; that matters while its Ticket is claimed.
          return mentions.includes(id) || (mentions.includes(ANY_TICKET) && claims.find(ticket) !== undefined)
        })
        .map(({ ticket, path }) => ({ ticket, path })),
  }
}

function ticketFact({ id, state, state_at, phase, outcome, format }: TicketRow, states: States): TicketFact {
  return {
    readable: true,
    id,
    state,
    state_at,
    phase,
    outcome,
    ...(!states.isKnown(state) && { unknownState: states.nearest(state) }),
    ...(format > FORMAT && { newerFormat: format }),
  }
}

/** An active decision that names another Ticket. */
type RelationRow = Pick<IncomingConflictRow, 'other' | 'decision' | 'advisory'>

function byOther(a: RelationRow, b: RelationRow): number {
  return compareText(a.other, b.other) || compareText(a.decision, b.decision)
}

/** Groups rows that name the same Ticket into one fact. The rows are sorted by `byOther`. */
function groupByOther(rows: RelationRow[]): RelationFact[] {
  const facts: RelationFact[] = []
  for (const { other, decision } of rows) {
    const last = facts.at(-1)
    if (last?.other === other) last.decisions.push(decision)
    else facts.push({ other, decisions: [decision] })
  }
  return facts
}

/** Returns the function with a cache of its results. */
