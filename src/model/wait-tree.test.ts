import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rootsOf, type Side, treeRows, type Wait, walkWaits } from './wait-tree.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const name = fc.constantFrom(...NAMES)
const waits = fc.uniqueArray(
  fc
    .record({ ticket: name, kind: fc.constantFrom('after', 'blocked_by', 'part_of'), other: name })
    .filter(({ ticket, other }) => ticket !== other),
  { maxLength: 16, selector: ({ ticket, kind, other }) => `${ticket} ${kind} ${other}` },
)
const side = fc.constantFrom<Side>('blockers', 'dependents')
const ends = ({ ticket, other }: Wait, side: Side) => (side === 'blockers' ? [ticket, other] : [other, ticket])

const nextIn = (all: readonly Wait[], side: Side) => (level: readonly string[]) =>
  level.flatMap(from => all.filter(wait => ends(wait, side)[0] === from))

/** Steps from the roots, by relaxing every relation until nothing changes. */
function distances(all: readonly Wait[], roots: readonly string[], side: Side): Record<string, number> {
  const steps: Record<string, number> = Object.fromEntries(NAMES.map(name => [name, roots.includes(name) ? 0 : 99]))
  for (const _ of NAMES)
    for (const wait of all) {
      const [from, to] = ends(wait, side)
      steps[to!] = Math.min(steps[to!]!, steps[from!]! + 1)
    }
  return steps
}

describe('walkWaits', () => {
  test('returns every relation within the depth once, the nearest first', () =>
    fc.assert(
      fc.property(
        waits,
        side,
        fc.subarray(NAMES, { minLength: 1 }),
        fc.integer({ min: 1, max: 8 }),
        (all, side, roots, depth) => {
          const walked = walkWaits(roots, side, nextIn(all, side), { depth, limit: 100 })
          const steps = distances(all, roots, side)
          const from = (wait: Wait) => steps[ends(wait, side)[0]!]!
          expect(walked.more).toBe(false)
          expect(new Set(walked.waits)).toEqual(new Set(all.filter(wait => from(wait) < depth)))
          expect(walked.waits.length).toBe(new Set(walked.waits).size)
          expect(walked.waits.map(from)).toEqual(walked.waits.map(from).sort((a, b) => a - b))
        },
      ),
    ))

  test('with a limit it returns the beginning of that, and says whether there is more', () =>
    fc.assert(
      fc.property(waits, side, fc.integer({ min: 1, max: 20 }), (all, side, limit) => {
        const whole = walkWaits(['a'], side, nextIn(all, side), { depth: 9, limit: 100 }).waits
        const walked = walkWaits(['a'], side, nextIn(all, side), { depth: 9, limit })
        expect(walked).toEqual({ waits: whole.slice(0, limit), more: whole.length > limit })
      }),
    ))
})

describe('rootsOf', () => {
  test('leads to every Ticket, and has all that wait for nothing', () =>
    fc.assert(
      fc.property(waits, all => {
        const roots = rootsOf(all)
        const steps = distances(all, roots, 'dependents')
        const tickets = new Set(all.flatMap(({ ticket, other }) => [ticket, other]))
        for (const ticket of tickets) {
          expect(steps[ticket], ticket).toBeLessThan(99)
          if (!all.some(wait => wait.ticket === ticket)) expect(roots).toContain(ticket)
        }
        expect(roots).toEqual([...roots].sort())
      }),
    ))
})

describe('treeRows', () => {
  test('has one row with branches for each Ticket, where the fewest steps lead to it, and one for each relation', () =>
    fc.assert(
      fc.property(waits, side, (all, side) => {
        const walked = walkWaits(['a', 'b'], side, nextIn(all, side), { depth: 9, limit: 100 }).waits
        const rows = treeRows(['a', 'b'], side, walked)
        const steps = distances(all, ['a', 'b'], side)
        const first = rows.filter(({ repeated }) => !repeated)
        expect(first.map(({ ticket }) => ticket).sort()).toEqual(NAMES.filter(name => steps[name]! < 99))
        for (const { ticket, lasts } of first) expect(lasts.length, ticket).toBe(steps[ticket])
        const said = rows.flatMap((row, at) => {
          const above = rows.slice(0, at).findLast(({ lasts }) => lasts.length === row.lasts.length - 1)?.ticket
          return row.kinds.map(kind => `${above} ${kind} ${row.ticket}`)
        })
        expect(said.sort()).toEqual(
          walked.map(wait => [ends(wait, side)[0], wait.kind, ends(wait, side)[1]].join(' ')).sort(),
        )
      }),
    ))

  test('marks the last branch of each row', () => {
    const all = ['b', 'c'].map(ticket => ({ ticket, kind: 'after', other: 'a' }))
    expect(treeRows(['a'], 'dependents', all).map(({ ticket, lasts }) => [ticket, lasts])).toEqual([
      ['a', []],
      ['b', [false]],
      ['c', [true]],
    ])
  })

  test('a chain of 10,000 Tickets is no deeper than the stack', () => {
    const all = Array.from({ length: 10_000 }, (_, n) => ({ ticket: `t${n + 1}`, kind: 'after', other: `t${n}` }))
    expect(treeRows(rootsOf(all), 'dependents', all)).toHaveLength(10_001)
  })
})
