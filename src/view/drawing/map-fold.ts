/**
 * Folds Tickets that look alike: many that wait for the same one alone, and many equal chains. Pure.
 *
 * What is folded has no other line, so a fold hides no relation; and it can be unfolded by its key.
 */
import type { Neighbours } from './map-relations.ts'
import type { Look } from './words.ts'

export interface Fold {
  key: string
  /** All Tickets in it. */
  tickets: string[]
  /** How many groups of Tickets, and how many Tickets each has. */
  groups: number
  size: number
  /** The drawn Ticket that they wait for, or the first of a group that is drawn like them. */
  beside: string
  isBehind: boolean
}

/** Fewer groups than these stay as they are. */
const LEAST_GROUPS = 4
/** A longer group stays as it is. */
const MOST_DEPTH = 30

interface Group {
  shape: string
  tickets: string[]
}

/** Returns the folds among the wanted Tickets. */
export function foldAlike(
  wanted: readonly string[],
  near: Neighbours,
  look: (id: string) => Look,
  unfold: ReadonlySet<string>,
  focus: string | undefined,
): Fold[] {
  const here = new Set(wanted)
  const groupOf = (id: string, depth: number): Group | undefined => {
    if (id === focus || depth > MOST_DEPTH || (near.beside.get(id)?.length ?? 0) > 0) return undefined
    const groups: Group[] = []
    for (const { ticket, kind } of near.behind.get(id) ?? []) {
      if (!here.has(ticket)) continue
      const group = near.before.get(ticket)!.length === 1 ? groupOf(ticket, depth + 1) : undefined
      if (!group) return undefined
      groups.push({ ...group, shape: kind + group.shape })
    }
    const shapes = groups.map(({ shape }) => shape).sort()
    return { shape: `${look(id)}(${shapes.join()})`, tickets: [id, ...groups.flatMap(({ tickets }) => tickets)] }
  }
  const alike = new Map<string, { beside: string | undefined; groups: Group[] }>()
  for (const id of wanted) {
    const before = (near.before.get(id) ?? []).filter(({ other }) => here.has(other))
    if (before.length > 1) continue
    const group = groupOf(id, 0)
    if (!group) continue
    const beside = before[0]?.other
    const key = `${beside ?? ''} ${before[0]?.kind ?? ''} ${group.shape}`
    const known = alike.get(key) ?? { beside, groups: [] }
    known.groups.push(group)
    alike.set(key, known)
  }
  const folds = [...alike.values()].flatMap(({ beside, groups }) => foldOf(beside, groups) ?? [])
  const open = folds.filter(({ key }) => !unfold.has(key))
  // Inside of a fold nothing else is folded.
  const inside = new Set(open.flatMap(({ tickets }) => tickets))
  return open.filter(({ beside }) => !inside.has(beside))
}

function foldOf(beside: string | undefined, groups: readonly Group[]): Fold | undefined {
  const isBehind = beside !== undefined
  const folded = isBehind ? groups : groups.slice(1)
  if (folded.length < LEAST_GROUPS) return undefined
  const next = isBehind ? beside : groups[0]!.tickets[0]!
  return {
    key: `fold ${folded[0]!.tickets[0]}`,
    tickets: folded.flatMap(({ tickets }) => tickets),
    groups: folded.length,
    size: folded[0]!.tickets.length,
    beside: next,
    isBehind,
  }
}
