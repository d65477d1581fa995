import { describe, expect, test } from 'vitest'
import { type Connection, connect, migrate } from '../database/open.ts'
import type { Decision } from '../model/decision.ts'
import type { Ticket } from '../model/ticket.ts'
import { poolFor, verdictOn } from '../model/verdict.ts'
import { memoryFacts } from '../test-support/memory-facts.ts'
import { makeTicket } from '../test-support/temporary-repository.ts'
import { acquireLease, type Claim, type LeaseRequest, liveClaims, releaseLease, renewLease } from './claims.ts'
import { leaseClock, type Moment } from './lease-clock.ts'

const NOON_MS = Date.parse('2026-06-08T12:00:00.000Z')
const DAY_MS = 86_400_000
const TTL_MS = 60_000

function localDatabase(): Connection {
  const connection = connect(':memory:', 'local', 0)
  migrate(connection, 'local')
  return connection
}

/** A moment so long after noon, by both clocks of one boot; the wall clock may be elsewhere. */
function later(ms: number, { wallMs = NOON_MS + ms, boot = 'boot-1', tick = 1_000_000 + ms } = {}): Moment {
  return { wallMs, boot, tick }
}

function request(fields: Partial<LeaseRequest> = {}): LeaseRequest {
  return { ticket: 'A', holder: 'pod-1', ttlMs: TTL_MS, ...fields }
}

/** Acquires, and fails the test where somebody else holds it. */
function acquire(connection: Connection, moment: Moment, fields: Partial<LeaseRequest> = {}): Claim {
  const acquired = acquireLease(connection, request(fields), moment, 0)
  expect(acquired.status).not.toBe('held')
  return acquired.claim
}

const logOf = (connection: Connection) =>
  connection.prepare('select action, ticket_id, holder, previous_holder, reason from claim_log order by sequence').all()

