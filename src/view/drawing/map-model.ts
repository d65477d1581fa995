/**
 * Chooses what a map shows: Tickets, folds of Tickets that look alike, and lines; then lays them out.
 *
 * Pure. A map never has more boxes than its cap: the parts that most depends on are drawn whole, and the rest is counted.
 */
import type { Overview } from '../../operations/overview-shape.ts'
import { layout } from './layout.ts'
import type { Layout, Line } from './layout-items.ts'
import { type Fold, foldAlike } from './map-fold.ts'
import { isOrder, type Neighbours, neighbours, type Relation, type RelationKind } from './map-relations.ts'
import { type Look, lookOf } from './words.ts'

export const DRAWN_KINDS: readonly RelationKind[] = ['blocked_by', 'after', 'conflicts_with']

export interface MapOptions {
  /** The Ticket in the middle: all that it waits for, two steps of what waits for it, and its conflicts. */
  focus?: string | undefined
  kinds?: readonly RelationKind[]
  /** At most this many boxes. */
  cap?: number
  /** The width to fill, in pixels. */
  width?: number
  /** Fewer boxes are drawn until the drawing is no higher. */
  maxHeight?: number
  /** Tickets further than this many steps from what waits for nothing are counted, not drawn. */
  maxSteps?: number
  /** Only what is joined to these Tickets by a line. */
  only?: ReadonlySet<string>
  /** Keys of folds that are drawn Ticket by Ticket. */
  unfold?: ReadonlySet<string>
}

export interface MapNode {
  id: string
  /** Set for a fold; its id is no Ticket. */
  fold?: Fold
  look: Look
}

export interface MapModel {
  nodes: MapNode[]
  /** The relations among the drawn Tickets. */
  relations: Relation[]
  layout: Layout
  /** How many Tickets with such relations are not drawn. */
  leftOut: number
}

export const NODE_HEIGHT = 40
export const FOLD_HEIGHT = 26

/** Returns the map of an overview. */
export function mapOf(overview: Overview, options: MapOptions = {}): MapModel {
  const chosen = choose(overview, options)
  const { maxHeight, width = 900, focus } = options
  let cap = options.cap ?? 90
  for (;;) {
    const model = drawWithin(chosen, cap, width, focus)
    if (maxHeight === undefined || model.layout.height <= maxHeight || cap < 8) return model
    cap = Math.floor(cap * Math.min(0.85, maxHeight / model.layout.height + 0.05))
  }
}

/** True where a map has something to draw. */
export function hasMap(overview: Overview): boolean {
  const look = looksIn(overview)
  return overview.relations.some(
    ({ kind, ticket, other }) => DRAWN_KINDS.includes(kind) && (isInPlay(look(ticket)) || isInPlay(look(other))),
  )
}

/** What a map could draw, the most important first. */
interface Chosen {
  near: Neighbours
  look: (id: string) => Look
  wanted: string[]
  folds: Fold[]
}

function choose(overview: Overview, options: MapOptions): Chosen {
  const { focus, kinds = DRAWN_KINDS, unfold = new Set<string>() } = options
  const near = neighbours(overview.relations.filter(({ kind }) => kinds.includes(kind)))
  const look = looksIn(overview)
  const wanted = focus === undefined ? inPlay(overview, near, options, look) : around(focus, near)
  return { near, look, wanted, folds: foldAlike(wanted, near, look, unfold, focus) }
}

function looksIn({ tickets }: Overview): (id: string) => Look {
  return id => lookOf(tickets[id])
}

function drawWithin(
  { near, look, wanted, folds }: Chosen,
  cap: number,
  width: number,
  focus: string | undefined,
): MapModel {
  const folded = new Set(folds.flatMap(({ tickets }) => tickets))
  const single = wanted.filter(id => !folded.has(id))
  const kept = new Set(wholeParts(single, near, cap, focus))
  const shownFolds = folds.filter(({ beside }) => kept.has(beside))
  const nodes: MapNode[] = [
    ...single.filter(id => kept.has(id)).map(id => ({ id, look: look(id) })),
    ...shownFolds.map(fold => ({ id: fold.key, fold, look: look(fold.tickets[0]!) })),
  ]
  const relations = near.relations.filter(({ ticket, other }) => kept.has(ticket) && kept.has(other))
  const lines = [...relations.map(lineOf), ...shownFolds.map(foldLine)]
  const boxes = nodes.map(({ id, fold }) => ({ id, height: fold ? FOLD_HEIGHT : NODE_HEIGHT }))
  const drawn = kept.size + shownFolds.reduce((sum, { tickets }) => sum + tickets.length, 0)
  return { nodes, relations, layout: layout(boxes, lines, width), leftOut: wanted.length - drawn }
}

