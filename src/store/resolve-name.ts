/** Resolves an id or a slug to the one Ticket that it names. */
import { idFromPath } from '../files/ticket-files.ts'
import { PlanError } from '../model/errors.ts'
import { idKey, isTicketId, type TicketId } from '../model/names.ts'
import { didYouMean, nearestNames } from '../model/nearest-names.ts'
import type { IndexQueries, TicketRow } from '../ticket-index/query.ts'

/**
 * Returns the Ticket. An id takes precedence over a slug. The row is null where the Ticket's file cannot be read.
 * @throws PlanError unknown_ticket with similar names, ambiguous_slug.
 */
export function resolveName(queries: IndexQueries, name: string): { id: TicketId; row: TicketRow | null } {
  const row = queries.ticket(name)
  if (row) return { id: row.id as TicketId, row }
  // A file that cannot be read still has the id in its name.
  if (isTicketId(name) && queries.pathsOfKey(idKey(name)).some(path => idFromPath(path) === name))
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

/**
 * Returns how another Ticket already has the name of this one: as its slug or, in any case, as its id. The name then means
 * two Tickets, and the one with the id would take it over in silence.
 */
export function otherWithName(
  queries: IndexQueries,
  name: string,
  own: string,
): { ticket: string; has: 'id' | 'slug' } | undefined {
  const path = queries.pathsOfKey(idKey(name)).find(path => idFromPath(path) !== own)
  if (path !== undefined) return { ticket: idFromPath(path), has: 'id' }
  const row = queries.ticketsBySlug(name.toLowerCase()).find(({ id }) => id !== own)
  return row && { ticket: row.id, has: 'slug' }
}

/** Throws the error of a name that no Ticket has, with similar names and what else to do. @throws PlanError unknown_ticket. */
export function unknownTicket(queries: IndexQueries, name: string, advice = ''): never {
  const similar = similarTickets(queries, name)
  const hint = didYouMean(similar) || '; list all with "ticketplan list"'
  throw new PlanError('unknown_ticket', `no Ticket has the id or slug "${name}"${hint}${advice}`, {
    ticket: name,
    similar,
  })
}

/** Returns the Tickets whose id or slug is most like the name, as `id` or `id (slug)`. */
function similarTickets(queries: IndexQueries, name: string): string[] {
  const shown = new Map<string, string>()
  for (const { path } of queries.quarantined()) shown.set(idFromPath(path), idFromPath(path))
  for (const { id, slug } of queries.allNames()) {
    const both = slug === null ? id : `${id} (${slug})`
    if (slug !== null) shown.set(slug, both)
    shown.set(id, both)
  }
  return [...new Set(nearestNames(name, shown.keys()).map(similar => shown.get(similar)!))]
}
