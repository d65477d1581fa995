/**
 * Prepared, typed queries over the index, for one connection.
 *
 * They are SQL text instead of drizzle's builder: half the time for a query, and drizzle is not loaded (docs/design.md has the
 * figures). Lists come in the total order that their SQL names. No query changes a row.
 */
import type { Connection } from '../database/open.ts'
import { statementsOf } from '../database/statements.ts'
import { decisionQueries } from './decision-queries.ts'
import { fileQueries } from './file-queries.ts'
import { listQueries } from './list-queries.ts'
import { nameQueries } from './name-queries.ts'
import { pageQueries } from './page-queries.ts'
import { ticketQueries } from './ticket-queries.ts'
import { waitQueries } from './wait-queries.ts'

export type {
  ActiveDecisionRow,
  DanglingRow,
  DecisionRow,
  IncomingConflictRow,
  RelationRow,
} from './decision-queries.ts'
export type { FileRow, QuarantineRow } from './file-queries.ts'
export type { RelationPage } from './page-queries.ts'
export type { TicketRow } from './ticket-queries.ts'

export type IndexQueries = ReturnType<typeof prepareQueries>

/** Returns the queries over one connection. Each statement is prepared on its first use. */
export function prepareQueries(connection: Connection) {
  const statement = statementsOf(connection)
  return {
    ...ticketQueries(statement),
    ...decisionQueries(statement),
    ...fileQueries(statement),
    /** The areas of Tickets that are active, or in one of some states, in the order of the Tickets' ids. */
    areasOfActive: (states: readonly string[]) =>
      statement<[string], { ticket_id: string; pattern: string; shared: number }>(
        `select a.ticket_id, a.pattern, a.shared from tickets t join area_patterns a on a.ticket_id = t.id
         where t.phase = 'active' or (t.phase = 'open' and t.state in (select value from json_each(?))) order by a.ticket_id`,
      ).all(JSON.stringify(states)),
    ...nameQueries(statement),
    ...listQueries(statement),
    ...pageQueries(statement),
    ...waitQueries(statement),
    counts: () =>
      statement<[], { tickets: number; decisions: number; quarantined: number }>(
        `select (select count(*) from tickets) as tickets, (select count(*) from file_decisions) as decisions,
                (select count(*) from quarantine) as quarantined`,
      ).get()!,
  }
}
