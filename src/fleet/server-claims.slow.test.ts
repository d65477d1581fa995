import { describe, expect, test } from 'vitest'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { createTestFleet, setClock, stopClock } from '../test-support/test-fleet.ts'
import type { FleetLeaseRequest } from './fleet-claims.ts'
import { differingCapacities } from './pool-capacities.ts'

const obstacle = postgresObstacle()
const postgres = postgresForFile()
const NOON = Date.parse('2026-06-08T12:00:00.000Z')
const ask = (fields: Partial<FleetLeaseRequest> = {}): FleetLeaseRequest => ({
  ticket: 'A',
  holder: 'pod-1',
  ttlMs: 60_000,
  changes: 0,
  expired: [],
  asked: { tickets: [], pools: [] },
  floor: 0,
  ...fields,
})

describe.skipIf(obstacle)('claims of a fleet', () => {
  test('a claim is taken with all fields, and every clone sees it', async () => {
    await using fleet = await createTestFleet(postgres())
    await stopClock(fleet.owner, NOON)
    const claims = fleet.claimsOf('m-1')
    const { changes } = await claims.snapshot()
    const area = [{ pattern: 'app/**', shared: false }]
    const given = { pool: 'gpu', session: 's-1', worktree: 'worktrees/a', pid: 42 }
    const acquired = await claims.acquire(ask({ ...given, changes, area, conflicts: ['B'] }))
    const claim = {
      ticket: 'A',
      holder: 'pod-1',
      machine: 'm-1',
      token: NOON / 1000 + 1,
      ...given,
      acquired_at: '2026-06-08T12:00:00.000Z',
      renewed_at: '2026-06-08T12:00:00.000Z',
      expires_at: '2026-06-08T12:01:00.000Z',
      live: true,
    }
    expect(acquired).toEqual({ status: 'acquired', claim, takenFrom: null, changes: 1 })
    const seen = await fleet.claimsOf('m-2').snapshot()
    expect(seen).toEqual({
      changes: 1,
      now: '2026-06-08T12:00:00.000Z',
      claims: [{ ...claim, conflicts: ['B'], area, ended: false, released_at: null }],
      releases: new Map(),
      releasesOf: null,
      log: [],
      release: undefined,
    })
    await setClock(fleet.owner, NOON + 60_000)
    expect((await claims.snapshot()).claims[0]).toMatchObject({ live: false, released_at: null })
  })

  test('a snapshot has the releases that are asked for, and released claims on request alone', async () => {
    await using fleet = await createTestFleet(postgres())
    const claims = fleet.claimsOf('m-1')
    for (const ticket of ['A', 'B', 'C']) {
      const { changes } = await claims.snapshot()
      const taken = await claims.acquire(ask({ ticket, changes }))
      if (taken.status !== 'acquired') throw new Error(taken.status)
      await claims.release(ticket, { token: taken.claim.token }, { state: 'done', state_at: null })
    }
    const seen = async (request?: Parameters<typeof claims.snapshot>[0]) => {
      const { claims: listed, releases, releasesOf } = await claims.snapshot(request)
      return [listed.map(({ ticket }) => ticket), [...releases.keys()].sort(), releasesOf && [...releasesOf]]
    }
    expect(await seen()).toEqual([[], ['A', 'B', 'C'], null])
    expect(await seen({ releasesOf: ['B', 'D'] })).toEqual([[], ['B'], ['B', 'D']])
    expect(await seen({ releasesOf: [], withReleased: true })).toEqual([['A', 'B', 'C'], [], []])
  })

  test('a clock of the server that is set back brings no lapsed claim to life, and tokens grow', async () => {
    await using fleet = await createTestFleet(postgres())
    await stopClock(fleet.owner, NOON)
    const claims = fleet.claimsOf('m-1')
    const take = async (ticket: string) => {
      const { changes } = await claims.snapshot()
      const taken = await claims.acquire(ask({ ticket, changes }))
      if (taken.status !== 'acquired') throw new Error(taken.status)
      return taken.claim.token
    }
    const lapsed = await take('A')
    await setClock(fleet.owner, NOON + 60_000)
    expect((await claims.renew('A', lapsed)).status).toBe('stale_token')
    await setClock(fleet.owner, NOON - 86_400_000)
    expect((await claims.renew('A', lapsed)).status).toBe('stale_token')
    expect((await claims.snapshot()).claims).toMatchObject([{ ticket: 'A', token: lapsed, live: false }])
    expect(await take('B')).toBe(lapsed + 1)
    expect(await take('A')).toBe(lapsed + 2)
  })

  test('clones that are configured with different capacities are listed', async () => {
    await using fleet = await createTestFleet(postgres())
    const clones: Record<string, number>[] = [{ gpu: 1, default: 4 }, { gpu: 2, default: 4 }, { default: 4 }]
    for (const [at, pools] of clones.entries()) {
      const claims = fleet.claimsOf(`m-${at}`, { pools })
      const { changes } = await claims.snapshot()
      await claims.acquire(ask({ ticket: `T-${at}`, changes }))
    }
    const machines = await fleet.claimsOf('m-0').machines()
    expect(machines.map(({ machine, pools }) => [machine, pools])).toEqual(
      clones.map((pools, at) => [`m-${at}`, pools]),
    )
    expect(differingCapacities(machines)).toEqual([
      {
        pool: 'gpu',
        capacities: [
          { capacity: 1, machines: ['m-0'] },
          { capacity: 2, machines: ['m-1'] },
          { capacity: null, machines: ['m-2'] },
        ],
      },
    ])
  })
})
