/** Queries for the names that begin with a text, for completion in a shell. */
import type { Prepare } from '../database/statements.ts'

/** A name of a Ticket: its id or its slug. */
export interface NameRow {
  name: string
  id: string
  title: string
}

/** A decision with what distinguishes it from others. */
export interface ActiveNameRow {
  id: string
  ticket_id: string
  kind: string
  target_id: string | null
  reason: string | null
}

const NAMES = `(select id as name, id, title, phase from tickets
  union all select slug, id, title, phase from tickets where slug is not null)`
const BEGINS = 'substr(lower(name), 1, length(@prefix)) = @prefix'

/** Returns the queries. Letter case does not matter in a prefix. */
export function nameQueries(statement: Prepare) {
  return {
    /**
     * Ids and slugs that begin with the prefix: at most `limit`, those of terminal Tickets last, and then the first and the
     * last of all of them by name. A shell inserts what its candidates have in common, and these two have the least.
     */
    namesFrom(prefix: string, limit: number): NameRow[] {
      const lower = prefix.toLowerCase()
      const rows = (order: string, limit: number) =>
        statement<[{ prefix: string; limit: number }], NameRow>(
          `select name, id, title from ${NAMES} where ${BEGINS} order by ${order} limit @limit`,
        ).all({ prefix: lower, limit })
      const first = rows("phase = 'terminal', name", limit)
      return first.length < limit ? first : [...first, ...rows('name', 1), ...rows('name desc', 1)]
    },
    /** Decisions that are active by their own file and whose id begins with the prefix, newest first, and the oldest one. */
    activeFrom(prefix: string, limit: number): ActiveNameRow[] {
      const from = prefix.toUpperCase()
      const rows = (order: string, limit: number) =>
        statement<[string, string, number], ActiveNameRow>(
          `select id, ticket_id, kind, target_id, reason from file_decisions
           where id >= ? and id < ? and file_status = 'active' order by ${order}, ticket_id limit ?`,
        ).all(from, `${from}~`, limit)
      const newest = rows('id desc', limit)
      return newest.length < limit ? newest : [...newest, ...rows('id', 1)]
    },
  }
}
