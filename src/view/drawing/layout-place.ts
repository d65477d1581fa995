/** Finds the heights: each item as near as can be to the middle of its neighbours, in its order, with the gaps kept. Pure. */
import { GAP, type Item } from './layout-items.ts'

export const PAD = 4
const PASSES = 10

/** Sets `y` of every item. */
export function placeLayers(layers: readonly Item[][]): void {
  for (const layer of layers) {
    let y = PAD
    for (const [position, item] of layer.entries()) {
      if (position > 0) y += gap(layer[position - 1]!, item)
      item.y = y
      y += item.height
    }
  }
  for (let pass = 0; pass < PASSES; pass++) {
    const [side, otherSide] = pass % 2 === 0 ? (['left', 'right'] as const) : (['right', 'left'] as const)
    for (const layer of pass % 2 === 0 ? layers : layers.toReversed()) placeLayer(layer, side, otherSide)
  }
  closeEmptyBands(layers.flat())
}

function gap(a: Item, b: Item): number {
  return a.box === null || b.box === null ? GAP / 2 : GAP
}

/** Items that have to move together: where the first would like to be, and how far below it the others are. */
interface Block {
  at: number
  weight: number
  items: Item[]
  offsets: number[]
}

/** An item that nothing pulls: its block stays as high as the order allows. */
const UNPULLED = -1e6
const NO_WEIGHT = 1e-9

/** Pools adjacent violators: the nearest positions to the wishes that keep order and gaps. */
function placeLayer(layer: readonly Item[], side: 'left' | 'right', otherSide: 'left' | 'right'): void {
  const blocks: Block[] = []
  for (const item of layer) {
    const at = wish(item, side, otherSide)
    const weight = at === UNPULLED ? NO_WEIGHT : item.box === null ? 2 : 1
    let block: Block = { at, weight, items: [item], offsets: [0] }
    for (let above = blocks.at(-1); above; above = blocks.at(-1)) {
      const last = above.items.at(-1)!
      const size = above.offsets.at(-1)! + last.height + gap(last, block.items[0]!)
      if (above.at + size <= block.at + 1e-6) break
      blocks.pop()
      block = joined(above, block, size)
    }
    blocks.push(block)
  }
  for (const { at, items, offsets } of blocks) for (const [n, item] of items.entries()) item.y = at + offsets[n]!
}

function joined(above: Block, below: Block, size: number): Block {
  const weight = above.weight + below.weight
  return {
    at: (above.at * above.weight + (below.at - size) * below.weight) / weight,
    weight,
    items: [...above.items, ...below.items],
    offsets: [...above.offsets, ...below.offsets.map(offset => offset + size)],
  }
}

function wish(item: Item, side: 'left' | 'right', otherSide: 'left' | 'right'): number {
  const near = item[side].length > 0 ? item[side] : item[otherSide]
  if (near.length === 0) return UNPULLED
  return near.reduce((sum, other) => sum + other.y + other.height / 2, 0) / near.length - item.height / 2
}

/** Moves everything up to where something is above it, so that no band is empty. */
function closeEmptyBands(items: readonly Item[]): void {
  const sorted = [...items].sort((a, b) => a.y - b.y)
  let end = sorted[0]!.y
  let shift = end - PAD
  for (const item of sorted) {
    if (item.y > end + GAP) shift += item.y - end - GAP
    end = Math.max(end, item.y + item.height)
    item.y -= shift
  }
}
