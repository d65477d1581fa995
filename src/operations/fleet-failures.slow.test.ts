import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type ConnectedPlan, connectPlan } from '../sdk.ts'
import type { OpenOptions } from '../store/store.ts'
import { type FleetMachines, withMachines as onMachines } from '../test-support/fleet-machines.ts'
import { rejectionOf } from '../test-support/plan-error-of.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { readTicketJson } from '../test-support/temporary-repository.ts'
import { setClock, stopClock } from '../test-support/test-fleet.ts'

const obstacle = postgresObstacle()
// A process that dies loses nothing that the system has; without fsync its recovery is quick.
const postgres = postgresForFile({ settings: 'fsync = off' })
const NOON = Date.parse('2026-06-08T12:00:00.000Z')
const DAY_MS = 86_400_000

const withMachines = (use: (machines: FleetMachines) => Promise<void>, options?: OpenOptions) =>
  onMachines(postgres(), use, options)

const planOf = (plan: ConnectedPlan, id: string) =>
  readTicketJson(plan.root, `tickets/${id}.json`).decisions.map(({ kind }) => kind)

describe.skipIf(obstacle)('a server that cannot be reached', () => {
  test.each([
    'refuse',
    'silent',
  ] as const)('(%s) fails accept and claim in time, and holds what is asked', async mode => {
    await withMachines(async ({ proxy, one, two }) => {
      await one.claim({ ticket: 'B', holder: 'pod-1' })
      proxy.mode = mode
      proxy.cut()
      const startedAt = performance.now()
      const error = await rejectionOf(() => one.accept({ ticket: 'A', holder: 'pod-1' }))
      expect(error.code).toBe('fleet_unreachable')
      expect(performance.now() - startedAt).toBeLessThan(5000)
      expect((await rejectionOf(() => one.claim({ ticket: 'A', holder: 'pod-1' }))).code).toBe('fleet_unreachable')
      expect((await rejectionOf(() => one.claims())).code).toBe('fleet_unreachable')
      expect(planOf(one, 'A')).toEqual([])
      expect(await one.consult('A')).toMatchObject({
        verdict: 'hold',
        claim: null,
        reasons: [{ code: 'claims_unknown' }],
      })
      expect((await one.queue()).queue.map(({ verdict }) => verdict)).toEqual(['hold', 'hold'])
      expect((await one.brief()).text).toContain('claims are unknown')
      expect((await one.show('A')).reasons).toMatchObject([{ code: 'claims_unknown' }])
      await one.record({ ticket: 'A', kind: 'note', reason: 'written without the server' })
      await one.set({ ticket: 'B', state: 'done' })
      expect(await one.verify()).toMatchObject({ ok: true })
      proxy.mode = 'pass'
      proxy.cut()
      expect(await one.accept({ ticket: 'A', holder: 'pod-1' })).toMatchObject({ accepted: true })
      expect(await two.accept({ ticket: 'A', holder: 'pod-1' })).toMatchObject({ accepted: false })
    })
  })

  test('leaves a renewal open until the lease may be over, then it is stale', async () => {
    await withMachines(async ({ proxy, one }) => {
      const { claim } = await one.accept({ ticket: 'A', holder: 'pod-1', ttl: 4 })
      proxy.mode = 'refuse'
      proxy.cut()
      const renewal = { ticket: 'A', token: claim!.token! }
      const open = await one.renew(renewal)
      expect(open).toEqual({ claim: null, refused: 'fleet_unreachable', covered_until: expect.any(String) })
      expect(Date.parse(open.covered_until!)).toBeLessThanOrEqual(Date.parse(claim!.expires_at))
      await sleep(4000)
      expect(await one.renew(renewal)).toEqual({ claim: null, refused: 'stale_token' })
    })
  })
})

describe.skipIf(obstacle)('a lost answer', () => {
  test.each(['snapshot', 'acquire', 'renew'])('to %s is asked for again: one take, one plan', async call => {
    await withMachines(async ({ proxy, one, two, log }) => {
      proxy.loseAnswerTo(`ticketplan.${call}(`)
      const { accepted, claim } = await one.accept({ ticket: 'A', holder: 'pod-1' })
      expect(accepted).toBe(true)
      expect(planOf(one, 'A')).toEqual(['accepted_plan'])
      const entries = await log()
      expect(new Set(entries.map(({ token }) => token))).toEqual(new Set([claim!.token]))
      expect(entries.filter(({ action }) => action === 'acquired')).toHaveLength(1)
      expect(await one.renew({ ticket: 'A', token: claim!.token! })).toMatchObject({ claim: { live: true } })
      expect((await two.claim({ ticket: 'A', holder: 'pod-1' })).refused).toBe('held')
    })
  })

  test('to release is asked for again: released once, with the state', async () => {
    await withMachines(async ({ proxy, one, two, log }) => {
      const { claim } = await one.accept({ ticket: 'A', holder: 'pod-1' })
      proxy.loseAnswerTo('ticketplan.release(')
      expect(await one.release({ ticket: 'A', token: claim!.token!, state: 'done' })).toMatchObject({ state: 'done' })
      expect((await log()).filter(({ action }) => action === 'released')).toHaveLength(1)
      expect((await two.consult('A')).reasons).toMatchObject([{ code: 'behind', state: 'done' }])
      const forced = await two.accept({ ticket: 'A', holder: 'pod-2', force: true, reason: 'that was another task' })
      expect(forced).toMatchObject({ accepted: true, decision: { overrides: ['behind'] } })
    })
  })
})