describe('a lease', () => {
  test('is taken with all that its holder says, and its times', () => {
    const connection = localDatabase()
    const given = { pool: 'gpu', session: 's-1', worktree: '/tmp/wt', pid: 42 }
    const acquired = acquireLease(connection, request(given), later(0), 0)
    const claim = {
      ticket: 'A',
      holder: 'pod-1',
      token: NOON_MS / 1000 + 1,
      ...given,
      acquired_at: '2026-06-08T12:00:00.000Z',
      renewed_at: '2026-06-08T12:00:00.000Z',
      expires_at: '2026-06-08T12:01:00.000Z',
      live: true,
    }
    expect(acquired).toEqual({ status: 'acquired', claim, takenFrom: null })
    const claims = liveClaims(connection, later(1))
    expect(claims.find('A')).toEqual(claim)
    expect(claims.find('B')).toBeUndefined()
    expect(claims.all(false)).toEqual([{ ...claim, released_at: null }])
  })

  test('is renewed by its holder, who keeps the token and what was said before', () => {
    const connection = localDatabase()
    const first = acquire(connection, later(0), { pool: 'gpu', session: 's-1' })
    const again = acquireLease(connection, request({ ttlMs: 2 * TTL_MS }), later(30_000), 0)
    expect(again).toEqual({
      status: 'renewed',
      claim: { ...first, renewed_at: '2026-06-08T12:00:30.000Z', expires_at: '2026-06-08T12:02:30.000Z' },
    })
    const kept = renewLease(connection, 'A', first.token, undefined, later(60_000))
    expect(kept).toMatchObject({
      status: 'kept',
      claim: { token: first.token, acquired_at: first.acquired_at, expires_at: '2026-06-08T12:03:00.000Z' },
    })
    expect(renewLease(connection, 'A', first.token, 1000, later(60_000)).claim?.expires_at).toBe(
      '2026-06-08T12:01:01.000Z',
    )
  })

  test('that somebody else has is not taken, and not changed by trying', () => {
    const connection = localDatabase()
    const claim = acquire(connection, later(0))
    expect(acquireLease(connection, request({ holder: 'pod-2' }), later(TTL_MS - 1), 0)).toEqual({
      status: 'held',
      claim,
    })
    expect(liveClaims(connection, later(TTL_MS - 1)).find('A')).toEqual(claim)
    expect(logOf(connection)).toHaveLength(1)
  })

  test('is over at its expiry to the millisecond, is shown as expired, and can be taken over; the log says from whom', () => {
    const connection = localDatabase()
    const old = acquire(connection, later(0))
    expect(liveClaims(connection, later(TTL_MS - 1)).find('A')).toBeDefined()
    const expired = liveClaims(connection, later(TTL_MS))
    expect(expired.find('A')).toBeUndefined()
    expect(expired.all(false)).toEqual([{ ...old, live: false, released_at: null }])
    const taken = acquireLease(connection, request({ holder: 'pod-2' }), later(TTL_MS), 0)
    expect(taken).toMatchObject({ status: 'acquired', takenFrom: 'pod-1', claim: { holder: 'pod-2' } })
    expect(taken.claim.token).toBeGreaterThan(old.token)
    expect(logOf(connection)).toEqual([
      { action: 'acquired', ticket_id: 'A', holder: 'pod-1', previous_holder: null, reason: null },
      { action: 'taken_over', ticket_id: 'A', holder: 'pod-2', previous_holder: 'pod-1', reason: null },
    ])
  })

  test('that has expired comes back to its old holder with a new token, and with nothing of what was said before', () => {
    const connection = localDatabase()
    const old = acquire(connection, later(0), { pool: 'gpu', session: 's-1', pid: 42 })
    const taken = acquire(connection, later(TTL_MS))
    expect(taken.token).toBeGreaterThan(old.token)
    expect(taken).toMatchObject({ pool: null, session: null, pid: null, acquired_at: '2026-06-08T12:01:00.000Z' })
  })

  test('is released by its token, stays in the list of all, and leaves the Ticket free', () => {
    const connection = localDatabase()
    const { token } = acquire(connection, later(0))
    expect(releaseLease(connection, 'A', { token }, later(1000))).toMatchObject({ status: 'kept', claim: { token } })
    const claims = liveClaims(connection, later(1000))
    expect(claims.find('A')).toBeUndefined()
    expect(claims.all(false)).toEqual([])
    expect(claims.all(true)).toMatchObject([{ ticket: 'A', live: false, released_at: '2026-06-08T12:00:01.000Z' }])
    const next = acquireLease(connection, request({ holder: 'pod-2' }), later(1001), 0)
    expect(next).toMatchObject({ status: 'acquired', takenFrom: null })
    expect(next.claim.token).toBeGreaterThan(token)
  })

  test('is ended by force whoever holds it, live or expired, and the log keeps the reason; one that is over is not ended again', () => {
    const connection = localDatabase()
    const force = { force: true, reason: 'the pod is gone' } as const
    expect(releaseLease(connection, 'A', force, later(0))).toEqual({ status: 'stale_token', claim: null })
    acquire(connection, later(0))
    expect(releaseLease(connection, 'A', force, later(1)).status).toBe('kept')
    expect(releaseLease(connection, 'A', force, later(2))).toEqual({ status: 'stale_token', claim: null })
    acquire(connection, later(3))
    expect(releaseLease(connection, 'A', force, later(3 + TTL_MS)).status).toBe('kept')
    expect(logOf(connection).filter(entry => (entry as { action: string }).action === 'forced')).toEqual([
      { action: 'forced', ticket_id: 'A', holder: 'pod-1', previous_holder: null, reason: 'the pod is gone' },
      { action: 'forced', ticket_id: 'A', holder: 'pod-1', previous_holder: null, reason: 'the pod is gone' },
    ])
  })

  test('takes a slot of its pool while it is live', () => {
    const connection = localDatabase()
    acquire(connection, later(0), { pool: 'gpu' })
    acquire(connection, later(10), { ticket: 'B', pool: 'gpu' })
    acquire(connection, later(10), { ticket: 'C', pool: 'default' })
    const count = (moment: Moment, except = '') => liveClaims(connection, moment).countInPool('gpu', except)
    expect(count(later(20))).toBe(2)
    expect(count(later(20), 'A')).toBe(1)
    expect(count(later(20), 'C')).toBe(2)
    expect(count(later(TTL_MS))).toBe(1)
    expect(liveClaims(undefined, later(0)).countInPool('gpu', '')).toBe(0)
  })
})

