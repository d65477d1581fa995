/** The rules of a verdict about areas: each function yields the reasons of one kind. Pure. */
import type { Overlap } from './area.ts'
import type { Facts } from './facts.ts'
import { didYouMean } from './nearest-names.ts'
import type { Reason, ReasonOf } from './reasons.ts'
import { type Bounds, waitGraph } from './wait-graph.ts'

/**
 * Yields a reason for each Ticket at work in an overlapping area, at most as many as the bounds say, but for what the Ticket is
 * part of or contains. Returns the overlapping Tickets that do not count because their state is unknown.
 */
export function* areaReasons(id: string, facts: Facts, bounds: Bounds): Generator<Reason, string[]> {
  const unknown: string[] = []
  const area = facts.area(id)
  if (area.length === 0) return unknown
  yield* unknownAreaReasons(id, facts)
  const { parents } = waitGraph(facts)
  const found: Overlap[] = []
  for (const overlap of facts.areas().overlaps(area)) {
    const { ticket } = overlap
    const fact = facts.ticket(ticket)
    const isSettled = fact?.readable && fact.phase === 'terminal'
    if (ticket === id || isSettled || parents.isAbove(ticket, id) || parents.isAbove(id, ticket)) continue
    if (facts.claim(ticket) || (fact?.readable && fact.phase === 'active')) found.push(overlap)
    else if (fact?.readable && fact.unknownState) unknown.push(ticket)
    if (!bounds.exact && found.length > bounds.links) break
  }
  for (const overlap of found.slice(0, bounds.links)) {
    const hasMore = found.length > bounds.links && overlap === found[bounds.links - 1]
    yield { ...areaReason(overlap, facts), ...(hasMore && { more: true }) }
  }
  return unknown
}

function areaReason({ ticket, own, other }: Overlap, facts: Facts): ReasonOf<'area'> {
  const claim = facts.claim(ticket)
  const fact = facts.ticket(ticket)
  const how = claim ? `claimed by ${claim.holder}` : fact?.readable ? fact.state : 'unreadable'
  const patterns = own.pattern === other.pattern ? own.pattern : `${own.pattern} and ${other.pattern} overlap`
  return {
    code: 'area',
    severity: 'hold',
    message: `${ticket} (${how}) works in the same area: ${patterns}`,
    ticket,
    decisions: own.decision === undefined ? [] : [own.decision],
    pattern: own.pattern,
    other_pattern: other.pattern,
  }
}

/** Yields a reason for each word of the area that is neither the name of an area nor a file at the root. */
function* unknownAreaReasons(id: string, facts: Facts): Generator<Reason> {
  for (const { name, nearest, decision } of facts.unknownAreas(id)) {
    const message = `"${name}" is neither an area of ticketplan.json nor a file at the root${didYouMean(nearest)}`
    yield { code: 'unknown_area', severity: 'warn', message, area: name, nearest, decisions: [decision] }
  }
}
