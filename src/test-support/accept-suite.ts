/** What accept must do wherever the claims are. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rejectionOf } from './plan-error-of.ts'
import { accepted, claimed, holdsFor, type PlanSetting, publicly, TTL_MS, type WithPlan } from './plan-setting.ts'
import { readTicketJson } from './temporary-repository.ts'

/** What keeps A from being accepted, one case for each hold. */
const holds: [code: string, set: (setting: PlanSetting) => unknown][] = [
  ['not_queued', async ({ plan }) => await plan.set({ ticket: 'A', state: 'open' })],
  ['blocked_by', async ({ plan }) => await plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })],
  [
    'blocker_missing',
    async ({ plan }) => await plan.record({ ticket: 'A', kind: 'blocked_by', other: 'Z', future: true }),
  ],
  ['after', async ({ plan }) => await plan.record({ ticket: 'A', kind: 'after', other: 'B' })],
  [
    'after',
    async ({ plan }) => {
      await plan.set({ ticket: 'B', state: 'open' })
      await plan.record({ ticket: 'A', kind: 'after', other: 'B' })
      expect((await plan.consult('A')).verdict).toBe('accept')
      claimed(await plan.claim({ ticket: 'B', holder: 'pod-2' }))
    },
  ],
  [
    'conflicts_with',
    async ({ plan }) => {
      await plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      await plan.set({ ticket: 'B', state: 'in_progress' })
    },
  ],
  [
    'conflicts_with',
    async ({ plan }) => {
      await plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      accepted(await plan.accept({ ticket: 'B', holder: 'pod-2' }))
    },
  ],
  [
    'waiting_for_capacity',
    async ({ plan }) => await plan.record({ ticket: 'A', kind: 'waiting_for_capacity', until: ['B'], reason: 'x' }),
  ],
  ['pool_full', async ({ plan }) => claimed(await plan.claim({ ticket: 'B', holder: 'pod-2' }))],
]