describe.skipIf(obstacle)('a confirmation', () => {
  test('that stays unknown takes plan and state back, and says until when the claim may hold', async () => {
    await withMachines(async ({ proxy, one, two }) => {
      proxy.onRequest = text => {
        if (!text.includes('ticketplan.renew(')) return
        proxy.mode = 'silent'
        proxy.onRequest = () => {}
      }
      const error = await rejectionOf(() => one.accept({ ticket: 'A', holder: 'pod-1', state: 'in_progress' }))
      expect(error).toMatchObject({ code: 'fleet_unreachable', data: { sent: true } })
      expect(error.message).toMatch(/the plan was taken back; the claim may hold A until 20/)
      expect(readTicketJson(one.root, 'tickets/A.json')).toMatchObject({ state: 'queued' })
      expect(planOf(one, 'A')).toEqual(['accepted_plan', 'retraction'])
      expect((await two.claim({ ticket: 'A', holder: 'pod-2' })).refused).toBe('held')
      proxy.mode = 'pass'
      proxy.cut()
      expect(await one.accept({ ticket: 'A', holder: 'pod-1' })).toMatchObject({ accepted: true })
    })
  })

  test('after the reservation has run out is stale: the plan is taken back, and the other machine keeps the Ticket', async () => {
    await withMachines(async ({ fleet, proxy, one, two }) => {
      await stopClock(fleet.owner, NOON)
      proxy.onRequest = async text => {
        if (!text.includes('ticketplan.renew(')) return
        proxy.onRequest = () => {}
        await setClock(fleet.owner, NOON + 31_000) // the machine was asleep
        expect(await two.accept({ ticket: 'A', holder: 'pod-2' })).toMatchObject({ accepted: true })
      }
      const late = await one.accept({ ticket: 'A', holder: 'pod-1', state: 'in_progress' })
      expect(late).toMatchObject({
        accepted: false,
        refused: 'stale_token',
        claim: { holder: 'pod-2', machine: 'm-2' },
      })
      expect(planOf(one, 'A')).toEqual(['accepted_plan', 'retraction'])
      expect(readTicketJson(one.root, 'tickets/A.json').state).toBe('queued')
    })
  })

  test('is not sent where the files changed to a hold in between: the reservation is given back', async () => {
    await withMachines(async ({ proxy, one, two }) => {
      proxy.onRequest = async text => {
        if (!text.includes('ticketplan.acquire(')) return
        proxy.onRequest = () => {}
        await using other = await connectPlan({ root: one.root, actor: 'tester' })
        await other.record({ ticket: 'A', kind: 'hold', reason: 'not yet' })
      }
      expect(await one.accept({ ticket: 'A', holder: 'pod-1' })).toMatchObject({
        accepted: false,
        reasons: [{ code: 'on_hold' }],
      })
      expect(await two.accept({ ticket: 'A', holder: 'pod-2' })).toMatchObject({ accepted: true })
    })
  })
})

describe.skipIf(obstacle)('a clone that cannot note its token', () => {
  test.each(['accept', 'claim'] as const)('gives the claim of %s back, and keeps one that it had', async method => {
    await withMachines(async ({ one, two }) => {
      const { claim } = await one.claim({ ticket: 'B', holder: 'pod-1' })
      const mark = join(one.root, '.git', 'ticketplan', 'fencing-token')
      rmSync(mark)
      mkdirSync(mark)
      expect((await rejectionOf(() => one[method]({ ticket: 'A', holder: 'pod-1' }))).code).toBe('io')
      expect(await two[method]({ ticket: 'A', holder: 'pod-2' })).toMatchObject({ claim: { machine: 'm-2' } })
      expect((await rejectionOf(() => one[method]({ ticket: 'B', holder: 'pod-1' }))).code).toBe('io')
      expect(await one.renew({ ticket: 'B', token: claim!.token! })).toMatchObject({ claim: { live: true } })
    })
  })
})

describe.skipIf(obstacle)('a conflict that one clone alone knows', () => {
  test.each([
    ['the first', 'one', 'two'],
    ['the second', 'two', 'one'],
  ] as const)('(%s) is enforced on both machines', async (_, knowing, accepting) => {
    await withMachines(async machines => {
      await machines[knowing].record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      expect(await machines[knowing].accept({ ticket: 'A', holder: 'pod-1' })).toMatchObject({ accepted: true })
      const refused = await machines[accepting].accept({ ticket: 'B', holder: 'pod-2' })
      expect(refused).toMatchObject({
        accepted: false,
        reasons: [{ code: 'conflicts_with', ticket: 'A', decisions: [] }],
      })
    })
    await withMachines(async machines => {
      await machines[knowing].record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      expect(await machines[accepting].accept({ ticket: 'B', holder: 'pod-2' })).toMatchObject({ accepted: true })
      expect(await machines[knowing].accept({ ticket: 'A', holder: 'pod-1' })).toMatchObject({
        accepted: false,
        reasons: [{ code: 'conflicts_with', ticket: 'B' }],
      })
    })
  })
})

