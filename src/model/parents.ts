/**
 * What a Ticket inherits from the Tickets that it is part of, at any level.
 *
 * A parent that is on hold, or blocked by something outside of itself, holds all of its parts. The way up also leads through
 * terminal parents. A ring of parents, which only a merge can make, counts as one parent. Time grows with Tickets and
 * relations: a queue of parts asks about each parent once.
 */
import { cycleGroups } from './cycle-groups.ts'
import { isOver } from './decision-status.ts'
import type { Facts, RelationFact } from './facts.ts'
import { lazy } from './lazy.ts'
import { remembered } from './remembered.ts'

/** A Ticket above another one that holds all of its parts; without blockers and holds, one whose file cannot be read. */
export interface HeldParent {
  parent: string
  /** Its blockers that are no parts of it. */
  blockers: readonly RelationFact[]
  /** Its active holds. */
  holds: ReturnType<Facts['holds']>
}

export interface Parents {
  /** The parents of a Ticket, as ids. */
  of(id: string): readonly string[]
  /** True where a Ticket is above another one, at any level. */
  isAbove(parent: string, id: string): boolean
  /** The blockers of an unsettled parent that are no parts of it, and still hold. */
  outsideBlockers(parent: string): readonly RelationFact[]
  /** All Tickets above a Ticket that hold it, the nearest first. */
  held(id: string): readonly HeldParent[]
  /** Some of them, at most `most`, those of its direct parents first; `hasMore` says whether there are others. */
  someHeld(id: string, most: number): { list: readonly HeldParent[]; hasMore: boolean }
}

/** True where a Ticket no longer holds what waits for it. An abandoned one never delivers, so it holds. */
export function isDelivered(facts: Facts, id: string): boolean {
  const fact = facts.ticket(id)
  return fact?.readable === true && fact.outcome === 'completed'
}

/** Returns what there is to know of parents under these facts. */
export function parentsIn(facts: Facts): Parents {
  const of = remembered(id => facts.parents(id).map(({ other }) => other))
  const ringOf = lazy(() => cycleGroups(of))
  const isAbove = lazy(() => aboveTest(of, ringOf()))
  const outsideBlockers = remembered((parent): readonly RelationFact[] => {
    const fact = facts.ticket(parent)
    if (!fact?.readable || fact.phase === 'terminal') return []
    return facts
      .waitsFor(parent, 'blocked_by')
      .filter(({ other }) => !isDelivered(facts, other) && other !== parent && !isAbove()(parent, other))
  })
  const heldParent = remembered((parent): HeldParent | undefined => {
    const fact = facts.ticket(parent)
    if (!fact || (fact.readable && fact.phase === 'terminal')) return undefined
    if (!fact.readable) return { parent, blockers: [], holds: [] }
    const blockers = outsideBlockers(parent)
    const holds = facts.holds(parent).filter(hold => !isOver(hold, facts.now()))
    return blockers.length + holds.length > 0 ? { parent, blockers, holds } : undefined
  })
  const finders = lazy(() => new Map<number, (id: string) => readonly HeldParent[]>())
  return {
    of,
    isAbove: (parent, id) => isAbove()(parent, id),
    outsideBlockers,
    held: id => (of(id).length === 0 ? [] : heldAmong([...walkUp(of, id)], heldParent)),
    someHeld(id, most) {
      const find = finders().get(most) ?? boundedLists(of, ringOf(), heldParent, most + 1)
      finders().set(most, find)
      const list = find(id)
      return { list: list.slice(0, most), hasMore: list.length > most }
    },
  }
}

function heldAmong(ids: readonly string[], heldParent: (id: string) => HeldParent | undefined): HeldParent[] {
  return ids.map(heldParent).filter(held => held !== undefined)
}

/** Where a Ticket is among all that are above it. */
interface Height {
  /** One more than that of its highest parent, so that a Ticket above another one has a lower level; equal within a ring. */
  level: number
  /** The first Ticket on the way up that has not exactly one parent, or is in a ring. The levels up to it differ by one each. */
  root: string
  /** The only parent; the Ticket itself where it is a root. */
  parent: string
  /** A Ticket further up towards the root, at such distances that any level is reached in logarithmic time. */
  jump: string
}

/** How many steps of walks up are remembered. */
const MOST_REMEMBERED = 200_000

/**
 * Returns a test whether a Ticket is above another one, at any level. Where every Ticket has one parent, a test takes
 * logarithmic time. Beyond a Ticket with several, all Tickets between the two levels are visited; a walk is remembered, since
 * one Ticket may block all that is above it.
 */
