/**
 * Trees of waiting Tickets: a walk over relations from some Tickets, and its result as the rows of a tree. Pure.
 *
 * Relations form a graph, so a Ticket can be reached in several ways. In a tree it has its branches once, where the fewest
 * steps lead to it, and is a leaf elsewhere: the rows grow with the relations, never with the number of paths.
 */
import { cycleGroups } from './cycle-groups.ts'

/** A relation by which `ticket` waits for `other`, or is a part of it. */
export interface Wait {
  ticket: string
  kind: string
  other: string
}

/** The direction of a walk: to what a Ticket waits for, or to what waits for it. */
export type Side = 'blockers' | 'dependents'

/** How far a walk goes, in steps from the nearest root, and how many relations it returns at most. */
export interface WalkBounds {
  depth: number
  limit: number
}

const startOf = (wait: Wait, side: Side) => (side === 'blockers' ? wait.ticket : wait.other)
const endOf = (wait: Wait, side: Side) => (side === 'blockers' ? wait.other : wait.ticket)

/**
 * Returns the relations that lead away from the roots, the nearest first. `next` returns those of a level's Tickets; it is asked
 * once for each level. `more` is true where the limit left any out.
 */
export function walkWaits<W extends Wait>(
  roots: readonly string[],
  side: Side,
  next: (tickets: readonly string[]) => readonly W[],
  { depth, limit }: WalkBounds,
): { waits: W[]; more: boolean } {
  const seen = new Set(roots)
  const waits: W[] = []
  let level: string[] = [...seen]
  for (let step = 0; step < depth && level.length > 0; step++) {
    const found = next(level)
    const free = limit - waits.length
    const taken = found.slice(0, free)
    waits.push(...taken)
    if (found.length > free) return { waits, more: true }
    level = []
    for (const wait of taken) {
      const end = endOf(wait, side)
      if (seen.has(end)) continue
      seen.add(end)
      level.push(end)
    }
  }
  return { waits, more: false }
}

/**
 * Returns the Tickets from which a walk to the dependents reaches all of them: those that wait for nothing, and one for each
 * cycle that nothing else leads to. In the order of their ids.
 */
export function rootsOf(waits: readonly Wait[]): string[] {
  const dependents = Map.groupBy(waits, ({ other }) => other)
  const blockers = Map.groupBy(waits, ({ ticket }) => ticket)
  const tickets = [...new Set(waits.flatMap(({ ticket, other }) => [ticket, other]))].sort()
  const roots = tickets.filter(ticket => !blockers.has(ticket))
  const reached = new Set<string>()
  const reach = (first: string) => {
    for (const open = [first]; open.length > 0; ) {
      const ticket = open.pop()!
      if (reached.has(ticket)) continue
      reached.add(ticket)
      for (const wait of dependents.get(ticket) ?? []) open.push(wait.ticket)
    }
  }
  for (const root of roots) reach(root)
  const group = groupsOf(waits)
  for (const ticket of tickets) {
    if (reached.has(ticket) || group(ticket) === undefined) continue
    roots.push(ticket)
    reach(ticket)
  }
  return roots.sort()
}

/** Returns a function from a Ticket to the number of the group that waits for each other; undefined for one on no cycle. */
export function groupsOf(waits: readonly Wait[]): (ticket: string) => number | undefined {
  const blockers = Map.groupBy(waits, ({ ticket }) => ticket)
  const others = new Map([...blockers].map(([ticket, own]) => [ticket, own.map(({ other }) => other)]))
  return cycleGroups(ticket => others.get(ticket) ?? [])
}

/** A row of a tree, below the row before it that is one level up. */
export interface TreeRow {
  ticket: string
  /** The relations to the Ticket above, as stored; empty for a root. */
  kinds: string[]
  /** For each level from that of the roots' branches to its own: true where the row, or the one it belongs to, is the last. */
  lasts: boolean[]
  /** True where the Ticket has its branches in another row. */
  repeated: boolean
}

interface Branch {
  ticket: string
  kinds: string[]
  repeated: boolean
}

/** Returns the tree of what a walk from the roots returned, in the order in which it is read. */
export function treeRows(roots: readonly string[], side: Side, waits: readonly Wait[]): TreeRow[] {
  const branches = branchesOf(roots, side, waits)
  const rows: TreeRow[] = []
  const open = roots.map((ticket): TreeRow => ({ ticket, kinds: [], lasts: [], repeated: false })).reverse()
  for (let row = open.pop(); row; row = open.pop()) {
    rows.push(row)
    if (row.repeated) continue
    const { lasts } = row
    const own = branches.get(row.ticket) ?? []
    open.push(...own.map((branch, at) => ({ ...branch, lasts: [...lasts, at === own.length - 1] })).reverse())
  }
  return rows
}

/** The branches of each Ticket, in the order of the walk. Several relations between two Tickets are one branch. */
function branchesOf(roots: readonly string[], side: Side, waits: readonly Wait[]): Map<string, Branch[]> {
  const placed = new Set(roots)
  const branches = new Map<string, Map<string, Branch>>()
  for (const wait of waits) {
    const own = branches.get(startOf(wait, side)) ?? new Map<string, Branch>()
    branches.set(startOf(wait, side), own)
    const ticket = endOf(wait, side)
    const known = own.get(ticket)
    if (known) {
      known.kinds.push(wait.kind)
      continue
    }
    own.set(ticket, { ticket, kinds: [wait.kind], repeated: placed.has(ticket) })
    placed.add(ticket)
  }
  return new Map([...branches].map(([ticket, own]) => [ticket, [...own.values()]]))
}
