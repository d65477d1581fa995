/** Leaves out the slugs of an import that another Ticket has: a name means one Ticket. */
import { idKey, type TicketId } from '../model/names.ts'
import { otherWithName } from '../store/resolve-name.ts'
import type { IndexQueries } from '../ticket-index/query.ts'
import type { Dropped, ImportedTicket } from './import-collector.ts'

/** Returns the Tickets without slugs that another one has, here or earlier in the source, and what was left out. */
export function withoutTakenSlugs(
  tickets: readonly ImportedTicket[],
  queries: IndexQueries,
): { tickets: ImportedTicket[]; dropped: Dropped[] } {
  const ids = new Map(tickets.map(({ id }) => [idKey(id), id]))
  const slugs = new Map<string, TicketId>()
  const dropped: Dropped[] = []
  const ownerOf = (slug: string, id: TicketId): string | undefined => {
    const [withId, withSlug] = [ids.get(idKey(slug)), slugs.get(slug)]
    if (withId !== undefined && withId !== id) return `the id of ${withId}`
    if (withSlug !== undefined && withSlug !== id) return `the slug of ${withSlug}`
    const other = otherWithName(queries, slug, id)
    return other && `the ${other.has} of ${other.ticket}`
  }
  const kept = tickets.map(ticket => {
    const { id, fields } = ticket
    const { slug } = fields
    const owner = slug === undefined ? undefined : ownerOf(slug, id)
    if (slug !== undefined && owner === undefined) slugs.set(slug, id)
    if (owner === undefined) return ticket
    dropped.push({ source: `Ticket ${id}`, message: `its slug ${slug} left out: it is ${owner}` })
    return { ...ticket, fields: { ...fields, slug: undefined } }
  })
  return { tickets: kept, dropped }
}
