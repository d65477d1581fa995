/** How claims change the verdicts of consult, queue and show, wherever the claims are. */
import { expect, test } from 'vitest'
import { accepted, claimed, holdsOf, publicly, TTL_MS, type WithPlan, warningsOf } from './plan-setting.ts'

/** Defines the tests for one engine. */
export function testVerdicts(withPlan: WithPlan): void {
  test('claimed: for everyone but the holder', async () => {
    await withPlan(async ({ plan, machine }) => {
      const { claim } = accepted(await plan.accept({ ticket: 'A', holder: 'pod-1' }))
      const answer = await plan.consult('A')
      expect(answer).toMatchObject({ verdict: 'hold', claim: publicly(claim) })
      expect(answer.reasons).toEqual([
        {
          code: 'claimed',
          severity: 'hold',
          message: `claimed by pod-1 until ${claim.expires_at}`,
          holder: 'pod-1',
          session: null,
          expires_at: claim.expires_at,
          ...machine,
        },
      ])
      expect(await plan.show('A')).toMatchObject({ verdict: 'hold', claim: publicly(claim), reasons: answer.reasons })
      expect((await plan.queue()).queue[0]).toMatchObject({
        ticket: { id: 'A' },
        verdict: 'hold',
        reasons: answer.reasons,
      })
      expect(await plan.consult({ ticket: 'A', holder: 'pod-1' })).toMatchObject({ verdict: 'accept', reasons: [] })
      expect(holdsOf(await plan.consult({ ticket: 'A', holder: 'pod-2' }))).toEqual(['claimed'])
    })
  })

  test('conflicts_with and after: until the claim on the other Ticket ends', async () => {
    await withPlan(async ({ plan, clock }) => {
      await plan.set({ ticket: 'D', state: 'open' })
      await plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'D' })
      await plan.record({ ticket: 'B', kind: 'after', other: 'D' })
      await plan.record({ ticket: 'C', kind: 'conflicts_with', other: 'D', advisory: true })
      const holdsInQueue = async () =>
        Object.fromEntries((await plan.queue()).queue.map(entry => [entry.ticket.id, holdsOf(entry)]))
      expect(await holdsInQueue()).toEqual({ A: [], B: [], C: [] })
      claimed(await plan.claim({ ticket: 'D', holder: 'pod-1' }))
      expect(await holdsInQueue()).toEqual({ A: ['conflicts_with'], B: ['after'], C: [] })
      expect((await plan.consult('A')).reasons).toMatchObject([
        { ticket: 'D', message: expect.stringContaining('pod-1') },
      ])
      expect((await plan.consult('B')).reasons).toMatchObject([
        { ticket: 'D', message: expect.stringContaining('claimed') },
      ])
      expect(warningsOf(await plan.consult('C'))).toEqual(['conflicts_with'])
      clock.nowMs += TTL_MS
      expect(await holdsInQueue()).toEqual({ A: [], B: [], C: [] })
    })
  })

  test('pool_full and waiting_for_capacity: with the taken and the free slots', async () => {
    await withPlan(
      async ({ plan }) => {
        await plan.record({ ticket: 'A', kind: 'waiting_for_capacity', pool: 'gpu', reason: 'needs a card' })
        const waits = { code: 'waiting_for_capacity', pool: 'gpu', capacity: 2 }
        expect(await plan.consult('A')).toMatchObject({
          verdict: 'accept',
          reasons: [{ ...waits, severity: 'warn', taken: 0, message: expect.stringContaining('2 of 2') }],
        })
        const claim = claimed(await plan.claim({ ticket: 'B', holder: 'pod-1', pool: 'gpu' }))
        expect(await plan.consult('A')).toMatchObject({
          verdict: 'accept',
          reasons: [{ ...waits, severity: 'warn', taken: 1, message: expect.stringContaining('1 of 2 slots') }],
        })
        claimed(await plan.claim({ ticket: 'C', holder: 'pod-2', pool: 'gpu' }))
        const full = {
          verdict: 'hold',
          reasons: [
            { ...waits, severity: 'hold', taken: 2 },
            { code: 'pool_full', severity: 'hold', pool: 'gpu', capacity: 2, taken: 2 },
          ],
        }
        expect(await plan.consult('A')).toMatchObject(full)
        expect(await plan.show('A')).toMatchObject(full)
        expect((await plan.queue()).queue.find(({ ticket }) => ticket.id === 'A')).toMatchObject(full)
        expect((await plan.consult('D')).reasons).toEqual([]) // another pool, without a limit
        expect(holdsOf(await plan.consult({ ticket: 'D', pool: 'gpu' }))).toEqual(['pool_full'])
        await plan.release({ ticket: 'B', token: claim.token })
        expect(accepted(await plan.accept({ ticket: 'A', holder: 'pod-1' })).claim.pool).toBe('gpu')
        expect(holdsOf(await plan.consult({ ticket: 'D', pool: 'gpu' }))).toEqual(['pool_full'])
      },
      { gpu: 2 },
    )
  })
}
