import * as z from 'zod/mini'
import { MANY_TICKETS, waitGraph } from '../model/wait-graph.ts'
import { groupsOf, rootsOf, walkWaits } from '../model/wait-tree.ts'
import type { View } from '../store/store.ts'
import { problemsOf, relationsOf, ticketSummary } from './answers.ts'
import { limitField } from './limit.ts'
import { operation, ticketName } from './operation.ts'
import { problemShape, type Relation, relationShape, ticketShape } from './shapes.ts'

/** Returns what waits for what: around a Ticket, or in the whole plan. */
export const graph = operation({
  name: 'graph',
  summary: 'Show what waits for what, as a tree',
  details:
    'With a Ticket: what it waits for, and what waits for it, step by step. Without one: all Tickets with such relations, from those that wait for nothing. It follows the active relations blocked_by, after and part_of. A Ticket that is reached in several ways has its branches where the fewest steps lead to it, and is marked "again" elsewhere; one on a cycle is marked "cycle". "export" draws all relations for other programs.',
  writes: false,
  fields: {
    ticket: { schema: z.optional(ticketName), help: 'id or slug; without one, the whole plan', positional: true },
    depth: {
      schema: z.optional(z.int().check(z.positive(), z.maximum(10_000))),
      help: 'at most this many steps from the Ticket, or from those that wait for nothing (default: any number)',
      value: 'n',
    },
    limit: limitField('at most this many relations in a direction, the nearest first', 200),
  },
  output: () =>
    z.object({
      /** The Ticket that was asked about; null for the whole plan. */
      ticket: z.nullable(z.string()),
      /** Where the trees begin: the Ticket, or those that wait for nothing. */
      roots: z.array(z.string()),
      /** What the Ticket waits for, the nearest first; empty for the whole plan. In each, `ticket` waits for `other`. */
      blockers: z.array(relationShape()),
      /** What waits for the roots, the nearest first. */
      dependents: z.array(relationShape()),
      /** Every Ticket that is named, by id. */
      tickets: z.array(ticketShape()),
      /** The cycles that the verdicts of these Tickets name. */
      cycles: z.array(z.object({ cycle: z.array(z.string()), total: z.int(), at_least: z.optional(z.literal(true)) })),
      /** True where the limit left relations out. */
      more: z.boolean(),
      problems: z.array(problemShape()),
    }),
  examples: ['ticketplan graph A-17 --depth 2', 'ticketplan graph', "ticketplan graph A-17 --json | jq '.cycles'"],
  run(store, { ticket: name, depth = Number.POSITIVE_INFINITY, limit }) {
    return store.read(view => {
      const named = name === undefined ? undefined : view.resolve(name)
      const found = named ? around(view, named.id, { depth, limit }) : wholePlan(view, { depth, limit })
      const { blockers, dependents, ...rest } = found
      const ids = new Set(found.roots)
      for (const { ticket, other } of [...blockers, ...dependents]) ids.add(ticket).add(other)
      return {
        ticket: named?.id ?? null,
        ...rest,
        blockers,
        dependents,
        tickets: summaries(view, [...ids].sort()),
        cycles: cyclesIn(view, [...blockers, ...dependents]),
        problems: problemsOf(view.queries, named?.row),
      }
    })
  },
})

interface Bounds {
  depth: number
  limit: number
}

function around({ queries }: View, id: string, bounds: Bounds) {
  const blockers = walkWaits([id], 'blockers', level => relationsOf(queries.waitsOf(level), false), bounds)
  const dependents = walkWaits([id], 'dependents', level => relationsOf(queries.waitsFor(level), false), bounds)
  const more = blockers.more || dependents.more
  return { roots: [id] as string[], blockers: blockers.waits, dependents: dependents.waits, more }
}

/** Where there is no Ticket to begin with, all relations are read: which ones wait for nothing depends on each of them. */
function wholePlan({ queries }: View, bounds: Bounds) {
  const all = relationsOf(queries.allWaits(), false)
  const dependents = Map.groupBy(all, ({ other }) => other)
  const roots = rootsOf(all)
  const next = (level: readonly string[]) => level.flatMap(ticket => dependents.get(ticket) ?? [])
  const { waits, more } = walkWaits(roots, 'dependents', next, bounds)
  const shown = new Set(waits.map(({ other }) => other))
  return { roots: roots.filter(root => shown.has(root)), blockers: [] as Relation[], dependents: waits, more }
}

/** Returns the Tickets in the order of their ids; of one that has no readable file, all but the id is null. */
function summaries({ queries }: View, ids: readonly string[]) {
  const rows = new Map(queries.ticketList({ ids }, 'id').map(row => [row.id, row]))
  return ids.map(id => ticketSummary(id, rows.get(id) ?? null))
}

/**
 * Returns each cycle among the Tickets that a verdict would name. Not every ring of relations is one: an epic may wait for its
 * own parts.
 */
function cyclesIn({ facts }: View, waits: readonly Relation[]) {
  const group = groupsOf(waits)
  const covered = new Set<string>()
  return [...new Set(waits.map(({ ticket }) => ticket))].sort().flatMap(ticket => {
    if (covered.has(ticket) || group(ticket) === undefined) return []
    const found = waitGraph(facts).cycle(ticket, MANY_TICKETS)
    if (!found) return []
    for (const one of found.list) covered.add(one)
    return [{ cycle: found.list, total: found.total, ...(found.atLeast && { at_least: true as const }) }]
  })
}
