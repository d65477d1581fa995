/** Queries for lists of Tickets. */
import type { Prepare } from '../database/statements.ts'
import type { Phase } from '../model/states.ts'
import type { TicketRow } from './ticket-queries.ts'

/** The orders of a list. */
export const LIST_ORDERS = ['id', 'changed', 'queued'] as const
export type ListOrder = (typeof LIST_ORDERS)[number]

const ORDER_BY: Record<ListOrder, string> = {
  id: 'id',
  changed: 'changed_at desc, id',
  // Of the queued Tickets the order of the queue; those that were never queued come last.
  queued: "phase <> 'queued' and queued_at is null, coalesce(queued_at, ''), id",
}

/** Conditions on Tickets; one that is left out is no condition. */
export interface ListFilter {
  phases?: readonly Phase[]
  /** States as the files have them. */
  states?: readonly string[]
  ids?: readonly string[]
}

/** Returns the queries. */
export function listQueries(statement: Prepare) {
  return {
    /** The Tickets that meet every condition, at most `limit` of them if it is given. */
    ticketList: ({ phases, states, ids }: ListFilter, order: ListOrder, limit?: number) =>
      statement<[object], TicketRow>(
        `select * from tickets
         where (@phases is null or phase in (select value from json_each(@phases)))
           and (@states is null or state in (select value from json_each(@states)))
           and (@ids is null or id in (select value from json_each(@ids)))
         order by ${ORDER_BY[order]} limit @limit`,
      ).all({ phases: jsonOf(phases), states: jsonOf(states), ids: jsonOf(ids), limit: limit ?? -1 }),
    /** The ids of all Tickets that are not terminal. */
    unsettled: () =>
      statement<[], { id: string }>("select id from tickets where phase <> 'terminal'")
        .all()
        .map(({ id }) => id),
    /** Every state that a Ticket has, as the files have them. */
    statesInUse: () =>
      statement<[], { state: string }>('select distinct state from tickets order by state')
        .all()
        .map(({ state }) => state),
    /** The globs of the areas of all Tickets that are not terminal, in the order of the Tickets' ids. */
    allAreas: () =>
      statement<[], { ticket_id: string; pattern: string; shared: number }>(
        'select ticket_id, pattern, shared from areas order by ticket_id',
      ).all(),
  }
}

function jsonOf(values: readonly string[] | undefined): string | null {
  return values === undefined ? null : JSON.stringify(values)
}