describe('a stale token', () => {
  const stale = { status: 'stale_token' }

  test('after the expiry neither renews nor releases, even if nobody took over', () => {
    const connection = localDatabase()
    const { token } = acquire(connection, later(0))
    expect(renewLease(connection, 'A', token, undefined, later(TTL_MS))).toMatchObject({ ...stale, claim: { token } })
    expect(releaseLease(connection, 'A', { token }, later(TTL_MS))).toMatchObject(stale)
    expect(liveClaims(connection, later(TTL_MS)).all(false)).toHaveLength(1)
    expect(logOf(connection)).toHaveLength(1)
  })

  test('after a takeover leaves the new claim as it is, and is told whose it is', () => {
    const connection = localDatabase()
    const { token } = acquire(connection, later(0))
    const taken = acquire(connection, later(TTL_MS), { holder: 'pod-2' })
    const moment = later(TTL_MS + 1)
    expect(renewLease(connection, 'A', token, undefined, moment)).toEqual({ ...stale, claim: taken })
    expect(releaseLease(connection, 'A', { token }, moment)).toEqual({ ...stale, claim: taken })
    expect(liveClaims(connection, moment).find('A')).toEqual(taken)
  })

  test('is any other number, of a Ticket without a claim, or of one that was released', () => {
    const connection = localDatabase()
    expect(renewLease(connection, 'A', 1, undefined, later(0))).toEqual({ ...stale, claim: null })
    const { token } = acquire(connection, later(0))
    expect(renewLease(connection, 'A', token + 1, undefined, later(1))).toMatchObject(stale)
    expect(renewLease(connection, 'A', token - 1, undefined, later(1))).toMatchObject(stale)
    expect(releaseLease(connection, 'A', { token }, later(2)).status).toBe('kept')
    expect(renewLease(connection, 'A', token, undefined, later(3))).toEqual({ ...stale, claim: null })
    expect(releaseLease(connection, 'A', { token }, later(3))).toEqual({ ...stale, claim: null })
  })
})

describe('tokens', () => {
  test('grow over all Tickets, and faster than the clock', () => {
    const connection = localDatabase()
    const tokens = ['A', 'B', 'C', 'D'].map(ticket => acquire(connection, later(0), { ticket }).token)
    expect(tokens).toEqual([1, 2, 3, 4].map(step => NOON_MS / 1000 + step))
  })

  test('grow with the clock a day back, and after a release', () => {
    const connection = localDatabase()
    const first = acquire(connection, later(0))
    releaseLease(connection, 'A', { token: first.token }, later(1))
    const back = acquire(connection, later(2, { wallMs: NOON_MS - DAY_MS }))
    expect(back.token).toBe(first.token + 1)
  })

  test('grow where the database is a new one: by the note beside it, or at least by the clock', () => {
    const first = acquire(localDatabase(), later(0))
    const noted = acquireLease(localDatabase(), request(), later(1, { wallMs: NOON_MS - DAY_MS }), first.token + 7)
    expect(noted.claim.token).toBe(first.token + 8)
    const unnoted = acquireLease(localDatabase(), request(), later(1000), 0)
    expect(unnoted.claim.token).toBeGreaterThan(first.token)
  })
})

