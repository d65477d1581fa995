/** Queries that read all rows a page at a time, in the order of the Tickets' ids: no list of everything is in memory. */
import type { Prepare } from '../database/statements.ts'
import type { Status } from '../model/decision-status.ts'
import { type RelationRow, WITH_DETAILS } from './decision-queries.ts'
import type { TicketRow } from './ticket-queries.ts'

/** The number of Tickets in a page, where the caller names none. */
const PAGE = 500
const STORED = `(select ticket_id, kind, target_id as other_id, status, id as decision_id, "by", "at", reason
  from decisions where target_id is not null and (@status is null or status = @status) and %range%)`
const ORDER = 'order by r.ticket_id, r.kind, r.other_id, r.decision_id'
const detailed = (range: string) => `${WITH_DETAILS.replace('%source%', STORED.replace('%range%', range))} ${ORDER}`

/** Relations as stored by some Tickets that follow each other, and the conflicts that other Tickets' files have with these. */
export interface RelationPage {
  rows: RelationRow[]
  incomingConflicts: RelationRow[]
}

/** Returns the queries. Other queries may run between two pages. */
export function pageQueries(statement: Prepare) {
  /** Yields pages: `read` returns the one after an id, with the last id that it covers. */
  function* pages<T>(read: (after: string) => { last: string; page: T } | undefined): Generator<T> {
    for (let next = read(''); next !== undefined; next = read(next.last)) yield next.page
  }
  return {
    /** All Tickets, or those that are not terminal. */
    ticketPages: (terminalToo: boolean, size = PAGE) =>
      pages(after => {
        const condition = terminalToo ? '' : "and phase <> 'terminal'"
        const page = statement<[string, number], TicketRow>(
          `select * from tickets where id > ? ${condition} order by id limit ?`,
        ).all(after, size)
        return page.length === 0 ? undefined : { last: page.at(-1)!.id, page }
      }),
    /** Each relation once, as stored: all of them, or those of a status. */
    relationPages: (status: Status | null, size = PAGE) =>
      pages((after): { last: string; page: RelationPage } | undefined => {
        const { last } = statement<[string, number], { last: string | null }>(
          `select max(ticket_id) as last
           from (select distinct ticket_id from file_decisions where ticket_id > ? order by ticket_id limit ?)`,
        ).get(after, size)!
        if (last === null) return undefined
        const range = { after, last, status }
        const rows = statement<[object], RelationRow>(detailed('ticket_id > @after and ticket_id <= @last')).all(range)
        const incomingConflicts = statement<[object], RelationRow>(
          detailed("target_id > @after and target_id <= @last and +kind = 'conflicts_with'"),
        ).all(range)
        return { last, page: { rows, incomingConflicts } }
      }),
  }
}
