/** Queries for rows of `tickets`. */

import type { Prepare } from '../database/statements.ts'
import { FORMAT } from '../model/format.ts'
import type { Outcome, Phase } from '../model/states.ts'

/** A row of `tickets`. */
export interface TicketRow {
  id: string
  slug: string | null
  title: string
  state: string
  phase: Phase
  /** Null before the Ticket is terminal. */
  outcome: Outcome | null
  state_at: string | null
  created_at: string | null
  queued_at: string | null
  queued_by: string | null
  changed_at: string | null
  path: string
  format: number
}

/** Returns the queries over Tickets. */
export function ticketQueries(statement: Prepare) {
  return {
    ticket: (id: string) => statement<[string], TicketRow>('select * from tickets where id = ?').get(id),
    ticketsBySlug: (slug: string) =>
      statement<[string], TicketRow>('select * from tickets where slug = ? order by id').all(slug),
    allTickets: () => statement<[], TicketRow>('select * from tickets order by id').all(),
    /** In the order in which they were queued: at most `limit`, all by default. */
    queued: (limit = -1) =>
      statement<[number], TicketRow>(
        "select * from tickets where phase = 'queued' order by coalesce(queued_at, ''), id limit ?",
      ).all(limit),
    /** The states of the open Tickets; an unknown state counts as open. */
    openStates: () => statement<[], { state: string }>("select distinct state from tickets where phase = 'open'").all(),
    active: () => statement<[], TicketRow>("select * from tickets where phase = 'active' order by id").all(),
    /** The id and slug of every Ticket. */
    allNames: () =>
      statement<[], { id: string; slug: string | null }>('select id, slug from tickets order by id').all(),
    /** Slugs that more than one Ticket has, with the ids of these, separated by a comma. */
    sharedSlugs: () =>
      statement<[], { slug: string; ids: string }>(
        "select slug, group_concat(id, ', ') as ids from (select slug, id from tickets where slug is not null order by slug, id) group by slug having count(*) > 1",
      ).all(),
    /** Tickets whose format is later than this version's. */
    laterFormats: () =>
      statement<[], { path: string; format: number }>(
        `select path, format from tickets where format > ${FORMAT} order by path`,
      ).all(),
  }
}
