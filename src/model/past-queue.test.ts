import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type PastHold, type PastTicket, pastQueue, upTo } from './past-queue.ts'

const ticket = (
  id: string,
  phase: PastTicket['phase'],
  queuedAt: number | null,
  stateAt: number | null,
): PastTicket => ({
  ...{ id, phase, queuedAt, stateAt },
})
const NOW = 100
const hold = (
  ticket: string,
  code: PastHold['code'],
  other: string | null,
  from = 0,
  to = Number.POSITIVE_INFINITY,
) => ({
  ...{ ticket, code, other, from, to },
})

describe('pastQueue', () => {
  test('a blocker holds until it is settled', () => {
    const tickets = [ticket('A', 'terminal', 0, 60), ticket('B', 'queued', 10, 10)]
    const past = pastQueue(tickets, new Map([['A', [5]]]), [hold('B', 'blocked_by', 'A')], NOW)
    expect(past.countsAt(4)).toEqual({ queued: 1, held: 0, running: 0 })
    expect(past.countsAt(50)).toEqual({ queued: 1, held: 1, running: 1 })
    expect(past.countsAt(70)).toEqual({ queued: 1, held: 0, running: 0 })
  })

  test('a conflict holds while the other runs, an order while it is in play', () => {
    const tickets = [ticket('A', 'terminal', 0, 60), ticket('B', 'queued', 0, 0), ticket('C', 'queued', 0, 0)]
    const holds = [hold('B', 'conflicts_with', 'A'), hold('C', 'after', 'A')]
    const past = pastQueue(tickets, new Map([['A', [30]]]), holds, NOW)
    expect([10, 40, 70].map(time => past.countsAt(time).held)).toEqual([1, 2, 0])
  })

  test('a wait has the time that each code held, and the rest', () => {
    const tickets = [ticket('A', 'terminal', 0, 40), ticket('B', 'active', 0, 80)]
    const holds = [hold('B', 'blocked_by', 'A'), hold('B', 'on_hold', null, 30, 50)]
    const past = pastQueue(tickets, new Map([['B', [80]]]), holds, NOW)
    expect(past.waitsSince(50)).toEqual([
      { ticket: 'B', from: 0, to: 80, heldMs: { blocked_by: 40, on_hold: 20 }, restMs: 30 },
    ])
    expect(past.waitsSince(81)).toEqual([])
  })

  test('a settled Ticket without a known start is unknown, and in no count', () => {
    const past = pastQueue([ticket('A', 'terminal', 0, 60)], new Map(), [], NOW)
    expect(past.unknown).toBe(1)
    expect(past.countsAt(30)).toEqual({ queued: 0, held: 0, running: 0 })
  })

  test('counts are what counting each Ticket gives', () => {
    const time = fc.nat(NOW - 1)
    const waiting = fc.array(fc.record({ from: time, until: time, free: time }), { maxLength: 12 })
    fc.assert(
      fc.property(waiting, time, (all, at) => {
        const tickets = all.map(({ from }, n) => ticket(`T${n}`, 'queued', from, from))
        const holds = all.map(({ until, free }, n) => hold(`T${n}`, 'on_hold', null, until, free))
        const past = pastQueue(tickets, new Map(), holds, NOW)
        const queued = all.filter(({ from }) => from <= at)
        const held = queued.filter(({ until, free }) => until <= at && at < free)
        expect(past.countsAt(at)).toEqual({ queued: queued.length, held: held.length, running: 0 })
      }),
    )
  })
})

test('upTo counts numbers up to a limit', () => {
  expect([0, 1, 2, 5].map(limit => upTo([1, 2, 2, 4], limit))).toEqual([0, 1, 3, 4])
})
