/**
 * The facts on which a verdict rests, read from one snapshot of the index and from the live claims.
 *
 * Each fact is read at most once an answer, however many Tickets of the queue depend on it.
 */

import type { LiveClaims } from '../claims/claims.ts'
import { ANY_TICKET, idFromPath } from '../files/ticket-files.ts'
import type { DecisionOf } from '../model/decision.ts'
import type { StoredKind } from '../model/decision-kinds.ts'
import type { Facts, RelationFact } from '../model/facts.ts'
import { idKey } from '../model/names.ts'
import { compareText } from '../model/order.ts'
import type { ActiveDecisionRow, IncomingConflictRow, IndexQueries, QuarantineRow } from '../ticket-index/query.ts'

/** Reads facts as they are asked for. `pools` are the configured capacities. */
export function indexFacts(queries: IndexQueries, claims: LiveClaims, pools: Record<string, number>): Facts {
  let quarantined: QuarantineRow[] | undefined
  const unreadable = () => (quarantined ??= queries.quarantined())
  const standing = once(id => queries.activeDecisions(id))
  const relations = (id: string, kind: string): NamingRow[] =>
    standing(id).filter((row): row is ActiveDecisionRow & NamingRow => row.kind === kind && row.other !== null)
  const others = <K extends StoredKind>(id: string, kind: K): DecisionOf<K>[] =>
    standing(id)
      .filter(row => row.kind === kind && row.body !== null)
      .map(row => JSON.parse(row.body!))
  const waits = {
    blocked_by: once(id => grouped(relations(id, 'blocked_by'))),
    after: once(id => grouped(relations(id, 'after'))),
  }

  return {
    ticket: once(id => {
      const row = queries.ticket(id)
      if (row) return { readable: true, id, state: row.state, phase: row.phase }
      const file = unreadable().find(({ path }) => path.endsWith('.json') && idKey(idFromPath(path)) === idKey(id))
      return file && { readable: false, id, path: file.path }
    }),
    waitsFor: (id, kind) => waits[kind](id),
    conflicts: once(id => {
      const rows = [...relations(id, 'conflicts_with'), ...queries.incomingConflicts(id)].sort(inOrder)
      const strict = grouped(rows.filter(row => row.advisory === 0))
      const advisory = grouped(
        rows.filter(row => row.advisory === 1 && !strict.some(({ other }) => other === row.other)),
      )
      return [
        ...strict.map(fact => ({ ...fact, advisory: false })),
        ...advisory.map(fact => ({ ...fact, advisory: true })),
      ]
    }),
    waiting: once(id => {
      const note = others(id, 'waiting_for_capacity')[0]
      return note && { decision: note.id, pool: note.pool, until: note.until, reason: note.reason }
    }),
    contested: id => others(id, 'contested').map(({ id: decision, field, lost }) => ({ decision, field, lost })),
    claim: id => claims.find(id),
    slots(pool, exceptTicket) {
      const capacity = Object.hasOwn(pools, pool) ? pools[pool] : undefined
      return capacity === undefined ? undefined : { capacity, taken: claims.countInPool(pool, exceptTicket) }
    },
    suspects: id =>
      unreadable()
        .map(({ path, mentions }) => ({ ticket: idFromPath(path), path, mentions: JSON.parse(mentions) as string[] }))
        .filter(({ ticket, mentions }) => {
          // What could not be read at all may be in conflict with anything; that matters while a worker is on it.
          return mentions.includes(id) || (mentions.includes(ANY_TICKET) && claims.find(ticket) !== undefined)
        })
        .map(({ ticket, path }) => ({ ticket, path })),
  }
}

/** A decision that stands and names another Ticket. */
type NamingRow = Pick<IncomingConflictRow, 'other' | 'decision' | 'advisory'>

function inOrder(a: NamingRow, b: NamingRow): number {
  return compareText(a.other, b.other) || compareText(a.decision, b.decision)
}

/** Rows in the order of the other Tickets' ids; those that name the same one become one fact. */
function grouped(rows: NamingRow[]): RelationFact[] {
  const facts: RelationFact[] = []
  for (const { other, decision } of rows) {
    const last = facts.at(-1)
    if (last?.other === other) last.decisions.push(decision)
    else facts.push({ other, decisions: [decision] })
  }
  return facts
}

function once<T>(read: (id: string) => T): (id: string) => T {
  const known = new Map<string, T>()
  return id => {
    if (!known.has(id)) known.set(id, read(id))
    return known.get(id)!
  }
}
