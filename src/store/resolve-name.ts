/** Resolves an id or a slug to the one Ticket that it names. */
import { PlanError } from '../model/errors.ts'
import { idKey, isTicketId, type TicketId } from '../model/names.ts'
import type { IndexQueries, TicketRow } from '../ticket-index/query.ts'

/**
 * Returns the Ticket. An id takes precedence over a slug. The row is null where the Ticket's file cannot be read.
 * @throws PlanError unknown_ticket with similar names, ambiguous_slug.
 */
export function resolveName(queries: IndexQueries, name: string): { id: TicketId; row: TicketRow | null } {
  const row = queries.ticket(name)
  if (row) return { id: row.id as TicketId, row }
  // A file that cannot be read still has the id in its name.
  if (isTicketId(name) && queries.pathsOfKey(idKey(name)).some(path => path.endsWith(`/${name}.json`)))
    return { id: name, row: null }
  const bySlug = queries.ticketsBySlug(name)
  if (bySlug.length === 1) return { id: bySlug[0]!.id as TicketId, row: bySlug[0]! }
  if (bySlug.length === 0) return unknownTicket(queries, name)
  const tickets = bySlug.map(({ id }) => id)
  throw new PlanError(
    'ambiguous_slug',
    `the slug "${name}" belongs to more than one Ticket: ${tickets.join(', ')}; use an id`,
    {
      slug: name,
      tickets,
    },
  )
}

/** Throws the error of a name that no Ticket has, with similar names and what else to do. @throws PlanError unknown_ticket. */
export function unknownTicket(queries: IndexQueries, name: string, advice?: string): never {
  const similar = queries.similar(name).map(({ id, slug }) => (slug ? `${id} (${slug})` : id))
  const hint = similar.length
    ? `; similar: ${similar.join(', ')}`
    : '; list all with "ticketplan sql \'select id, slug from tickets\'"'
  throw new PlanError('unknown_ticket', `no Ticket has the id or slug "${name}"${hint}${advice ? `; ${advice}` : ''}`, {
    ticket: name,
    similar,
  })
}
