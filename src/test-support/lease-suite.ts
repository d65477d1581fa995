/** What a lease is to every implementation of `Claims`: whose it is, and how it ends. */
import { expect, test } from 'vitest'
import { request, TTL_MS, take, type WithClaims } from './claims-under-test.ts'

/** Defines the tests of who takes and keeps a lease. */
export function testHolders(withClaims: WithClaims): void {
  test(
    'is taken with all fields of the request, and its times',
    withClaims(async ({ claims, advance }) => {
      const given = { pool: 'gpu', session: 's-1', worktree: 'worktrees/a', pid: 42 }
      const acquired = await claims.acquire(request(given))
      const claim = {
        ticket: 'A',
        holder: 'pod-1',
        token: Date.parse('2026-06-08T12:00:00.000Z') / 1000 + 1,
        ...given,
        acquired_at: '2026-06-08T12:00:00.000Z',
        renewed_at: '2026-06-08T12:00:00.000Z',
        expires_at: '2026-06-08T12:01:00.000Z',
        live: true,
      }
      expect(acquired).toEqual({ status: 'acquired', claim, takenFrom: null })
      advance(1)
      const snapshot = await claims.snapshot()
      expect(snapshot.find('A')).toEqual(claim)
      expect(snapshot.find('B')).toBeUndefined()
      expect(snapshot.all(false)).toEqual([{ ...claim, released_at: null }])
    }),
  )

  test(
    'is renewed by its holder, who keeps the token and the earlier fields',
    withClaims(async ({ claims, advance }) => {
      const first = await take(claims, { pool: 'gpu', session: 's-1' })
      advance(30_000)
      expect(await claims.acquire(request({ session: 's-1', ttlMs: 2 * TTL_MS }))).toEqual({
        status: 'renewed',
        claim: { ...first, renewed_at: '2026-06-08T12:00:30.000Z', expires_at: '2026-06-08T12:02:30.000Z' },
      })
      advance(30_000)
      expect(await claims.renew('A', first.token)).toMatchObject({
        status: 'kept',
        claim: { token: first.token, acquired_at: first.acquired_at, expires_at: '2026-06-08T12:03:00.000Z' },
      })
      const { claim } = await claims.renew('A', first.token, 1000)
      expect(claim?.expires_at).toBe('2026-06-08T12:01:01.000Z')
    }),
  )

  test(
    'of another holder is not taken, and an attempt does not change it',
    withClaims(async ({ claims, advance, readLog }) => {
      const claim = await take(claims)
      advance(TTL_MS - 1)
      expect(await claims.acquire(request({ holder: 'pod-2' }))).toEqual({ status: 'held', claim })
      expect((await claims.snapshot()).find('A')).toEqual(claim)
      expect(await readLog()).toHaveLength(1)
    }),
  )

  test(
    'of the same name in another session, or in none, is of another holder',
    withClaims(async ({ claims }) => {
      const sessions = [undefined, 's-1', 's-2']
      for (const [position, session] of sessions.entries()) {
        const ticket = `T-${position}`
        const claim = await take(claims, { ticket, session })
        for (const other of sessions) {
          const { status, claim: seen } = await claims.acquire(request({ ticket, session: other }))
          expect(status).toBe(other === session ? 'renewed' : 'held')
          expect(seen).toEqual(claim)
        }
      }
    }),
  )

  test(
    'moves to the holder and the session that present its token, which stays; the log has the holder before',
    withClaims(async ({ claims, advance, readLog }) => {
      const first = await take(claims, { pool: 'gpu', session: 's-1', worktree: 'worktrees/a' })
      advance(1000)
      const moved = await claims.acquire(request({ session: 's-2', token: first.token }))
      const times = { renewed_at: '2026-06-08T12:00:01.000Z', expires_at: '2026-06-08T12:01:01.000Z' }
      expect(moved).toEqual({ status: 'renewed', claim: { ...first, session: 's-2', ...times } })
      expect((await claims.acquire(request({ session: 's-1' }))).status).toBe('held')
      const again = await claims.acquire(request({ holder: 'pod-2', token: first.token }))
      expect(again.claim).toMatchObject({ holder: 'pod-2', session: null, token: first.token })
      expect((await claims.renew('A', first.token)).status).toBe('kept')
      expect((await readLog()).map(({ action, holder, previousHolder }) => [action, holder, previousHolder])).toEqual([
        ['acquired', 'pod-1', null],
        ['moved', 'pod-1', 'pod-1'],
        ['moved', 'pod-2', 'pod-1'],
        ['renewed', 'pod-2', null],
      ])
    }),
  )

  test(
    'does not move by any other token, nor by its own after the expiry',
    withClaims(async ({ claims, advance }) => {
      const { token } = await take(claims, { session: 's-1' })
      const other = await take(claims, { ticket: 'B' })
      for (const wrong of [token - 1, token + 2, other.token])
        expect((await claims.acquire(request({ token: wrong }))).status).toBe('held')
      advance(TTL_MS)
      const taken = await claims.acquire(request({ holder: 'pod-2', token }))
      expect(taken).toMatchObject({ status: 'acquired', takenFrom: 'pod-1' })
      expect(taken.claim.token).toBeGreaterThan(other.token)
    }),
  )
}

