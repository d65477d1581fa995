import { describe, expect, test } from 'vitest'
import {
  accepted,
  blockedBy,
  claim,
  codes,
  comesAfter,
  conflict,
  consult,
  hold,
  on,
  partOf,
  retraction,
  ticket,
  waiting,
} from '../test-support/draft-tickets.ts'
import { phaseOf } from '../test-support/memory-facts.ts'

describe('a queued Ticket', () => {
  test('without decisions is accepted without a reason', () => {
    expect(on(ticket('T', 'queued'))).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('is accepted with notes, plans, relations that inform, and decisions of unknown kinds that only advise', () => {
    const informed = ticket(
      'T',
      'queued',
      { kind: 'note' },
      { kind: 'related', target: 'A' },
      accepted(),
      { kind: 'reviewed', target: 'A', advisory: true },
      partOf('B'),
    )
    expect(on(informed, ticket('A', 'in_progress'))).toEqual({ verdict: 'accept', reasons: [] })
  })
})

describe('not_queued', () => {
  test.each(['open', 'planning', 'in_progress', 'review', 'done'])('holds a Ticket whose state is %s', state => {
    const { verdict, reasons } = on(ticket('T', state))
    expect(verdict).toBe('hold')
    expect(reasons).toMatchObject([{ code: 'not_queued', severity: 'hold', message: expect.stringContaining(state) }])
  })

  test('holds a Ticket without a file', () => {
    expect(codes(consult({ tickets: [] }))).toEqual(['not_queued hold'])
  })

  test('leaves nothing but a full pool for a terminal Ticket: all that was decided about it is settled', () => {
    const settled = ticket('T', 'done', blockedBy('A'), comesAfter('A'), conflict('A'), waiting(), {
      kind: 'contested',
      field: 'title',
    })
    const plan = { tickets: [settled, ticket('A', 'in_progress', blockedBy('T'))], pools: { default: 0 } }
    expect(codes(consult(plan))).toEqual(['not_queued hold', 'pool_full hold'])
  })

  test('comes with every other reason for one that is not terminal', () => {
    expect(
      codes(on(ticket('T', 'open', blockedBy('A'), conflict('B')), ticket('A', 'open'), ticket('B', 'review'))),
    ).toEqual(['not_queued hold', 'blocked_by hold A', 'conflicts_with hold B'])
  })
})

describe('blocked_by', () => {
  test.each(['open', 'queued', 'in_progress'])('holds while the blocker is %s', state => {
    const { verdict, reasons } = on(ticket('T', 'queued', blockedBy('A')), ticket('A', state))
    expect(verdict).toBe('hold')
    expect(reasons).toEqual([
      {
        code: 'blocked_by',
        severity: 'hold',
        ticket: 'A',
        decisions: ['T1'],
        message: `blocked by A (${state})`,
        chain: [{ ticket: 'A', blocks: 'T', depth: 1, state, phase: phaseOf(state) }],
        total: 1,
      },
    ])
  })

  test.each(['done', 'Closed', 'merged'])('does not hold once the blocker is %s', state => {
    expect(on(ticket('T', 'queued', blockedBy('A')), ticket('A', state))).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('does not hold once it is retracted or superseded', () => {
    const retracted = ticket('T', 'queued', blockedBy('A'), retraction('T1'))
    const superseded = ticket('T', 'queued', blockedBy('A'), { kind: 'note', supersedes: ['T1'] })
    for (const own of [retracted, superseded]) expect(on(own, ticket('A', 'open')).verdict).toBe('accept')
  })

  test('does not hold the blocker itself', () => {
    expect(on(ticket('T', 'queued'), ticket('A', 'queued', blockedBy('T')))).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('is one reason with both decisions where it was recorded twice', () => {
    const { reasons } = on(ticket('T', 'queued', blockedBy('A'), blockedBy('A')), ticket('A', 'open'))
    expect(reasons).toHaveLength(1)
    expect(reasons[0]!.decisions).toEqual(['T1', 'T2'])
  })

  test('is one reason for each blocker, in the order of their ids', () => {
    const own = ticket('T', 'queued', blockedBy('C'), blockedBy('A'), blockedBy('B'))
    expect(codes(on(own, ticket('A', 'open'), ticket('B', 'done'), ticket('C', 'open')))).toEqual([
      'blocked_by hold A',
      'blocked_by hold C',
    ])
  })
})

describe('blocker_abandoned', () => {
  test.each([
    'wontfix',
    'Wont Fix',
    'CANCELLED',
    'not planned',
    'duplicate',
  ])('holds where the blocker is %s: what it would have delivered will not come', state => {
    const { verdict, reasons } = on(ticket('T', 'queued', blockedBy('A')), ticket('A', state, blockedBy('B')))
    expect(verdict).toBe('hold')
    expect(reasons).toEqual([
      {
        code: 'blocker_abandoned',
        severity: 'hold',
        ticket: 'A',
        decisions: ['T1'],
        message: `blocked by A, which was abandoned (${state}): retract the relation, or name another blocker`,
      },
    ])
  })

  test('does not hold once the relation is retracted, or T itself is terminal', () => {
    expect(on(ticket('T', 'queued', blockedBy('A'), retraction('T1')), ticket('A', 'wontfix')).reasons).toEqual([])
    expect(codes(on(ticket('T', 'done', blockedBy('A')), ticket('A', 'wontfix')))).toEqual(['not_queued hold'])
  })

  test('says nothing of an abandoned Ticket that only comes first, conflicts, or was waited for', () => {
    const own = ticket('T', 'queued', comesAfter('A'), conflict('A'), waiting({ until: ['A'] }))
    expect(codes(on(own, ticket('A', 'wontfix')))).toEqual(['waiting_for_capacity warn'])
  })
})

describe('blocker_missing', () => {
  test('holds where the blocker has no file', () => {
    const { verdict, reasons } = on(ticket('T', 'queued', blockedBy('A')))
    expect(verdict).toBe('hold')
    expect(reasons).toMatchObject([{ code: 'blocker_missing', severity: 'hold', ticket: 'A', decisions: ['T1'] }])
  })
})

describe('on_hold', () => {
  const now = '2026-06-08T12:00:00.000Z'

  test('holds until somebody retracts it, with its reason', () => {
    const { verdict, reasons } = on(ticket('T', 'queued', hold({ reason: 'legal has to look' })))
    expect(verdict).toBe('hold')
    expect(reasons).toEqual([
      { code: 'on_hold', severity: 'hold', decisions: ['T1'], message: 'on hold: legal has to look' },
    ])
    expect(on(ticket('T', 'queued', hold(), retraction('T1'))).reasons).toEqual([])
  })

  test.each([
    ['2026-06-08T12:00:00.001Z', 'hold'],
    ['2026-06-08T12:00:00.000Z', 'accept'],
    ['2026-01-01T00:00:00.000Z', 'accept'],
  ])('until %s has the verdict %s at noon of that day', (not_before, verdict) => {
    const judged = consult({ tickets: [ticket('T', 'queued', hold({ not_before }))], now })
    expect(judged.verdict).toBe(verdict)
    expect(judged.reasons).toEqual(
      verdict === 'accept'
        ? []
        : [
            {
              code: 'on_hold',
              severity: 'hold',
              decisions: ['T1'],
              not_before,
              message: `on hold until ${not_before}`,
            },
          ],
    )
  })

  test('is one reason for each hold, in the order of their ids, but for those that are over', () => {
    const own = ticket(
      'T',
      'queued',
      hold({ id: 'T3', reason: 'c' }),
      hold({ id: 'T1', reason: 'a' }),
      hold({ id: 'T2', not_before: '2026-06-08T11:00:00.000Z' }),
    )
    const { reasons } = consult({ tickets: [own], now })
    expect(reasons.map(({ decisions }) => decisions)).toEqual([['T1'], ['T3']])
  })

  test('is not a reason of a terminal Ticket', () => {
    expect(codes(on(ticket('T', 'done', hold())))).toEqual(['not_queued hold'])
  })
})

describe('after', () => {
  test.each(['queued', 'in_progress', 'review'])('holds while the other Ticket is %s', state => {
    const { verdict, reasons } = on(ticket('T', 'queued', comesAfter('A')), ticket('A', state))
    expect(verdict).toBe('hold')
    expect(reasons).toMatchObject([
      { code: 'after', severity: 'hold', ticket: 'A', decisions: ['T1'], message: expect.stringContaining(state) },
    ])
  })

  test.each(['open', undefined])('holds while the other Ticket is claimed, its state being %s', state => {
    const tickets = [ticket('T', 'queued', comesAfter('A')), ...(state ? [ticket('A', state)] : [])]
    expect(codes(consult({ tickets, claims: [claim('A')] }))).toEqual(['after hold A'])
  })

  test('does not hold once the other Ticket is terminal, claimed or not', () => {
    const tickets = [ticket('T', 'queued', comesAfter('A')), ticket('A', 'done')]
    for (const claims of [[], [claim('A')]])
      expect(consult({ tickets, claims })).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('does not hold the other Ticket', () => {
    expect(on(ticket('T', 'queued'), ticket('A', 'queued', comesAfter('T'))).reasons).toEqual([])
  })
})

describe('order_not_in_play', () => {
  test('warns where the Ticket that should come first is open', () => {
    const { verdict, reasons } = on(ticket('T', 'queued', comesAfter('A')), ticket('A', 'planning'))
    expect(verdict).toBe('accept')
    expect(reasons).toMatchObject([
      {
        code: 'order_not_in_play',
        severity: 'warn',
        ticket: 'A',
        decisions: ['T1'],
        message: expect.stringContaining('planning'),
      },
    ])
  })

  test('warns where that Ticket has no file', () => {
    const result = on(ticket('T', 'queued', comesAfter('A')))
    expect(result.verdict).toBe('accept')
    expect(codes(result)).toEqual(['order_not_in_play warn A'])
  })
})

describe('conflicts_with', () => {
  const own = ticket('T', 'queued', conflict('A'))
  const theirs = ticket('A', 'in_progress', conflict('T'))

  test('holds while the other Ticket is active, whichever of the two keeps the conflict', () => {
    for (const tickets of [
      [own, ticket('A', 'in_progress')],
      [ticket('T', 'queued'), theirs],
    ]) {
      const result = consult({ tickets })
      expect(result.verdict).toBe('hold')
      expect(codes(result)).toEqual(['conflicts_with hold A'])
    }
  })

  test.each(['open', 'queued', undefined])('holds while the other Ticket is claimed, its state being %s', state => {
    const tickets = [own, ...(state ? [ticket('A', state)] : [])]
    expect(codes(consult({ tickets, claims: [claim('A')] }))).toEqual(['conflicts_with hold A'])
    expect(consult({ tickets }).reasons).toEqual([])
  })

  test('does not hold once the other Ticket is terminal, claimed or not', () => {
    for (const claims of [[], [claim('A')]])
      expect(consult({ tickets: [own, ticket('A', 'done')], claims }).reasons).toEqual([])
  })

  test('holds even for the holder of the other claim', () => {
    const plan = { tickets: [own, ticket('A', 'queued')], claims: [claim('A')] }
    expect(consult(plan, 'T', { holder: 'pod-1' }).verdict).toBe('hold')
  })

  test('warns if it is only advisory', () => {
    const result = on(ticket('T', 'queued', conflict('A', true)), ticket('A', 'in_progress'))
    expect(result.verdict).toBe('accept')
    expect(result.reasons).toMatchObject([{ code: 'conflicts_with', severity: 'warn', ticket: 'A', decisions: ['T1'] }])
  })

  test('holds if any of two is strict, and rests on that one', () => {
    const { reasons } = on(ticket('T', 'queued', conflict('A', true)), theirs)
    expect(reasons).toMatchObject([{ code: 'conflicts_with', severity: 'hold', decisions: ['A1'] }])
  })

  test('is one reason with both decisions where both Tickets keep it', () => {
    const { reasons } = on(own, theirs)
    expect(reasons).toHaveLength(1)
    expect(reasons[0]!.decisions).toEqual(['A1', 'T1'])
  })

  test('does not hold once it is retracted', () => {
    const retracted = ticket('A', 'in_progress', conflict('T'), retraction('A1'))
    expect(on(ticket('T', 'queued'), retracted).reasons).toEqual([])
  })
})
