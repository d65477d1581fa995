import { mkdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { connect } from '../database/open.ts'
import type { OutputOf, Plan } from '../sdk.ts'
import { checkAfterFault } from '../test-support/check-after-fault.ts'
import { checkedPlan, type TestClock, testClock } from '../test-support/checked-plan.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { countingStamps } from '../test-support/stamps.ts'
import { makeNote, putTicket, readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'

const TTL_MS = 1_800_000

interface Setting {
  plan: Plan
  root: string
  clock: TestClock
  localPath: string
}

/** A plan with the queued Tickets A to D; each call of the plan moves the clock on by a second. */
function withPlan(use: (setting: Setting) => void, pools?: Record<string, number>): void {
  using repository = temporaryRepository()
  if (pools) writeFileSync(join(repository.root, 'ticketplan.json'), JSON.stringify({ pools }))
  for (const id of ['A', 'B', 'C', 'D']) putTicket(repository.root, id, { state: 'queued' })
  const clock = testClock()
  using plan = checkedPlan(repository.root, clock)
  use({ plan, root: repository.root, clock, localPath: repository.localPath })
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

describe('claim, renew and release', () => {
  test('return the claim, with the given time to live or the configured one', () => {
    withPlan(({ plan }) => {
      const claim = claimed(
        plan.claim({ ticket: 'A', holder: 'pod-1', session: 's', worktree: 'worktrees/a', pid: 7, ttl: 60 }),
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
      })
      const renewed = plan.renew({ ticket: 'A', token: claim.token })
      expect(renewed).toEqual({
        claim: { ...claim, renewed_at: '2026-06-08T12:00:02.000Z', expires_at: '2026-06-08T12:01:02.000Z' },
      })
      expect(plan.renew({ ticket: 'A', token: claim.token, ttl: 1.5 }).claim?.expires_at).toBe(
        '2026-06-08T12:00:04.500Z',
      )
      expect(plan.release({ ticket: 'A', token: claim.token })).toMatchObject({ claim: { token: claim.token } })
      expect(plan.claims()).toEqual({ claims: [] })
      expect(plan.claims({ all: true }).claims).toMatchObject([
        { ticket: 'A', live: false, released_at: '2026-06-08T12:00:04.000Z' },
      ])
      const byConfiguration = claimed(plan.claim({ ticket: 'A', holder: 'pod-2' }))
      expect(Date.parse(byConfiguration.expires_at) - Date.parse(byConfiguration.acquired_at)).toBe(TTL_MS)
    })
  })

  test('an expired claim is listed as expired, holds nothing back, and is taken over', () => {
    withPlan(({ plan, clock }) => {
      const old = claimed(plan.claim({ ticket: 'A', holder: 'pod-1' }))
      clock.nowMs += TTL_MS
      expect(plan.claims().claims).toMatchObject([{ ticket: 'A', holder: 'pod-1', live: false, released_at: null }])
      expect(plan.consult('A')).toMatchObject({ verdict: 'accept', claim: null })
      const stale = { refused: 'stale_token', claim: { holder: 'pod-1', live: false } }
      expect(plan.renew({ ticket: 'A', token: old.token })).toMatchObject(stale)
      expect(plan.release({ ticket: 'A', token: old.token })).toMatchObject(stale)
      const taken = claimed(plan.claim({ ticket: 'A', holder: 'pod-2' }))
      expect(taken.token).toBeGreaterThan(old.token)
      expect(plan.renew({ ticket: 'A', token: old.token })).toEqual({ refused: 'stale_token', claim: publicly(taken) })
    })
  })

  test('a claim is refused for a held Ticket, a strict conflict and an unreadable file', () => {
    withPlan(({ plan, root }) => {
      const held = claimed(plan.claim({ ticket: 'A', holder: 'pod-1' }))
      plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'C', advisory: true })
      const refusal = plan.claim({ ticket: 'A', holder: 'pod-2' })
      expect(refusal).toMatchObject({ refused: 'held', claim: publicly(held) })
      expect(refusal.claim).not.toHaveProperty('token')
      expect(holdsOf({ reasons: refusal.reasons! })).toEqual(['claimed'])
      expect(plan.claim({ ticket: 'B', holder: 'pod-2' })).toMatchObject({ refused: 'conflicts_with', claim: null })
      claimed(plan.claim({ ticket: 'C', holder: 'pod-2' }))
      writeFileSync(join(root, 'tickets/D.json'), '{')
      expect(plan.claim({ ticket: 'D', holder: 'pod-2' })).toMatchObject({ refused: 'quarantined', claim: null })
    })
  })

  test('a claim without a plan does not check blockers, order and state', () => {
    withPlan(({ plan }) => {
      plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      plan.record({ ticket: 'A', kind: 'after', other: 'C' })
      plan.set({ ticket: 'A', state: 'open' })
      claimed(plan.claim({ ticket: 'A', holder: 'pod-1' }))
    })
  })

  test('a holder is a name and a session: the same name in another session needs the token', () => {
    withPlan(({ plan, root }) => {
      const first = claimed(plan.claim({ ticket: 'A', holder: 'pod-1', session: 's-1' }))
      for (const session of [undefined, 's-2']) {
        const refused = plan.claim({ ticket: 'A', holder: 'pod-1', session })
        expect(refused).toMatchObject({ refused: 'held', reasons: [{ code: 'claimed' }] })
        expect(refused.reasons![0]!.message).toContain('session s-1')
        expect(JSON.stringify(refused)).not.toContain(String(first.token))
        expect(plan.claim({ ticket: 'A', holder: 'pod-1', session, token: first.token + 1 }).refused).toBe(
          'stale_token',
        )
      }
      const moved = claimed(plan.claim({ ticket: 'A', holder: 'pod-1', session: 's-2', token: first.token }))
      expect(moved).toMatchObject({ session: 's-2', token: first.token })
      expect(plan.claim({ ticket: 'A', holder: 'pod-1', session: 's-1' }).refused).toBe('held')
      process.env.TICKETPLAN_SESSION = 's-2'
      try {
        using other = checkedPlan(root, testClock())
        expect(claimed(other.claim({ ticket: 'A', holder: 'pod-1' })).token).toBe(first.token)
        expect(other.claim({ ticket: 'A', holder: 'pod-1', session: 's-1' }).refused).toBe('held')
      } finally {
        delete process.env.TICKETPLAN_SESSION
      }
    })
  })

  test('no refusal and no answer to others shows a token; claims and the brief do', () => {
    withPlan(({ plan }) => {
      plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      const { token } = claimed(plan.claim({ ticket: 'A', holder: 'pod-1', pool: 'gpu' }))
      const stale = token - 1
      const answers = [
        plan.claim({ ticket: 'A', holder: 'pod-2' }),
        plan.claim({ ticket: 'B', holder: 'pod-2' }),
        plan.claim({ ticket: 'A', holder: 'pod-2', token: stale }),
        plan.accept({ ticket: 'A', holder: 'pod-2' }),
        plan.accept({ ticket: 'A', holder: 'pod-2', token: stale }),
        plan.renew({ ticket: 'A', token: stale }),
        plan.release({ ticket: 'A', token: stale }),
        plan.consult('A'),
        plan.consult({ ticket: 'A', holder: 'pod-1' }),
        plan.show('A'),
        plan.queue(),
      ]
      for (const answer of answers) expect(JSON.stringify(answer)).not.toContain(String(token))
      expect(plan.claims().claims).toMatchObject([{ token }])
      expect(plan.brief().text).toContain(`token ${token}`)
      const released = plan.release({ ticket: 'A', force: true, reason: 'the pod is gone' })
      expect(released).toMatchObject({ claim: { holder: 'pod-1', live: false } })
      expect(JSON.stringify(released)).not.toContain(String(token))
    })
  })

  test('a terminal Ticket is not claimed; its claim holds no slot and is named until it is released', () => {
    withPlan(
      ({ plan }) => {
        plan.set({ ticket: 'D', state: 'done' })
        expect(plan.claim({ ticket: 'D', holder: 'pod-1' })).toMatchObject({
          refused: 'terminal',
          claim: null,
          reasons: [{ code: 'not_queued' }],
        })
        const { token } = claimed(plan.claim({ ticket: 'A', holder: 'pod-1', pool: 'gpu' }))
        expect(plan.claim({ ticket: 'B', holder: 'pod-2', pool: 'gpu' }).refused).toBe('pool_full')
        expect(plan.claims().claims[0]).not.toHaveProperty('terminal')
        plan.set({ ticket: 'A', state: 'cancelled' })
        claimed(plan.claim({ ticket: 'B', holder: 'pod-2', pool: 'gpu' }))
        expect(plan.claim({ ticket: 'A', holder: 'pod-1' }).refused).toBe('terminal') // not even by its holder
        expect(plan.claims().claims).toMatchObject([
          { ticket: 'A', live: true, terminal: true },
          { ticket: 'B', live: true },
        ])
        expect(plan.brief().text).toMatch(/CLAIMS: 1 live, 0 expired, 1 to release.*\n(?:.*\n)*?.*A held by pod-1/)
        expect(plan.release({ ticket: 'A', token })).toMatchObject({ claim: { live: false } })
        expect(plan.claims().claims.map(({ ticket }) => ticket)).toEqual(['B'])
        expect(plan.brief().text).toContain('CLAIMS: 1 live, 0 expired\n')
      },
      { gpu: 1 },
    )
  })

  test('claims are listed, renewed and released where the branch has no tickets folder', () => {
    withPlan(({ plan, root }) => {
      const { token } = claimed(plan.claim({ ticket: 'A', holder: 'pod-1' }))
      renameSync(join(root, 'tickets'), join(root, 'elsewhere'))
      expect(plan.claims().claims).toMatchObject([{ ticket: 'A', token, live: true }])
      expect(plan.renew({ ticket: 'A', token })).toMatchObject({ claim: { token } })
      expect(plan.release({ ticket: 'A', token })).toMatchObject({ claim: { live: false } })
      expect(planErrorOf(() => plan.renew({ ticket: 'B', token })).code).toBe('not_initialized')
      renameSync(join(root, 'elsewhere'), join(root, 'tickets'))
    })
  })

  test('a pool has at most as many claims as slots; a holder moves to another pool only if a slot is free', () => {
    withPlan(
      ({ plan }) => {
        const first = claimed(plan.claim({ ticket: 'A', holder: 'pod-1', pool: 'gpu' }))
        expect(plan.claim({ ticket: 'B', holder: 'pod-2', pool: 'gpu' })).toMatchObject({ refused: 'pool_full' })
        expect(claimed(plan.claim({ ticket: 'B', holder: 'pod-2' })).pool).toBe('default')
        expect(plan.claim({ ticket: 'B', holder: 'pod-2', pool: 'gpu' })).toMatchObject({
          refused: 'pool_full',
          claim: { pool: 'default' },
        })
        // Renewed without a pool it does not move to the default one, which is full.
        expect(claimed(plan.claim({ ticket: 'A', holder: 'pod-1' }))).toMatchObject({ pool: 'gpu', token: first.token })
        plan.release({ ticket: 'A', token: first.token })
        expect(claimed(plan.claim({ ticket: 'B', holder: 'pod-2', pool: 'gpu' })).pool).toBe('gpu')
        claimed(plan.claim({ ticket: 'C', holder: 'pod-3' }))
        expect(plan.claim({ ticket: 'D', holder: 'pod-3' })).toMatchObject({ refused: 'pool_full' })
      },
      { default: 1, gpu: 1 },
    )
  })

  test('a holder renews by claiming again, whatever holds the Ticket by now', () => {
    withPlan(({ plan }) => {
      const { token } = claimed(plan.claim({ ticket: 'A', holder: 'pod-1' }))
      plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      plan.set({ ticket: 'B', state: 'in_progress' })
      expect(claimed(plan.claim({ ticket: 'A', holder: 'pod-1' })).token).toBe(token)
    })
  })

  test('a forced release ends any claim, also on a Ticket without a file; it needs a reason', () => {
    withPlan(({ plan, root }) => {
      claimed(plan.claim({ ticket: 'A', holder: 'pod-1' }))
      renameSync(join(root, 'tickets/A.json'), join(root, 'A.json'))
      expect(planErrorOf(() => plan.release({ ticket: 'A', force: true })).data).toEqual({ field: 'reason' })
      expect(planErrorOf(() => plan.release({ ticket: 'A' })).data).toEqual({ field: 'token' })
      expect(plan.release({ ticket: 'A', force: true, reason: 'the pod is gone' }).refused).toBeUndefined()
      expect(plan.release({ ticket: 'A', force: true, reason: 'again' })).toEqual({
        refused: 'stale_token',
        claim: null,
      })
    })
  })

  test('an unknown pool is refused if pools are configured', () => {
    withPlan(({ plan }) => claimed(plan.claim({ ticket: 'A', holder: 'pod-1', pool: 'gpu' })))
    withPlan(
      ({ plan }) => {
        for (const call of [
          () => plan.claim({ ticket: 'A', holder: 'pod-1', pool: 'gpv' }),
          () => plan.accept({ ticket: 'A', holder: 'pod-1', pool: 'gpv' }),
        ]) {
          expect(planErrorOf(call)).toMatchObject({ code: 'unknown_pool', data: { pool: 'gpv', pools: ['gpu'] } })
        }
        expect(plan.claims().claims).toEqual([])
      },
      { gpu: 1 },
    )
  })
})

