/** What claim, renew and release must do wherever the claims are. */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rejectionOf } from './plan-error-of.ts'
import { claimed, holdsOf, publicly, TTL_MS, type WithPlan } from './plan-setting.ts'

/** Defines the tests for one engine. */
export function testClaimOperations(withPlan: WithPlan): void {
  test('return the claim, with the given time to live or the configured one', async () => {
    await withPlan(async ({ plan, machine }) => {
      const claim = claimed(
        await plan.claim({ ticket: 'A', holder: 'pod-1', session: 's', worktree: 'worktrees/a', pid: 7, ttl: 60 }),
      )
      expect(claim).toEqual({
        ticket: 'A',
        holder: 'pod-1',
        token: Date.parse('2026-06-08T12:00:01.000Z') / 1000 + 1,
        pool: null,
        session: 's',
        worktree: 'worktrees/a',
        pid: 7,
        acquired_at: '2026-06-08T12:00:01.000Z',
        renewed_at: '2026-06-08T12:00:01.000Z',
        expires_at: '2026-06-08T12:01:01.000Z',
        live: true,
        ...machine,
      })
      const renewed = await plan.renew({ ticket: 'A', token: claim.token })
      expect(renewed).toEqual({
        claim: { ...claim, renewed_at: '2026-06-08T12:00:02.000Z', expires_at: '2026-06-08T12:01:02.000Z' },
      })
      expect((await plan.renew({ ticket: 'A', token: claim.token, ttl: 1.5 })).claim?.expires_at).toBe(
        '2026-06-08T12:00:04.500Z',
      )
      // A third of a millisecond is none.
      const odd = await plan.renew({ ticket: 'A', token: claim.token, ttl: 2.0003 })
      expect(odd.claim?.expires_at).toBe('2026-06-08T12:00:06.000Z')
      expect(await plan.release({ ticket: 'A', token: claim.token })).toMatchObject({ claim: { token: claim.token } })
      expect(await plan.claims()).toEqual({ claims: [] })
      expect((await plan.claims({ all: true })).claims).toMatchObject([
        { ticket: 'A', live: false, released_at: '2026-06-08T12:00:05.000Z' },
      ])
      const byConfiguration = claimed(await plan.claim({ ticket: 'A', holder: 'pod-2' }))
      expect(Date.parse(byConfiguration.expires_at) - Date.parse(byConfiguration.acquired_at)).toBe(TTL_MS)
    })
  })

  test('an expired claim is listed as expired, holds nothing back, and is taken over', async () => {
    await withPlan(async ({ plan, clock }) => {
      const old = claimed(await plan.claim({ ticket: 'A', holder: 'pod-1' }))
      clock.nowMs += TTL_MS
      expect((await plan.claims()).claims).toMatchObject([
        { ticket: 'A', holder: 'pod-1', live: false, released_at: null },
      ])
      expect(await plan.consult('A')).toMatchObject({ verdict: 'accept', claim: null })
      const stale = { refused: 'stale_token', claim: { holder: 'pod-1', live: false } }
      expect(await plan.renew({ ticket: 'A', token: old.token })).toMatchObject(stale)
      expect(await plan.release({ ticket: 'A', token: old.token })).toMatchObject(stale)
      const taken = claimed(await plan.claim({ ticket: 'A', holder: 'pod-2' }))
      expect(taken.token).toBeGreaterThan(old.token)
      expect(await plan.renew({ ticket: 'A', token: old.token })).toEqual({
        refused: 'stale_token',
        claim: publicly(taken),
      })
    })
  })

  test('a claim is refused for a held Ticket, a strict conflict and an unreadable file', async () => {
    await withPlan(async ({ plan, root }) => {
      const held = claimed(await plan.claim({ ticket: 'A', holder: 'pod-1' }))
      await plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      await plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'C', advisory: true })
      const refusal = await plan.claim({ ticket: 'A', holder: 'pod-2' })
      expect(refusal).toMatchObject({ refused: 'held', claim: publicly(held) })
      expect(refusal.claim).not.toHaveProperty('token')
      expect(holdsOf({ reasons: refusal.reasons! })).toEqual(['claimed'])
      expect(await plan.claim({ ticket: 'B', holder: 'pod-2' })).toMatchObject({
        refused: 'conflicts_with',
        claim: null,
      })
      claimed(await plan.claim({ ticket: 'C', holder: 'pod-2' }))
      writeFileSync(join(root, 'tickets/D.json'), '{')
      expect(await plan.claim({ ticket: 'D', holder: 'pod-2' })).toMatchObject({ refused: 'quarantined', claim: null })
    })
  })

  test('a claim without a plan does not check blockers, order and state', async () => {
    await withPlan(async ({ plan }) => {
      await plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      await plan.record({ ticket: 'A', kind: 'after', other: 'C' })
      await plan.set({ ticket: 'A', state: 'open' })
      claimed(await plan.claim({ ticket: 'A', holder: 'pod-1' }))
    })
  })

  test('a holder is a name and a session: the same name in another session needs the token', async () => {
    await withPlan(async ({ plan, again }) => {
      const first = claimed(await plan.claim({ ticket: 'A', holder: 'pod-1', session: 's-1' }))
      for (const session of [undefined, 's-2']) {
        const refused = await plan.claim({ ticket: 'A', holder: 'pod-1', session })
        expect(refused).toMatchObject({ refused: 'held', reasons: [{ code: 'claimed' }] })
        expect(refused.reasons![0]!.message).toContain('session s-1')
        expect(JSON.stringify(refused)).not.toContain(String(first.token))
        expect((await plan.claim({ ticket: 'A', holder: 'pod-1', session, token: first.token + 1 })).refused).toBe(
          'stale_token',
        )
      }
      const moved = claimed(await plan.claim({ ticket: 'A', holder: 'pod-1', session: 's-2', token: first.token }))
      expect(moved).toMatchObject({ session: 's-2', token: first.token })
      expect((await plan.claim({ ticket: 'A', holder: 'pod-1', session: 's-1' })).refused).toBe('held')
      process.env.TICKETPLAN_SESSION = 's-2'
      try {
        await using other = await again()
        expect(claimed(await other.claim({ ticket: 'A', holder: 'pod-1' })).token).toBe(first.token)
        expect((await other.claim({ ticket: 'A', holder: 'pod-1', session: 's-1' })).refused).toBe('held')
      } finally {
        delete process.env.TICKETPLAN_SESSION
      }
    })
  })

  test('no refusal and no answer to others shows a token; claims and the brief do', async () => {
    await withPlan(async ({ plan }) => {
      await plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      const { token } = claimed(await plan.claim({ ticket: 'A', holder: 'pod-1', pool: 'gpu' }))
      const stale = token - 1
      const answers = [
        await plan.claim({ ticket: 'A', holder: 'pod-2' }),
        await plan.claim({ ticket: 'B', holder: 'pod-2' }),
        await plan.claim({ ticket: 'A', holder: 'pod-2', token: stale }),
        await plan.accept({ ticket: 'A', holder: 'pod-2' }),
        await plan.accept({ ticket: 'A', holder: 'pod-2', token: stale }),
        await plan.renew({ ticket: 'A', token: stale }),
        await plan.release({ ticket: 'A', token: stale }),
        await plan.consult('A'),
        await plan.consult({ ticket: 'A', holder: 'pod-1' }),
        await plan.show('A'),
        await plan.queue(),
      ]
      for (const answer of answers) expect(JSON.stringify(answer)).not.toContain(String(token))
      expect((await plan.claims()).claims).toMatchObject([{ token }])
      expect((await plan.brief()).text).toContain(`token ${token}`)
      const released = await plan.release({ ticket: 'A', force: true, reason: 'the pod is gone' })
      expect(released).toMatchObject({ claim: { holder: 'pod-1', live: false } })
      expect(JSON.stringify(released)).not.toContain(String(token))
    })
  })

  test('a terminal Ticket is not claimed; its claim holds no slot and is named until it is released', async () => {
    await withPlan(
      async ({ plan }) => {
        await plan.set({ ticket: 'D', state: 'done' })
        expect(await plan.claim({ ticket: 'D', holder: 'pod-1' })).toMatchObject({
          refused: 'terminal',
          claim: null,
          reasons: [{ code: 'not_queued' }],
        })
        const { token } = claimed(await plan.claim({ ticket: 'A', holder: 'pod-1', pool: 'gpu' }))
        expect((await plan.claim({ ticket: 'B', holder: 'pod-2', pool: 'gpu' })).refused).toBe('pool_full')
        expect((await plan.claims()).claims[0]).not.toHaveProperty('terminal')
        await plan.set({ ticket: 'A', state: 'cancelled' })
        claimed(await plan.claim({ ticket: 'B', holder: 'pod-2', pool: 'gpu' }))
        expect((await plan.claim({ ticket: 'A', holder: 'pod-1' })).refused).toBe('terminal') // not even by its holder
        expect((await plan.claims()).claims).toMatchObject([
          { ticket: 'A', live: true, terminal: true },
          { ticket: 'B', live: true },
        ])
        expect((await plan.brief()).text).toMatch(
          /CLAIMS: 1 live, 0 expired, 1 to release.*\n(?:.*\n)*?.*A held by pod-1/,
        )
        expect(await plan.release({ ticket: 'A', token })).toMatchObject({ claim: { live: false } })
        expect((await plan.claims()).claims.map(({ ticket }) => ticket)).toEqual(['B'])
        expect((await plan.brief()).text).toContain('CLAIMS: 1 live, 0 expired\n')
      },
      { gpu: 1 },
    )
  })

  test('claims are listed, renewed and released where the branch has no tickets folder', async () => {
    await withPlan(async ({ plan, root }) => {
      const { token } = claimed(await plan.claim({ ticket: 'A', holder: 'pod-1' }))
      renameSync(join(root, 'tickets'), join(root, 'elsewhere'))
      expect((await plan.claims()).claims).toMatchObject([{ ticket: 'A', token, live: true }])
      expect(await plan.renew({ ticket: 'A', token })).toMatchObject({ claim: { token } })
      expect(await plan.release({ ticket: 'A', token })).toMatchObject({ claim: { live: false } })
      expect((await rejectionOf(() => plan.renew({ ticket: 'B', token }))).code).toBe('not_initialized')
      renameSync(join(root, 'elsewhere'), join(root, 'tickets'))
    })
  })

  test('a pool has at most as many claims as slots; a holder moves to another pool only if a slot is free', async () => {
    await withPlan(
      async ({ plan }) => {
        const first = claimed(await plan.claim({ ticket: 'A', holder: 'pod-1', pool: 'gpu' }))
        expect(await plan.claim({ ticket: 'B', holder: 'pod-2', pool: 'gpu' })).toMatchObject({ refused: 'pool_full' })
        expect(claimed(await plan.claim({ ticket: 'B', holder: 'pod-2' })).pool).toBe('default')
        expect(await plan.claim({ ticket: 'B', holder: 'pod-2', pool: 'gpu' })).toMatchObject({
          refused: 'pool_full',
          claim: { pool: 'default' },
        })
        // Renewed without a pool it does not move to the default one, which is full.
        expect(claimed(await plan.claim({ ticket: 'A', holder: 'pod-1' }))).toMatchObject({
          pool: 'gpu',
          token: first.token,
        })
        await plan.release({ ticket: 'A', token: first.token })
        expect(claimed(await plan.claim({ ticket: 'B', holder: 'pod-2', pool: 'gpu' })).pool).toBe('gpu')
        claimed(await plan.claim({ ticket: 'C', holder: 'pod-3' }))
        expect(await plan.claim({ ticket: 'D', holder: 'pod-3' })).toMatchObject({ refused: 'pool_full' })
      },
      { default: 1, gpu: 1 },
    )
  })

  test('a holder renews by claiming again, whatever holds the Ticket by now', async () => {
    await withPlan(async ({ plan }) => {
      const { token } = claimed(await plan.claim({ ticket: 'A', holder: 'pod-1' }))
      await plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      await plan.set({ ticket: 'B', state: 'in_progress' })
      expect(claimed(await plan.claim({ ticket: 'A', holder: 'pod-1' })).token).toBe(token)
    })
  })

  test('a forced release ends any claim, also on a Ticket without a file; it needs a reason', async () => {
    await withPlan(async ({ plan, root }) => {
      claimed(await plan.claim({ ticket: 'A', holder: 'pod-1' }))
      renameSync(join(root, 'tickets/A.json'), join(root, 'A.json'))
      expect((await rejectionOf(() => plan.release({ ticket: 'A', force: true }))).data).toEqual({ field: 'reason' })
      expect((await rejectionOf(() => plan.release({ ticket: 'A' }))).data).toEqual({ field: 'token' })
      expect((await plan.release({ ticket: 'A', force: true, reason: 'the pod is gone' })).refused).toBeUndefined()
      expect(await plan.release({ ticket: 'A', force: true, reason: 'again' })).toEqual({
        refused: 'stale_token',
        claim: null,
      })
    })
  })

  test('an unknown pool is refused if pools are configured', async () => {
    await withPlan(async ({ plan }) => claimed(await plan.claim({ ticket: 'A', holder: 'pod-1', pool: 'gpu' })))
    await withPlan(
      async ({ plan }) => {
        for (const call of [
          () => plan.claim({ ticket: 'A', holder: 'pod-1', pool: 'gpv' }),
          () => plan.accept({ ticket: 'A', holder: 'pod-1', pool: 'gpv' }),
        ]) {
          expect(await rejectionOf(call)).toMatchObject({ code: 'unknown_pool', data: { pool: 'gpv', pools: ['gpu'] } })
        }
        expect((await plan.claims()).claims).toEqual([])
      },
      { gpu: 1 },
    )
  })
}
