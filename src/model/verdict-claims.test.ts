import { describe, expect, test } from 'vitest'
import { claim, codes, consult, EXPIRES, on, retraction, ticket, waiting } from '../test-support/draft-tickets.ts'
import type { LooseDecision } from '../test-support/loose-decision.ts'

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
