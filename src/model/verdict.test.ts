import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryPlans } from '../test-support/arbitraries.ts'
import {
  asDecision,
  type LooseDecision,
  type LooseReason,
  loose,
  looseReasons,
} from '../test-support/loose-decision.ts'
import { type MemoryClaim, type MemoryPlan, memoryFacts, phaseOf } from '../test-support/memory-facts.ts'
import type { TicketId } from './names.ts'
import { REASON_CODES } from './reasons.ts'
import type { Ticket } from './ticket.ts'
import { type Asking, poolFor, verdictOn } from './verdict.ts'

const EXPIRES = '2026-06-08T13:00:00.000Z'

/** A Ticket with decisions; those without an id of their own are numbered. */
function ticket(id: string, state: string, ...drafts: LooseDecision[]): Ticket {
  const decisions = drafts.map((draft, i) =>
    asDecision({
      id: `${id}${i + 1}`,
      kind: 'note',
      by: 'x',
      at: `2026-06-08T12:00:0${i}.000Z`,
      ...draft,
    }),
  )
  return { format: 1, id: id as TicketId, title: id, state, decisions }
}
const comesAfter = (target: string): LooseDecision => ({ kind: 'after', target })
const blockedBy = (target: string): LooseDecision => ({ kind: 'blocked_by', target })
const conflict = (target: string, advisory?: true): LooseDecision => ({
  kind: 'conflicts_with',
  target,
  ...(advisory && { advisory }),
})
const waiting = (fields: LooseDecision = {}): LooseDecision => ({ kind: 'waiting_for_capacity', ...fields })

function claim(ticket: string, fields: Partial<MemoryClaim> = {}): MemoryClaim {
  return { ticket, holder: 'pod-1', pool: null, expires_at: EXPIRES, ...fields }
}
const lost = (id: string, ...mentions: string[]) => ({ id, path: `tickets/${id}.json`, mentions })

const consult = (plan: MemoryPlan, id = 'T', asking?: Asking) => looseReasons(verdictOn(id, memoryFacts(plan), asking))

/** The verdict on T among the other Tickets. */
function on(own: Ticket, ...others: Ticket[]) {
  return consult({ tickets: [own, ...others] })
}

const codes = ({ reasons }: { reasons: LooseReason[] }) =>
  reasons.map(({ code, severity, ticket }) => [code, severity, ticket].filter(Boolean).join(' '))

