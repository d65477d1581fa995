/**
 * Lays out what waits for what: in the first column what waits for nothing, further right what waits for it.
 *
 * Pure; the same input gives the same output, cycles included. Boxes do not overlap, and no line crosses a box: each line that
 * passes a column has a lane of its own there, and everything else of it is between columns. A library (dagre: 63 ms for 160
 * boxes, against 12 ms) has neither lanes for lines without a direction, nor keeps what can move in the first column.
 */
import { type Box, type Item, LANE, type Layout, type Line } from './layout-items.ts'
import { orderLayers } from './layout-order.ts'
import { pack } from './layout-pack.ts'
import { placeLayers } from './layout-place.ts'
import { backEdges, ranksOf } from './layout-ranks.ts'
import { routeLines } from './layout-routes.ts'

/** Returns the layout. Parts without a line between them are placed beside and below each other, within `width` where that can be. */
export function layout(boxes: readonly Box[], lines: readonly Line[], width: number): Layout {
  const known = new Set(boxes.map(({ id }) => id))
  const drawn = lines.filter(({ from, to }) => known.has(from) && known.has(to) && from !== to)
  const parts = partsOf(boxes, drawn).map(part => layoutPart(part.boxes, part.lines))
  parts.sort((a, b) => b.places.size - a.places.size || b.width - a.width)
  return pack(parts, width)
}

function partsOf(boxes: readonly Box[], lines: readonly Line[]): { boxes: Box[]; lines: Line[] }[] {
  const near = new Map<string, string[]>(boxes.map(({ id }) => [id, []]))
  for (const { from, to } of lines) {
    near.get(from)!.push(to)
    near.get(to)!.push(from)
  }
  const partOf = new Map<string, number>()
  let parts = 0
  for (const { id } of boxes) {
    if (partOf.has(id)) continue
    const part = parts++
    partOf.set(id, part)
    const open = [id]
    for (let at = open.pop(); at !== undefined; at = open.pop())
      for (const other of near.get(at)!) {
        if (partOf.has(other)) continue
        partOf.set(other, part)
        open.push(other)
      }
  }
  const found = Array.from({ length: parts }, () => ({ boxes: [] as Box[], lines: [] as Line[] }))
  for (const box of boxes) found[partOf.get(box.id)!]!.boxes.push(box)
  for (const line of lines) found[partOf.get(line.from)!]!.lines.push(line)
  return found
}

function layoutPart(boxes: readonly Box[], lines: readonly Line[]): Layout {
  const directed = lines.filter(line => !line.loose)
  const back = backEdges(boxes, directed)
  const ranks = ranksOf(
    boxes,
    directed.filter(line => !back.has(line)),
  )
  const layers: Item[][] = []
  const items = new Map<string, Item>()
  for (const { id, height } of boxes) items.set(id, addItem(layers, id, height, ranks.get(id)!))
  const paths = new Map(lines.map(line => [line, lanesOf(line, back.has(line), items, layers)]))
  const loose = lines.filter(line => line.loose).map(({ from, to }) => [items.get(from)!, items.get(to)!] as const)
  const ordered = orderLayers(layers, loose)
  placeLayers(ordered)
  return routeLines(ordered, items, paths, back)
}

function addItem(layers: Item[][], box: string | null, height: number, column: number, after?: Item): Item {
  const item: Item = { box, height, column, order: 0, y: 0, left: [], right: [] }
  layers[column] ??= []
  const layer = layers[column]
  layer.splice(after ? layer.indexOf(after) + 1 : layer.length, 0, item)
  return item
}

/**
 * Gives a line a lane in each column that it passes, from left to right. A line that closes a cycle also passes the columns of
 * its two boxes: it leaves the first to the right, returns, and enters the other from the left.
 */
function lanesOf(line: Line, isBack: boolean, items: ReadonlyMap<string, Item>, layers: Item[][]): Item[] {
  const ends = [items.get(line.from)!, items.get(line.to)!]
  const [first, last] = ends[0]!.column <= ends[1]!.column ? [ends[0]!, ends[1]!] : [ends[1]!, ends[0]!]
  const lanes: Item[] = []
  const [from, to] = isBack ? [first.column, last.column] : [first.column + 1, last.column - 1]
  for (let column = from; column <= to; column++) {
    const beside = column === first.column ? first : column === last.column ? last : undefined
    lanes.push(addItem(layers, null, LANE, column, beside))
  }
  const chain = isBack ? lanes : first.column === last.column ? [] : [first, ...lanes, last]
  for (const [position, item] of chain.entries()) {
    const next = chain[position + 1]
    if (!next) break
    item.right.push(next)
    next.left.push(item)
  }
  return lanes
}