/** What keeps A from being accepted, one case for each hold. */
const holds: [code: string, set: (setting: Setting) => void][] = [
  ['not_queued', ({ plan }) => plan.set({ ticket: 'A', state: 'open' })],
  ['blocked_by', ({ plan }) => plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })],
  ['blocker_missing', ({ plan }) => plan.record({ ticket: 'A', kind: 'blocked_by', other: 'Z', future: true })],
  ['after', ({ plan }) => plan.record({ ticket: 'A', kind: 'after', other: 'B' })],
  [
    'after',
    ({ plan }) => {
      plan.set({ ticket: 'B', state: 'open' })
      plan.record({ ticket: 'A', kind: 'after', other: 'B' })
      expect(plan.consult('A').verdict).toBe('accept')
      claimed(plan.claim({ ticket: 'B', holder: 'pod-2' }))
    },
  ],
  [
    'conflicts_with',
    ({ plan }) => {
      plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      plan.set({ ticket: 'B', state: 'in_progress' })
    },
  ],
  [
    'conflicts_with',
    ({ plan }) => {
      plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      accepted(plan.accept({ ticket: 'B', holder: 'pod-2' }))
    },
  ],
  [
    'waiting_for_capacity',
    ({ plan }) => plan.record({ ticket: 'A', kind: 'waiting_for_capacity', until: ['B'], reason: 'x' }),
  ],
  ['pool_full', ({ plan }) => claimed(plan.claim({ ticket: 'B', holder: 'pod-2' }))],
]

