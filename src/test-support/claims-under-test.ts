/** What a test of claims works with: an implementation, opened and empty, and two clients of it. */
import { expect } from 'vitest'
import type { Claim, Claims, LeaseRequest } from '../claims/claims.ts'

export const TTL_MS = 60_000

type Awaitable<T> = T | Promise<T>

/** Claims, or the same calls over a network. */
export type AwaitableClaims = {
  [K in keyof Claims]: (...parameters: Parameters<Claims[K]>) => Awaitable<ReturnType<Claims[K]>>
}

/** An implementation, opened for one test. Its clocks start at 2026-06-08T12:00:00.000Z and stand still by themselves. */
export interface ClaimsUnderTest {
  claims: AwaitableClaims
  /** A second client of the same claims, as another process has it. */
  second: AwaitableClaims
  /** Advances all clocks. */
  advance(ms: number): void
  /** Sets the wall clock of the clients forward or back. */
  setWallClock(byMs: number): void
  /** Reads the log of all changes, in order. */
  readLog(): Awaitable<
    { action: string; ticket: string; holder: string; previousHolder: string | null; reason: string | null }[]
  >
  close(): Awaitable<void>
}

export type OpenClaims = () => Awaitable<ClaimsUnderTest>

/** Makes a test of what uses an opened implementation, which is closed after it. */
export type WithClaims = (use: (opened: ClaimsUnderTest) => Promise<void>) => () => Promise<void>

/** Returns a request for A by pod-1, with the given fields instead. */
export function request(fields: Partial<LeaseRequest> = {}): LeaseRequest {
  return { ticket: 'A', holder: 'pod-1', ttlMs: TTL_MS, ...fields }
}

/** Acquires a lease, and fails the test where another holder has it. */
export async function take(claims: AwaitableClaims, fields: Partial<LeaseRequest> = {}): Promise<Claim> {
  const acquired = await claims.acquire(request(fields))
  expect(acquired.status).not.toBe('held')
  return acquired.claim
}
