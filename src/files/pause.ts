/** Waits for what another process holds: the pause between two attempts, and the loop around them. */

/** How long to wait for another process's lock before the error "busy". */
export const BUSY_TIMEOUT_MS = 15_000

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Blocks this process; by default for 1 to 5 ms, at random, so that two waiting processes do not stay in step. */
export function pause(ms = 1 + 4 * Math.random()): void {
  Atomics.wait(sleeper, 0, 0, ms)
}

/** Calls `attempt`, at least once, until its result is done or the timeout is over. Returns the last result. */
export function retryUntil<T>(
  timeoutMs: number,
  attempt: () => T,
  isDone: (result: T) => boolean,
  pauseMs?: number,
): T {
  for (const deadline = performance.now() + timeoutMs; ; pause(pauseMs)) {
    const result = attempt()
    if (isDone(result) || performance.now() >= deadline) return result
  }
}
