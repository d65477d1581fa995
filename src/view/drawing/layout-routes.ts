/** Draws the lines of a placed part: curves between columns, straight along their lanes. Pure. */
import {
  BOX_WIDTH,
  type Curve,
  GUTTER,
  type Item,
  type Layout,
  type Line,
  type Point,
  type Route,
} from './layout-items.ts'
import { PAD } from './layout-place.ts'

/** How far below the middle of a box a loose line ends, and above it one that closes a cycle: so that they differ. */
const OFFSET = 11

/** Returns the layout of one part. */
export function routeLines(
  layers: readonly Item[][],
  items: ReadonlyMap<string, Item>,
  lanes: ReadonlyMap<Line, Item[]>,
  back: ReadonlySet<Line>,
): Layout {
  const isTurning = (line: Line) => back.has(line) || items.get(line.from)!.column === items.get(line.to)!.column
  const turning = [...lanes.keys()].filter(isTurning)
  const margin = (column: number) =>
    turning.some(({ from, to }) => items.get(from)!.column === column || items.get(to)!.column === column)
      ? GUTTER
      : PAD
  const first = margin(0)
  const leftOf = (column: number) => first + column * (BOX_WIDTH + GUTTER)
  const routes = [...lanes].map(([line, path]): Route => {
    const [from, to] = [items.get(line.from)!, items.get(line.to)!]
    const curves = back.has(line) ? returning(from, to, path, leftOf) : passing(line, from, to, path, leftOf)
    return { line, back: back.has(line), curves }
  })
  const places = [...items].map(
    ([id, { column, y, height }]) => [id, { x: leftOf(column), y, height, column }] as const,
  )
  return {
    places: new Map(places),
    routes,
    width: leftOf(layers.length - 1) + BOX_WIDTH + margin(layers.length - 1),
    height: Math.max(...layers.flat().map(({ y, height }) => y + height)) + PAD,
  }
}

type LeftOf = (column: number) => number

function middle({ y, height }: Item, offset = 0): number {
  const most = height / 2 - 4
  return y + height / 2 + Math.max(-most, Math.min(most, offset))
}

/** A line along the columns. A loose line within one column bows to the left of it. */
function passing(line: Line, from: Item, to: Item, lanes: readonly Item[], leftOf: LeftOf): Curve[] {
  const offset = line.loose ? OFFSET : 0
  if (from.column === to.column) return [turn(leftOf(from.column), middle(from, offset), middle(to, offset), -1)]
  const isReversed = from.column > to.column
  const [first, last] = isReversed ? [to, from] : [from, to]
  const points: Point[] = [
    [leftOf(first.column) + BOX_WIDTH, middle(first, offset)],
    ...lanes.flatMap((lane): Point[] => {
      const x = leftOf(lane.column)
      return [
        [x, middle(lane)],
        [x + BOX_WIDTH, middle(lane)],
      ]
    }),
    [leftOf(last.column), middle(last, offset)],
  ]
  const curves = points.slice(1).map((point, position) => level(points[position]!, point))
  return isReversed ? reversed(curves) : curves
}

/** A line that closes a cycle: out to the right, back along its lanes, in from the left. */
function returning(from: Item, to: Item, lanes: readonly Item[], leftOf: LeftOf): Curve[] {
  const right = leftOf(from.column) + BOX_WIDTH
  const way = lanes.toReversed()
  const curves: Curve[] = [turn(right, middle(from, -OFFSET), middle(way[0]!), 1)]
  for (const [position, lane] of way.entries()) {
    const x = leftOf(lane.column)
    const next = way[position + 1]
    curves.push(level([x + BOX_WIDTH, middle(lane)], [x, middle(lane)]))
    if (next) curves.push(level([x, middle(lane)], [leftOf(next.column) + BOX_WIDTH, middle(next)]))
  }
  return [...curves, turn(leftOf(to.column), middle(way.at(-1)!), middle(to, -OFFSET), -1)]
}

/** A curve that is level at both ends and stays between them. */
function level(from: Point, to: Point): Curve {
  const x = (from[0] + to[0]) / 2
  return [from, [x, from[1]], [x, to[1]], to]
}

/** A turn beside a column, within the gutter. */
function turn(x: number, fromY: number, toY: number, side: 1 | -1): Curve {
  const bow = x + side * Math.min(GUTTER, 16 + Math.abs(toY - fromY) / 6)
  return [
    [x, fromY],
    [bow, fromY],
    [bow, toY],
    [x, toY],
  ]
}

function reversed(curves: readonly Curve[]): Curve[] {
  return curves.toReversed().map(([a, b, c, d]) => [d, c, b, a])
}