describe('a queued Ticket', () => {
  test('without decisions is accepted without a reason', () => {
    expect(on(ticket('T', 'queued'))).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('is accepted with notes, plans, relations that inform, and decisions of unknown kinds', () => {
    const informed = ticket(
      'T',
      'queued',
      { kind: 'note' },
      { kind: 'related', target: 'A' },
      { kind: 'accepted_plan', plan: { summary: '' } },
      { kind: 'reviewed', target: 'A' },
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
      },
    ])
  })

  test('does not hold once the blocker is terminal', () => {
    expect(on(ticket('T', 'queued', blockedBy('A')), ticket('A', 'wontfix'))).toEqual({
      verdict: 'accept',
      reasons: [],
    })
  })

  test('does not hold once it is retracted or superseded', () => {
    const retracted = ticket('T', 'queued', blockedBy('A'), { kind: 'retraction', retracts: 'T1' })
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

describe('the chain of blockers', () => {
  const chainOf = (...tickets: Ticket[]) =>
    on(tickets[0]!, ...tickets.slice(1)).reasons.find(({ code }) => code === 'blocked_by')?.chain
  const links = (...tickets: Ticket[]) =>
    chainOf(...tickets)?.map(
      ({ ticket, blocks, depth, repeated }) => `${depth} ${ticket}>${blocks}${repeated ? ' again' : ''}`,
    )

  test('lists each blocker, followed by what blocks it', () => {
    expect(
      links(
        ticket('T', 'queued', blockedBy('A')),
        ticket('A', 'open', blockedBy('D'), blockedBy('B')),
        ticket('B', 'open', blockedBy('C')),
        ticket('C', 'queued'),
        ticket('D', 'in_progress'),
      ),
    ).toEqual(['1 A>T', '2 B>A', '3 C>B', '2 D>A'])
  })

  test('leaves out blockers that are terminal, and what is below them', () => {
    expect(
      links(
        ticket('T', 'queued', blockedBy('A')),
        ticket('A', 'open', blockedBy('B')),
        ticket('B', 'done', blockedBy('C')),
        ticket('C', 'open'),
      ),
    ).toEqual(['1 A>T'])
  })

  test('does not follow "after"', () => {
    expect(
      links(ticket('T', 'queued', blockedBy('A')), ticket('A', 'open', comesAfter('B')), ticket('B', 'queued')),
    ).toEqual(['1 A>T'])
  })

  test('lists what a shared blocker waits for once, and marks the blocker where it stands again', () => {
    expect(
      links(
        ticket('T', 'queued', blockedBy('A')),
        ticket('A', 'open', blockedBy('B'), blockedBy('C')),
        ticket('B', 'open', blockedBy('D')),
        ticket('C', 'open', blockedBy('D')),
        ticket('D', 'open', blockedBy('E')),
        ticket('E', 'open'),
      ),
    ).toEqual(['1 A>T', '2 B>A', '3 D>B', '4 E>D', '2 C>A', '3 D>C again'])
  })

  test('ends where it comes back to the Ticket that is held', () => {
    expect(
      links(
        ticket('T', 'queued', blockedBy('A')),
        ticket('A', 'open', blockedBy('B')),
        ticket('B', 'open', blockedBy('T')),
      ),
    ).toEqual(['1 A>T', '2 B>A', '3 T>B again'])
  })

  test('ends in a circle that the Ticket is not on', () => {
    expect(
      links(
        ticket('T', 'queued', blockedBy('A')),
        ticket('A', 'open', blockedBy('B')),
        ticket('B', 'open', blockedBy('A')),
      ),
    ).toEqual(['1 A>T', '2 B>A', '3 A>B again'])
  })

  test('shows a blocker without a readable file without a state', () => {
    const plan = {
      tickets: [ticket('T', 'queued', blockedBy('A')), ticket('A', 'open', blockedBy('B'), blockedBy('C'))],
      quarantined: [lost('C')],
    }
    expect(consult(plan).reasons[0]!.chain!.slice(1)).toEqual([
      { ticket: 'B', blocks: 'A', depth: 2, state: null, phase: null },
      { ticket: 'C', blocks: 'A', depth: 2, state: null, phase: null },
    ])
  })

  test('ten thousand links long is followed to its end', () => {
    const name = (i: number) => `A${String(i).padStart(5, '0')}`
    const count = 10_000
    const tickets = Array.from({ length: count }, (_, i) =>
      ticket(name(i), 'open', ...(i + 1 < count ? [blockedBy(name(i + 1))] : [])),
    )
    const byId = new Map(tickets.map(ticket => [ticket.id as string, ticket]))
    const naive = memoryFacts({ tickets: [] })
    const facts = {
      ...naive,
      ticket: (id: string) => ({ readable: true as const, id, state: 'open', phase: 'open' as const }),
      waitsFor: (id: string, kind: string) =>
        (byId.get(id)?.decisions ?? [])
          .filter(decision => decision.kind === kind)
          .map(decision => ({ other: loose(decision).target!, decisions: [decision.id] })),
    }
    expect(
      looseReasons(verdictOn(name(0), facts)).reasons.find(({ code }) => code === 'blocked_by')!.chain,
    ).toHaveLength(count - 1)
  })
})

describe('blocker_missing', () => {
  test('holds where the blocker has no file', () => {
    const { verdict, reasons } = on(ticket('T', 'queued', blockedBy('A')))
    expect(verdict).toBe('hold')
    expect(reasons).toMatchObject([{ code: 'blocker_missing', severity: 'hold', ticket: 'A', decisions: ['T1'] }])
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
    const retracted = ticket('A', 'in_progress', conflict('T'), { kind: 'retraction', retracts: 'A1' })
    expect(on(ticket('T', 'queued'), retracted).reasons).toEqual([])
  })
})

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

  test('is said in words', () => {
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
      [
        ticket('T', 'queued', comesAfter('A')),
        ticket('A', 'open', comesAfter('T'), { kind: 'retraction', retracts: 'A1' }),
      ],
    ],
    [
      'through relations that do not make it wait',
      [ticket('T', 'queued', { kind: 'related', target: 'A' }, conflict('A')), ticket('A', 'open', blockedBy('T'))],
    ],
  ])('does not hold for one %s', (_, tickets) => {
    expect(cycleOf(...tickets)).toBeUndefined()
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
    expect(on(ticket('T', 'queued', waiting(), { kind: 'retraction', retracts: 'T1' })).reasons).toEqual([])
  })

  test('is said once, for the last of several notes', () => {
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

  test('does not count the claim of the Ticket itself', () => {
    const plan = { tickets: [own], claims: [claim('T', { pool: 'default' })], pools: { default: 1 } }
    expect(consult(plan, 'T', { holder: 'pod-1' }).verdict).toBe('accept')
  })

  test('looks at the pool that is asked for, else at that of the note, else at the default, if that has a limit', () => {
    const noted = ticket('T', 'queued', waiting({ pool: 'gpu' }))
    const pools = { default: 1, gpu: 1, review: 1 }
    const full = (own: Ticket, pool: string, asking?: Asking) =>
      consult({ tickets: [own], claims: taken(pool, 1), pools }, 'T', asking).reasons.some(
        ({ code }) => code === 'pool_full',
      )
    expect(full(noted, 'review', { pool: 'review' })).toBe(true)
    expect(full(noted, 'gpu', { pool: 'review' })).toBe(false)
    expect(full(noted, 'gpu')).toBe(true)
    expect(full(noted, 'default')).toBe(false)
    expect(full(own, 'default')).toBe(true)
    const facts = memoryFacts({ tickets: [noted] })
    const limited = memoryFacts({ tickets: [noted], pools })
    expect([poolFor('T', facts, 'x'), poolFor('T', facts, undefined), poolFor('U', facts, undefined)]).toEqual([
      'x',
      'gpu',
      undefined,
    ])
    expect(poolFor('U', limited, undefined)).toBe('default')
  })
})

describe('claimed', () => {
  const plan = { tickets: [ticket('T', 'queued')], claims: [claim('T')] }

  test('holds for another holder, and for nobody in particular', () => {
    for (const asking of [{ holder: 'pod-2' }, {}, undefined]) {
      const { verdict, reasons } = consult(plan, 'T', asking)
      expect(verdict).toBe('hold')
      expect(reasons).toMatchObject([{ code: 'claimed', severity: 'hold', holder: 'pod-1', expires_at: EXPIRES }])
    }
  })

  test('does not hold for the holder', () => {
    expect(consult(plan, 'T', { holder: 'pod-1' })).toEqual({ verdict: 'accept', reasons: [] })
  })

  test('does not hold for a claim on another Ticket', () => {
    expect(consult({ ...plan, claims: [claim('A')] }).reasons).toEqual([])
  })

  test('is said of a Ticket that is not queued or has no file, too', () => {
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

describe('contested', () => {
  const contested = (field: string): LooseDecision => ({ kind: 'contested', field, lost: 'x' })

  test('warns for each value that lost in a merge', () => {
    const { verdict, reasons } = on(ticket('T', 'queued', contested('title'), contested('state')))
    expect(verdict).toBe('accept')
    expect(reasons).toMatchObject([
      { code: 'contested', severity: 'warn', field: 'title', decisions: ['T1'] },
      { code: 'contested', severity: 'warn', field: 'state', decisions: ['T2'] },
    ])
  })

  test('says nothing once it is retracted', () => {
    expect(on(ticket('T', 'queued', contested('title'), { kind: 'retraction', retracts: 'T1' })).reasons).toEqual([])
  })
})

describe('every verdict', () => {
  const ids = ['A', 'B', 'C', 'D', 'E', 'F']
  const askings: fc.Arbitrary<Asking> = fc.record(
    { holder: fc.constantFrom('pod-1', 'pod-2'), pool: fc.constantFrom('default', 'gpu', 'review') },
    { requiredKeys: [] },
  )

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
      { numRuns: 500 },
    )
    for (const code of REASON_CODES) expect(seen).toContain(`hold ${code}`)
    expect(seen).toContain('accept')
    expect(seen).toContain('accept order_not_in_play')
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

describe('a graph of Tickets', () => {
  const names = ['T', 'A', 'B', 'C', 'D', 'E', 'F']
  const edges = fc.array(fc.record({ from: fc.nat(6), to: fc.nat(6), kind: fc.constantFrom('after', 'blocked_by') }), {
    maxLength: 14,
  })
  const states = fc.tuple(
    ...names.map((_, i) =>
      fc.constantFrom('open', 'queued', 'queued', 'in_progress', i ? 'done' : 'queued', i ? null : 'queued'),
    ),
  )
  const graphs = fc.record({ edges, states }).map(({ edges, states }) => {
    const tickets = names.flatMap((name, i) => {
      const drafts = edges.filter(({ from }) => from === i).map(({ to, kind }) => ({ kind, target: names[to]! }))
      // More than ten decisions would need more than one digit of a second.
      return states[i] === null ? [] : [ticket(name, states[i]!, ...drafts.slice(0, 9))]
    })
    return tickets
  })

  /** The Tickets that can be reached from one over relations, through Tickets that are there and not terminal. */
  function reachable(tickets: Ticket[], from: string, kinds: string[]): Set<string> {
    const open = new Map(
      tickets.filter(({ state }) => phaseOf(state) !== 'terminal').map(ticket => [ticket.id as string, ticket]),
    )
    const step = (id: string) =>
      (open.get(id)?.decisions ?? [])
        .filter(({ kind }) => kinds.includes(kind))
        .map(decision => loose(decision).target!)
    let reached = new Set(step(from))
    for (let round = 0; round < tickets.length; round++) reached = new Set([...reached, ...[...reached].flatMap(step)])
    return reached
  }

  test('has a cycle through T if and only if T can be reached from T, and it is one of the shortest', () => {
    const seen = new Set<number>()
    fc.assert(
      fc.property(graphs, tickets => {
        const cycle = on(tickets[0]!, ...tickets.slice(1)).reasons.find(({ code }) => code === 'cycle')?.cycle
        expect(cycle !== undefined).toBe(reachable(tickets, 'T', ['after', 'blocked_by']).has('T'))
        seen.add(cycle?.length ?? 0)
        if (!cycle) return
        expect(cycle[0]).toBe('T')
        expect(new Set(cycle).size).toBe(cycle.length)
        for (const [i, id] of cycle.entries()) {
          const waiter = tickets.find(ticket => ticket.id === id)!
          expect(waiter.decisions.map(decision => loose(decision).target)).toContain(cycle[(i + 1) % cycle.length])
        }
        const shorter = fewestSteps(tickets)
        expect(cycle).toHaveLength(shorter)
      }),
      { numRuns: 2000 },
    )
    expect([...seen].sort().slice(0, 4)).toEqual([0, 1, 2, 3])
  })

  /** How many relations lead from T back to T, at least; every walk is tried. */
  function fewestSteps(tickets: Ticket[]): number {
    const open = tickets.filter(({ state }) => phaseOf(state) !== 'terminal')
    let ends = new Set(['T'])
    for (let steps = 1; ; steps++) {
      const here = open.filter(({ id }) => ends.has(id))
      ends = new Set(here.flatMap(({ decisions }) => decisions.map(decision => loose(decision).target!)))
      if (ends.has('T')) return steps
    }
  }

  test('has in its chains exactly the blockers that can be reached and are not terminal', () => {
    fc.assert(
      fc.property(graphs, tickets => {
        const { reasons } = on(tickets[0]!, ...tickets.slice(1))
        const chains = reasons.flatMap(({ chain }) => chain ?? []).map(({ ticket }) => ticket)
        const missing = reasons.filter(({ code }) => code === 'blocker_missing').map(({ ticket }) => ticket!)
        const done = tickets.filter(({ state }) => phaseOf(state) === 'terminal').map(({ id }) => id as string)
        const expected = [...reachable(tickets, 'T', ['blocked_by'])].filter(id => !done.includes(id))
        expect([...new Set([...chains, ...missing])].sort()).toEqual(expected.sort())
        for (const { chain = [] } of reasons) {
          const first = chain.filter(({ repeated }) => !repeated).map(({ ticket }) => ticket)
          expect(new Set(first).size).toBe(first.length)
          for (const { ticket, repeated } of chain) if (repeated) expect([...first, 'T']).toContain(ticket)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
