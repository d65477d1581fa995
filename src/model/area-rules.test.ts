import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  claim,
  codes,
  consult,
  on,
  partOf,
  retraction,
  sharing,
  ticket,
  touches,
} from '../test-support/draft-tickets.ts'
import { globsOverlap } from '../test-support/globs-overlap.ts'
import { type AreaPattern, areaMap } from './area.ts'
import type { Ticket } from './ticket.ts'
import { MANY_TICKETS } from './wait-graph.ts'

const T = ticket('T', 'queued', touches('src/menu/**', 'docs/menu.md'))

describe('area', () => {
  test('holds while an active Ticket touches an overlapping area, and names one pattern of each', () => {
    const { verdict, reasons } = on(T, ticket('A', 'in_progress', touches('lib/', 'src/**/item.ts')))
    expect(verdict).toBe('hold')
    expect(reasons).toEqual([
      {
        code: 'area',
        severity: 'hold',
        message: 'A (in_progress) works in the same area: src/menu/** and src/**/item.ts overlap',
        ticket: 'A',
        decisions: ['T1'],
        pattern: 'src/menu/**',
        other_pattern: 'src/**/item.ts',
      },
    ])
  })

  test('holds while a claimed Ticket does, whatever its state, and names the holder', () => {
    const plan = { tickets: [T, ticket('A', 'open', touches('docs/*'))], claims: [claim('A')] }
    expect(consult(plan).reasons).toMatchObject([
      {
        code: 'area',
        ticket: 'A',
        message: 'A (claimed by pod-1) works in the same area: docs/menu.md and docs/* overlap',
      },
    ])
  })

  test.each<[string, ...Ticket[]]>([
    ['it is queued', ticket('A', 'queued', touches('src/**'))],
    ['it is open', ticket('A', 'open', touches('src/**'))],
    ['it is done', ticket('A', 'done', touches('src/**'))],
    ['it touches other paths', ticket('A', 'in_progress', touches('src/menu', 'docs/menu.md/x'))],
    ['its area is retracted', ticket('A', 'in_progress', touches('src/**'), retraction('A1'))],
    ['it has no area', ticket('A', 'in_progress')],
    ['it is part of the Ticket', ticket('A', 'in_progress', touches('src/**'), partOf('T'))],
    [
      'it is part of a part of the Ticket',
      ticket('A', 'in_progress', touches('src/**'), partOf('B')),
      ticket('B', 'open', partOf('T')),
    ],
  ])('does not hold for another Ticket where %s', (_, ...others) => {
    expect(on(T, ...others)).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('does not hold for what the Ticket is part of, at any level', () => {
    const part = ticket('T', 'queued', touches('src/**'), partOf('B'))
    const others = [
      ticket('B', 'in_progress', touches('src/**'), partOf('A')),
      ticket('A', 'in_progress', touches('src/**')),
    ]
    expect(on(part, ...others)).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('does not hold where both share; it does where one of them does not', () => {
    const shared = ticket('T', 'queued', sharing('src/**'))
    expect(on(shared, ticket('A', 'in_progress', sharing('src/a.ts'))).reasons).toEqual([])
    expect(codes(on(shared, ticket('A', 'in_progress', touches('src/a.ts'))))).toEqual(['area hold A'])
    expect(codes(on(T, ticket('A', 'in_progress', sharing('src/**'))))).toEqual(['area hold A'])
  })

  test('does not hold the holder of the claim that has the area', () => {
    expect(codes(consult({ tickets: [T], claims: [claim('T')] }, 'T', { holder: 'pod-1' }))).toEqual([])
  })

  test('does not hold for a claimed Ticket that has become terminal', () => {
    expect(codes(consult({ tickets: [T, ticket('A', 'done', touches('**'))], claims: [claim('A')] }))).toEqual([])
  })

  test('warns of an overlapping Ticket whose state is unknown: a misspelt one must not let others in unseen', () => {
    expect(codes(on(T, ticket('A', 'in_progres', touches('src/**'))))).toEqual(['unknown_state warn A'])
    expect(codes(on(T, ticket('A', 'in_progres', touches('lib/**'))))).toEqual([])
  })

  test('lists as many Tickets as the answer allows, and says that there are more', () => {
    const others = Array.from({ length: 120 }, (_, n) =>
      ticket(`A${String(n).padStart(3, '0')}`, 'in_progress', touches('src/**')),
    )
    const plan = { tickets: [T, ...others] }
    const one = consult(plan).reasons
    expect(one.length).toBe(100)
    expect(one.map(({ more }) => more).filter(Boolean)).toEqual([true])
    expect(consult(plan, 'T', {}, MANY_TICKETS).reasons.length).toBe(10)
    expect(consult({ tickets: [T, ...others.slice(0, 100)] }).reasons.some(({ more }) => more)).toBe(false)
  })
})

const patterns: fc.Arbitrary<AreaPattern[]> = fc.array(
  fc.record({
    pattern: fc.constantFrom('a', 'a/b', 'a/*', 'a/**', '*/b', '**', '**/c', 'a/b/c', 'b/', 'b/?', 'a/b/', 'c'),
    shared: fc.boolean(),
  }),
  { maxLength: 4 },
)

test('the map finds the same Tickets as comparing every pattern with every other', () => {
  fc.assert(
    fc.property(fc.array(patterns, { maxLength: 8 }), patterns, (areas, own) => {
      const map = areaMap(areas.map((area, n) => ({ ticket: `T${n}`, area })))
      const overlap = (other: AreaPattern, one: AreaPattern) =>
        !(one.shared && other.shared) && globsOverlap(one.pattern, other.pattern)
      const expected = areas.flatMap((area, n) =>
        area.some(other => own.some(one => overlap(other, one))) ? [`T${n}`] : [],
      )
      expect([...map.overlaps(own)].map(({ ticket }) => ticket).sort()).toEqual(expected.sort())
      for (const found of map.overlaps(own)) expect(overlap(found.other, found.own)).toBe(true)
    }),
  )
})
