import { describe, expect, test } from 'vitest'
import type { Plan } from '../sdk.ts'
import { checkedPlan, type TestClock, testClock } from '../test-support/checked-plan.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

/** A plan with the queued Tickets A, B and C; each call moves the clock on by a second. */
function withPlan(use: (plan: Plan, clock: TestClock) => void): void {
  using repository = temporaryRepository()
  for (const id of ['A', 'B', 'C'])
    putTicket(repository.root, id, { state: 'queued', slug: `ticket-${id.toLowerCase()}` })
  const clock = testClock()
  using plan = checkedPlan(repository.root, clock)
  use(plan, clock)
}

const texts = (log: { decisions?: object[] | undefined }) =>
  log.decisions!.map(one => {
    const { ticket, kind, reason, status } = one as Record<string, string>
    return [ticket, kind, reason, status].filter(Boolean).join(' ')
  })
const note = (plan: Plan, ticket: string, reason: string) => plan.record({ ticket, kind: 'note', reason }).decision.id

describe('log', () => {
  test('lists decisions of all Tickets, newest first, each with its status', () =>
    withPlan(plan => {
      note(plan, 'A', 'first')
      const second = note(plan, 'B', 'second')
      plan.record({ ticket: 'A', kind: 'after', other: 'B' })
      plan.retract(second)
      expect(texts(plan.log())).toEqual([
        'B retraction active',
        'A after active',
        'B note second retracted',
        'A note first active',
      ])
      expect(plan.log()).toMatchObject({ more: false })
    }))

  test('filters by Ticket, author, kind and time, all together', () =>
    withPlan((plan, clock) => {
      note(plan, 'A', 'old')
      clock.nowMs += 7_200_000
      note(plan, 'A', 'new')
      note(plan, 'B', 'other')
      plan.record({ ticket: 'A', kind: 'hold', reason: 'held' })
      expect(texts(plan.log({ tickets: ['ticket-a'] }))).toEqual([
        'A hold held active',
        'A note new active',
        'A note old active',
      ])
      expect(texts(plan.log({ since: '1h' }))).toEqual([
        'A hold held active',
        'B note other active',
        'A note new active',
      ])
      expect(texts(plan.log({ since: '1h', kind: 'note', tickets: ['A'] }))).toEqual(['A note new active'])
      expect(texts(plan.log({ kind: 'note', limit: 2 }))).toEqual(['B note other active', 'A note new active'])
      expect(plan.log({ kind: 'note', limit: 2 }).more).toBe(true)
      expect(plan.log({ by: 'nobody' }).decisions).toEqual([])
      expect(plan.log({ since: '2999-01-01' }).decisions).toEqual([])
    }))

  test.each([
    [{ since: 'yesterday' }, 'log: "yesterday" is no time'],
    [{ kind: 'notes' }, 'not a kind of stored decision; did you mean note?'],
    [{ tickets: ['X'] }, 'no Ticket has the id or slug "X"'],
    [{ limit: 0 }, 'limit'],
    [{ claims: true, kind: 'note' }, 'claims takes no kind'],
  ])('%j is refused', (input, message) =>
    withPlan(plan => {
      expect(planErrorOf(() => plan.log(input as never)).message).toContain(message)
    }))
})

describe('log of claims', () => {
  test('says who took what from whom, and who forced a release and why; it has no renewals and no tokens', () =>
    withPlan((plan, clock) => {
      const { claim } = plan.claim({ ticket: 'A', holder: 'pod-1', ttl: 60 })
      plan.renew({ ticket: 'A', token: claim!.token! })
      clock.nowMs += 120_000
      plan.claim({ ticket: 'A', holder: 'pod-2' })
      plan.release({ ticket: 'A', force: true, reason: 'the pod is gone' })
      const released = plan.claim({ ticket: 'B', holder: 'pod-3' }).claim!
      plan.release({ ticket: 'B', token: released.token! })
      const log = plan.log({ claims: true })
      expect(log.decisions).toBeUndefined()
      expect(log.claims!.map(({ at: _, ...entry }) => entry)).toEqual([
        { action: 'released', ticket: 'B', holder: 'pod-3', previous_holder: null, by: null, reason: null },
        { action: 'acquired', ticket: 'B', holder: 'pod-3', previous_holder: null, by: null, reason: null },
        {
          action: 'forced',
          ticket: 'A',
          holder: 'pod-2',
          previous_holder: null,
          by: expect.any(String),
          reason: 'the pod is gone',
        },
        { action: 'taken_over', ticket: 'A', holder: 'pod-2', previous_holder: 'pod-1', by: null, reason: null },
        { action: 'acquired', ticket: 'A', holder: 'pod-1', previous_holder: null, by: null, reason: null },
      ])
      expect(JSON.stringify(log)).not.toContain(String(claim!.token))
      const actions = (input: object) => plan.log({ claims: true, ...input }).claims!.map(({ action }) => action)
      expect(actions({ tickets: ['B'] })).toEqual(['released', 'acquired'])
      expect(actions({ by: 'pod-1' })).toEqual(['taken_over', 'acquired'])
      expect(actions({ since: '60s' })).toEqual(['released', 'acquired', 'forced', 'taken_over'])
      expect(plan.log({ claims: true, limit: 1 })).toMatchObject({ claims: [{ action: 'released' }], more: true })
    }))

  test('is empty where nothing was claimed', () =>
    withPlan(plan => expect(plan.log({ claims: true })).toEqual({ claims: [], more: false })))
})
