import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { layout } from './layout.ts'
import { BOX_WIDTH, type Box, type Curve, type Layout, type Line } from './layout-items.ts'

const box = (id: string, height = 40): Box => ({ id, height })
const line = (from: string, to: string, kind = 'blocked_by'): Line => ({ from, to, kind })
const loose = (from: string, to: string): Line => ({ from, to, kind: 'conflicts_with', loose: true })
const chain = (...ids: string[]) => ids.slice(1).map((id, position) => line(ids[position]!, id))

const plans = fc
  .record({
    heights: fc.array(fc.constantFrom(26, 40), { minLength: 1, maxLength: 14 }),
    pairs: fc.array(fc.tuple(fc.nat(13), fc.nat(13), fc.constantFrom('blocked_by', 'after', 'loose')), {
      maxLength: 24,
    }),
    width: fc.integer({ min: 200, max: 2000 }),
  })
  .map(({ heights, pairs, width }) => ({
    boxes: heights.map((height, n) => box(`T${n}`, height)),
    lines: pairs.map(([a, b, kind]) => (kind === 'loose' ? loose(`T${a}`, `T${b}`) : line(`T${a}`, `T${b}`, kind))),
    width,
  }))

/** The point of a cubic curve. */
function pointAt([[x0, y0], [x1, y1], [x2, y2], [x3, y3]]: Curve, t: number): [number, number] {
  const u = 1 - t
  const mix = (a: number, b: number, c: number, d: number) =>
    u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * c + t * t * t * d
  return [mix(x0, x1, x2, x3), mix(y0, y1, y2, y3)]
}

function* pointsOf({ routes }: Layout): Generator<[number, number]> {
  for (const { curves } of routes)
    for (const curve of curves) for (let n = 0; n <= 24; n++) yield pointAt(curve, n / 24)
}

describe('layout', () => {
  test('a chain goes from left to right, and what waits for nothing is in the first column', () => {
    const { places } = layout(
      ['A', 'B', 'C', 'D'].map(id => box(id)),
      [...chain('A', 'B', 'C'), line('D', 'C')],
      2000,
    )
    expect(['A', 'B', 'C', 'D'].map(id => places.get(id)!.column)).toEqual([0, 1, 2, 0])
  })

  test('every box is placed, none overlaps another, and all is inside of the drawing', () => {
    fc.assert(
      fc.property(plans, ({ boxes, lines, width }) => {
        const drawing = layout(boxes, lines, width)
        const placed = [...drawing.places.values()]
        expect([...drawing.places.keys()].sort()).toEqual(boxes.map(({ id }) => id).sort())
        for (const [position, a] of placed.entries()) {
          expect(Math.min(a.x, a.y)).toBeGreaterThanOrEqual(0)
          expect(a.x + BOX_WIDTH).toBeLessThanOrEqual(drawing.width)
          expect(a.y + a.height).toBeLessThanOrEqual(drawing.height)
          for (const b of placed.slice(position + 1)) {
            const apart =
              a.x + BOX_WIDTH <= b.x || b.x + BOX_WIDTH <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
            expect(apart).toBe(true)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('no line crosses a box or leaves the drawing, and each joins its two boxes', () => {
    fc.assert(
      fc.property(plans, ({ boxes, lines, width }) => {
        const drawing = layout(boxes, lines, width)
        const placed = [...drawing.places.values()]
        for (const [x, y] of pointsOf(drawing)) {
          const inside = placed.some(
            box =>
              x > box.x + 0.01 && x < box.x + BOX_WIDTH - 0.01 && y > box.y + 0.01 && y < box.y + box.height - 0.01,
          )
          expect(inside, `${x} ${y}`).toBe(false)
          expect(x >= 0 && y >= 0 && x <= drawing.width && y <= drawing.height).toBe(true)
        }
        for (const { line, curves } of drawing.routes) {
          for (const [id, [x, y]] of [[line.from, curves[0]![0]] as const, [line.to, curves.at(-1)![3]] as const]) {
            const box = drawing.places.get(id)!
            expect(Math.min(Math.abs(x - box.x), Math.abs(x - box.x - BOX_WIDTH))).toBeLessThan(0.01)
            expect(y >= box.y && y <= box.y + box.height).toBe(true)
          }
          for (const [position, curve] of curves.slice(1).entries()) expect(curve[0]).toEqual(curves[position]![3])
        }
      }),
      { numRuns: 300 },
    )
  })

  test('the same input gives the same drawing, whatever was drawn before', () => {
    fc.assert(
      fc.property(plans, ({ boxes, lines, width }) => {
        const first = layout(boxes, lines, width)
        expect(layout(structuredClone(boxes), structuredClone(lines), width)).toEqual(first)
      }),
    )
  })

  test('a line that closes a cycle is marked, and only one of each cycle', () => {
    const lines = [...chain('A', 'B', 'C'), line('C', 'A')]
    const { routes } = layout(
      ['A', 'B', 'C'].map(id => box(id)),
      lines,
      2000,
    )
    expect(routes.filter(({ back }) => back).map(({ line }) => [line.from, line.to])).toEqual([['C', 'A']])
  })

  test('parts without a line between them are beside each other where there is room', () => {
    const boxes = ['A', 'B', 'C', 'D'].map(id => box(id))
    const lines = [line('A', 'B'), line('C', 'D')]
    const [wide, narrow] = [layout(boxes, lines, 2000), layout(boxes, lines, 400)]
    expect(wide.places.get('C')!.y).toBe(wide.places.get('A')!.y)
    expect(narrow.places.get('C')!.y).toBeGreaterThan(narrow.places.get('A')!.y)
  })
})
