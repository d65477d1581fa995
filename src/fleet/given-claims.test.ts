import { describe, expect, test } from 'vitest'
import { PlanError } from '../model/errors.ts'
import type { FleetSnapshot, KnownFleetClaim } from './fleet-claims.ts'
import { givenClaims } from './given-claims.ts'

const refused = new PlanError('no_actor', 'ask elsewhere', {})

function claim(ticket: string, fields: Partial<KnownFleetClaim> = {}): KnownFleetClaim {
  return {
    ...{ ticket, holder: 'pod-1', token: 7, pool: null, session: null, worktree: null, pid: null },
    acquired_at: '2026-06-08T11:59:00.000Z',
    renewed_at: '2026-06-08T11:59:00.000Z',
    expires_at: '2026-06-08T12:01:00.000Z',
    ...{ live: true, machine: 'm-1', released_at: null, conflicts: [], area: null, ended: false },
    ...fields,
  }
}

function snapshotOf(...claims: KnownFleetClaim[]): FleetSnapshot {
  return {
    changes: 3,
    now: '2026-06-08T12:00:00.000Z',
    claims,
    releases: new Map(),
    releasesOf: null,
    log: [],
    release: undefined,
  }
}

function given(...claims: KnownFleetClaim[]) {
  const clock = { tick: 5000 }
  const opened = givenClaims(refused, () => clock.tick)
  opened.give({ snapshot: snapshotOf(...claims) })
  return { claims: opened, clock }
}

describe('given claims', () => {
  test('are refused until they are given, and only when they are asked for', () => {
    const claims = givenClaims(refused, () => 0)
    const snapshot = claims.snapshot()
    for (const ask of [
      () => snapshot.unknown,
      () => snapshot.find('A'),
      () => snapshot.all(true),
      () => snapshot.areas(),
      () => snapshot.released('A'),
      () => claims.log({}, 10),
    ])
      expect(ask).toThrow(refused)
  })

  test('are none where they are unknown, and say why', () => {
    const claims = givenClaims(refused, () => 0)
    claims.give({ unknown: new PlanError('no_actor', 'no answer', {}) })
    const snapshot = claims.snapshot()
    expect([snapshot.unknown, snapshot.find('A'), snapshot.all(true)]).toEqual(['no answer', undefined, []])
    expect(claims.log({}, 10)).toEqual([])
  })

  test('say that a release was not asked of the server, and of which Ticket', () => {
    const { claims } = given()
    expect([claims.snapshot().released('A'), claims.isIncomplete()]).toEqual([undefined, false])
    claims.give({ snapshot: { ...snapshotOf(), releasesOf: new Set(['A']) } })
    claims.snapshot().released('A')
    expect(claims.isIncomplete()).toBe(false)
    claims.snapshot().released('B')
    expect([claims.isIncomplete(), claims.missed()]).toEqual([true, ['B']])
    claims.give({ snapshot: { ...snapshotOf(), releasesOf: new Set(['A', 'B']) } })
    claims.snapshot().released('B')
    expect([claims.isIncomplete(), claims.missed()]).toEqual([false, ['B']])
  })

  test('list what a read took for expired, unless the server has noted the end', () => {
    const { claims, clock } = given(
      claim('A'),
      claim('B', { live: false }),
      claim('C', { live: false, ended: true }),
      claim('D', { expires_at: '2026-06-08T12:00:00.500Z' }),
    )
    clock.tick += 499
    claims.snapshot()
    expect(claims.expired()).toEqual(['B'])
    clock.tick += 1
    expect(claims.expired()).toEqual(['B']) // nothing has been read at this time
    expect(claims.snapshot().find('D')).toBeUndefined()
    claims.forgetAsked()
    expect(claims.expired()).toEqual(['B', 'D'])
    claims.give({ snapshot: snapshotOf(claim('A')) })
    expect(claims.expired()).toEqual([])
  })

  test('are the claims of the snapshot, without what only verdicts need', () => {
    const { claims } = given(claim('A', { conflicts: ['B'] }), claim('C', { live: false }))
    const { conflicts: _, area: __, released_at: ___, ended: ____, ...shown } = claim('A')
    const snapshot = claims.snapshot()
    expect(snapshot.find('A')).toEqual(shown)
    expect(snapshot.find('C')).toBeUndefined()
    expect(snapshot.all(false).map(({ ticket, live }) => [ticket, live])).toEqual([
      ['A', true],
      ['C', false],
    ])
  })

  test('expire as time passes, and a lease that had expired never lives again', () => {
    const { claims, clock } = given(claim('A'), claim('B', { live: false }))
    clock.tick += 59_999
    expect(claims.snapshot().find('A')).toBeDefined()
    clock.tick += 1
    const snapshot = claims.snapshot()
    expect([snapshot.find('A'), snapshot.find('B'), snapshot.areas()]).toEqual([undefined, undefined, []])
  })

  test('name the Tickets that a live taker knew to be in conflict', () => {
    const { claims, clock } = given(claim('A', { conflicts: ['B'] }), claim('C', { conflicts: ['B'], live: false }))
    expect([claims.snapshot().conflictsWith('B'), claims.snapshot().conflictsWith('A')]).toEqual([['A'], []])
    clock.tick += 60_000
    expect(claims.snapshot().conflictsWith('B')).toEqual([])
  })

  test('record what was asked since they were given', () => {
    const { claims } = given(claim('A', { pool: 'gpu' }))
    const snapshot = claims.snapshot()
    expect(claims.asked()).toEqual({ tickets: [], pools: [] })
    snapshot.find('B')
    snapshot.find('A')
    snapshot.countInPool('gpu', 'B', () => false)
    expect(claims.asked()).toEqual({ tickets: ['A', 'B'], pools: ['gpu'] })
    claims.give({ snapshot: snapshotOf() })
    expect(claims.asked()).toEqual({ tickets: [], pools: [] })
  })

  test('have the log that was given, filtered and newest first', () => {
    const { claims } = given()
    const entry = (ticket: string, at: string, holder = 'pod-1') => {
      return {
        at,
        action: 'acquired' as const,
        ticket,
        holder,
        machine: 'm-1',
        previous_holder: null,
        by: null,
        reason: null,
      }
    }
    const log = [
      entry('A', '2026-06-08T12:02'),
      entry('B', '2026-06-08T12:01', 'pod-2'),
      entry('A', '2026-06-08T12:00'),
    ]
    claims.give({ snapshot: { ...snapshotOf(), log } })
    expect(claims.log({}, 2)).toEqual(log.slice(0, 2))
    expect(claims.log({ tickets: ['A'] }, 9)).toEqual([log[0], log[2]])
    expect(claims.log({ since: '2026-06-08T12:01' }, 9)).toEqual(log.slice(0, 2))
    expect(claims.log({ holder: 'pod-2' }, 9)).toEqual([log[1]])
  })

  test('are never changed here', () => {
    const { claims } = given(claim('A'))
    for (const change of [() => claims.renew('A', 7), () => claims.release('A', { token: 7 })])
      expect(change).toThrow('given claims cannot be changed here')
    expect(claims.snapshot().find('A')).toBeDefined()
  })
})