describe('accept', () => {
  test('takes the claim and writes the plan, which supersedes earlier plans and satisfies waiting notes', () => {
    withPlan(({ plan, root, clock }) => {
      plan.record({ ticket: 'A', kind: 'waiting_for_capacity', reason: 'a machine' })
      const first = accepted(
        plan.accept({
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
      const statuses = () => plan.show('A').decisions.map(({ kind, status }) => [kind, status])
      expect(statuses()).toEqual([
        ['waiting_for_capacity', 'satisfied'],
        ['accepted_plan', 'active'],
      ])
      clock.nowMs += TTL_MS
      const second = accepted(plan.accept({ ticket: 'A', holder: 'pod-2', plan: { branch: 'impl/b' } }))
      expect(second.decision.plan).toEqual({ summary: 'Ticket A', branch: 'impl/b' })
      expect(second.claim.token).toBeGreaterThan(first.claim.token)
      expect(statuses()).toEqual([
        ['waiting_for_capacity', 'satisfied'],
        ['accepted_plan', 'superseded'],
        ['accepted_plan', 'active'],
      ])
      expect(plan.consult('A')).toMatchObject({
        plan: { decision: second.decision.id, branch: 'impl/b' },
        claim: publicly(second.claim),
      })
    })
  })

  test.each(holds)('is refused with %s, and takes and writes nothing', (code, set) => {
    withPlan(
      setting => {
        const { plan, root } = setting
        set(setting)
        const before = readTicketJson(root, 'tickets/A.json')
        const claims = plan.claims()
        const refused = plan.accept({ ticket: 'A', holder: 'pod-1' })
        expect(refused).toMatchObject({ accepted: false, claim: null, decision: null })
        expect(holdsFor(refused)).toContain(code)
        expect(refused.reasons).toEqual(plan.consult({ ticket: 'A', holder: 'pod-1' }).reasons)
        expect(readTicketJson(root, 'tickets/A.json')).toEqual(before)
        expect(plan.claims()).toEqual(claims)
      },
      code === 'pool_full' ? { default: 1 } : undefined,
    )
  })

  test.each(holds)('by force with a reason overrides %s, and the plan lists it', (code, set) => {
    withPlan(
      setting => {
        const { plan, root } = setting
        set(setting)
        const force = { ticket: 'A', holder: 'pod-1', force: true }
        expect(planErrorOf(() => plan.accept(force))).toMatchObject({
          code: 'invalid_input',
          data: { field: 'reason' },
        })
        expect(planErrorOf(() => plan.accept({ ...force, reason: '' })).code).toBe('invalid_input')
        const { decision } = accepted(plan.accept({ ...force, reason: 'the panel said so' }))
        expect(decision).toMatchObject({ reason: 'the panel said so', overrides: [code] })
        expect(readTicketJson(root, 'tickets/A.json').decisions).toContainEqual(decision)
        expect(plan.consult('A').claim).toMatchObject({ holder: 'pod-1' })
      },
      code === 'pool_full' ? { default: 1 } : undefined,
    )
  })

  test('is refused on a cycle, which force overrides with all of its holds', () => {
    withPlan(({ plan }) => {
      plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      plan.record({ ticket: 'B', kind: 'after', other: 'A' })
      expect(holdsFor(plan.accept({ ticket: 'A', holder: 'pod-1' }))).toEqual(['cycle', 'blocked_by'])
      const { decision } = accepted(plan.accept({ ticket: 'A', holder: 'pod-1', force: true, reason: 'x' }))
      expect(decision.overrides).toEqual(['blocked_by', 'cycle'])
    })
  })

  test('by force overrides neither the claim of another holder nor a file that cannot be read', () => {
    withPlan(({ plan, root }) => {
      const force = { force: true, reason: 'x' }
      const held = claimed(plan.claim({ ticket: 'A', holder: 'pod-1' }))
      const refused = plan.accept({ ticket: 'A', holder: 'pod-2', ...force })
      expect(refused).toMatchObject({ accepted: false, claim: publicly(held) })
      expect(holdsFor(refused)).toEqual(['claimed'])
      plan.record({ ticket: 'B', kind: 'blocked_by', other: 'C' })
      writeFileSync(join(root, 'tickets/C.json'), '{')
      for (const ticket of ['B', 'C'])
        expect(holdsFor(plan.accept({ ticket, holder: 'pod-2', ...force }))).toEqual(['quarantined'])
      expect(plan.claims().claims).toHaveLength(1)
    })
  })

  test('by the holder renews with the same token, and the same plan unless a new one is given', () => {
    withPlan(({ plan, root }) => {
      const first = accepted(plan.accept({ ticket: 'A', holder: 'pod-1', branch: 'impl/a' }))
      plan.set({ ticket: 'A', state: 'in_progress' })
      const bytes = readTicketJson(root, 'tickets/A.json')
      const again = accepted(plan.accept({ ticket: 'A', holder: 'pod-1', token: first.claim.token }))
      expect(again.decision).toEqual(first.decision)
      expect(again.claim).toEqual({
        ...first.claim,
        renewed_at: '2026-06-08T12:00:03.000Z',
        expires_at: '2026-06-08T12:30:03.000Z',
      })
      expect(readTicketJson(root, 'tickets/A.json')).toEqual(bytes)
      const other = accepted(plan.accept({ ticket: 'A', holder: 'pod-1', branch: 'impl/b' }))
      expect(other.claim.token).toBe(first.claim.token)
      expect(other.decision.id).not.toBe(first.decision.id)
      expect(plan.consult('A').plan).toMatchObject({ decision: other.decision.id })
    })
  })

  test('by the holder of a claim without a plan enforces what the claim did not', () => {
    withPlan(({ plan }) => {
      const { token } = claimed(plan.claim({ ticket: 'A', holder: 'pod-1' }))
      plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      expect(holdsFor(plan.accept({ ticket: 'A', holder: 'pod-1' }))).toEqual(['blocked_by'])
      plan.set({ ticket: 'B', state: 'done' })
      expect(accepted(plan.accept({ ticket: 'A', holder: 'pod-1' })).claim.token).toBe(token)
    })
  })

  test('does not take the plan of an earlier claim for one under the live claim', () => {
    withPlan(({ plan }) => {
      const first = accepted(plan.accept({ ticket: 'A', holder: 'pod-1' }))
      plan.release({ ticket: 'A', token: first.claim.token })
      claimed(plan.claim({ ticket: 'A', holder: 'pod-1' }))
      plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      expect(holdsFor(plan.accept({ ticket: 'A', holder: 'pod-1' }))).toEqual(['blocked_by'])
    })
  })

  test('by the holder moves to another pool only if a slot is free, and keeps its slot otherwise', () => {
    withPlan(
      ({ plan }) => {
        const { claim } = accepted(plan.accept({ ticket: 'A', holder: 'pod-1' }))
        const other = accepted(plan.accept({ ticket: 'B', holder: 'pod-2', pool: 'gpu' }))
        const refused = plan.accept({ ticket: 'A', holder: 'pod-1', pool: 'gpu' })
        expect(holdsFor(refused)).toEqual(['pool_full'])
        expect(plan.claims().claims.map(({ pool }) => pool)).toEqual(['default', 'gpu'])
        plan.release({ ticket: 'B', token: other.claim.token })
        const moved = accepted(plan.accept({ ticket: 'A', holder: 'pod-1', pool: 'gpu' }))
        expect(moved.claim).toMatchObject({ pool: 'gpu', token: claim.token })
        expect(moved.decision.plan).toMatchObject({ pool: 'gpu' })
        expect(accepted(plan.accept({ ticket: 'A', holder: 'pod-1' })).claim.pool).toBe('gpu')
      },
      { default: 1, gpu: 1 },
    )
  })

  test('by a holder after the expiry is refused with the old token, taken over or not', () => {
    withPlan(({ plan, clock, root }) => {
      const { claim } = accepted(plan.accept({ ticket: 'A', holder: 'pod-1' }))
      clock.nowMs += TTL_MS
      const before = readTicketJson(root, 'tickets/A.json')
      const late = { ticket: 'A', holder: 'pod-1', token: claim.token, summary: 'late' }
      expect(plan.accept(late)).toMatchObject({ accepted: false, refused: 'stale_token', claim: null, decision: null })
      expect(plan.accept({ ...late, force: true, reason: 'x' }).refused).toBe('stale_token')
      expect(readTicketJson(root, 'tickets/A.json')).toEqual(before)
      const taken = accepted(plan.accept({ ticket: 'A', holder: 'pod-2' }))
      expect(plan.accept(late)).toMatchObject({ accepted: false, refused: 'stale_token', claim: publicly(taken.claim) })
      expect(plan.consult('A')).toMatchObject({ plan: { decision: taken.decision.id }, claim: { holder: 'pod-2' } })
    })
  })

  test('uses the clock that never runs backwards, and the plan follows the order of plans', () => {
    withPlan(({ plan, clock }) => {
      const first = accepted(plan.accept({ ticket: 'A', holder: 'pod-1' }))
      clock.nowMs += TTL_MS
      expect(plan.consult('A').claim).toBeNull()
      clock.nowMs -= TTL_MS
      expect(plan.consult('A').claim).toBeNull() // it was over once
      expect(plan.renew({ ticket: 'A', token: first.claim.token }).refused).toBe('stale_token')
      clock.nowMs -= 86_400_000
      const second = accepted(plan.accept({ ticket: 'A', holder: 'pod-2' }))
      expect(second.claim.token).toBeGreaterThan(first.claim.token)
      expect(plan.consult('A').plan).toMatchObject({ decision: second.decision.id })
      expect(accepted(plan.accept({ ticket: 'A', holder: 'pod-2' })).decision).toEqual(second.decision)
    })
  })

  test('of an unknown Ticket is an error that names it', () => {
    withPlan(({ plan }) => {
      expect(planErrorOf(() => plan.accept({ ticket: 'Z', holder: 'pod-1', force: true, reason: 'x' })).code).toBe(
        'unknown_ticket',
      )
      expect(planErrorOf(() => plan.accept({ ticket: 'A', holder: 'pod-1', worktree: '/abs' })).code).toBe(
        'invalid_input',
      )
      expect(planErrorOf(() => plan.accept({ ticket: 'A', holder: 'two\nlines' })).code).toBe('invalid_input')
      expect(plan.claims().claims).toEqual([])
    })
  })
})

describe('consult, queue and show take claims into account', () => {
  test('claimed: for everyone but the holder', () => {
    withPlan(({ plan }) => {
      const { claim } = accepted(plan.accept({ ticket: 'A', holder: 'pod-1' }))
      const answer = plan.consult('A')
      expect(answer).toMatchObject({ verdict: 'hold', claim: publicly(claim) })
      expect(answer.reasons).toEqual([
        {
          code: 'claimed',
          severity: 'hold',
          message: `claimed by pod-1 until ${claim.expires_at}`,
          holder: 'pod-1',
          session: null,
          expires_at: claim.expires_at,
        },
      ])
      expect(plan.show('A')).toMatchObject({ verdict: 'hold', claim: publicly(claim), reasons: answer.reasons })
      expect(plan.queue().queue[0]).toMatchObject({ ticket: { id: 'A' }, verdict: 'hold', reasons: answer.reasons })
      expect(plan.consult({ ticket: 'A', holder: 'pod-1' })).toMatchObject({ verdict: 'accept', reasons: [] })
      expect(holdsOf(plan.consult({ ticket: 'A', holder: 'pod-2' }))).toEqual(['claimed'])
    })
  })

  test('conflicts_with and after: until the claim on the other Ticket ends', () => {
    withPlan(({ plan, clock }) => {
      plan.set({ ticket: 'D', state: 'open' })
      plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'D' })
      plan.record({ ticket: 'B', kind: 'after', other: 'D' })
      plan.record({ ticket: 'C', kind: 'conflicts_with', other: 'D', advisory: true })
      const holdsInQueue = () => Object.fromEntries(plan.queue().queue.map(entry => [entry.ticket.id, holdsOf(entry)]))
      expect(holdsInQueue()).toEqual({ A: [], B: [], C: [] })
      claimed(plan.claim({ ticket: 'D', holder: 'pod-1' }))
      expect(holdsInQueue()).toEqual({ A: ['conflicts_with'], B: ['after'], C: [] })
      expect(plan.consult('A').reasons).toMatchObject([{ ticket: 'D', message: expect.stringContaining('pod-1') }])
      expect(plan.consult('B').reasons).toMatchObject([{ ticket: 'D', message: expect.stringContaining('claimed') }])
      expect(warningsOf(plan.consult('C'))).toEqual(['conflicts_with'])
      clock.nowMs += TTL_MS
      expect(holdsInQueue()).toEqual({ A: [], B: [], C: [] })
    })
  })

  test('pool_full and waiting_for_capacity: with the taken and the free slots', () => {
    withPlan(
      ({ plan }) => {
        plan.record({ ticket: 'A', kind: 'waiting_for_capacity', pool: 'gpu', reason: 'needs a card' })
        const waits = { code: 'waiting_for_capacity', pool: 'gpu', capacity: 2 }
        expect(plan.consult('A')).toMatchObject({
          verdict: 'accept',
          reasons: [{ ...waits, severity: 'warn', taken: 0, message: expect.stringContaining('2 of 2') }],
        })
        const claim = claimed(plan.claim({ ticket: 'B', holder: 'pod-1', pool: 'gpu' }))
        expect(plan.consult('A')).toMatchObject({
          verdict: 'accept',
          reasons: [{ ...waits, severity: 'warn', taken: 1, message: expect.stringContaining('1 of 2 slots') }],
        })
        claimed(plan.claim({ ticket: 'C', holder: 'pod-2', pool: 'gpu' }))
        const full = {
          verdict: 'hold',
          reasons: [
            { ...waits, severity: 'hold', taken: 2 },
            { code: 'pool_full', severity: 'hold', pool: 'gpu', capacity: 2, taken: 2 },
          ],
        }
        expect(plan.consult('A')).toMatchObject(full)
        expect(plan.show('A')).toMatchObject(full)
        expect(plan.queue().queue.find(({ ticket }) => ticket.id === 'A')).toMatchObject(full)
        expect(plan.consult('D').reasons).toEqual([]) // another pool, without a limit
        expect(holdsOf(plan.consult({ ticket: 'D', pool: 'gpu' }))).toEqual(['pool_full'])
        plan.release({ ticket: 'B', token: claim.token })
        expect(accepted(plan.accept({ ticket: 'A', holder: 'pod-1' })).claim.pool).toBe('gpu')
        expect(holdsOf(plan.consult({ ticket: 'D', pool: 'gpu' }))).toEqual(['pool_full'])
      },
      { gpu: 2 },
    )
  })
})

describe('an accept that fails while the plan is written', () => {
  /** A plan whose ids come from a function that first does something to the repository. */
  function withMeddling(
    meddle: (root: string) => void,
    use: (plan: Plan, root: string, localPath: string) => void,
  ): void {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { state: 'queued' })
    const stamp = countingStamps()()
    const newId = (timeMs: number) => {
      meddle(repository.root)
      return stamp.newId(timeMs)
    }
    using plan = checkedPlan(repository.root, testClock(), { newId })
    use(plan, repository.root, repository.localPath)
  }

  test('because the file became a folder leaves no claim', () => {
    const meddle = (root: string) => {
      renameSync(join(root, 'tickets/A.json'), join(root, 'A.json'))
      mkdirSync(join(root, 'tickets/A.json'))
    }
    withMeddling(meddle, (plan, root) => {
      const error = planErrorOf(() => plan.accept({ ticket: 'A', holder: 'pod-1' }))
      expect(error).toMatchObject({ code: 'invalid_file', data: { refusal: 'not_a_regular_file' } })
      expect(plan.claims({ all: true }).claims).toEqual([])
      rmdirSync(join(root, 'tickets/A.json'))
      renameSync(join(root, 'A.json'), join(root, 'tickets/A.json'))
      expect(plan.consult('A')).toMatchObject({ verdict: 'accept', plan: null, claim: null })
      checkAfterFault(root, [])
    })
  })

  test('because the file cannot be read any more leaves no claim', () => {
    withMeddling(
      root => writeFileSync(join(root, 'tickets/A.json'), '<<<<<<< ours\n'),
      (plan, root) => {
        expect(planErrorOf(() => plan.accept({ ticket: 'A', holder: 'pod-1' })).code).toBe('invalid_file')
        expect(plan.claims({ all: true }).claims).toEqual([])
        putTicket(root, 'A', { state: 'queued' })
        expect(plan.consult('A')).toMatchObject({ verdict: 'accept', plan: null, claim: null })
      },
    )
  })

  test('because the file would be too large leaves no claim and the old bytes', () => {
    withPlan(({ plan, root }) => {
      const decisions = Array.from({ length: 64 }, () => makeNote('x'.repeat(16_000)))
      putTicket(root, 'A', { state: 'queued', decisions })
      const summary = 'y'.repeat(16_000)
      const notes = () => readTicketJson(root, 'tickets/A.json').decisions.length
      for (let tries = 0; tries < 3; tries++)
        expect(planErrorOf(() => plan.accept({ ticket: 'A', holder: 'pod-1', summary, rolePlan: summary })).code).toBe(
          'limit',
        )
      expect(notes()).toBe(64)
      expect(plan.claims({ all: true }).claims).toEqual([])
    })
  })

  test('because the token cannot be stored leaves no claim and no plan, and names the file', () => {
    withPlan(({ plan, root, localPath }) => {
      mkdirSync(join(localPath, '..', 'fencing-token'), { recursive: true })
      const error = planErrorOf(() => plan.accept({ ticket: 'A', holder: 'pod-1' }))
      expect(error).toMatchObject({ code: 'io', message: expect.stringContaining('fencing-token') })
      expect(plan.claims({ all: true }).claims).toEqual([])
      expect(readTicketJson(root, 'tickets/A.json').decisions).toEqual([])
    })
  })

  test('because the claim cannot be committed retracts the plan', () => {
    withPlan(({ plan, root, localPath }) => {
      plan.claims()
      plan.record({ ticket: 'B', kind: 'note', reason: 'makes local.db' })
      const connection = connect(localPath, 'local', 1000)
      // A constraint that is checked at the commit: the only way to make that fail on every machine.
      connection.exec(
        `create table parent (id integer primary key);
         create table child (id integer references parent (id) deferrable initially deferred);
         create trigger fail after insert on leases begin insert into child values (1); end`,
      )
      const error = planErrorOf(() => plan.accept({ ticket: 'A', holder: 'pod-1' }))
      expect(error).toMatchObject({ code: 'database', data: { path: localPath } })
      expect(plan.claims({ all: true }).claims).toEqual([])
      expect(plan.show('A').decisions.map(({ kind, status }) => [kind, status])).toEqual([
        ['accepted_plan', 'retracted'],
        ['retraction', 'active'],
      ])
      expect(plan.consult('A')).toMatchObject({ verdict: 'accept', plan: null, claim: null })
      connection.exec('drop trigger fail')
      connection.close()
      accepted(plan.accept({ ticket: 'A', holder: 'pod-2' }))
      checkAfterFault(root, [])
    })
  })
})
