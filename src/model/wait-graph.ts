/**
 * The graph of waiting Tickets: chains of blockers, and cycles.
 *
 * Every function takes time in proportion to the Tickets and relations that it reaches, never to the number of paths. One
 * graph serves all verdicts of an answer, so that a queue asks for each relation once.
 */
import { cycleGroups } from './cycle-groups.ts'
import type { Facts } from './facts.ts'
import { lazy } from './lazy.ts'
import { isDelivered, type Parents, parentsIn } from './parents.ts'
import type { ChainLink } from './reasons.ts'
import { remembered } from './remembered.ts'

/** How much of a chain or cycle a reason lists. */
export interface Bounds {
  /** At most this many Tickets. */
  links: number
  /** True where a total has to be exact, however high it is, and nothing may be left out. */
  exact: boolean
}

/** The bounds of an answer about one Ticket, and of one about many. */
export const ONE_TICKET: Bounds = { links: 100, exact: true }
export const MANY_TICKETS: Bounds = { links: 10, exact: false }

/** The beginning of a list. `atLeast` marks a total that may be higher. */
interface Bounded<T> {
  list: T[]
  total: number
  atLeast?: true
}

export interface WaitGraph {
  readonly facts: Facts
  readonly parents: Parents
  /** `blocker` and all that blocks it, each Ticket followed by its blockers; what no longer holds is left out. */
  chain(held: string, blocker: string, bounds: Bounds): Bounded<ChainLink>
  /** A shortest cycle of waiting through the Ticket, starting with it; undefined if there is none. */
  cycle(id: string, bounds: Bounds): Bounded<string> | undefined
}

/** Returns the graph over these facts; it is made on first use. */
export function waitGraph(facts: Facts): WaitGraph {
  // A WeakMap would keep each answer's facts alive until the next full garbage collection.
  if (facts.graph?.facts !== facts) facts.graph = makeGraph(facts)
  return facts.graph as WaitGraph
}

function makeGraph(facts: Facts): WaitGraph {
  const parents = parentsIn(facts)
  const blockers = remembered(id => openBlockers(facts, id))
  const edges = remembered(node => edgesOf(facts, parents, node))
  const groups = lazy(() => cycleGroups(edges))
  const edgesInGroup = remembered(node => edges(node).filter(other => groups()(other) === groups()(node)))
  return {
    facts,
    parents,
    chain: (held, blocker, bounds) => findChain(facts, blockers, held, blocker, bounds),
    // Groups pay off where many Tickets ask; for one, a search over what it reaches is faster, and finds the same cycle.
    cycle(id, bounds) {
      if (bounds.exact) return findCycle(id, edges, bounds)
      return groups()(id) === undefined ? undefined : findCycle(id, edgesInGroup, bounds)
    },
  }
}

/** The blockers that hold a Ticket, as ids. An abandoned Ticket has none: what blocked it no longer matters. */
function openBlockers(facts: Facts, id: string): readonly string[] {
  const fact = facts.ticket(id)
  if (fact?.readable && fact.phase === 'terminal') return []
  const all = facts.waitsFor(id, 'blocked_by').map(({ other }) => other)
  return all.filter(other => !isDelivered(facts, other))
}

/** Walks depth first, one blocker at a time, so that the beginning of a chain does not cost a list of all that follows. */
function findChain(
  facts: Facts,
  blockersOf: (id: string) => readonly string[],
  held: string,
  blocker: string,
  { links, exact }: Bounds,
): Bounded<ChainLink> {
  const list: ChainLink[] = []
  const seen = new Set([held])
  let total = 0
  const path = [{ blocks: held, blockers: [blocker] as readonly string[], next: 0 }]
  for (let at = path.at(-1); at; at = path.at(-1)) {
    const ticket = at.blockers[at.next++]
    if (ticket === undefined) {
      path.pop()
      continue
    }
    const repeated = seen.has(ticket)
    if (!repeated) total++
    if (list.length < links) list.push(linkOf(facts, { ticket, blocks: at.blocks, depth: path.length }, repeated))
    else if (!exact) return { list, total, atLeast: true }
    if (repeated) continue
    seen.add(ticket)
    path.push({ blocks: ticket, blockers: blockersOf(ticket), next: 0 })
  }
  return { list, total }
}

function linkOf(facts: Facts, link: { ticket: string; blocks: string; depth: number }, repeated: boolean): ChainLink {
  const fact = facts.ticket(link.ticket)
  const known = fact?.readable ? fact : null
  return { ...link, state: known?.state ?? null, phase: known?.phase ?? null, ...(repeated && { repeated }) }
}

/** Before an id: the node for what a Ticket passes on to its parts. */
const ABOVE = '^'

/**
 * What a node waits for. A Ticket waits for its blockers, for what it comes after, and by way of its parents' nodes for what
 * they inherit; one node a parent keeps the number of edges in proportion to the relations.
 */
function edgesOf(facts: Facts, parents: Parents, node: string): string[] {
  const isParentNode = node.startsWith(ABOVE)
  const id = isParentNode ? node.slice(1) : node
  const fact = facts.ticket(id)
  const above = parents.of(id).map(parent => ABOVE + parent)
  if (isParentNode) return [...parents.outsideBlockers(id).map(({ other }) => other), ...above]
  if (!fact?.readable || fact.phase === 'terminal') return []
  const own = [...facts.waitsFor(id, 'blocked_by'), ...facts.waitsFor(id, 'after')].map(({ other }) => other)
  return [...new Set([...own.sort(), ...above])]
}

/** How many edges the search for a cycle may follow where the answer need not be exact. */
const MOST_STEPS = 300

/**
 * Finds a shortest cycle through a Ticket, breadth first; undefined if there is none. A step to a parent's node is none: what
 * counts is how many Tickets the cycle has.
 */
function findCycle(
  id: string,
  edges: (node: string) => readonly string[],
  { links, exact }: Bounds,
): Bounded<string> | undefined {
  const cameFrom = new Map<string, string>()
  const pathTo = (last: string) => {
    const path = [last]
    for (let at = last; at !== id; path.push(at)) at = cameFrom.get(at)!
    const tickets = path.reverse().filter(node => !node.startsWith(ABOVE))
    return { list: tickets.slice(0, links), total: tickets.length }
  }
  let steps = 0
  for (let level = [id]; level.length > 0; ) {
    const next: string[] = []
    for (const node of level) {
      for (const other of edges(node)) {
        if (other === id) return pathTo(node)
        if (!exact && ++steps > MOST_STEPS) return { ...pathTo(node), atLeast: true }
        if (cameFrom.has(other)) continue
        cameFrom.set(other, node)
        // The loop over this level also reaches what is added to it.
        ;(other.startsWith(ABOVE) ? level : next).push(other)
      }
    }
    level = next
  }
  return undefined
}
