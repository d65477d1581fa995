/** Waits for what another process holds: the pause between two attempts, the loop around them, and the clock for both. */

/** How long to wait for another process's lock before the error "busy". */
export const BUSY_TIMEOUT_MS = 15_000

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Blocks this process; by default for 1 to 5 ms, at random, so that two waiting processes do not stay in step. */
export function pause(ms = 1 + 4 * Math.random()): void {
  Atomics.wait(sleeper, 0, 0, ms)
}

/** Returns the ms on a clock that nobody can set. The first use of `performance` costs a start 1 ms. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}

/** Calls `attempt`, at least once, until its result is done or the timeout is over. Returns the last result. */
export function retryUntil<T>(
  timeoutMs: number,
  attempt: () => T,
  isDone: (result: T) => boolean,
  pauseMs?: number,
): T {
  for (const deadline = monotonicMs() + timeoutMs; ; pause(pauseMs)) {
    const result = attempt()
    if (isDone(result) || monotonicMs() >= deadline) return result
  }
}
