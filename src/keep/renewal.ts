/**
 * When a lease is renewed, and when the attempt is given up. Pure: times go in and come out, in ms of one monotonic clock.
 *
 * Invariant: the command is ended before another holder can take the lease, also where the database cannot be reached.
 */

export interface Renewal {
  readonly ttlMs: number
  /** How long the command has between SIGTERM and SIGKILL. */
  readonly graceMs: number
  /** When the last renewal began that succeeded: the lease lives at least ttlMs from then on. */
  readonly renewedAt: number
  /** When the next attempt is due. */
  readonly dueAt: number
}

/** The shortest and the longest pause after an attempt that failed. */
const MIN_RETRY_MS = 50
const MAX_RETRY_MS = 2000

/** Returns the schedule after a renewal that began at a time: the next one is due after a third of the time to live. */
export function renewedAt(startedAt: number, { ttlMs, graceMs }: Pick<Renewal, 'ttlMs' | 'graceMs'>): Renewal {
  return { ttlMs, graceMs, renewedAt: startedAt, dueAt: startedAt + ttlMs / 3 }
}

/** Returns the schedule after an attempt that failed for another reason than a lost claim. */
export function failedAt(renewal: Renewal, now: number): Renewal {
  const pauseMs = Math.min(Math.max(renewal.ttlMs / 30, MIN_RETRY_MS), MAX_RETRY_MS)
  return { ...renewal, dueAt: Math.min(now + pauseMs, Math.max(giveUpAt(renewal), now + MIN_RETRY_MS)) }
}

/** Returns when a lease that cannot be renewed counts as lost: early enough to end the command, at most a third before its end. */
export function giveUpAt({ renewedAt, ttlMs, graceMs }: Renewal): number {
  return renewedAt + ttlMs - Math.min(graceMs, ttlMs / 3)
}

/** Returns how long to wait for the lock of the database in one attempt. */
export function busyTimeoutMs(ttlMs: number): number {
  return Math.round(Math.min(Math.max(ttlMs / 10, 100), 5000))
}