/** Defines the tests for one engine. */
export function testAccept(withPlan: WithPlan): void {
  test('takes the claim and writes the plan, which supersedes earlier plans and satisfies waiting notes', async () => {
    await withPlan(async ({ plan, root, clock }) => {
      await plan.record({ ticket: 'A', kind: 'waiting_for_capacity', reason: 'a machine' })
      const first = accepted(
        await plan.accept({
          ticket: 'A',
          holder: 'pod-1',
          summary: 'typed plan tool',
          branch: 'impl/a',
          worktree: '.worktree/a',
          rolePlan: 'one writes, one reads',
          session: 's-1',
        }),
      )
      expect(first.claim).toMatchObject({ ticket: 'A', holder: 'pod-1', session: 's-1', worktree: '.worktree/a' })
      expect(first.decision).toEqual({
        at: '2026-06-08T12:00:02.000Z',
        by: 'tester',
        id: first.decision.id,
        kind: 'accepted_plan',
        plan: {
          summary: 'typed plan tool',
          branch: 'impl/a',
          worktree: '.worktree/a',
          role_plan: 'one writes, one reads',
        },
      })
      expect(readTicketJson(root, 'tickets/A.json').decisions).toContainEqual(first.decision)
      const statuses = async () => (await plan.show('A')).decisions.map(({ kind, status }) => [kind, status])
      expect(await statuses()).toEqual([
        ['waiting_for_capacity', 'satisfied'],
        ['accepted_plan', 'active'],
      ])
      clock.nowMs += TTL_MS
      const second = accepted(await plan.accept({ ticket: 'A', holder: 'pod-2', plan: { branch: 'impl/b' } }))
      expect(second.decision.plan).toEqual({ summary: 'Ticket A', branch: 'impl/b' })
      expect(second.claim.token).toBeGreaterThan(first.claim.token)
      expect(await statuses()).toEqual([
        ['waiting_for_capacity', 'satisfied'],
        ['accepted_plan', 'superseded'],
        ['accepted_plan', 'active'],
      ])
      expect(await plan.consult('A')).toMatchObject({
        plan: { decision: second.decision.id, branch: 'impl/b' },
        claim: publicly(second.claim),
      })
    })
  })

  test.each(holds)('is refused with %s, and takes and writes nothing', async (code, set) => {
    await withPlan(
      async setting => {
        const { plan, root } = setting
        await set(setting)
        const before = readTicketJson(root, 'tickets/A.json')
        const claims = await plan.claims()
        const refused = await plan.accept({ ticket: 'A', holder: 'pod-1' })
        expect(refused).toMatchObject({ accepted: false, claim: null, decision: null })
        expect(holdsFor(refused)).toContain(code)
        expect(refused.reasons).toEqual((await plan.consult({ ticket: 'A', holder: 'pod-1' })).reasons)
        expect(readTicketJson(root, 'tickets/A.json')).toEqual(before)
        expect(await plan.claims()).toEqual(claims)
      },
      code === 'pool_full' ? { default: 1 } : undefined,
    )
  })

  test.each(holds)('by force with a reason overrides %s, and the plan lists it', async (code, set) => {
    await withPlan(
      async setting => {
        const { plan, root } = setting
        await set(setting)
        const force = { ticket: 'A', holder: 'pod-1', force: true }
        expect(await rejectionOf(() => plan.accept(force))).toMatchObject({
          code: 'invalid_input',
          data: { field: 'reason' },
        })
        expect((await rejectionOf(() => plan.accept({ ...force, reason: '' }))).code).toBe('invalid_input')
        const { decision } = accepted(await plan.accept({ ...force, reason: 'the panel said so' }))
        expect(decision).toMatchObject({ reason: 'the panel said so', overrides: [code] })
        expect(readTicketJson(root, 'tickets/A.json').decisions).toContainEqual(decision)
        expect((await plan.consult('A')).claim).toMatchObject({ holder: 'pod-1' })
      },
      code === 'pool_full' ? { default: 1 } : undefined,
    )
  })

  test('is refused on a cycle, which force overrides with all of its holds', async () => {
    await withPlan(async ({ plan }) => {
      await plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      await plan.record({ ticket: 'B', kind: 'after', other: 'A' })
      expect(holdsFor(await plan.accept({ ticket: 'A', holder: 'pod-1' }))).toEqual(['cycle', 'blocked_by'])
      const { decision } = accepted(await plan.accept({ ticket: 'A', holder: 'pod-1', force: true, reason: 'x' }))
      expect(decision.overrides).toEqual(['blocked_by', 'cycle'])
    })
  })

  test('by force overrides neither the claim of another holder nor a file that cannot be read', async () => {
    await withPlan(async ({ plan, root }) => {
      const force = { force: true, reason: 'x' }
      const held = claimed(await plan.claim({ ticket: 'A', holder: 'pod-1' }))
      const refused = await plan.accept({ ticket: 'A', holder: 'pod-2', ...force })
      expect(refused).toMatchObject({ accepted: false, claim: publicly(held) })
      expect(holdsFor(refused)).toEqual(['claimed'])
      await plan.record({ ticket: 'B', kind: 'blocked_by', other: 'C' })
      writeFileSync(join(root, 'tickets/C.json'), '{')
      for (const ticket of ['B', 'C'])
        expect(holdsFor(await plan.accept({ ticket, holder: 'pod-2', ...force }))).toEqual(['quarantined'])
      expect((await plan.claims()).claims).toHaveLength(1)
    })
  })

  test('by the holder renews with the same token, and the same plan unless a new one is given', async () => {
    await withPlan(async ({ plan, root }) => {
      const first = accepted(await plan.accept({ ticket: 'A', holder: 'pod-1', branch: 'impl/a' }))
      await plan.set({ ticket: 'A', state: 'in_progress' })
      const bytes = readTicketJson(root, 'tickets/A.json')
      const again = accepted(await plan.accept({ ticket: 'A', holder: 'pod-1', token: first.claim.token }))
      expect(again.decision).toEqual(first.decision)
      expect(again.claim).toEqual({
        ...first.claim,
        renewed_at: '2026-06-08T12:00:03.000Z',
        expires_at: '2026-06-08T12:30:03.000Z',
      })
      expect(readTicketJson(root, 'tickets/A.json')).toEqual(bytes)
      const other = accepted(await plan.accept({ ticket: 'A', holder: 'pod-1', branch: 'impl/b' }))
      expect(other.claim.token).toBe(first.claim.token)
      expect(other.decision.id).not.toBe(first.decision.id)
      expect((await plan.consult('A')).plan).toMatchObject({ decision: other.decision.id })
    })
  })

  test('by the holder of a claim without a plan enforces what the claim did not', async () => {
    await withPlan(async ({ plan }) => {
      const { token } = claimed(await plan.claim({ ticket: 'A', holder: 'pod-1' }))
      await plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      expect(holdsFor(await plan.accept({ ticket: 'A', holder: 'pod-1' }))).toEqual(['blocked_by'])
      await plan.set({ ticket: 'B', state: 'done' })
      expect(accepted(await plan.accept({ ticket: 'A', holder: 'pod-1' })).claim.token).toBe(token)
    })
  })

  test('does not take the plan of an earlier claim for one under the live claim', async () => {
    await withPlan(async ({ plan }) => {
      const first = accepted(await plan.accept({ ticket: 'A', holder: 'pod-1' }))
      await plan.release({ ticket: 'A', token: first.claim.token })
      claimed(await plan.claim({ ticket: 'A', holder: 'pod-1' }))
      await plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      expect(holdsFor(await plan.accept({ ticket: 'A', holder: 'pod-1' }))).toEqual(['blocked_by'])
    })
  })

  test('by the holder moves to another pool only if a slot is free, and keeps its slot otherwise', async () => {
    await withPlan(
      async ({ plan }) => {
        const { claim } = accepted(await plan.accept({ ticket: 'A', holder: 'pod-1' }))
        const other = accepted(await plan.accept({ ticket: 'B', holder: 'pod-2', pool: 'gpu' }))
        const refused = await plan.accept({ ticket: 'A', holder: 'pod-1', pool: 'gpu' })
        expect(holdsFor(refused)).toEqual(['pool_full'])
        expect((await plan.claims()).claims.map(({ pool }) => pool)).toEqual(['default', 'gpu'])
        await plan.release({ ticket: 'B', token: other.claim.token })
        const moved = accepted(await plan.accept({ ticket: 'A', holder: 'pod-1', pool: 'gpu' }))
        expect(moved.claim).toMatchObject({ pool: 'gpu', token: claim.token })
        expect(moved.decision.plan).toMatchObject({ pool: 'gpu' })
        expect(accepted(await plan.accept({ ticket: 'A', holder: 'pod-1' })).claim.pool).toBe('gpu')
      },
      { default: 1, gpu: 1 },
    )
  })

  test('by a holder after the expiry is refused with the old token, taken over or not', async () => {
    await withPlan(async ({ plan, clock, root }) => {
      const { claim } = accepted(await plan.accept({ ticket: 'A', holder: 'pod-1' }))
      clock.nowMs += TTL_MS
      const before = readTicketJson(root, 'tickets/A.json')
      const late = { ticket: 'A', holder: 'pod-1', token: claim.token, summary: 'late' }
      expect(await plan.accept(late)).toMatchObject({
        accepted: false,
        refused: 'stale_token',
        claim: null,
        decision: null,
      })
      expect((await plan.accept({ ...late, force: true, reason: 'x' })).refused).toBe('stale_token')
      expect(readTicketJson(root, 'tickets/A.json')).toEqual(before)
      const taken = accepted(await plan.accept({ ticket: 'A', holder: 'pod-2' }))
      expect(await plan.accept(late)).toMatchObject({
        accepted: false,
        refused: 'stale_token',
        claim: publicly(taken.claim),
      })
      expect(await plan.consult('A')).toMatchObject({
        plan: { decision: taken.decision.id },
        claim: { holder: 'pod-2' },
      })
    })
  })

  test('uses the clock that never runs backwards, and the plan follows the order of plans', async () => {
    await withPlan(async ({ plan, clock }) => {
      const first = accepted(await plan.accept({ ticket: 'A', holder: 'pod-1' }))
      clock.nowMs += TTL_MS
      expect((await plan.consult('A')).claim).toBeNull()
      expect((await plan.renew({ ticket: 'A', token: first.claim.token })).refused).toBe('stale_token')
      clock.nowMs -= TTL_MS
      expect((await plan.consult('A')).claim).toBeNull() // it was over once
      expect((await plan.renew({ ticket: 'A', token: first.claim.token })).refused).toBe('stale_token')
      clock.nowMs -= 86_400_000
      const second = accepted(await plan.accept({ ticket: 'A', holder: 'pod-2' }))
      expect(second.claim.token).toBeGreaterThan(first.claim.token)
      expect((await plan.consult('A')).plan).toMatchObject({ decision: second.decision.id })
      expect(accepted(await plan.accept({ ticket: 'A', holder: 'pod-2' })).decision).toEqual(second.decision)
    })
  })

  test('of an unknown Ticket is an error that names it', async () => {
    await withPlan(async ({ plan }) => {
      expect(
        (await rejectionOf(() => plan.accept({ ticket: 'Z', holder: 'pod-1', force: true, reason: 'x' }))).code,
      ).toBe('unknown_ticket')
      expect((await rejectionOf(() => plan.accept({ ticket: 'A', holder: 'pod-1', worktree: '/abs' }))).code).toBe(
        'invalid_input',
      )
      expect((await rejectionOf(() => plan.accept({ ticket: 'A', holder: 'two\nlines' }))).code).toBe('invalid_input')
      expect((await plan.claims()).claims).toEqual([])
    })
  })
}
