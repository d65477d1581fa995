import { describe, expect, test } from 'vitest'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { createTestFleet, setClock, stopClock } from '../test-support/test-fleet.ts'
import { conflictingWith, type FleetLeaseRequest, liveClaimsOf } from './fleet-claims.ts'

const obstacle = postgresObstacle()
const postgres = postgresForFile()
const NOON = Date.parse('2026-06-08T12:00:00.000Z')
const ask = (fields: Partial<FleetLeaseRequest> = {}): FleetLeaseRequest => ({
  ticket: 'A',
  holder: 'pod-1',
  ttlMs: 60_000,
  changes: 0,
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
      claims: [{ ...claim, conflicts: ['B'], area, released_at: null }],
      releases: new Map(),
      log: [],
      release: undefined,
    })
    expect(liveClaimsOf(seen).areas()).toEqual([{ ticket: 'A', area }])
    expect(conflictingWith('B', seen).map(({ ticket }) => ticket)).toEqual(['A'])
    await setClock(fleet.owner, NOON + 60_000)
    expect((await claims.snapshot()).claims[0]).toMatchObject({ live: false, released_at: null })
  })
})
