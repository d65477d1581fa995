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
  hold,
  lost,
  partOf,
  ticket,
  waiting,
} from '../test-support/draft-tickets.ts'
import type { LooseDecision } from '../test-support/loose-decision.ts'
import { type MemoryPlan, memoryFacts } from '../test-support/memory-facts.ts'
import { type Asking, isHeldBy, poolFor } from './asking.ts'

describe('the holder of a claim', () => {
  const bare = { holder: 'pod-1', session: null, token: 7 }
  const inSession = { ...bare, session: 's-1' }

  test.each<[Asking, boolean, boolean]>([
    [{}, false, false],
    [{ holder: 'pod-1' }, true, false],
    [{ holder: 'pod-1', session: 's-1' }, false, true],
    [{ holder: 'pod-1', session: 's-2' }, false, false],
    [{ holder: 'pod-1', session: '' }, false, false],
    [{ holder: 'pod-2' }, false, false],
    [{ holder: 'pod-2', session: 's-1' }, false, false],
    [{ session: 's-1' }, false, false],
    [{ token: 7 }, true, true],
    [{ holder: 'pod-1', session: 's-2', token: 7 }, true, true],
    [{ holder: 'pod-1', token: 7 }, true, true],
    [{ holder: 'pod-1', token: 6 }, false, false],
    [{ holder: 'pod-1', session: 's-1', token: 6 }, false, false],
    [{ holder: 'pod-1', token: 0 }, false, false],
  ])('asking as %j: without a session %s, in session s-1 %s', (asking, holdsBare, holdsInSession) => {
    expect([isHeldBy(bare, asking), isHeldBy(inSession, asking)]).toEqual([holdsBare, holdsInSession])
  })
})

describe('claimed', () => {
  const tickets = [ticket('T', 'queued')]
  const inSession = { tickets, claims: [claim('T', { session: 's-1', token: 7 })] }
  const bare = { tickets, claims: [claim('T', { token: 7 })] }

  test('names the session to the same name in another one', () => {
    expect(consult(inSession, 'T', { holder: 'pod-1', session: 's-2' }).reasons).toMatchObject([
      { code: 'claimed', session: 's-1', message: expect.stringMatching(/^claimed by pod-1 in session s-1 until /) },
    ])
    expect(consult(inSession, 'T', { holder: 'pod-1' }).reasons[0]!.message).toMatch(
      /^claimed by pod-1 in session s-1 /,
    )
    expect(consult(bare, 'T', { holder: 'pod-1', session: 's-2' }).reasons).toMatchObject([
      { code: 'claimed', session: null, message: expect.stringMatching(/^claimed by pod-1 without a session until /) },
    ])
  })

  test('does not bother another name with the session in its message', () => {
    for (const plan of [inSession, bare])
      expect(consult(plan, 'T', { holder: 'pod-2', session: 's-1' }).reasons[0]!.message).toMatch(
        /^claimed by pod-1 until /,
      )
  })

  test('never shows the token', () => {
    const plan = { tickets, claims: [claim('T', { session: 's-1', token: 4711 })] }
    expect(JSON.stringify(consult(plan, 'T', { holder: 'pod-1' }))).not.toContain('4711')
  })

  test('does not hold where the token is presented', () => {
    expect(consult(inSession, 'T', { holder: 'pod-1', session: 's-2', token: 7 }).verdict).toBe('accept')
    expect(consult(inSession, 'T', { holder: 'pod-1', session: 's-1', token: 6 }).verdict).toBe('hold')
  })
})

describe('the pool whose slot would be taken', () => {
  const own = ticket('T', 'queued')
  const noted = ticket('T', 'queued', waiting({ pool: 'gpu' }))
  const pools = { default: 1, gpu: 1, review: 1 }
  const poolOf = (plan: MemoryPlan, asking: Asking = {}) => poolFor('T', memoryFacts(plan), asking)

  test('is the one asked for, else that of the note, else the default one', () => {
    expect(poolOf({ tickets: [noted], pools }, { pool: 'review' })).toBe('review')
    expect(poolOf({ tickets: [noted], pools })).toBe('gpu')
    expect(poolOf({ tickets: [own], pools })).toBe('default')
  })

  test('is no default one where that has no limit, but still the one asked for or noted', () => {
    expect(poolOf({ tickets: [own] })).toBeUndefined()
    expect(poolOf({ tickets: [noted] })).toBe('gpu')
    expect(poolOf({ tickets: [own] }, { pool: 'x' })).toBe('x')
  })

  test('is that of the live claim for its holder, even if that has none, and not for others', () => {
    const inReview = { tickets: [noted], pools, claims: [claim('T', { pool: 'review' })] }
    expect(poolOf(inReview, { holder: 'pod-1' })).toBe('review')
    expect(poolOf(inReview, { holder: 'pod-1', pool: 'default' })).toBe('default')
    expect(poolOf(inReview, { holder: 'pod-2' })).toBe('gpu')
    expect(poolOf({ ...inReview, claims: [claim('T')] }, { holder: 'pod-1' })).toBeUndefined()
  })

  test('is not that of a note that a plan has satisfied', () => {
    expect(poolOf({ tickets: [ticket('T', 'queued', waiting({ pool: 'gpu' }), accepted())], pools })).toBe('default')
  })

  test.each<[string, Asking, boolean]>([
    ['review', { pool: 'review' }, true],
    ['gpu', { pool: 'review' }, false],
    ['gpu', {}, true],
    ['default', {}, false],
  ])('where %s is full, asking with %j: pool_full %s', (full, asking, isFull) => {
    const plan = { tickets: [noted], pools, claims: [claim('X', { pool: full })] }
    expect(consult(plan, 'T', asking).reasons.some(({ code }) => code === 'pool_full')).toBe(isFull)
  })
})

