import { describe, expect, test } from 'vitest'
import {
  blockedBy,
  comesAfter,
  conflict,
  consult,
  on,
  partOf,
  retraction,
  ticket,
} from '../test-support/draft-tickets.ts'
import { graphFacts, graphOf, nth, range } from '../test-support/graph-facts.ts'
import { looseReasons } from '../test-support/loose-decision.ts'
import type { Ticket } from './ticket.ts'
import { verdictOn } from './verdict.ts'
import { MANY_TICKETS, ONE_TICKET } from './wait-graph.ts'

describe('cycle', () => {
  const cycleOf = (...tickets: Ticket[]) =>
    on(tickets[0]!, ...tickets.slice(1)).reasons.find(({ code }) => code === 'cycle')?.cycle

  test('holds a Ticket that waits for itself', () => {
    const { verdict, reasons } = on(ticket('T', 'queued', blockedBy('T')))
    expect(verdict).toBe('hold')
    expect(reasons).toMatchObject([{ code: 'cycle', severity: 'hold', cycle: ['T'] }, { code: 'blocked_by' }])
    expect(cycleOf(ticket('T', 'queued', comesAfter('T')))).toEqual(['T'])
  })

  test.each([2, 3, 4, 5, 6, 7, 8, 9])('of %d Tickets through both kinds is listed in order, from T on', length => {
    const names = ['T', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'].slice(0, length)
    for (const kinds of [[blockedBy], [comesAfter], [blockedBy, comesAfter], [comesAfter, comesAfter, blockedBy]]) {
      const tickets = names.map((name, i) =>
        ticket(name, i % 2 ? 'open' : 'queued', kinds[i % kinds.length]!(names[(i + 1) % length]!)),
      )
      expect(cycleOf(...tickets)).toEqual(names)
    }
  })

  test('is described in its message', () => {
    const { reasons } = on(ticket('T', 'queued', blockedBy('A')), ticket('A', 'open', comesAfter('T')))
    expect(reasons[0]!.message).toBe('waits for itself: T waits for A waits for T')
  })

  test('is the shortest that there is', () => {
    expect(
      cycleOf(
        ticket('T', 'queued', blockedBy('A'), comesAfter('C')),
        ticket('A', 'open', blockedBy('B')),
        ticket('B', 'open', blockedBy('T')),
        ticket('C', 'open', comesAfter('T')),
      ),
    ).toEqual(['T', 'C'])
  })

  test.each([
    [
      'that T only leads to',
      [
        ticket('T', 'queued', blockedBy('A')),
        ticket('A', 'open', comesAfter('B')),
        ticket('B', 'open', comesAfter('A')),
      ],
    ],
    ['broken by a terminal Ticket', [ticket('T', 'queued', blockedBy('A')), ticket('A', 'done', blockedBy('T'))]],
    ['broken by a Ticket without a file', [ticket('T', 'queued', blockedBy('A')), ticket('B', 'open', blockedBy('T'))]],
    [
      'broken by a retraction',
      [ticket('T', 'queued', comesAfter('A')), ticket('A', 'open', comesAfter('T'), retraction('A1'))],
    ],
    [
      'through relations that do not make it wait',
      [ticket('T', 'queued', { kind: 'related', target: 'A' }, conflict('A')), ticket('A', 'open', blockedBy('T'))],
    ],
  ])('does not hold for one %s', (_, tickets) => {
    expect(cycleOf(...tickets)).toBeUndefined()
  })
})

describe('a cycle through parents', () => {
  const cycleOf = (tickets: Ticket[], id = 'T', bounds = ONE_TICKET) =>
    consult({ tickets }, id, {}, bounds).reasons.find(({ code }) => code === 'cycle')

  test('holds a part whose parent waits for a Ticket that waits for the part', () => {
    const tickets = [
      ticket('T', 'queued', partOf('P')),
      ticket('P', 'open', blockedBy('X')),
      ticket('X', 'open', blockedBy('T')),
    ]
    for (const bounds of [ONE_TICKET, MANY_TICKETS]) {
      expect(cycleOf(tickets, 'T', bounds)).toMatchObject({
        cycle: ['T', 'X'],
        total: 2,
        message: 'waits for itself: T waits for X waits for T',
      })
      expect(cycleOf(tickets, 'X', bounds)).toMatchObject({ cycle: ['X', 'T'], total: 2 })
      expect(cycleOf(tickets, 'P', bounds)).toBeUndefined()
    }
  })

  test('leads through parents at any level, terminal ones included', () => {
    const tickets = [
      ticket('T', 'queued', partOf('P')),
      ticket('P', 'done', partOf('Q')),
      ticket('Q', 'open', blockedBy('X')),
      ticket('X', 'open', comesAfter('T')),
    ]
    expect(cycleOf(tickets)).toMatchObject({ cycle: ['T', 'X'] })
  })

  test('leads through the parents of blockers, as with two epics that wait for parts of each other', () => {
    const tickets = [
      ticket('T', 'queued', partOf('P')),
      ticket('P', 'open', blockedBy('U')),
      ticket('U', 'open', partOf('Q')),
      ticket('Q', 'open', blockedBy('T')),
    ]
    expect(cycleOf(tickets)).toMatchObject({ cycle: ['T', 'U'] })
    expect(cycleOf(tickets, 'U')).toMatchObject({ cycle: ['U', 'T'] })
  })

  test('is none where an epic waits for its own parts, or its parent comes after something', () => {
    const parts = [ticket('T', 'queued', partOf('P')), ticket('P', 'open', blockedBy('T'))]
    for (const id of ['T', 'P']) expect(cycleOf(parts, id)).toBeUndefined()
    const ordered = [
      ticket('T', 'queued', partOf('P')),
      ticket('P', 'open', comesAfter('X')),
      ticket('X', 'open', blockedBy('T')),
    ]
    expect(cycleOf(ordered)).toBeUndefined()
  })

  test('is none in a ring of parents alone', () => {
    expect(cycleOf([ticket('T', 'queued', partOf('P')), ticket('P', 'open', partOf('T'))])).toBeUndefined()
  })

  test('is one where a part waits for its epic and the epic for the part', () => {
    const tickets = [ticket('T', 'queued', partOf('P'), blockedBy('P')), ticket('P', 'open', blockedBy('T'))]
    expect(cycleOf(tickets)).toMatchObject({ cycle: ['T', 'P'] })
  })

  test('has the fewest Tickets, however many parents lie on the way', () => {
    const tickets = [
      ticket('T', 'queued', partOf('P1'), blockedBy('A')),
      ticket('P1', 'open', partOf('P2')),
      ticket('P2', 'open', partOf('P3')),
      ticket('P3', 'open', blockedBy('X')),
      ticket('X', 'open', blockedBy('T')),
      ticket('A', 'open', blockedBy('B')),
      ticket('B', 'open', blockedBy('T')),
    ]
    expect(cycleOf(tickets)).toMatchObject({ cycle: ['T', 'X'], total: 2 })
  })
})

describe('a ring of 10,000 Tickets', () => {
  const count = 10_000
  const ring = graphOf(count, n => (n % 2 ? { after: [nth((n + 1) % count)] } : { blockedBy: [nth((n + 1) % count)] }))

  test('is listed as a cycle to its hundredth Ticket and counted whole', () => {
    const [reason] = looseReasons(verdictOn(nth(0), graphFacts(ring).facts)).reasons
    expect(reason).toMatchObject({ code: 'cycle', cycle: range(0, 100), total: count })
    expect(reason).not.toHaveProperty('at_least')
    expect(reason!.message).toBe(
      `waits for itself: ${range(0, 20).join(' waits for ')} waits for … waits for ${nth(0)}`,
    )
  })

  test('holds each of them in an answer about all, with a few hundred steps for each', () => {
    const { facts, calls } = graphFacts(ring)
    const cycles = [...ring.keys()].map(id =>
      looseReasons(verdictOn(id, facts, {}, MANY_TICKETS)).reasons.find(({ code }) => code === 'cycle'),
    )
    expect(cycles.map(reason => reason?.cycle?.[0])).toEqual([...ring.keys()])
    expect(cycles.every(reason => reason!.cycle!.length === 10 && reason!.at_least && reason!.total! <= count)).toBe(
      true,
    )
    expect(calls()).toBeLessThan(count * 60)
  })
})

test('a short cycle is listed whole in an answer about many, however much else its Tickets wait for', () => {
  const graph = graphOf(1000, n => (n === 0 ? { blockedBy: range(1, 1000) } : n === 999 ? { after: [nth(0)] } : {}))
  const { reasons } = looseReasons(verdictOn(nth(0), graphFacts(graph).facts, {}, MANY_TICKETS))
  expect(reasons[0]).toMatchObject({ code: 'cycle', cycle: [nth(0), nth(999)], total: 2 })
  expect(reasons[0]).not.toHaveProperty('at_least')
})
