import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  accepted,
  blockedBy,
  claim,
  codes,
  comesAfter,
  conflict,
  consult,
  contested,
  EXPIRES,
  factsOf,
  hold,
  lost,
  on,
  partOf,
  retraction,
  ticket,
  waiting,
} from '../test-support/draft-tickets.ts'
import type { LooseDecision } from '../test-support/loose-decision.ts'
import { isKnown, type MemoryPlan, phaseOf } from '../test-support/memory-facts.ts'
import { memoryPlans } from '../test-support/plan-arbitraries.ts'
import type { Asking } from './asking.ts'
import type { ReadableTicket } from './facts.ts'
import { REASON_CODES, type ReasonCode } from './reasons.ts'
import { DEFAULT_STATES, STATE_LISTS } from './states.ts'
import type { Ticket } from './ticket.ts'
import { verdictOn } from './verdict.ts'
import { MANY_TICKETS, ONE_TICKET } from './wait-graph.ts'

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

describe('unknown_kind', () => {
  test('holds for an active decision of a kind that this version does not know', () => {
    const { verdict, reasons } = on(ticket('T', 'queued', { kind: 'embargo', target: 'A' }))
    expect(verdict).toBe('hold')
    expect(reasons).toEqual([
      {
        code: 'unknown_kind',
        severity: 'hold',
        kind: 'embargo',
        decisions: ['T1'],
        message: 'decision T1 is of the unknown kind "embargo": update ticketplan, or retract it',
      },
    ])
  })

  test.each<[string, LooseDecision[]]>([
    ['only advises', [{ kind: 'embargo', advisory: true }]],
    ['is retracted', [{ kind: 'embargo' }, retraction('T1')]],
    ['is superseded', [{ kind: 'embargo' }, { kind: 'note', supersedes: ['T1'] }]],
  ])('does not hold for one that %s', (_, drafts) => {
    expect(on(ticket('T', 'queued', ...drafts))).toEqual({ verdict: 'accept', reasons: [] })
  })

  test.each([false, 'true', 1, null])('holds for one whose "advisory" is %j', advisory => {
    expect(codes(on(ticket('T', 'queued', { kind: 'embargo', advisory: advisory as boolean })))).toEqual([
      'unknown_kind hold',
    ])
  })

  test("does not hold a Ticket that is terminal, nor one that another Ticket's decision names", () => {
    expect(codes(on(ticket('T', 'done', { kind: 'embargo' })))).toEqual(['not_queued hold'])
    expect(
      codes(on(ticket('T', 'queued', blockedBy('A')), ticket('A', 'done', { kind: 'embargo', target: 'T' }))),
    ).toEqual([])
  })
})

describe('newer_format', () => {
  test('holds a Ticket whose file has a later format', () => {
    const { verdict, reasons } = on({ ...ticket('T', 'queued'), format: 3 })
    expect(verdict).toBe('hold')
    expect(reasons).toEqual([
      {
        code: 'newer_format',
        severity: 'hold',
        format: 3,
        message: 'its file has format 3, which this version cannot read in full: update ticketplan',
      },
    ])
  })

  test('does not hold what that Ticket blocks any longer than its state does', () => {
    const blocker = (state: string) => ({ ...ticket('A', state), format: 2 })
    expect(codes(on(ticket('T', 'queued', blockedBy('A')), blocker('open')))).toEqual(['blocked_by hold A'])
    expect(on(ticket('T', 'queued', blockedBy('A')), blocker('done')).verdict).toBe('accept')
  })
})