function lineOf({ ticket, other, kind, advisory }: Relation): Line {
  if (isOrder({ kind })) return { from: other, to: ticket, kind }
  return { from: ticket, to: other, kind: advisory ? 'advisory' : kind, loose: true }
}

/** A line to a fold: from what its Tickets wait for, or none that is drawn. */
function foldLine({ key, beside, isBehind }: Fold): Line {
  return isBehind
    ? { from: beside, to: key, kind: 'blocked_by' }
    : { from: beside, to: key, kind: 'alike', loose: true }
}

/** Returns the Tickets with a relation to one in play, those first that most depends on. */
function inPlay(
  { tickets, relations }: Overview,
  { relations: drawn }: Neighbours,
  { only, maxSteps }: MapOptions,
  look: (id: string) => Look,
): string[] {
  const all = new Set<string>()
  for (const { ticket, other } of drawn) {
    if (!isInPlay(look(ticket)) && !isInPlay(look(other))) continue
    if (only && !only.has(ticket) && !only.has(other)) continue
    all.add(ticket)
    all.add(other)
  }
  const weight = (id: string) => (tickets[id]?.behind ?? 0) * 2 + (look(id) === 'active' ? 3 : 0)
  const place = new Map([...all].map((id, position) => [id, position]))
  const sorted = [...all].sort((a, b) => weight(b) - weight(a) || place.get(a)! - place.get(b)!)
  if (maxSteps === undefined) return sorted
  const steps = stepsOf(relations.filter(isOrder))
  const isNear = (id: string) => all.has(id) && (steps.get(id) ?? 0) < maxSteps
  // A Ticket whose every line leads further would have no line.
  const joined = new Set(drawn.flatMap(({ ticket, other }) => (isNear(ticket) && isNear(other) ? [ticket, other] : [])))
  return sorted.filter(id => joined.has(id))
}

/** Returns how many steps each Ticket is from one that waits for nothing; those on or behind a cycle are left out. */
function stepsOf(order: readonly Relation[]): Map<string, number> {
  const missing = new Map<string, number>()
  for (const { ticket, other } of order) {
    missing.set(ticket, (missing.get(ticket) ?? 0) + 1)
    if (!missing.has(other)) missing.set(other, 0)
  }
  const behind = Map.groupBy(order, ({ other }) => other)
  const steps = new Map([...missing].filter(([, n]) => n === 0).map(([id]) => [id, 0]))
  const reached = new Map<string, number>()
  for (const [id, step] of steps)
    for (const { ticket } of behind.get(id) ?? []) {
      reached.set(ticket, Math.max(reached.get(ticket) ?? 0, step + 1))
      missing.set(ticket, missing.get(ticket)! - 1)
      if (missing.get(ticket) === 0) steps.set(ticket, reached.get(ticket)!)
    }
  return steps
}

function isInPlay(look: Look): boolean {
  return look === 'accept' || look === 'hold' || look === 'active'
}

function around(focus: string, { before, behind, beside }: Neighbours): string[] {
  const found = new Set([focus])
  for (const id of found) for (const { other } of before.get(id) ?? []) found.add(other)
  let layer = [focus]
  for (let step = 0; step < 2; step++) {
    layer = layer.flatMap(id => (behind.get(id) ?? []).map(({ ticket }) => ticket))
    for (const id of layer) found.add(id)
  }
  for (const { ticket, other } of beside.get(focus) ?? []) found.add(ticket).add(other)
  return [...found]
}

/** How many Tickets a part has at most where a cap applies; a larger one is cut at its edges. */
const MOST_IN_PART = 40

/** Returns at most `cap` of the Tickets: for each in turn, the whole part that it belongs to. */
function wholeParts(ids: readonly string[], near: Neighbours, cap: number, focus: string | undefined): string[] {
  if (ids.length <= cap) return [...ids]
  const here = new Set(ids)
  const besides = (id: string) =>
    [near.before, near.behind, near.beside]
      .flatMap(side => side.get(id) ?? [])
      .flatMap(({ ticket, other }) => [ticket, other])
      .filter(other => here.has(other))
  const kept = new Set<string>()
  for (const id of focus === undefined ? ids : [focus]) {
    if (kept.has(id)) continue
    const part = new Set([id])
    const most = focus === undefined ? Math.min(MOST_IN_PART, cap) : cap
    for (const at of part) for (const other of besides(at)) if (part.size < most) part.add(other)
    if (kept.size + part.size > cap) continue
    for (const one of part) kept.add(one)
    if (kept.size >= cap) break
  }
  return [...kept]
}
