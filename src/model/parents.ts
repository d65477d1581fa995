/**
 * What a Ticket inherits from the Tickets that it is part of, at any level.
 *
 * A parent that is on hold, or blocked by something outside of itself, holds all of its parts. The way up also leads through
 * terminal parents. Time grows with Tickets and relations: a queue of parts asks about each parent once.
 */
import { cycleGroups } from './cycle-groups.ts'
import { isOver } from './decision-status.ts'
import type { Facts, RelationFact } from './facts.ts'
import { remembered } from './remembered.ts'

/** A Ticket above another one that holds all of its parts. */
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
  /** The blockers of an unsettled parent that are no parts of it, and still hold. */
  outsideBlockers(parent: string): readonly RelationFact[]
  /** The parents above a Ticket that hold it, the nearest first: the first `most`, and whether there may be more. */
  held(id: string, most: number): { list: readonly HeldParent[]; hasMore: boolean }
}

/** True where a Ticket no longer holds what waits for it. An abandoned one never delivers, so it holds. */
export function isDelivered(facts: Facts, id: string): boolean {
  const fact = facts.ticket(id)
  return fact?.readable === true && fact.outcome === 'completed'
}

/** Returns what there is to know of parents under these facts. */
export function parentsIn(facts: Facts): Parents {
  const of = remembered(id => facts.parents(id).map(({ other }) => other))
  const outsideBlockers = remembered((parent): readonly RelationFact[] => {
    const fact = facts.ticket(parent)
    if (!fact?.readable || fact.phase === 'terminal') return []
    return facts
      .waitsFor(parent, 'blocked_by')
      .filter(({ other }) => !isDelivered(facts, other) && other !== parent && !isAbove(of, other, parent))
  })
  const heldParent = remembered((parent): HeldParent | undefined => {
    const fact = facts.ticket(parent)
    if (!fact?.readable || fact.phase === 'terminal') return undefined
    const blockers = outsideBlockers(parent)
    const holds = facts.holds(parent).filter(hold => !isOver(hold, facts.now))
    return blockers.length + holds.length > 0 ? { parent, blockers, holds } : undefined
  })
  const lists = new Map<number, (id: string) => readonly HeldParent[]>()
  return {
    of,
    outsideBlockers,
    held(id, most) {
      const find = lists.get(most) ?? nearestFirst(of, heldParent, most + 1)
      lists.set(most, find)
      const list = find(id)
      return { list: list.slice(0, most), hasMore: list.length > most }
    },
  }
}

/** True where `parent` is above the Ticket, at any level. */
function isAbove(of: Parents['of'], id: string, parent: string): boolean {
  for (const above of walkUp(of, id)) if (above === parent) return true
  return false
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
 * Returns a function to the first `most` holding parents above a Ticket. The list of a Ticket is made of its parents' lists,
 * so that a chain of n parents costs n steps, not n for each Ticket. A ring of parents, which only a merge can make, is
 * walked for each Ticket in it.
 */
function nearestFirst(
  of: Parents['of'],
  heldParent: (id: string) => HeldParent | undefined,
  most: number,
): (id: string) => readonly HeldParent[] {
  const lists = new Map<string, readonly HeldParent[]>()
  const ringOf = cycleGroups(of)
  const isHolding = (parent: HeldParent | undefined) => parent !== undefined
  const listOf = (id: string): readonly HeldParent[] => {
    if (ringOf(id) !== undefined) return [...walkUp(of, id)].map(heldParent).filter(isHolding).slice(0, most)
    const own = of(id).map(heldParent).filter(isHolding)
    return [...new Set([...own, ...of(id).flatMap(parent => lists.get(parent)!)])].slice(0, most)
  }
  return id => {
    const pending = [id]
    for (let at = pending.at(-1); at !== undefined; at = pending.at(-1)) {
      const missing = ringOf(at) === undefined ? of(at).filter(parent => !lists.has(parent)) : []
      if (missing.length > 0) {
        pending.push(...missing)
        continue
      }
      pending.pop()
      lists.set(at, listOf(at))
    }
    return lists.get(id)!
  }
}
