/**
 * What the active decisions of one Ticket say, taken from their rows in the index.
 *
 * Made once for the rows of a query: while the index does not change, answers share the rows and with them what they say.
 */
import type { DecisionOf } from '../model/decision.ts'
import { isStoredKind, type StoredKind } from '../model/decision-kinds.ts'
import type { Facts, RelationFact } from '../model/facts.ts'
import { compareText } from '../model/order.ts'
import type { ActiveDecisionRow, IncomingConflictRow } from '../ticket-index/query.ts'

/** The facts that the decisions of one Ticket give. Its lists are shared, so nobody may change them. */
export interface DecisionFacts {
  blocked_by: RelationFact[]
  after: RelationFact[]
  parents: RelationFact[]
  /** The conflicts that this Ticket's file keeps; the other Tickets' files may keep more. */
  conflicts: readonly RelationRow[]
  holds: ReturnType<Facts['holds']>
  touches: readonly DecisionOf<'touches'>[]
  waiting: ReturnType<Facts['waiting']>
  contested: ReturnType<Facts['contested']>
  unknownKinds: ReturnType<Facts['unknownKinds']>
  /** When the active plan was accepted. */
  readonly acceptedAt: string | undefined
}

/** A row that names another Ticket. */
export type RelationRow = Pick<IncomingConflictRow, 'other' | 'decision' | 'advisory'>

const known = new WeakMap<readonly ActiveDecisionRow[], DecisionFacts>()

/** Returns what the rows of one Ticket's active decisions say. */
export function decisionFacts(rows: readonly ActiveDecisionRow[]): DecisionFacts {
  if (rows.length === 0) return NONE
  let facts = known.get(rows)
  if (!facts) {
    facts = readFacts(rows)
    known.set(rows, facts)
  }
  return facts
}

/** Compares by the other Ticket's id, then by the decision's. */
export function byOther(a: RelationRow, b: RelationRow): number {
  return compareText(a.other, b.other) || compareText(a.decision, b.decision)
}

/** Groups rows that name the same Ticket into one fact. The rows are sorted by `byOther`. */
export function groupByOther(rows: readonly RelationRow[]): RelationFact[] {
  const facts: RelationFact[] = []
  for (const { other, decision } of rows) {
    const last = facts.at(-1)
    if (last?.other === other) last.decisions.push(decision)
    else facts.push({ other, decisions: [decision] })
  }
  return facts
}

const NONE: DecisionFacts = {
  blocked_by: [],
  after: [],
  parents: [],
  conflicts: [],
  holds: [],
  touches: [],
  waiting: undefined,
  contested: [],
  unknownKinds: [],
  acceptedAt: undefined,
}

function readFacts(rows: readonly ActiveDecisionRow[]): DecisionFacts {
  const byKind = Map.groupBy(rows, ({ kind }) => kind)
  const relations = (kind: StoredKind): readonly RelationRow[] =>
    byKind.get(kind)?.filter((row): row is ActiveDecisionRow & RelationRow => row.other !== null) ?? []
  const decisions = <K extends StoredKind>(kind: K): DecisionOf<K>[] =>
    byKind.get(kind)?.flatMap(({ body }) => (body === null ? [] : JSON.parse(body))) ?? []
  const [wait] = decisions('waiting_for_capacity')
  const [plan] = byKind.get('accepted_plan') ?? []
  const unknown = [...byKind].flatMap(([kind, rows]) => (isStoredKind(kind) ? [] : rows))
  return {
    blocked_by: groupByOther(relations('blocked_by')),
    after: groupByOther(relations('after')),
    parents: groupByOther(relations('part_of')),
    conflicts: relations('conflicts_with'),
    holds: decisions('hold').map(({ id, not_before, reason }) => ({ decision: id, not_before, reason })),
    touches: decisions('touches'),
    waiting: wait && { decision: wait.id, pool: wait.pool, until: wait.until, reason: wait.reason },
    contested: decisions('contested').map(({ id, field, lost }) => ({ decision: id, field, lost })),
    unknownKinds: unknown
      .filter(({ body }) => JSON.parse(body!).advisory !== true)
      .map(({ kind, decision }) => ({ kind, decision })),
    get acceptedAt() {
      return plan && (JSON.parse(plan.body!) as DecisionOf<'accepted_plan'>).at
    },
  }
}
