/**
 * What claims and accept must do wherever the claims are, as tests of a plan. The test file of each engine calls `testPlans`
 * with a function that opens a plan for each test.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ConnectedPlan, OutputOf } from '../sdk.ts'
import type { TestClock } from './checked-plan.ts'
import { rejectionOf } from './plan-error-of.ts'
import { readTicketJson } from './temporary-repository.ts'

export const TTL_MS = 1_800_000

export interface PlanSetting {
  plan: ConnectedPlan
  root: string
  clock: TestClock
  /** Opens the plan of the same clone a second time. */
  again(): Promise<ConnectedPlan>
  /** The machine of the clone, where claims have one. */
  machine: { machine?: string }
}

/** Runs a test on a plan with the queued Tickets A to D, whose every call moves all clocks on by a second. */
export type WithPlan = (
  use: (setting: PlanSetting) => Promise<unknown>,
  pools?: Record<string, number>,
) => Promise<void>

/** Defines the tests for one engine. */
export function testPlans(name: string, withPlan: WithPlan): void {
  describe(name, () => {
    describe('claim, renew and release', () => testClaimOperations(withPlan))
    describe('accept', () => testAccept(withPlan))
    describe('consult, queue and show take claims into account', () => testVerdicts(withPlan))
  })
}

const holdsOf = ({ reasons }: { reasons: { code: string; severity: string }[] }) =>
  reasons.filter(({ severity }) => severity === 'hold').map(({ code }) => code)
const warningsOf = ({ reasons }: { reasons: { code: string; severity: string }[] }) =>
  reasons.filter(({ severity }) => severity === 'warn').map(({ code }) => code)

/** Returns why an accept was refused; fails if it was not. */
function holdsFor(document: OutputOf<'accept'>): string[] {
  expect(document).toMatchObject({ accepted: false, decision: null })
  return holdsOf(document)
}

function accepted(document: OutputOf<'accept'>) {
  expect(document).toMatchObject({ accepted: true })
  return { claim: withToken(document.claim), decision: document.decision! }
}

function claimed(document: OutputOf<'claim'>) {
  expect(document.refused).toBeUndefined()
  return withToken(document.claim)
}

/** Returns the claim, which has a token: the answer is for its holder. */
function withToken(claim: OutputOf<'claim'>['claim']) {
  expect(claim).toMatchObject({ token: expect.any(Number) })
  return claim as typeof claim & { token: number }
}

/** Returns the claim as everybody else sees it. */
function publicly<T extends { token?: number }>({ token: _, ...claim }: T) {
  return claim
}

function testClaimOperations(withPlan: WithPlan): void {
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

function testAccept(withPlan: WithPlan): void {
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

function testVerdicts(withPlan: WithPlan): void {
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
