/** Queries for what waits for what: the active relations that a graph of waiting Tickets is made of. */
import type { Prepare } from '../database/statements.ts'
import type { RelationRow } from './decision-queries.ts'

// "+" keeps SQLite from reading all relations of a kind to find those of a few Tickets.
const WAITS = `select ticket_id, kind, target_id as other_id, status, id as decision_id, "by", "at", reason, 0 as advisory, null as label
  from decisions where +kind in ('after', 'blocked_by', 'part_of') and status = 'active'`
const ORDER = 'order by ticket_id, other_id, kind, decision_id'

/** Returns the queries. A row says that its Ticket waits for the other one, or is a part of it. */
export function waitQueries(statement: Prepare) {
  return {
    allWaits: () => statement<[], RelationRow>(`${WAITS} ${ORDER}`).all(),
    /** What any of the Tickets waits for. */
    waitsOf: (tickets: readonly string[]) =>
      statement<[string], RelationRow>(`${WAITS} and ticket_id in (select value from json_each(?)) ${ORDER}`).all(
        JSON.stringify(tickets),
      ),
    /** What waits for any of the Tickets. */
    waitsFor: (tickets: readonly string[]) =>
      statement<[string], RelationRow>(`${WAITS} and target_id in (select value from json_each(?)) ${ORDER}`).all(
        JSON.stringify(tickets),
      ),
  }
}
