/** Chooses the relations of an overview: those that matter for what is in play, or those around one Ticket. Pure. */
import type { OverviewFacts } from './overview-facts.ts'
import type { Overview } from './overview-shape.ts'

type Relation = Overview['relations'][number]

/** Counting what waits for a Ticket ends here. */
const MOST_BEHIND = 1000
/** How many steps of what waits for the focus are followed. */
const STEPS_BEHIND = 2

/** Returns a function that counts the Tickets that wait for one, near or far, each count made once. */
export function behindOf(relations: readonly Relation[]): (ticket: string) => number {
  const waiting = Map.groupBy(relations.filter(isOrder), ({ other }) => other)
  const known = new Map<string, number>()
  return ticket => {
    let count = known.get(ticket)
    if (count === undefined) {
      const seen = new Set([ticket])
      for (const at of seen) {
        if (seen.size > MOST_BEHIND) break
        for (const relation of waiting.get(at) ?? []) seen.add(relation.ticket)
      }
      count = Math.min(seen.size - 1, MOST_BEHIND)
      known.set(ticket, count)
    }
    return count
  }
}

/**
 * Returns relations between Tickets that are not settled, those first that most depends on: of Tickets that run, then by how many
 * wait. Conflicts and weaker relations only where both Tickets are in play.
 */
export function relationsInPlay(
  { relations, rows, isInPlay, running }: OverviewFacts,
  behind: (ticket: string) => number,
): Relation[] {
  const runs = new Set(running.map(({ ticket }) => ticket))
  const isUnsettled = (id: string) => rows.get(id)?.phase !== 'terminal'
  const wanted = relations.filter(({ kind, ticket, other }) =>
    kind === 'conflicts_with' || kind === 'related'
      ? isInPlay(ticket) && isInPlay(other)
      : // A blocker that is settled and still blocks was abandoned.
        isUnsettled(ticket) && (isUnsettled(other) || kind === 'blocked_by'),
  )
  const weight = ({ kind, ticket, other }: Relation) =>
    (runs.has(other) || runs.has(ticket) ? 10_000 : 0) +
    (kind === 'conflicts_with' ? 5000 : kind === 'related' ? -5000 : behind(other) + behind(ticket))
  return wanted
    .map((relation, position) => ({ relation, position, weight: weight(relation) }))
    .sort((a, b) => b.weight - a.weight || a.position - b.position)
    .map(({ relation }) => relation)
}

/** Returns the relations among: the Ticket, all that it waits for, two steps of what waits for it, its conflicts and parts. */
export function relationsAround(ticket: string, relations: readonly Relation[]): Relation[] {
  const byTicket = Map.groupBy(relations, relation => relation.ticket)
  const byOther = Map.groupBy(relations, relation => relation.other)
  const near = new Set([ticket])
  for (const at of near) for (const relation of byTicket.get(at) ?? []) if (isOrder(relation)) near.add(relation.other)
  let layer = [ticket]
  for (let step = 0; step < STEPS_BEHIND; step++) {
    layer = layer.flatMap(at => (byOther.get(at) ?? []).filter(isOrder).map(relation => relation.ticket))
    for (const id of layer) near.add(id)
  }
  for (const { other } of byTicket.get(ticket) ?? []) near.add(other)
  for (const { ticket: id } of byOther.get(ticket) ?? []) near.add(id)
  return relations.filter(relation => near.has(relation.ticket) && near.has(relation.other))
}

/** True for the relations that make one Ticket wait for another. */
function isOrder({ kind }: Pick<Relation, 'kind'>): boolean {
  return kind === 'blocked_by' || kind === 'after'
}