function aboveTest(of: Parents['of'], ringOf: RingOf): (parent: string, id: string) => boolean {
  const heights = new Map<string, Height>()
  const heightOf = (id: string) => heights.get(id)!
  const addAbove = parentsFirst(of, ringOf, (unit, [first, ...others]) => {
    if (unit.length === 1 && first !== undefined && others.length === 0) {
      const { level, root, jump } = heightOf(first)
      const far = heightOf(jump)
      const isFar = level - far.level === far.level - heightOf(far.jump).level
      heights.set(unit[0]!, { level: level + 1, root, parent: first, jump: isFar ? far.jump : first })
      return
    }
    const level = [first, ...others].reduce(
      (most, id) => (id === undefined ? most : Math.max(most, heightOf(id).level + 1)),
      0,
    )
    for (const id of unit) heights.set(id, { level, root: id, parent: id, jump: id })
  })
  /** True where the parent is the Ticket itself, or between it and its root. */
  const isOnWay = (parent: string, id: string) => {
    const { level, root } = heightOf(parent)
    if (heightOf(id).root !== root) return false
    let at = id
    for (let here = heightOf(at); here.level > level; here = heightOf(at))
      at = heightOf(here.jump).level >= level ? here.jump : here.parent
    return at === parent
  }
  const walks = new Map<string, WalkByLevel>()
  let steps = 0
  return (parent, id) => {
    if (parent === id || of(id).length === 0) return false
    addAbove(id)
    addAbove(parent)
    const { level } = heightOf(parent)
    const own = heightOf(id)
    if (level > own.level) return false
    if (isOnWay(parent, id)) return true
    if (of(own.root).length === 0) return false
    if (steps > MOST_REMEMBERED) {
      walks.clear()
      steps = 0
    }
    const walk = walks.get(own.root) ?? walkByLevel(of, own.root, heightOf)
    walks.set(own.root, walk)
    steps += walk.downTo(level)
    const { root } = heightOf(parent)
    return (walk.entries.get(root) ?? []).some(entry => isOnWay(parent, entry))
  }
}

/** A walk up from a Ticket that goes on where it ended, by level. */
interface WalkByLevel {
  /** Where the walk came to the Tickets below a root, by that root. */
  entries: ReadonlyMap<string, readonly string[]>
  /** Walks on until all Tickets of that level have been visited; returns the number of steps. */
  downTo(level: number): number
}

function walkByLevel(of: Parents['of'], start: string, heightOf: (id: string) => Height): WalkByLevel {
  const entries = new Map<string, string[]>()
  const seen = new Set([start])
  const byLevel = new Map<number, string[]>([[heightOf(start).level, [start]]])
  let at = heightOf(start).level
  const enter = (id: string) => {
    if (seen.has(id)) return
    seen.add(id)
    const { level, root } = heightOf(id)
    append(byLevel, level, id)
    append(entries, root, id)
  }
  return {
    entries,
    downTo(level) {
      const before = seen.size
      for (; at >= level; at--) {
        // Tickets of a ring have one level, and may be added meanwhile.
        for (const id of byLevel.get(at) ?? []) for (const parent of of(heightOf(id).root)) enter(parent)
        byLevel.delete(at)
      }
      return seen.size - before
    },
  }
}

function append<K>(lists: Map<K, string[]>, key: K, value: string): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

/** All that is above a Ticket, the nearest first, each once and without itself. */
function* walkUp(of: Parents['of'], id: string): Generator<string> {
  const seen = new Set([id])
  let level = [id]
  while (level.length > 0) {
    const next: string[] = []
    for (const parent of level.flatMap(of)) {
      if (seen.has(parent)) continue
      seen.add(parent)
      next.push(parent)
      yield parent
    }
    level = next
  }
}

/**
 * Returns a function to at most `most` holding parents above a Ticket. The list of a Ticket is made of its parents' lists,
 * and all Tickets of a ring share one, so that n parents above each other cost n steps, not n for each Ticket.
 */
function boundedLists(
  of: Parents['of'],
  ringOf: RingOf,
  heldParent: (id: string) => HeldParent | undefined,
  most: number,
): (id: string) => readonly HeldParent[] {
  const lists = new Map<string, readonly HeldParent[]>()
  const addAbove = parentsFirst(of, ringOf, (unit, above) => {
    const own = heldAmong(unit.length > 1 ? [...unit, ...above] : above, heldParent)
    // One more than asked for, since each Ticket of a ring leaves itself out.
    const shared = [...new Set([...own, ...above.flatMap(parent => lists.get(parent)!)])].slice(0, most + 1)
    for (const id of unit) lists.set(id, shared.filter(({ parent }) => parent !== id).slice(0, most))
  })
  return id => {
    addAbove(id)
    return lists.get(id)!
  }
}

/** The number of the ring of parents in which a Ticket is; undefined in none. */
type RingOf = (id: string) => number | undefined

/**
 * Returns a function that calls `add` for a Ticket and for all that is above it, once for each and the parents first. The
 * Tickets of a ring come together, as one unit.
 */
function parentsFirst(
  of: Parents['of'],
  ringOf: RingOf,
  add: (unit: readonly string[], above: readonly string[]) => void,
): (id: string) => void {
  const added = new Set<string>()
  /** The Ticket with all of its ring. */
  const unitOf = (id: string): string[] => {
    const ring = ringOf(id)
    if (ring === undefined) return [id]
    return [id, ...walkUp(node => of(node).filter(parent => ringOf(parent) === ring), id)]
  }
  const parentsOf = (unit: readonly string[]) => {
    const inside = new Set(unit)
    return [...new Set(unit.flatMap(of))].filter(parent => !inside.has(parent))
  }
  return id => {
    const pending = added.has(id) ? [] : [id]
    for (let at = pending.at(-1); at !== undefined; at = pending.at(-1)) {
      const unit = added.has(at) ? [] : unitOf(at)
      const above = parentsOf(unit)
      const missing = above.filter(parent => !added.has(parent))
      for (const parent of missing) pending.push(parent)
      if (missing.length > 0) continue
      pending.pop()
      if (unit.length > 0) add(unit, above)
      for (const member of unit) added.add(member)
    }
  }
}
