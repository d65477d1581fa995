/** Orders the items of each column so that few lines cross: by the middles of their neighbours, then by exchanges. Pure. */
import type { Item } from './layout-items.ts'

const MOST_SWEEPS = 40
/** Sweeps without an improvement before it ends. */
const PATIENCE = 8

/** Returns the columns in the best order that was found; sets `order`. `loose` are pairs to keep near each other. */
export function orderLayers(layers: Item[][], loose: readonly (readonly [Item, Item])[]): Item[][] {
  const near = new Map<Item, Item[]>()
  for (const [a, b] of loose) {
    near.set(a, [...(near.get(a) ?? []), b])
    near.set(b, [...(near.get(b) ?? []), a])
  }
  const current = layers.map(layer => [...layer])
  current.forEach(number)
  let best = { crossings: countCrossings(current), layers: current.map(layer => [...layer]) }
  for (let sweep = 0, idle = 0; sweep < MOST_SWEEPS && idle < PATIENCE && best.crossings > 0; sweep++, idle++) {
    const fromLeft = sweep % 2 === 0
    for (const layer of fromLeft ? current : current.toReversed())
      sortByMiddle(layer, fromLeft ? 'left' : 'right', near)
    exchangeNeighbours(current)
    const crossings = countCrossings(current)
    if (crossings < best.crossings) {
      best = { crossings, layers: current.map(layer => [...layer]) }
      idle = 0
    }
  }
  best.layers.forEach(number)
  return best.layers
}

function number(layer: Item[]): void {
  for (const [order, item] of layer.entries()) item.order = order
}

function sortByMiddle(layer: Item[], side: 'left' | 'right', near: ReadonlyMap<Item, Item[]>): void {
  const middles = new Map(
    layer.map(item => {
      const others = item[side].length > 0 ? item[side] : (near.get(item) ?? [])
      const sum = others.reduce((total, other) => total + other.order, 0)
      return [item, others.length > 0 ? sum / others.length : item.order] as const
    }),
  )
  layer.sort((a, b) => middles.get(a)! - middles.get(b)! || a.order - b.order)
  number(layer)
}

function exchangeNeighbours(layers: Item[][]): void {
  for (let round = 0, isBetter = true; isBetter && round < 6; round++) {
    isBetter = false
    for (const layer of layers)
      for (let at = 1; at < layer.length; at++) {
        const [a, b] = [layer[at - 1]!, layer[at]!]
        const now = pairCrossings(a.left, b.left) + pairCrossings(a.right, b.right)
        if (now === 0 || pairCrossings(b.left, a.left) + pairCrossings(b.right, a.right) >= now) continue
        layer.splice(at - 1, 2, b, a)
        b.order = at - 1
        a.order = at
        isBetter = true
      }
  }
}

/** Counts the crossings between the lines of an upper and those of a lower item. */
function pairCrossings(upper: readonly Item[], lower: readonly Item[]): number {
  let crossings = 0
  for (const a of upper) for (const b of lower) if (a.order > b.order) crossings++
  return crossings
}

function countCrossings(layers: readonly Item[][]): number {
  return layers.reduce((sum, layer) => sum + crossingsToLeft(layer), 0)
}

/** Counts inversions with a Fenwick tree over the orders in this column. */
function crossingsToLeft(layer: readonly Item[]): number {
  const ends = layer.flatMap(item => item.left.map(left => [left.order, item.order] as const))
  ends.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  const tree = new Int32Array(layer.length + 1)
  let crossings = 0
  for (const [seen, [, order]] of ends.entries()) {
    let below = 0
    for (let at = order + 1; at > 0; at -= at & -at) below += tree[at]!
    crossings += seen - below
    for (let at = order + 1; at <= layer.length; at += at & -at) tree[at]!++
  }
  return crossings
}