describe('a renewal: the holder accepts again what it has accepted under its live claim', () => {
  const acquired_at = '2026-06-08T12:00:00.000Z'
  const claims = [claim('T', { acquired_at, token: 7 })]
  const me: Asking = { holder: 'pod-1' }
  const plan = accepted({ id: 'T0', at: acquired_at })
  const renewed = (state: string, ...drafts: LooseDecision[]): MemoryPlan => ({
    tickets: [
      ticket('T', state, ...drafts, plan),
      ticket('A', 'in_progress'),
      ticket('B', 'wontfix'),
      ticket('P', 'open', hold()),
    ],
    claims,
    now: '2026-06-08T12:30:00.000Z',
  })

  test.each<[string, LooseDecision[]]>([
    ['blocked_by', [blockedBy('A')]],
    ['blocker_abandoned', [blockedBy('B')]],
    ['blocker_missing', [blockedBy('C')]],
    ['cycle', [blockedBy('T')]],
    ['parent_blocked', [partOf('P')]],
    ['on_hold', [hold()]],
    ['after', [comesAfter('A')]],
    ['conflicts_with', [conflict('A')]],
    ['waiting_for_capacity', [waiting({ until: ['A'], at: '2026-06-08T12:00:00.001Z' })]],
    ['contested', [contested('title'), contested('created_at')]],
    ['unknown_kind', [{ kind: 'reviewed' }]],
  ])('is only warned of %s', (code, drafts) => {
    const judged = consult(renewed('queued', ...drafts), 'T', me)
    expect(judged.verdict).toBe('accept')
    expect(judged.reasons.map(reason => [reason.code, reason.severity])).toContainEqual([code, 'warn'])
    expect(consult(renewed('queued', ...drafts), 'T', { holder: 'pod-2' }).verdict).toBe('hold')
    expect(consult({ ...renewed('queued', ...drafts), claims: [] }, 'T', me).verdict).toBe('hold')
  })

  test('is only warned that the Ticket is not queued any more, that it is elsewhere or behind, or has a newer format', () => {
    expect(codes(consult(renewed('in_progress'), 'T', me))).toEqual(['not_queued warn'])
    const later = { ticket: 'T', state: 'done', state_at: '2026-06-08T12:00:00.000Z' }
    const base = renewed('queued')
    const [own, ...others] = base.tickets
    const moved = {
      ...base,
      tickets: [{ ...own!, format: 2 }, ...others],
      elsewhere: [{ ...later, worktree: '/wt' }],
      released: [later],
    }
    expect(codes(consult(moved, 'T', me))).toEqual(['newer_format warn', 'elsewhere warn', 'behind warn'])
  })

  test('by the token is one too', () => {
    expect(consult(renewed('queued', hold()), 'T', { holder: 'pod-9', token: 7 }).verdict).toBe('accept')
    expect(consult(renewed('queued', hold()), 'T', { holder: 'pod-1', token: 8 }).verdict).toBe('hold')
  })

  test('by the same name in another session is none', () => {
    expect(consult(renewed('queued'), 'T', { holder: 'pod-1', session: 's' }).verdict).toBe('hold')
  })

  test('is still held by a file that cannot be read', () => {
    const plan = { ...renewed('queued', blockedBy('L')), quarantined: [lost('L')] }
    expect(codes(consult(plan, 'T', me))).toEqual(['quarantined hold L'])
  })

  test('is still held by a full pool that it would move to, and not by the one that it is in', () => {
    const pools = { gpu: 1, review: 1 }
    const base = renewed('queued')
    const full = {
      ...base,
      pools,
      claims: [claim('T', { acquired_at, pool: 'gpu' }), claim('X', { pool: 'review' }), claim('Y', { pool: 'gpu' })],
    }
    expect(codes(consult(full, 'T', me))).toEqual([])
    expect(codes(consult(full, 'T', { ...me, pool: 'gpu' }))).toEqual([])
    expect(codes(consult(full, 'T', { ...me, pool: 'review' }))).toEqual(['pool_full hold'])
  })

  test('is none for a terminal Ticket', () => {
    expect(codes(consult(renewed('done'), 'T', me))).toEqual(['not_queued hold'])
  })

  test.each([
    ['a claim without a plan', undefined],
    ['a plan that is older than the claim', accepted({ id: 'T0', at: '2026-06-08T11:59:59.999Z' })],
  ])('is not %s', (_, plan) => {
    const tickets = [ticket('T', 'queued', hold(), ...(plan ? [plan] : []))]
    expect(codes(consult({ tickets, claims }, 'T', me))).toEqual(['on_hold hold'])
  })

  test('is not a plan that was retracted', () => {
    const tickets = [ticket('T', 'queued', hold(), plan, { kind: 'retraction', retracts: 'T0' })]
    expect(codes(consult({ tickets, claims }, 'T', me))).toEqual(['on_hold hold'])
  })
})
