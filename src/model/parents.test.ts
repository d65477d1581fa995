import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  blockedBy,
  codes,
  comesAfter,
  consult,
  hold,
  lost,
  on,
  partOf,
  retraction,
  ticket,
} from '../test-support/draft-tickets.ts'
import { graphFacts, graphOf, nth, range } from '../test-support/graph-facts.ts'
import { loose } from '../test-support/loose-decision.ts'
import { type MemoryPlan, phaseOf } from '../test-support/memory-facts.ts'
import { parentsIn } from './parents.ts'
import type { Ticket } from './ticket.ts'
import { verdictOn } from './verdict.ts'
import { MANY_TICKETS } from './wait-graph.ts'

const part = ticket('T', 'queued', partOf('P'))
const epic = (...drafts: Parameters<typeof ticket>[2][]) => ticket('P', 'open', ...drafts)

describe('a part of a Ticket', () => {
  test('is accepted while nothing holds that Ticket', () => {
    for (const state of ['open', 'queued', 'in_progress', 'done', 'wontfix'])
      expect(on(part, ticket('P', state))).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('is held by what blocks that Ticket from outside, with the relation that says so', () => {
    const { verdict, reasons } = on(part, epic(blockedBy('X')), ticket('X', 'in_progress'))
    expect(verdict).toBe('hold')
    expect(reasons).toEqual([
      {
        code: 'parent_blocked',
        severity: 'hold',
        ticket: 'P',
        blockers: ['X'],
        total: 1,
        decisions: ['P1'],
        message: 'part of P, which is blocked by X (in_progress)',
      },
    ])
  })

  test.each<[string, Ticket[], MemoryPlan['quarantined'], string]>([
    ['was abandoned', [ticket('X', 'wontfix')], [], 'X (wontfix)'],
    ['has no file', [], [], 'X (no file here)'],
    ['cannot be read', [], [lost('X')], 'X (unreadable)'],
  ])('is held by a blocker of that Ticket that %s', (_, others, quarantined, name) => {
    const { reasons } = consult({ tickets: [part, epic(blockedBy('X')), ...others], quarantined: quarantined! })
    expect(codes({ reasons })).toEqual(['parent_blocked hold P'])
    expect(reasons[0]!.message).toBe(`part of P, which is blocked by ${name}`)
  })

  test('is free once the blocker is done, or the relation is retracted', () => {
    expect(on(part, epic(blockedBy('X')), ticket('X', 'done')).verdict).toBe('accept')
    expect(on(part, epic(blockedBy('X'), retraction('P1')), ticket('X', 'open')).verdict).toBe('accept')
  })

  test('is free once it is no part any more', () => {
    const own = ticket('T', 'queued', partOf('P'), retraction('T1'))
    expect(on(own, epic(blockedBy('X'), hold()), ticket('X', 'open')).verdict).toBe('accept')
  })

  test('is not held by what that Ticket comes after, conflicts with or waits for', () => {
    const parent = epic(comesAfter('X'), { kind: 'conflicts_with', target: 'X' }, { kind: 'waiting_for_capacity' })
    expect(on(part, parent, ticket('X', 'in_progress'))).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('is held by a hold on that Ticket, and by both where there is a blocker too', () => {
    const parent = epic(hold({ reason: 'legal has to look' }), blockedBy('X'), blockedBy('Y'))
    expect(on(part, epic(hold({ reason: 'legal has to look' }))).reasons).toMatchObject([
      {
        code: 'parent_blocked',
        blockers: [],
        total: 0,
        decisions: ['P1'],
        message: 'part of P, which is on hold: legal has to look',
      },
    ])
    expect(on(part, parent, ticket('X', 'open')).reasons).toMatchObject([
      {
        blockers: ['X', 'Y'],
        total: 2,
        decisions: ['P1', 'P2', 'P3'],
        message: 'part of P, which is blocked by X (open) and 1 more and on hold: legal has to look',
      },
    ])
  })

  test.each([
    ['2026-06-08T12:00:00.001Z', 'hold'],
    ['2026-06-08T12:00:00.000Z', 'accept'],
    ['2026-06-08T11:59:59.999Z', 'accept'],
  ])('where that Ticket is on hold until %s has the verdict %s at noon', (not_before, verdict) => {
    const plan = { tickets: [part, epic(hold({ not_before }))], now: '2026-06-08T12:00:00.000Z' }
    expect(consult(plan).verdict).toBe(verdict)
    expect(consult(plan, 'P').reasons.some(({ code }) => code === 'on_hold')).toBe(verdict === 'hold')
  })

  test.each(['done', 'wontfix'])('is not held by a Ticket that is %s, whatever holds that', state => {
    expect(on(part, ticket('P', state, hold(), blockedBy('X')), ticket('X', 'open')).verdict).toBe('accept')
  })

  test('of several Tickets is held by each that is held, in the order of their ids', () => {
    const own = ticket('T', 'queued', partOf('Q'), partOf('P'), partOf('R'))
    const tickets = [own, epic(hold()), ticket('Q', 'open', blockedBy('X')), ticket('R', 'open'), ticket('X', 'open')]
    expect(codes(consult({ tickets }))).toEqual(['parent_blocked hold P', 'parent_blocked hold Q'])
  })

  test('of a Ticket without a file is accepted', () => {
    expect(on(part)).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('is named once where two clones have recorded it, and does not hold the Ticket that contains it', () => {
    const own = ticket('T', 'queued', partOf('P'), partOf('P'), hold())
    expect(codes(on(own, epic(hold())))).toEqual(['parent_blocked hold P', 'on_hold hold'])
    expect(codes(on(ticket('P', 'queued'), own))).toEqual([])
  })
})

describe('a Ticket whose file cannot be read', () => {
  test('holds its parts: what it holds is not known', () => {
    const { reasons } = consult({ tickets: [part], quarantined: [lost('P')] })
    expect(reasons).toMatchObject([
      { code: 'quarantined', severity: 'hold', ticket: 'P', path: 'tickets/P.json', decisions: ['T1'] },
    ])
  })

  test('holds the parts of its parts, through terminal ones too', () => {
    for (const state of ['open', 'done']) {
      const plan = { tickets: [part, ticket('P', state, partOf('Q'))], quarantined: [lost('Q')] }
      const { reasons } = consult(plan)
      expect(codes({ reasons })).toEqual(['quarantined hold Q'])
      expect(reasons[0]).not.toHaveProperty('decisions')
      expect(codes(consult(plan, 'T', {}, MANY_TICKETS))).toEqual(['quarantined hold Q'])
    }
  })
})

describe('parents at every level', () => {
  test('hold, the nearest and the farthest', () => {
    const tickets = [
      part,
      epic(partOf('Q'), hold()),
      ticket('Q', 'in_progress', partOf('R')),
      ticket('R', 'planning', blockedBy('X')),
      ticket('X', 'queued'),
    ]
    for (const bounds of [undefined, MANY_TICKETS])
      expect(codes(consult({ tickets }, 'T', {}, bounds))).toEqual(['parent_blocked hold P', 'parent_blocked hold R'])
  })

  test.each(['done', 'wontfix'])('hold through a parent that is %s', state => {
    const tickets = [part, ticket('P', state, partOf('Q'), hold()), ticket('Q', 'open', hold())]
    for (const bounds of [undefined, MANY_TICKETS])
      expect(codes(consult({ tickets }, 'T', {}, bounds))).toEqual(['parent_blocked hold Q'])
  })

  test('do not hold through a part_of that is retracted half-way', () => {
    const tickets = [part, epic(partOf('Q'), retraction('P1')), ticket('Q', 'open', hold())]
    expect(consult({ tickets }).verdict).toBe('accept')
  })
})

describe('an epic that waits for its own parts', () => {
  test('does not hold its parts, at any level, and lies on no cycle with them', () => {
    const tickets = [
      epic(blockedBy('T'), blockedBy('U'), blockedBy('V')),
      part,
      ticket('U', 'queued', partOf('P')),
      ticket('V', 'queued', partOf('U')),
    ]
    for (const id of ['T', 'U', 'V']) expect(consult({ tickets }, id)).toEqual({ verdict: 'accept', reasons: [] })
    expect(codes(consult({ tickets }, 'P'))).toEqual([
      'not_queued hold',
      'blocked_by hold T',
      'blocked_by hold U',
      'blocked_by hold V',
    ])
  })

  test('does not hold its parts by a part that is part of it through a terminal Ticket', () => {
    const tickets = [epic(blockedBy('V')), part, ticket('U', 'done', partOf('P')), ticket('V', 'open', partOf('U'))]
    expect(consult({ tickets }).verdict).toBe('accept')
  })

  test('holds its parts by a Ticket that is no part of it any more', () => {
    const tickets = [epic(blockedBy('V')), part, ticket('V', 'open', partOf('P'), retraction('V1'))]
    expect(codes(consult({ tickets }))).toEqual(['parent_blocked hold P'])
  })

  test('holds its parts by what is outside, even by what it is itself a part of', () => {
    const tickets = [epic(blockedBy('Q'), partOf('Q')), part, ticket('Q', 'open')]
    expect(codes(consult({ tickets }))).toEqual(['parent_blocked hold P'])
  })

  test('holds its parts by a part of another part of what contains it', () => {
    const tickets = [epic(partOf('R'), blockedBy('V')), part, ticket('R', 'open'), ticket('V', 'open', partOf('R'))]
    expect(codes(consult({ tickets }))).toEqual(['parent_blocked hold P'])
  })
})

describe('a ring of parents, which a merge can make', () => {
  const ring = (...drafts: Parameters<typeof ticket>[2][]) => [
    ticket('P', 'queued', partOf('Q'), ...drafts),
    ticket('Q', 'queued', partOf('R')),
    ticket('R', 'queued', partOf('P'), blockedBy('Q')),
    ticket('X', 'open'),
  ]

  test('counts as one parent: what blocks one of it from outside holds its parts and the others of it', () => {
    const tickets = [part, ...ring(blockedBy('X'))]
    for (const bounds of [undefined, MANY_TICKETS]) {
      expect(codes(consult({ tickets }, 'T', {}, bounds))).toEqual(['parent_blocked hold P'])
      expect(codes(consult({ tickets }, 'P', {}, bounds))).toEqual(['blocked_by hold X'])
      expect(codes(consult({ tickets }, 'Q', {}, bounds))).toEqual(['parent_blocked hold P'])
      expect(codes(consult({ tickets }, 'R', {}, bounds))).toEqual(['blocked_by hold Q', 'parent_blocked hold P'])
    }
  })

  test('does not hold by what lies within', () => {
    expect(codes(consult({ tickets: [part, ...ring()] }))).toEqual([])
    expect(codes(consult({ tickets: ring() }, 'P'))).toEqual([])
  })

  test('leads on to what contains it', () => {
    const tickets = [part, ...ring(partOf('S')), ticket('S', 'open', hold())]
    for (const bounds of [undefined, MANY_TICKETS])
      for (const id of ['T', 'P', 'Q'])
        expect(codes(consult({ tickets }, id, {}, bounds))).toContain('parent_blocked hold S')
  })

  test('of two that contain each other holds by the hold of either', () => {
    const tickets = [ticket('P', 'queued', partOf('Q'), hold()), ticket('Q', 'queued', partOf('P'))]
    expect(codes(consult({ tickets }, 'P'))).toEqual(['on_hold hold'])
    expect(codes(consult({ tickets }, 'Q'))).toEqual(['parent_blocked hold P'])
  })
})

describe('parents in a random plan', () => {
  const names = [...'TABCDEFG']
  const pairs = fc.tuple(fc.nat(7), fc.nat(7)).filter(([from, to]) => from !== to)
  const plans = fc
    .record({
      parts: fc.array(pairs, { maxLength: 9 }),
      blockers: fc.array(pairs, { maxLength: 6 }),
      holds: fc.subarray(names, { maxLength: 2 }),
      states: fc.tuple(...names.map(() => fc.constantFrom('queued', 'queued', 'open', 'done', 'wontfix', 'lost', ''))),
    })
    .map(({ parts, blockers, holds, states }): Required<Pick<MemoryPlan, 'tickets' | 'quarantined'>> => {
      const drafts = (i: number) => [
        ...parts.filter(([from]) => from === i).map(([, to]) => partOf(names[to]!)),
        ...blockers.filter(([from]) => from === i).map(([, to]) => blockedBy(names[to]!)),
        ...(holds.includes(names[i]!) ? [hold()] : []),
      ]
      return {
        tickets: names.flatMap((name, i) =>
          states[i] && states[i] !== 'lost' ? [ticket(name, i ? states[i] : 'queued', ...drafts(i))] : [],
        ),
        quarantined: names.flatMap((name, i) => (states[i] === 'lost' ? [lost(name)] : [])),
      }
    })

  const targets = (plan: MemoryPlan, id: string, kind: string) =>
    (plan.tickets.find(ticket => ticket.id === id)?.decisions ?? [])
      .filter(decision => decision.kind === kind)
      .map(decision => loose(decision).target!)

  /** All above a Ticket, itself included if it is in a ring. */
  function above(plan: MemoryPlan, id: string): string[] {
    let found = new Set(targets(plan, id, 'part_of'))
    for (const _ of names) found = new Set([...found, ...[...found].flatMap(other => targets(plan, other, 'part_of'))])
    return [...found].sort()
  }

  test('hold if and only if they are held from outside, on hold or not readable', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(plans, plan => {
        const stateOf = (id: string) => plan.tickets.find(ticket => ticket.id === id)?.state
        const isUnsettled = (id: string) => phaseOf(stateOf(id) ?? 'done') !== 'terminal'
        for (const { id } of plan.tickets.filter(({ id }) => isUnsettled(id))) {
          const expected = above(plan, id)
            .filter(parent => parent !== id)
            .flatMap(parent => {
              if (plan.quarantined.some(file => file.id === parent)) return [`${parent} unreadable`]
              if (!isUnsettled(parent)) return []
              const blockers = [...new Set(targets(plan, parent, 'blocked_by'))].sort().filter(blocker => {
                const isInside = above(plan, blocker).includes(parent)
                return stateOf(blocker) !== 'done' && !isInside
              })
              const isOnHold = plan.tickets.some(
                ({ id, decisions }) => id === parent && decisions.some(({ kind }) => kind === 'hold'),
              )
              return blockers.length > 0 || isOnHold ? [`${parent} ${blockers} ${isOnHold}`] : []
            })
          for (const bounds of [undefined, MANY_TICKETS]) {
            const found = consult(plan, id, {}, bounds).reasons.flatMap(({ code, ticket, blockers, message }) => {
              if (code === 'parent_blocked') return [`${ticket} ${blockers} ${message.includes('on hold')}`]
              const isParent = code === 'quarantined' && message.startsWith('part of')
              return isParent ? [`${ticket} unreadable`] : []
            })
            expect(found.sort()).toEqual(expected.sort())
          }
          seen.add(`${expected.length}`)
        }
      }),
      { numRuns: 500 },
    )
    expect([...seen]).toEqual(expect.arrayContaining(['0', '1', '2', '3']))
  })
})

describe('a Ticket above another one', () => {
  /** The parents of each Ticket, by its number: rings, lines, trees, and parts of several. */
  const graphs = fc
    .integer({ min: 1, max: 40 })
    .chain(count =>
      fc.array(
        fc.oneof(
          fc.constant([]),
          fc.tuple(fc.nat(count - 1)),
          fc.array(fc.nat(count - 1), { maxLength: 3 }),
          fc.constant(['before' as const]),
        ),
        { minLength: count, maxLength: count },
      ),
    )

  test('is the one that a plain search finds', () => {
    const seen = new Set<boolean>()
    fc.assert(
      fc.property(graphs, graph => {
        const parents = graph.map((others, n) => [
          ...new Set(others.map(other => (other === 'before' ? Math.max(0, n - 1) : other))),
        ])
        const { facts } = graphFacts(graphOf(parents.length, n => ({ partOf: parents[n]!.map(nth) })))
        const { isAbove } = parentsIn(facts)
        const all = parents.map((_, id) => {
          const found = new Set(parents[id])
          for (const above of found) for (const other of parents[above]!) found.add(other)
          return found
        })
        for (const [id, above] of all.entries()) {
          for (const parent of parents.keys()) {
            const expected = parent !== id && above.has(parent)
            expect(isAbove(nth(parent), nth(id)), `${parent} above ${id} of ${JSON.stringify(parents)}`).toBe(expected)
            seen.add(expected)
          }
        }
      }),
      { numRuns: 300 },
    )
    expect(seen.size).toBe(2)
  })
})

describe('many parents', () => {
  /** Each a part of the next one, and on hold. */
  const ladder = (count: number) =>
    graphOf(count, n => ({ isOnHold: true, partOf: range(n + 1, Math.min(n + 2, count)) }))
  const ring = (count: number) => graphOf(count, n => ({ isOnHold: true, partOf: [nth((n + 1) % count)] }))
  const parentsOf = (graph: ReturnType<typeof ladder>, bounds?: typeof MANY_TICKETS) =>
    verdictOn(nth(0), graphFacts(graph).facts, {}, bounds).reasons.filter(({ code }) => code === 'parent_blocked')

  test('are all listed in an answer about one Ticket', () => {
    expect(parentsOf(ladder(2000))).toHaveLength(1999)
    expect(parentsOf(ring(2000))).toHaveLength(1999)
  })

  test('are ten in an answer about many, which says that there are more', () => {
    for (const graph of [ladder(2000), ring(2000)]) {
      const reasons = parentsOf(graph, MANY_TICKETS)
      expect(reasons).toHaveLength(10)
      for (const reason of reasons) expect(reason).toMatchObject({ more: true })
    }
    for (const graph of [ladder(11), ring(11)]) {
      const reasons = parentsOf(graph, MANY_TICKETS)
      expect(reasons).toHaveLength(10)
      for (const reason of reasons) expect(reason).not.toHaveProperty('more')
    }
  })

  test('name the first of a thousand blockers, and how many there are', () => {
    const graph = graphOf(1002, n => (n === 0 ? { partOf: [nth(1)] } : n === 1 ? { blockedBy: range(2, 1002) } : {}))
    for (const [bounds, listed] of [
      [undefined, 100],
      [MANY_TICKETS, 10],
    ] as const) {
      const [reason] = parentsOf(graph, bounds)
      expect(reason).toMatchObject({ blockers: range(2, 2 + listed), total: 1000 })
      expect(reason).toHaveProperty('decisions.length', listed)
      expect(reason!.message).toBe(`part of ${nth(1)}, which is blocked by ${nth(2)} (queued) and 999 more`)
    }
  })

  test.each<[string, (count: number) => ReturnType<typeof ladder>]>([
    ['above each other', ladder],
    ['in a ring', ring],
    [
      'above each other, all blocked by the lowest part',
      count =>
        graphOf(count, n => ({ partOf: range(n + 1, Math.min(n + 2, count)), blockedBy: n === 0 ? [] : [nth(0)] })),
    ],
    [
      'one, with all others as its parts and blockers',
      count => graphOf(count, n => (n === 0 ? { blockedBy: range(1, count) } : { partOf: [nth(0)] })),
    ],
    [
      'one, with half of the others as blockers and half as parts',
      count =>
        graphOf(count, n => (n === 0 ? { blockedBy: range(1, count / 2) } : n < count / 2 ? {} : { partOf: [nth(0)] })),
    ],
  ])('%s cost facts in proportion to the Tickets, not to the Tickets above each', (_, graphOfSize) => {
    const callsFor = (count: number) => {
      const graph = graphOfSize(count)
      const { facts, calls } = graphFacts(graph)
      let bytes = 0
      for (const id of graph.keys()) bytes += JSON.stringify(verdictOn(id, facts, {}, MANY_TICKETS)).length
      return { calls: calls(), bytes }
    }
    const [once, twice] = [callsFor(1000), callsFor(2000)]
    expect(twice.calls).toBeLessThan(once.calls * 2.2)
    expect(twice.bytes).toBeLessThan(once.bytes * 2.2)
    expect(twice.calls).toBeLessThan(2000 * 80)
  })
})