describe('time', () => {
  test.each([
    -DAY_MS,
    DAY_MS,
    -3 * 365 * DAY_MS,
  ])('a wall clock that is off by %d ms changes nothing within a boot', off => {
    const connection = localDatabase()
    const { token } = acquire(connection, later(0))
    const at = (ms: number) => later(ms, { wallMs: NOON_MS + off })
    expect(liveClaims(connection, at(TTL_MS - 1)).find('A')?.live).toBe(true)
    expect(acquireLease(connection, request({ holder: 'pod-2' }), at(TTL_MS - 1), 0).status).toBe('held')
    expect(renewLease(connection, 'A', token, undefined, at(TTL_MS - 1)).status).toBe('kept')
    expect(liveClaims(connection, at(2 * TTL_MS - 2)).find('A')?.live).toBe(true)
    expect(liveClaims(connection, at(2 * TTL_MS - 1)).find('A')).toBeUndefined()
    expect(renewLease(connection, 'A', token, undefined, at(2 * TTL_MS)).status).toBe('stale_token')
    // Set right again, it does not come back.
    expect(renewLease(connection, 'A', token, undefined, later(2 * TTL_MS)).status).toBe('stale_token')
  })

  test('after a reboot a lease goes by the wall clock', () => {
    const connection = localDatabase()
    const { token } = acquire(connection, later(0))
    const rebooted = (ms: number, tick: number) => later(ms, { boot: 'boot-2', tick })
    expect(liveClaims(connection, rebooted(20_000, 5000)).find('A')?.live).toBe(true)
    expect(liveClaims(connection, rebooted(TTL_MS, 5000)).find('A')).toBeUndefined()
    expect(renewLease(connection, 'A', token, undefined, rebooted(30_000, 6000)).status).toBe('kept')
    // Renewed it goes by the clock of the new boot.
    expect(liveClaims(connection, later(0, { boot: 'boot-2', tick: 6000 + TTL_MS - 1 })).find('A')?.live).toBe(true)
    expect(liveClaims(connection, later(0, { boot: 'boot-2', tick: 6000 + TTL_MS })).find('A')).toBeUndefined()
  })

  test('after a reboot with the clock set back a lease lasts no longer than its time to live since the boot', () => {
    const connection = localDatabase()
    acquire(connection, later(0))
    const rebooted = (tick: number) => later(0, { boot: 'boot-2', tick, wallMs: NOON_MS - DAY_MS })
    expect(liveClaims(connection, rebooted(TTL_MS - 1)).find('A')?.live).toBe(true)
    expect(liveClaims(connection, rebooted(TTL_MS)).find('A')).toBeUndefined()
  })

  test('a clock since boot that has run backwards tells of a reboot where the boot has no name', () => {
    const connection = localDatabase()
    acquire(connection, later(0))
    const rebooted = (ms: number, tick: number) => later(ms, { tick })
    expect(liveClaims(connection, rebooted(10_000, 3000)).find('A')?.live).toBe(true)
    expect(liveClaims(connection, rebooted(TTL_MS, 3000)).find('A')).toBeUndefined()
  })

  test('a clock of the caller that runs backwards never revives a lease', () => {
    const connection = localDatabase()
    const at = (ms: number): Moment => ({ wallMs: NOON_MS + ms, boot: 'given', tick: NOON_MS + ms })
    const { token } = acquire(connection, at(0))
    // Somebody was told that it is over, in whatever way: it stays so.
    expect(renewLease(connection, 'A', token, undefined, at(TTL_MS)).status).toBe('stale_token')
    expect(liveClaims(connection, at(0)).find('A')).toBeUndefined()
    expect(renewLease(connection, 'A', token, undefined, at(0)).status).toBe('stale_token')
    const taken = acquire(connection, at(-DAY_MS), { holder: 'pod-2' })
    expect(taken).toMatchObject({ acquired_at: '2026-06-08T12:01:00.000Z', expires_at: '2026-06-08T12:02:00.000Z' })
  })

  test('the clock of a plan never runs backwards, whatever the one that it was given does', () => {
    let nowMs = NOON_MS
    const clock = leaseClock(() => nowMs)
    expect(clock()).toEqual({ wallMs: NOON_MS, boot: 'given', tick: NOON_MS })
    nowMs -= DAY_MS
    expect(clock().tick).toBe(NOON_MS)
    nowMs += DAY_MS + 1
    expect(clock().tick).toBe(NOON_MS + 1)
  })

  test("the machine's clocks name the boot and run on", () => {
    const clock = leaseClock(undefined)
    const [first, second] = [clock(), clock()]
    expect(second.boot).toBe(first.boot)
    expect(first.boot).not.toBe('given')
    expect(second.tick).toBeGreaterThanOrEqual(first.tick)
    expect(Math.abs(first.wallMs - Date.now())).toBeLessThan(60_000)
  })
})

