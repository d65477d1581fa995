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
interface HeldParent {
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
  const isAbove = lazy(() => aboveTest(of))
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
      const find = finders().get(most) ?? boundedLists(of, heldParent, most + 1)
      finders().set(most, find)
      const list = find(id)
      return { list: list.slice(0, most), hasMore: list.length > most }
    },
  }
}

function heldAmong(ids: readonly string[], heldParent: (id: string) => HeldParent | undefined): HeldParent[] {
  return ids.map(heldParent).filter(held => held !== undefined)
}

/** How many steps of walks up are remembered. */
const MOST_REMEMBERED = 200_000

/**
 * Returns a test whether a Ticket is above another one, at any level. It remembers how far it has walked up from a Ticket,
 * since one Ticket may block all that is above it.
 */
function aboveTest(of: Parents['of']): (parent: string, id: string) => boolean {
  const walks = new Map<string, { seen: Set<string>; rest: Generator<string> }>()
  let steps = 0
  return (parent, id) => {
    if (of(id).length === 0) return false
    if (steps > MOST_REMEMBERED) {
      walks.clear()
      steps = 0
    }
    const { seen, rest } = walks.get(id) ?? { seen: new Set(), rest: walkUp(of, id) }
    walks.set(id, { seen, rest })
    while (!seen.has(parent)) {
      const next = rest.next()
      if (next.done) return false
      seen.add(next.value)
      steps++
    }
    return true
  }
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
  heldParent: (id: string) => HeldParent | undefined,
  most: number,
): (id: string) => readonly HeldParent[] {
  const lists = new Map<string, readonly HeldParent[]>()
  const ringOf = cycleGroups(of)
  /** The Ticket with all of its ring. */
  const unitOf = (id: string): string[] => {
    const ring = ringOf(id)
    if (ring === undefined) return [id]
    return [id, ...walkUp(node => of(node).filter(parent => ringOf(parent) === ring), id)]
  }
  const parentsOf = (unit: readonly string[]) => {
    const inside = new Set(unit)
    return unit.flatMap(of).filter(parent => !inside.has(parent))
  }
  const addLists = (unit: readonly string[]) => {
    const above = parentsOf(unit)
    const own = heldAmong(unit.length > 1 ? [...unit, ...above] : above, heldParent)
    // One more than asked for, since each Ticket of a ring leaves itself out.
    const shared = [...new Set([...own, ...above.flatMap(parent => lists.get(parent)!)])].slice(0, most + 1)
    for (const id of unit) lists.set(id, shared.filter(({ parent }) => parent !== id).slice(0, most))
  }
  return id => {
    const pending = [id]
    for (let at = pending.at(-1); at !== undefined; at = pending.at(-1)) {
      const unit = lists.has(at) ? [] : unitOf(at)
      const missing = parentsOf(unit).filter(parent => !lists.has(parent))
      for (const parent of missing) pending.push(parent)
      if (missing.length > 0) continue
      pending.pop()
      if (unit.length > 0) addLists(unit)
    }
    return lists.get(id)!
  }
}
