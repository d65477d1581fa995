/** Places parts on shelves, beside one another while they fit, so that many small ones do not make one tall column. Pure. */
import { GAP, type Layout } from './layout-items.ts'

const BETWEEN_X = 30
const BETWEEN_Y = 20

interface Shelf {
  x: number
  y: number
  height: number
  stacks: { x: number; y: number; width: number }[]
}

/** Returns one layout of all parts, which come largest first. */
export function pack(parts: readonly Layout[], width: number): Layout {
  const shelves: Shelf[] = []
  const all: Layout = { places: new Map(), routes: [], width: 0, height: 0 }
  for (const part of parts) {
    const { x, y } = spotFor(part, shelves, width) ?? newShelf(part, shelves, all.height)
    for (const [id, place] of part.places) all.places.set(id, { ...place, x: place.x + x, y: place.y + y })
    for (const route of part.routes) {
      const curves = route.curves.map(
        curve => curve.map(([a, b]) => [a + x, b + y] as const) as unknown as (typeof route.curves)[number],
      )
      all.routes.push({ ...route, curves })
    }
    all.width = Math.max(all.width, x + part.width)
    all.height = Math.max(all.height, y + part.height)
  }
  return all
}

/** Finds room below a part of the same shelf, or beside its last one. */
function spotFor(part: Layout, shelves: Shelf[], width: number): { x: number; y: number } | undefined {
  for (const shelf of shelves) {
    const stack = shelf.stacks.find(({ width, y }) => width >= part.width && y + part.height <= shelf.y + shelf.height)
    if (stack) {
      const spot = { x: stack.x, y: stack.y }
      stack.y += part.height + GAP
      return spot
    }
    if (shelf.x + part.width > width || part.height > shelf.height) continue
    const spot = { x: shelf.x, y: shelf.y }
    shelf.stacks.push({ x: shelf.x, width: part.width, y: shelf.y + part.height + GAP })
    shelf.x += part.width + BETWEEN_X
    return spot
  }
  return undefined
}

function newShelf(part: Layout, shelves: Shelf[], bottom: number): { x: number; y: number } {
  const y = shelves.length > 0 ? bottom + BETWEEN_Y : 0
  const stacks = [{ x: 0, width: part.width, y: y + part.height + GAP }]
  shelves.push({ x: part.width + BETWEEN_X, y, height: part.height, stacks })
  return { x: 0, y }
}