/** A small generator of our own (mulberry32): a seed gives the same walk on every machine. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}

describe('a random walk beside a plain model', () => {
  const STEPS = Number(process.env.TICKETPLAN_LEASE_STEPS || 20_000)
  const STEPS_A_SEED = 5000
  const HOLDERS = ['pod-1', 'pod-2', 'pod-3']
  const CAPACITY = 2
  const pools = { default: CAPACITY }
  const conflicts = [
    ['A', 'B'],
    ['C', 'D'],
  ] as const
  const tickets: Ticket[] = ['A', 'B', 'C', 'D', 'E', 'F'].map((id, position) => {
    const target = conflicts.find(([holder]) => holder === id)?.[1]
    const conflict = (target: string): Decision => ({
      id: `01JX8Z3V7Q4T9K2M5N6P7R8S0${position}`,
      kind: 'conflicts_with',
      by: 'tester',
      at: '2026-06-08T11:30:00.000Z',
      target,
    })
    return makeTicket(id, { state: 'queued', decisions: target ? [conflict(target)] : [] })
  })
  /** E asks for a pool without a limit, so that it can be claimed beside two others. */
  const askedPool = (ticket: string) => (ticket === 'E' ? 'unlimited' : undefined)

  interface ModelLease {
    holder: string
    token: number
    pool: string
    expires: number
    ttlMs: number
    released: boolean
  }

  function walk(seed: number, steps: number): Record<string, number> {
    const random = randomFrom(seed)
    const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
    const connection = localDatabase()
    const model = new Map<string, ModelLease>()
    const given: { holder: string; ticket: string; token: number }[] = []
    const counts: Record<string, number> = {}
    const count = (what: string) => {
      counts[what] = (counts[what] ?? 0) + 1
    }
    // What the model goes by: time since the start, which only runs on. The wall clock is free to jump.
    let tick = 1000
    let wallMs = NOON_MS
    let newestToken = 0
    const isLive = (lease: ModelLease | undefined): lease is ModelLease =>
      lease !== undefined && !lease.released && tick < lease.expires
    const modelLive = () => [...model].filter(([, lease]) => isLive(lease))

    for (let step = 0; step < steps; step++) {
      const moment: Moment = { wallMs, boot: 'boot-1', tick }
      const ticket = pick(tickets).id as string
      const kind = random(20)
      if (kind < 8) {
        const holder = pick(HOLDERS)
        const ttlMs = 1 + random(2000)
        const claims = liveClaims(connection, moment)
        const live = claims.all(false).filter(claim => claim.live)
        const facts = memoryFacts({ tickets, claims: live, pools })
        const pool = poolFor(ticket, facts, askedPool(ticket)) ?? 'default'
        const { verdict, reasons } = verdictOn(ticket, facts, { holder, pool })

        const before = model.get(ticket)
        const isOwn = isLive(before) && before.holder === holder
        const others = modelLive().filter(([other]) => other !== ticket)
        const rival = conflicts.flatMap(([a, b]) => (a === ticket ? [b] : b === ticket ? [a] : []))[0]
        const full = pool === 'default' && others.filter(([, lease]) => lease.pool === 'default').length >= CAPACITY
        const expected = [
          ...(isLive(before) && !isOwn ? ['claimed'] : []),
          ...(others.some(([other]) => other === rival) ? ['conflicts_with'] : []),
          ...(full ? ['pool_full'] : []),
        ]
        expect(reasons.map(({ code }) => code)).toEqual(expected)
        expect(verdict).toBe(expected.length ? 'hold' : 'accept')
        if (verdict === 'accept') {
          const acquired = acquireLease(connection, request({ ticket, holder, ttlMs, pool }), moment, 0)
          const { claim } = acquired
          expect(acquired.status).toBe(isOwn ? 'renewed' : 'acquired')
          if (isOwn) expect(claim.token).toBe(before.token)
          else {
            expect(claim.token).toBeGreaterThan(newestToken)
            newestToken = claim.token
          }
          if (acquired.status === 'acquired')
            expect(acquired.takenFrom).toBe(before && !before.released ? before.holder : null)
          model.set(ticket, { holder, token: claim.token, pool, expires: tick + ttlMs, ttlMs, released: false })
          given.push({ holder, ticket, token: claim.token })
          count(acquired.status)
        } else {
          count('refused')
          // The lease itself refuses too, whatever was asked before.
          if (expected[0] === 'claimed')
            expect(acquireLease(connection, request({ ticket, holder, ttlMs, pool }), moment, 0).status).toBe('held')
        }
      } else if (kind < 14 && given.length > 0) {
        // A holder with any token that it was ever given, most often one of the latest.
        const { ticket, token } = random(4) ? given.at(-1 - random(Math.min(6, given.length)))! : pick(given)
        const lease = model.get(ticket)!
        const allowed = isLive(lease) && lease.token === token
        if (kind < 11) {
          const ttlMs = random(2) ? undefined : 1 + random(2000)
          const { status } = renewLease(connection, ticket, token, ttlMs, moment)
          expect(status).toBe(allowed ? 'kept' : 'stale_token')
          if (allowed) {
            lease.ttlMs = ttlMs ?? lease.ttlMs
            lease.expires = tick + lease.ttlMs
          }
          count(`renew ${status}`)
        } else {
          const { status } = releaseLease(connection, ticket, { token }, moment)
          expect(status).toBe(allowed ? 'kept' : 'stale_token')
          if (allowed) lease.released = true
          count(`release ${status}`)
        }
      } else if (kind === 14) {
        const lease = model.get(ticket)
        const { status } = releaseLease(connection, ticket, { force: true, reason: 'x' }, moment)
        expect(status).toBe(lease && !lease.released ? 'kept' : 'stale_token')
        if (lease) lease.released = true
        count(`force ${status}`)
      } else if (kind === 15) {
        wallMs += (random(2) ? 1 : -1) * random(2 * DAY_MS)
        count('jump')
      } else {
        const ms = random(5) ? random(300) : random(3000)
        tick += ms
        wallMs += ms
        count('advance')
      }

      const now = liveClaims(connection, { wallMs, boot: 'boot-1', tick })
      const live = now.all(false).filter(claim => claim.live)
      expect(live.map(({ ticket, holder, token, pool }) => [ticket, holder, token, pool])).toEqual(
        modelLive()
          .map(([ticket, { holder, token, pool }]) => [ticket, holder, token, pool])
          .sort(([a], [b]) => (a! < b! ? -1 : 1)),
      )
      const ids = new Set(live.map(({ ticket }) => ticket))
      expect(ids.size).toBe(live.length)
      for (const [a, b] of conflicts) expect(ids.has(a) && ids.has(b)).toBe(false)
      expect(now.countInPool('default', '')).toBeLessThanOrEqual(CAPACITY)
    }
    connection.close()
    return counts
  }

  test('of claims, renewals, releases and clocks that jump ends with the same claims after every step', {
    timeout: 3_600_000,
  }, () => {
    const total: Record<string, number> = {}
    for (let seed = 1, left = STEPS; left > 0; seed++, left -= STEPS_A_SEED) {
      try {
        const counts = walk(seed, Math.min(left, STEPS_A_SEED))
        for (const [what, times] of Object.entries(counts)) total[what] = (total[what] ?? 0) + times
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error })
      }
    }
    // Each kind of step has happened often, with each outcome.
    const kinds = ['acquired', 'renewed', 'refused', 'jump', 'advance', 'force kept', 'force stale_token']
    for (const what of [...kinds, ...['renew', 'release'].flatMap(on => [`${on} kept`, `${on} stale_token`])])
      expect(total[what], what).toBeGreaterThan(STEPS / 500)
  })
})
