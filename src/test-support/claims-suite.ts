/**
 * What every implementation of `Claims` must do, as tests. An implementation's own test file calls `testClaims` with a function
 * that opens it, empty, for each test.
 */
import { describe, expect, test } from 'vitest'
import { type OpenClaims, request, TTL_MS, take, type WithClaims } from './claims-under-test.ts'
import { testRandomWalk } from './claims-walk.ts'
import { testEnds, testHolders } from './lease-suite.ts'

/** Defines the tests of an implementation. */
export function testClaims(name: string, open: OpenClaims): void {
  const withClaims: WithClaims = use => async () => {
    const opened = await open()
    try {
      await use(opened)
    } finally {
      await opened.close()
    }
  }
  describe(name, () => {
    describe('a lease', () => {
      testHolders(withClaims)
      testEnds(withClaims)
    })
    describe('a stale token', () => testStaleTokens(withClaims))
    describe('tokens', () => testTokens(withClaims))
    describe('the area of a lease', () => testAreas(withClaims))
    describe('two clients', () => testTwoClients(withClaims))
    testRandomWalk(open)
  })
}

function testStaleTokens(withClaims: WithClaims): void {
  const stale = { status: 'stale_token' }

  test(
    'after the expiry neither renews nor releases, even where nobody has taken over',
    withClaims(async ({ claims, advance, readLog }) => {
      const { token } = await take(claims)
      advance(TTL_MS)
      expect(await claims.renew('A', token)).toMatchObject({ ...stale, claim: { token } })
      expect(await claims.release('A', { token })).toMatchObject(stale)
      expect((await claims.snapshot()).all(false)).toHaveLength(1)
      expect(await readLog()).toHaveLength(1)
    }),
  )

  test(
    'after a takeover does not change the new claim, which is in the answer',
    withClaims(async ({ claims, advance }) => {
      const { token } = await take(claims)
      advance(TTL_MS)
      const taken = await take(claims, { holder: 'pod-2' })
      advance(1)
      expect(await claims.renew('A', token)).toEqual({ ...stale, claim: taken })
      expect(await claims.release('A', { token })).toEqual({ ...stale, claim: taken })
      expect((await claims.snapshot()).find('A')).toEqual(taken)
    }),
  )

  test(
    'is any other number, any token of a Ticket without a claim, and the token of a released one',
    withClaims(async ({ claims, advance }) => {
      expect(await claims.renew('A', 1)).toEqual({ ...stale, claim: null })
      const { token } = await take(claims)
      advance(1)
      expect(await claims.renew('A', token + 1)).toMatchObject(stale)
      expect(await claims.renew('A', token - 1)).toMatchObject(stale)
      expect((await claims.release('A', { token })).status).toBe('kept')
      advance(1)
      expect(await claims.renew('A', token)).toEqual({ ...stale, claim: null })
      expect(await claims.release('A', { token })).toEqual({ ...stale, claim: null })
    }),
  )
}

function testTokens(withClaims: WithClaims): void {
  test(
    'grow over all Tickets, and faster than the clock',
    withClaims(async ({ claims }) => {
      const tokens: number[] = []
      for (const ticket of ['A', 'B', 'C', 'D']) tokens.push((await take(claims, { ticket })).token)
      const noon = Date.parse('2026-06-08T12:00:00.000Z') / 1000
      expect(tokens).toEqual([noon + 1, noon + 2, noon + 3, noon + 4])
    }),
  )

  test(
    'grow under a wall clock that was set back a day, and after a release',
    withClaims(async ({ claims, advance, setWallClock }) => {
      const first = await take(claims)
      advance(1)
      await claims.release('A', { token: first.token })
      setWallClock(-86_400_000)
      expect((await take(claims)).token).toBe(first.token + 1)
    }),
  )
}

function testAreas(withClaims: WithClaims): void {
  const area = [
    { pattern: 'app/**', shared: false },
    { pattern: 'docs/', shared: true },
  ]

  test(
    'is kept from when the lease was taken: a renewal that gives none leaves it, one that gives another replaces it',
    withClaims(async ({ claims }) => {
      const { token } = await take(claims, { area })
      expect((await claims.snapshot()).areas()).toEqual([{ ticket: 'A', area }])
      await claims.renew('A', token)
      await take(claims)
      expect((await claims.snapshot()).areas()).toEqual([{ ticket: 'A', area }])
      await take(claims, { area: [] })
      expect((await claims.snapshot()).areas()).toEqual([{ ticket: 'A', area: [] }])
    }),
  )

  test(
    'is that of live claims only, and the next lease does not have it',
    withClaims(async ({ claims, advance }) => {
      await take(claims, { area })
      advance(TTL_MS)
      expect((await claims.snapshot()).areas()).toEqual([])
      await take(claims, { holder: 'pod-2' })
      expect((await claims.snapshot()).areas()).toEqual([{ ticket: 'A', area: null }])
    }),
  )
}

function testTwoClients(withClaims: WithClaims): void {
  test(
    'have the same claims',
    withClaims(async ({ claims, second, advance }) => {
      const claim = await take(claims)
      expect((await second.snapshot()).find('A')).toEqual(claim)
      expect(await second.acquire(request({ holder: 'pod-2' }))).toEqual({ status: 'held', claim })
      advance(1000)
      expect((await second.renew('A', claim.token)).status).toBe('kept')
      expect((await second.release('A', { token: claim.token })).status).toBe('kept')
      expect((await claims.snapshot()).find('A')).toBeUndefined()
    }),
  )

  test(
    'that acquire one Ticket at the same time get one lease, and two Tickets two tokens',
    withClaims(async ({ claims, second }) => {
      const clients = [claims, second, claims, second]
      const race = await Promise.all(clients.map((client, at) => client.acquire(request({ holder: `pod-${at}` }))))
      expect(race.map(({ status }) => status).sort()).toEqual(['acquired', 'held', 'held', 'held'])
      const many = await Promise.all(clients.map((client, at) => client.acquire(request({ ticket: `T-${at}` }))))
      expect(new Set(many.map(({ claim }) => claim.token)).size).toBe(clients.length)
    }),
  )

  test(
    'keep a snapshot as it was',
    withClaims(async ({ claims, second }) => {
      const before = await claims.snapshot()
      const { token } = await take(second)
      const during = await claims.snapshot()
      await second.release('A', { token })
      expect(before.find('A')).toBeUndefined()
      expect(during.find('A')?.token).toBe(token)
    }),
  )
}
