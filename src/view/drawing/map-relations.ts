/** The relations of a map, by the Tickets at their ends. Pure. */
import type { Overview } from '../../operations/overview-shape.ts'

export type Relation = Overview['relations'][number]
export type RelationKind = Relation['kind']

/** The relations that a map can draw, from both sides. */
export interface Neighbours {
  relations: readonly Relation[]
  /** What a Ticket waits for, and what waits for it. */
  before: ReadonlyMap<string, Relation[]>
  behind: ReadonlyMap<string, Relation[]>
  /** Conflicts and other relations without an order. */
  beside: ReadonlyMap<string, Relation[]>
}

/** Returns the relations by their Tickets. */
export function neighbours(relations: readonly Relation[]): Neighbours {
  const order = relations.filter(isOrder)
  const loose = relations.filter(relation => !isOrder(relation))
  const ends = loose.flatMap(relation => [[relation.ticket, relation] as const, [relation.other, relation] as const])
  const beside = Map.groupBy(ends, ([id]) => id)
  return {
    relations,
    before: Map.groupBy(order, ({ ticket }) => ticket),
    behind: Map.groupBy(order, ({ other }) => other),
    beside: new Map([...beside].map(([id, found]) => [id, found.map(([, relation]) => relation)])),
  }
}

/** True for a relation that makes one Ticket wait for another. */
export function isOrder({ kind }: Pick<Relation, 'kind'>): boolean {
  return kind === 'blocked_by' || kind === 'after'
}