/** Defines the tests of the release and the expiry of a lease, and of its slot. */
export function testEnds(withClaims: WithClaims): void {
  test(
    'that is released keeps the state that was seen then, also while later holders have the Ticket',
    withClaims(async ({ claims, advance }) => {
      const released = async () => (await claims.snapshot()).released('A')
      const { token } = await take(claims)
      expect(await released()).toBeUndefined()
      advance(1000)
      await claims.release('A', { token }, { state: 'done', state_at: '2026-06-08T11:59:00.000Z' })
      const first = { state: 'done', state_at: '2026-06-08T11:59:00.000Z', at: '2026-06-08T12:00:01.000Z' }
      expect(await released()).toEqual(first)
      advance(1000)
      const next = await take(claims, { holder: 'pod-2' })
      expect(await released()).toEqual(first)
      await claims.release('A', { token: next.token + 1 }, { state: 'open', state_at: null })
      expect(await released()).toEqual(first) // refused
      await claims.release('A', { token: next.token })
      expect(await released()).toEqual(first) // where the Ticket has no file, nothing is seen
      advance(1000)
      await take(claims, { holder: 'pod-3' })
      await claims.release('A', { force: true, reason: 'the pod is gone' }, { state: 'open', state_at: null })
      expect(await released()).toEqual({ state: 'open', state_at: null, at: '2026-06-08T12:00:03.000Z' })
    }),
  )

  test(
    'expires to the millisecond, is then listed as expired, and can be taken over; the log has the earlier holder',
    withClaims(async ({ claims, advance, readLog }) => {
      const old = await take(claims)
      advance(TTL_MS - 1)
      expect((await claims.snapshot()).find('A')).toBeDefined()
      advance(1)
      const expired = await claims.snapshot()
      expect(expired.find('A')).toBeUndefined()
      expect(expired.all(false)).toEqual([{ ...old, live: false, released_at: null }])
      const taken = await claims.acquire(request({ holder: 'pod-2' }))
      expect(taken).toMatchObject({ status: 'acquired', takenFrom: 'pod-1', claim: { holder: 'pod-2' } })
      expect(taken.claim.token).toBeGreaterThan(old.token)
      expect(await readLog()).toEqual([
        { action: 'acquired', ticket: 'A', holder: 'pod-1', previousHolder: null, reason: null },
        { action: 'taken_over', ticket: 'A', holder: 'pod-2', previousHolder: 'pod-1', reason: null },
      ])
    }),
  )

  test(
    'that has expired is taken by its old holder with a new token and without the earlier fields',
    withClaims(async ({ claims, advance }) => {
      const old = await take(claims, { pool: 'gpu', session: 's-1', pid: 42 })
      advance(TTL_MS)
      const taken = await take(claims)
      expect(taken.token).toBeGreaterThan(old.token)
      expect(taken).toMatchObject({ pool: null, session: null, pid: null, acquired_at: '2026-06-08T12:01:00.000Z' })
    }),
  )

  test(
    'is released with its token, stays in the complete list, and leaves the Ticket free',
    withClaims(async ({ claims, advance }) => {
      const { token } = await take(claims)
      advance(1000)
      expect(await claims.release('A', { token })).toMatchObject({ status: 'kept', claim: { token } })
      const snapshot = await claims.snapshot()
      expect(snapshot.find('A')).toBeUndefined()
      expect(snapshot.all(false)).toEqual([])
      expect(snapshot.all(true)).toMatchObject([{ ticket: 'A', live: false, released_at: '2026-06-08T12:00:01.000Z' }])
      advance(1)
      const next = await claims.acquire(request({ holder: 'pod-2' }))
      expect(next).toMatchObject({ status: 'acquired', takenFrom: null })
      expect(next.claim.token).toBeGreaterThan(token)
    }),
  )

  test(
    'is released by force, live or expired, and the log keeps the reason; a lease that has ended is not released again',
    withClaims(async ({ claims, advance, readLog }) => {
      const force = { force: true, reason: 'the pod is gone' } as const
      expect(await claims.release('A', force)).toEqual({ status: 'stale_token', claim: null })
      await take(claims)
      advance(1)
      expect((await claims.release('A', force)).status).toBe('kept')
      advance(1)
      expect(await claims.release('A', force)).toEqual({ status: 'stale_token', claim: null })
      advance(1)
      await take(claims)
      advance(TTL_MS)
      expect((await claims.release('A', force)).status).toBe('kept')
      const forced = { action: 'forced', ticket: 'A', holder: 'pod-1', previousHolder: null, reason: 'the pod is gone' }
      expect((await readLog()).filter(({ action }) => action === 'forced')).toEqual([forced, forced])
    }),
  )

  test(
    'uses a slot of its pool while it is live',
    withClaims(async ({ claims, advance }) => {
      expect((await claims.snapshot()).countInPool('gpu', '', () => false)).toBe(0)
      await take(claims, { pool: 'gpu' })
      advance(10)
      await take(claims, { ticket: 'B', pool: 'gpu' })
      await take(claims, { ticket: 'C', pool: 'default' })
      const count = async (except = '', terminal = '') =>
        (await claims.snapshot()).countInPool('gpu', except, ticket => ticket === terminal)
      advance(10)
      expect(await count()).toBe(2)
      expect(await count('A')).toBe(1)
      expect(await count('C')).toBe(2)
      expect(await count('', 'A')).toBe(1) // the claim of a terminal Ticket holds no slot
      advance(TTL_MS - 20)
      expect(await count()).toBe(1)
    }),
  )
}
