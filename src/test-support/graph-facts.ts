/** Facts about graphs of thousands of Tickets, which count how often they are asked. */
import type { Facts, RelationFact } from '../model/facts.ts'
import { remembered } from '../model/remembered.ts'
import { memoryFacts, outcomeOf, phaseOf } from './memory-facts.ts'

/** A Ticket of a graph; queued, unless it has another state. */
export interface GraphNode {
  state?: string
  blockedBy?: string[]
  after?: string[]
  partOf?: string[]
  /** True where it is on hold. */
  isOnHold?: boolean
}

/** The name of the nth Ticket; names sort as their numbers do. */
export const nth = (n: number) => `T-${String(n).padStart(6, '0')}`

/** Names of Tickets, from one number up to another, which is not included. */
export const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => nth(from + i))

/** As many Tickets as it says; `nodeOf` says what each is. */
export function graphOf(count: number, nodeOf: (n: number) => GraphNode): Map<string, GraphNode> {
  return new Map(Array.from({ length: count }, (_, n) => [nth(n), nodeOf(n)]))
}

/** The facts of a graph; `calls` says how many answers they have given so far. */
export function graphFacts(nodes: ReadonlyMap<string, GraphNode>): { facts: Facts; calls: () => number } {
  let calls = 0
  const decisionId = (kind: string, id: string, other: string) =>
    `01JX8Z3V7Q${kind}${id.slice(2)}${other.slice(2)}`.padEnd(26, '0').toUpperCase()
  const relations = (kind: string, id: string, others: string[] = []): RelationFact[] =>
    others.toSorted().map(other => ({ other, decisions: [decisionId(kind, id, other)] }))
  const byKind = {
    blocked_by: remembered(id => relations('B', id, nodes.get(id)?.blockedBy)),
    after: remembered(id => relations('A', id, nodes.get(id)?.after)),
    part_of: remembered(id => relations('P', id, nodes.get(id)?.partOf)),
  }
  const plain: Facts = {
    ...memoryFacts({ tickets: [] }),
    ticket: remembered(id => {
      const node = nodes.get(id)
      if (!node) return undefined
      const { state = 'queued' } = node
      return { readable: true, id, state, state_at: null, phase: phaseOf(state), outcome: outcomeOf(state) }
    }),
    waitsFor: (id, kind) => byKind[kind](id),
    parents: byKind.part_of,
    holds: id => (nodes.get(id)?.isOnHold ? [{ decision: decisionId('H', id, id) }] : []),
  }
  const facts = new Proxy(plain, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...values: unknown[]) => {
        calls++
        return Reflect.apply(value, target, values)
      }
    },
  })
  return { facts, calls: () => calls }
}