describe.skipIf(obstacle)('a clock', () => {
  test.each([-DAY_MS, DAY_MS])('of a machine that is %i ms off has no effect', async offMs => {
    await withMachines(
      async ({ one, two }) => {
        const { accepted, claim, decision } = await one.accept({ ticket: 'A', holder: 'pod-1', ttl: 600 })
        expect(accepted).toBe(true)
        expect(decision!.at).toBe(claim!.acquired_at) // the plan has the server's time
        const leftMs = Date.parse(claim!.expires_at) - Date.now()
        expect(leftMs).toBeGreaterThan(500_000)
        expect(leftMs).toBeLessThan(700_000)
        expect((await one.consult('A')).claim).toMatchObject({ live: true })
        expect((await two.consult('A')).reasons).toMatchObject([{ code: 'claimed' }])
        expect(await one.renew({ ticket: 'A', token: claim!.token! })).toMatchObject({ claim: { live: true } })
        expect(await one.release({ ticket: 'A', token: claim!.token! })).toMatchObject({ claim: { live: false } })
        expect((await one.accept({ ticket: 'B', holder: 'pod-1' })).accepted).toBe(true)
        // Its earlier plan, of whatever time, is not one under the new claim.
        await one.claim({ ticket: 'A', holder: 'pod-1' })
        await one.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
        expect((await one.accept({ ticket: 'A', holder: 'pod-1' })).reasons).toMatchObject([
          { code: 'blocked_by', severity: 'hold' },
        ])
      },
      { now: () => Date.now() + offMs },
    )
  })

  test('of the server that is set back revives no lease, and tokens grow', async () => {
    await withMachines(async ({ fleet, one, two }) => {
      await stopClock(fleet.owner, NOON)
      const first = await one.accept({ ticket: 'A', holder: 'pod-1', ttl: 60 })
      await setClock(fleet.owner, NOON + 60_000)
      const second = await two.accept({ ticket: 'A', holder: 'pod-2', ttl: 60 })
      await setClock(fleet.owner, NOON - DAY_MS)
      expect(await one.renew({ ticket: 'A', token: first.claim!.token! })).toMatchObject({ refused: 'stale_token' })
      const third = await one.accept({ ticket: 'B', holder: 'pod-1' })
      const tokens = [first, second, third].map(({ claim }) => claim!.token!)
      expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b))
    })
  })
})

describe.skipIf(obstacle)('a server', () => {
  test('that is stopped and goes on has one holder', async () => {
    await withMachines(async ({ one, two, log }) => {
      await one.consult('A')
      postgres().signal('SIGSTOP')
      const stopped = await rejectionOf(() => one.accept({ ticket: 'A', holder: 'pod-1' }))
      postgres().signal('SIGCONT')
      expect(stopped.code).toBe('fleet_unreachable')
      expect(await two.accept({ ticket: 'A', holder: 'pod-2' })).toMatchObject({ accepted: true })
      expect(await one.accept({ ticket: 'A', holder: 'pod-1' })).toMatchObject({ accepted: false })
      expect((await log()).filter(({ action }) => action === 'acquired')).toHaveLength(1)
    })
  })

  test('that is killed and starts again has every confirmed claim', async () => {
    await withMachines(async ({ one, two }) => {
      const { claim } = await one.accept({ ticket: 'A', holder: 'pod-1' })
      postgres().kill()
      await postgres().start()
      expect(await one.renew({ ticket: 'A', token: claim!.token! })).toMatchObject({ claim: { live: true } })
      expect((await two.accept({ ticket: 'A', holder: 'pod-2' })).accepted).toBe(false)
    })
  })

  test('that lost the last rows in a failover gives the Ticket a higher token, and the old holder is stale', async () => {
    await withMachines(async ({ fleet, one }) => {
      const before = await one.accept({ ticket: 'B', holder: 'pod-1' })
      const lost = await one.accept({ ticket: 'A', holder: 'pod-1', ttl: 2000 })
      // What an asynchronous replica did not get.
      await fleet.owner.query(
        `delete from ticketplan.leases where ticket = 'A'; delete from ticketplan.claim_log where ticket = 'A';
         update ticketplan.fleets set token = ${before.claim!.token}, changes = changes - 1`,
      )
      expect(await one.renew({ ticket: 'A', token: lost.claim!.token! })).toMatchObject({ refused: 'stale_token' })
      const again = await one.accept({ ticket: 'A', holder: 'pod-1' })
      expect(again.claim!.token).toBeGreaterThan(lost.claim!.token!)
    })
  })
})