describe('unknown_state', () => {
  test('warns of the own state, which counts as open, and names the nearest ones', () => {
    const facts = factsOf({ tickets: [ticket('T', 'quued')] })
    const { reasons } = verdictOn('T', {
      ...facts,
      ticket: id => ({ ...(facts.ticket(id) as ReadableTicket), unknownState: ['queued'] }),
    })
    expect(reasons).toMatchObject([
      { code: 'not_queued', severity: 'hold', message: 'state "quued" is not in states.queued (queued)' },
      {
        code: 'unknown_state',
        severity: 'warn',
        ticket: 'T',
        state: 'quued',
        nearest: ['queued'],
        message: 'the state "quued" of T is in no list of states, so it counts as open; did you mean queued?',
      },
    ])
  })

  test.each<[string, Ticket[], string[]]>([
    ['a blocker', [ticket('T', 'queued', blockedBy('A'))], ['blocked_by hold A', 'unknown_state warn A']],
    [
      'a Ticket that comes first',
      [ticket('T', 'queued', comesAfter('A'))],
      ['order_not_in_play warn A', 'unknown_state warn A'],
    ],
    ['a Ticket in conflict', [ticket('T', 'queued', conflict('A'))], ['unknown_state warn A']],
    ['a Ticket in advisory conflict', [ticket('T', 'queued', conflict('A', true))], ['unknown_state warn A']],
    ['a parent', [ticket('T', 'queued', partOf('A'))], ['parent_blocked hold A', 'unknown_state warn A']],
    [
      'a Ticket that frees capacity',
      [ticket('T', 'queued', waiting({ until: ['A', 'B'] })), ticket('B', 'done')],
      ['waiting_for_capacity warn', 'unknown_state warn A'],
    ],
    [
      'a parent at a higher level that holds it',
      [ticket('T', 'queued', partOf('P')), ticket('P', 'open', partOf('A'))],
      ['parent_blocked hold A', 'unknown_state warn A'],
    ],
    [
      'a blocker of a parent',
      [ticket('T', 'queued', partOf('P')), ticket('P', 'open', blockedBy('A'))],
      ['parent_blocked hold P', 'unknown_state warn A'],
    ],
  ])('warns of the state of %s', (_, tickets, expected) => {
    for (const bounds of [ONE_TICKET, MANY_TICKETS])
      expect(codes(consult({ tickets: [...tickets, ticket('A', 'in_progres', hold())] }, 'T', {}, bounds))).toEqual(
        expected,
      )
  })

  test('warns of a conflict that the other Ticket keeps', () => {
    expect(codes(on(ticket('T', 'queued'), ticket('A', 'in_progres', conflict('T'))))).toEqual(['unknown_state warn A'])
  })

  test('warns of the state of a parent that does not hold it', () => {
    expect(codes(on(ticket('T', 'queued', partOf('A')), ticket('A', 'dnoe')))).toEqual(['unknown_state warn A'])
  })

  test.each<[string, LooseDecision]>([
    ['blocker', blockedBy('A')],
    ['Ticket that comes first', comesAfter('A')],
    ['Ticket in conflict', conflict('A')],
    ['parent', partOf('A')],
    ['Ticket that frees capacity', waiting({ until: ['A'] })],
  ])('comes wherever one wrong letter in the state of a %s turns hold into accept', (_, draft) => {
    const verdictFor = (state: string) => on(ticket('T', 'queued', draft), ticket('A', state))
    for (const state of STATE_LISTS.flatMap(list => DEFAULT_STATES[list])) {
      if (verdictFor(state).verdict === 'accept') continue
      for (let at = 0; at < state.length; at++) {
        const misspelt = `${state.slice(0, at)}z${state.slice(at + 1)}`
        const { verdict, reasons } = verdictFor(misspelt)
        expect(isKnown(misspelt)).toBe(false)
        if (verdict === 'accept') expect(codes({ reasons })).toContain('unknown_state warn A')
      }
    }
  })

  test('names each Ticket once', () => {
    const own = ticket('T', 'queued', blockedBy('A'), comesAfter('A'), conflict('A'), partOf('A'))
    expect(codes(on(own, ticket('A', 'opne'))).filter(code => code.startsWith('unknown_state'))).toEqual([
      'unknown_state warn A',
    ])
  })

  test('does not warn of Tickets that only lie below a blocker, of terminal ones, nor of other spellings', () => {
    const tickets = [ticket('T', 'queued', blockedBy('A')), ticket('A', 'Open', blockedBy('B')), ticket('B', 'opne')]
    expect(codes(consult({ tickets }))).toEqual(['blocked_by hold A'])
    expect(codes(on(ticket('T', 'Queued', conflict('A')), ticket('A', 'To Do')))).toEqual([])
    expect(codes(on(ticket('T', 'done', conflict('A')), ticket('A', 'opne')))).toEqual(['not_queued hold'])
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

describe('waiting_for_capacity', () => {
  const busy = [claim('X', { pool: 'gpu' })]

  test('holds while the pool that it names is full', () => {
    const plan = {
      tickets: [ticket('T', 'queued', waiting({ pool: 'gpu', reason: 'one card' }))],
      claims: busy,
      pools: { gpu: 1 },
    }
    const { verdict, reasons } = consult(plan)
    expect(verdict).toBe('hold')
    expect(reasons).toMatchObject([
      {
        code: 'waiting_for_capacity',
        severity: 'hold',
        decisions: ['T1'],
        pool: 'gpu',
        capacity: 1,
        taken: 1,
        message: expect.stringMatching(/gpu is full \(1 of 1\).*one card/),
      },
      { code: 'pool_full' },
    ])
  })

  test('warns with its text while that pool has a free slot', () => {
    const plan = {
      tickets: [ticket('T', 'queued', waiting({ pool: 'gpu', reason: 'one card' }))],
      claims: busy,
      pools: { gpu: 2 },
    }
    const { verdict, reasons } = consult(plan)
    expect(verdict).toBe('accept')
    expect(reasons).toMatchObject([
      {
        code: 'waiting_for_capacity',
        severity: 'warn',
        capacity: 2,
        taken: 1,
        message: expect.stringMatching(/1 of 2 slots.*one card/),
      },
    ])
  })

  test('warns where the pool has no limit, or none is named', () => {
    for (const fields of [{ pool: 'review' }, {}, { reason: 'later' }]) {
      const plan = { tickets: [ticket('T', 'queued', waiting(fields))], claims: busy, pools: { gpu: 1 } }
      expect(codes(consult(plan))).toEqual(['waiting_for_capacity warn'])
      expect(consult(plan).verdict).toBe('accept')
    }
  })

  test.each(['queued', 'in_progress'])('holds until a Ticket that is %s leaves play', state => {
    const { verdict, reasons } = on(ticket('T', 'queued', waiting({ until: ['A'] })), ticket('A', state))
    expect(verdict).toBe('hold')
    expect(reasons).toMatchObject([{ code: 'waiting_for_capacity', severity: 'hold', until: ['A'] }])
  })

  test('holds until a Ticket that is claimed leaves play, with a file or without', () => {
    const own = ticket('T', 'queued', waiting({ until: ['A'] }))
    for (const tickets of [[own, ticket('A', 'open')], [own]])
      expect(consult({ tickets, claims: [claim('A')] }).verdict).toBe('hold')
  })

  test('holds while every one of several Tickets is in play, and warns once the first has left', () => {
    const own = ticket('T', 'queued', waiting({ until: ['A', 'B'] }))
    const playing = ticket('A', 'in_progress')
    expect(on(own, playing, ticket('B', 'queued')).verdict).toBe('hold')
    for (const state of ['open', 'done'])
      expect(codes(on(own, playing, ticket('B', state)))).toEqual(['waiting_for_capacity warn'])
    expect(codes(on(own, playing))).toEqual(['waiting_for_capacity warn'])
  })

  test('does not count a terminal Ticket as in play, even if it is claimed', () => {
    const plan = {
      tickets: [ticket('T', 'queued', waiting({ until: ['A'] })), ticket('A', 'done')],
      claims: [claim('A')],
    }
    expect(consult(plan).verdict).toBe('accept')
  })

  test('holds while the pool is full, even if a Ticket has left play', () => {
    const own = ticket('T', 'queued', waiting({ pool: 'gpu', until: ['A'] }))
    const plan = { tickets: [own, ticket('A', 'done')], claims: busy, pools: { gpu: 1 } }
    expect(consult(plan).reasons[0]).toMatchObject({ code: 'waiting_for_capacity', severity: 'hold' })
  })

  test('says nothing once a plan has satisfied it, or it was retracted', () => {
    const plan: LooseDecision = { kind: 'accepted_plan', plan: { summary: '' } }
    expect(on(ticket('T', 'queued', waiting(), plan)).reasons).toEqual([])
    expect(on(ticket('T', 'queued', waiting(), retraction('T1'))).reasons).toEqual([])
  })

  test('is given once, for the last of several notes', () => {
    const own = ticket('T', 'queued', waiting({ until: ['A'] }), waiting({ reason: 'soon' }))
    expect(on(own, ticket('A', 'in_progress')).reasons).toMatchObject([{ severity: 'warn', decisions: ['T2'] }])
  })
})

describe('pool_full', () => {
  const own = ticket('T', 'queued')
  const taken = (pool: string, count: number) => Array.from({ length: count }, (_, i) => claim(`X${i}`, { pool }))

  test('holds while every slot of the default pool is taken', () => {
    const plan = { tickets: [own], claims: taken('default', 2), pools: { default: 2 } }
    const { verdict, reasons } = consult(plan)
    expect(verdict).toBe('hold')
    expect(reasons).toMatchObject([{ code: 'pool_full', severity: 'hold', pool: 'default', capacity: 2, taken: 2 }])
  })

  test('holds always for a pool without slots', () => {
    expect(codes(consult({ tickets: [own], pools: { default: 0 } }))).toEqual(['pool_full hold'])
  })

  test('does not hold while a slot is free, or the pool has no limit', () => {
    expect(consult({ tickets: [own], claims: taken('default', 1), pools: { default: 2 } }).reasons).toEqual([])
    expect(consult({ tickets: [own], claims: taken('default', 9), pools: { gpu: 1 } }).reasons).toEqual([])
    expect(consult({ tickets: [own], claims: taken('gpu', 1), pools: { default: 1, gpu: 1 } }).reasons).toEqual([])
  })

  test('goes by the pool of a capacity note, unless the Ticket is terminal', () => {
    const noted = (state: string) => ({ tickets: [ticket('T', state, waiting({ pool: 'gpu' }))], pools: { gpu: 0 } })
    expect(codes(consult(noted('queued')))).toEqual(['waiting_for_capacity hold', 'pool_full hold'])
    expect(codes(consult(noted('done')))).toEqual(['not_queued hold'])
  })

  test('does not count the claim of the Ticket itself', () => {
    const plan = { tickets: [own], claims: [claim('T', { pool: 'default' })], pools: { default: 1 } }
    expect(consult(plan, 'T', { holder: 'pod-1' }).verdict).toBe('accept')
  })
})

describe('claimed', () => {
  const plan = { tickets: [ticket('T', 'queued')], claims: [claim('T')] }

  test('holds for another holder, and for nobody in particular', () => {
    for (const asking of [{ holder: 'pod-2' }, {}, undefined]) {
      const { verdict, reasons } = consult(plan, 'T', asking)
      expect(verdict).toBe('hold')
      expect(reasons).toEqual([
        {
          code: 'claimed',
          severity: 'hold',
          holder: 'pod-1',
          session: null,
          expires_at: EXPIRES,
          message: `claimed by pod-1 until ${EXPIRES}`,
        },
      ])
    }
  })

  test('does not hold for the holder', () => {
    expect(consult(plan, 'T', { holder: 'pod-1' })).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('does not hold for a claim on another Ticket', () => {
    expect(consult({ ...plan, claims: [claim('A')] }).reasons).toEqual([])
  })

  test('is also given for a Ticket that is not queued or has no file', () => {
    expect(codes(consult({ ...plan, tickets: [ticket('T', 'done')] }))).toEqual(['not_queued hold', 'claimed hold'])
    expect(codes(consult({ ...plan, tickets: [] }))).toEqual(['not_queued hold', 'claimed hold'])
  })
})

describe('quarantined', () => {
  test('holds where the file of the Ticket itself cannot be read, whatever case its name has', () => {
    for (const id of ['T', 't']) {
      const { verdict, reasons } = consult({ tickets: [], quarantined: [lost('T')] }, id)
      expect(verdict).toBe('hold')
      expect(reasons).toMatchObject([{ code: 'quarantined', severity: 'hold', path: 'tickets/T.json' }])
    }
  })

  test.each([
    ['a blocker', blockedBy('A')],
    ['a Ticket that comes first', comesAfter('A')],
    ['a Ticket in conflict', conflict('A')],
  ])('holds where the file of %s cannot be read', (_, draft) => {
    const { verdict, reasons } = consult({ tickets: [ticket('T', 'queued', draft)], quarantined: [lost('A')] })
    expect(verdict).toBe('hold')
    expect(reasons).toMatchObject([
      { code: 'quarantined', severity: 'hold', ticket: 'A', path: 'tickets/A.json', decisions: ['T1'] },
    ])
  })

  test('warns where the conflict is only advisory', () => {
    const plan = { tickets: [ticket('T', 'queued', conflict('A', true))], quarantined: [lost('A')] }
    expect(consult(plan).verdict).toBe('accept')
    expect(codes(consult(plan))).toEqual(['quarantined warn A'])
  })

  test('holds where T waits for a Ticket that cannot be read, beside others that are in play', () => {
    const own = ticket('T', 'queued', waiting({ until: ['A', 'B'] }))
    expect(codes(consult({ tickets: [own, ticket('B', 'queued')], quarantined: [lost('A')] }))).toEqual([
      'quarantined hold A',
      'waiting_for_capacity hold',
    ])
  })

  test('does not hold where another of the Tickets that T waits for has left play', () => {
    const own = ticket('T', 'queued', waiting({ until: ['A', 'B'] }))
    expect(codes(consult({ tickets: [own, ticket('B', 'done')], quarantined: [lost('A')] }))).toEqual([
      'waiting_for_capacity warn',
    ])
  })

  test('holds where a file that cannot be read seems to hold a conflict with T', () => {
    const plan = { tickets: [ticket('T', 'queued')], quarantined: [lost('B', 'T'), lost('A', 'X', 'T'), lost('C')] }
    expect(codes(consult(plan))).toEqual(['quarantined hold A', 'quarantined hold B'])
  })

  test('does not hold for a file that nothing of T depends on', () => {
    const plan = { tickets: [ticket('T', 'queued', { kind: 'related', target: 'A' })], quarantined: [lost('A', 'X')] }
    expect(consult(plan)).toEqual({ verdict: 'accept', reasons: [] })
  })
})

describe('claims_unknown', () => {
  test('holds a Ticket that would be accepted', () => {
    const { verdict, reasons } = consult({ tickets: [ticket('T', 'queued')], claimsUnknown: 'it does not answer' })
    expect(verdict).toBe('hold')
    const message = 'the claims are unknown: it does not answer'
    expect(reasons).toEqual([{ code: 'claims_unknown', severity: 'hold', message }])
  })
})

describe('a claim on another machine', () => {
  const far = claim('T', { holder: 'pod-1', machine: 'm-2' })

  test('holds the same name on this machine, and the reason has both', () => {
    const plan = { tickets: [ticket('T', 'queued')], claims: [far] }
    const { reasons } = consult(plan, 'T', { holder: 'pod-1', machine: 'm-1' })
    expect(reasons).toMatchObject([{ code: 'claimed', holder: 'pod-1', machine: 'm-2' }])
    expect(reasons[0]!.message).toContain('claimed by pod-1 on machine m-2 until')
    expect(consult(plan, 'T', { holder: 'pod-1', machine: 'm-2' })).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('belongs to the bearer of its token', () => {
    const plan = { tickets: [ticket('T', 'queued')], claims: [{ ...far, token: 7 }] }
    expect(consult(plan, 'T', { holder: 'pod-3', machine: 'm-1', token: 7 }).verdict).toBe('accept')
  })

  test('holds a Ticket that only its taker knows to be in conflict, and says where that decision is', () => {
    const plan = {
      tickets: [ticket('A', 'queued'), ticket('T', 'queued')],
      claims: [claim('A', { conflicts: ['T'] })],
    }
    const { verdict, reasons } = consult(plan)
    expect(verdict).toBe('hold')
    expect(reasons).toMatchObject([{ code: 'conflicts_with', ticket: 'A', decisions: [] }])
    expect(reasons[0]!.message).toContain('pull to get that decision')
  })
})

describe('contested', () => {
  test('warns for each value that lost in a merge', () => {
    const { verdict, reasons } = on(ticket('T', 'queued', contested('title'), contested('state')))
    expect(verdict).toBe('accept')
    expect(reasons).toMatchObject([
      { code: 'contested', severity: 'warn', field: 'title', decisions: ['T1'] },
      { code: 'contested', severity: 'warn', field: 'state', decisions: ['T2'] },
    ])
  })

  test('holds where both title and creation time are contested: one id was given to two pieces of work', () => {
    const own = ticket('T', 'queued', contested('title'), contested('created_at'), contested('slug'))
    const { verdict, reasons } = on(own)
    expect(verdict).toBe('hold')
    expect(codes({ reasons })).toEqual(['contested hold', 'contested hold', 'contested hold'])
    expect(reasons[0]!.message).toBe(
      'two Tickets were created with this id; decision T1 keeps the losing title, "x": give one of them another id, then retract the decision',
    )
  })

  test('only warns again once one of the two is retracted', () => {
    const own = ticket('T', 'queued', contested('title'), contested('created_at'), retraction('T2'))
    expect(codes(on(own))).toEqual(['contested warn'])
    expect(codes(on(ticket('T', 'queued', contested('created_at'))))).toEqual(['contested warn'])
  })

  test('says nothing once it is retracted', () => {
    expect(on(ticket('T', 'queued', contested('title'), retraction('T1'))).reasons).toEqual([])
  })
})

describe('every verdict', () => {
  const ids = ['A', 'B', 'C', 'D', 'E', 'F']
  const askings: fc.Arbitrary<Asking> = fc.record(
    {
      holder: fc.constantFrom('pod-1', 'pod-2'),
      session: fc.constantFrom('s-1', 's-2'),
      token: fc.integer({ min: 1, max: 3 }),
      pool: fc.constantFrom('default', 'gpu', 'review'),
    },
    { requiredKeys: [] },
  )

  const WARNINGS: ReasonCode[] = ['order_not_in_play', 'waiting_for_capacity', 'contested', 'unknown_state']

  test('is "hold" if and only if some reason is a hold; every code appears', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(memoryPlans, askings, (plan, asking) => {
        for (const id of ids) {
          const { verdict, reasons } = consult(plan, id, asking)
          expect(verdict).toBe(reasons.some(({ severity }) => severity === 'hold') ? 'hold' : 'accept')
          for (const { code } of reasons) seen.add(`${verdict} ${code}`)
          if (reasons.length === 0) seen.add('accept')
        }
      }),
      { numRuns: 3000 },
    )
    // Only a configuration and a work tree have areas to name.
    const codes = REASON_CODES.filter(code => code !== 'unknown_area')
    for (const code of codes) expect(seen).toContain(`hold ${code}`)
    for (const code of WARNINGS) expect(seen).toContain(`accept ${code}`)
    expect(seen).toContain('accept')
  })

  test('lists its reasons in the order of their codes, then of the other Tickets', () => {
    fc.assert(
      fc.property(memoryPlans, plan => {
        for (const id of ids) {
          const keys = consult(plan, id).reasons.map(
            ({ code, ticket }) => `${String(REASON_CODES.indexOf(code)).padStart(2, '0')} ${ticket ?? ''}`,
          )
          expect(keys).toEqual([...keys].sort())
        }
      }),
    )
  })

  test('names in each reason decisions that the plan holds', () => {
    fc.assert(
      fc.property(memoryPlans, plan => {
        const known = plan.tickets.flatMap(({ decisions }) => decisions.map(({ id }) => id))
        for (const id of ids) {
          for (const { decisions } of consult(plan, id).reasons) {
            if (decisions === undefined) continue
            expect(known).toEqual(expect.arrayContaining(decisions))
            expect(decisions).toEqual([...new Set(decisions)].sort())
          }
        }
      }),
    )
  })

  test('does not change with a Ticket that has nothing to do with it', () => {
    const strangers = fc.record({
      state: fc.constantFrom('open', 'queued', 'in_progress', 'done'),
      waitsFor: fc.subarray(ids),
      claimed: fc.boolean(),
      lost: fc.boolean(),
    })
    fc.assert(
      fc.property(memoryPlans, strangers, (plan, { state, waitsFor, claimed, lost }) => {
        const id = 'stranger'
        const path = `tickets/${id}.json`
        // It may wait for others: that holds it back, not them. Its claim takes no slot of a pool with a limit.
        const drafts = waitsFor.flatMap(other => [
          blockedBy(other),
          comesAfter(other),
          partOf(other),
          { kind: 'related', target: other },
        ])
        const wider: MemoryPlan = {
          ...plan,
          tickets: lost ? plan.tickets : [...plan.tickets, ticket(id, state, ...drafts, waiting())],
          quarantined: lost ? [...plan.quarantined, { id, path, mentions: [] }] : plan.quarantined,
          claims: claimed ? [...plan.claims, claim(id, { pool: 'unlimited' })] : plan.claims,
        }
        for (const id of ids) expect(consult(wider, id)).toEqual(consult(plan, id))
      }),
    )
  })

  test('does not turn from hold to accept by one wrong letter in a state without a warning of that state', () => {
    const letters = fc.constantFrom(...'abcdeinoqsuwx -_')
    let warned = 0
    fc.assert(
      fc.property(memoryPlans, fc.nat(), fc.nat(), letters, (plan, which, where, letter) => {
        fc.pre(plan.tickets.length > 0)
        const victim = plan.tickets[which % plan.tickets.length]!
        const at = where % victim.state.length
        const state = victim.state.slice(0, at) + letter + victim.state.slice(at + 1)
        const tickets = plan.tickets.map(ticket => (ticket === victim ? { ...ticket, state } : ticket))
        const misspelt = { ...plan, tickets }
        for (const id of ids) {
          if (consult(plan, id).verdict !== 'hold') continue
          const { verdict, reasons } = consult(misspelt, id)
          if (verdict !== 'accept' || isKnown(state)) continue
          expect(reasons.map(({ code, ticket }) => `${code} ${ticket}`)).toContain(`unknown_state ${victim.id}`)
          warned++
        }
      }),
      { numRuns: 1000 },
    )
    expect(warned).toBeGreaterThan(0)
  })

  test('does not depend on the order of Tickets and decisions', () => {
    fc.assert(
      fc.property(memoryPlans, plan => {
        const tickets = [...plan.tickets]
          .reverse()
          .map(ticket => ({ ...ticket, decisions: [...ticket.decisions].reverse() }))
        for (const id of ids) expect(consult({ ...plan, tickets }, id)).toEqual(consult(plan, id))
      }),
    )
  })
})
