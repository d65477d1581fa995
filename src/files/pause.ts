/** Waiting for what another process holds: how long at most, and the pause between two attempts. */

/** How long a statement waits for another process's lock before SQLite says that it is busy. */
export const BUSY_TIMEOUT_MS = 15_000

const sleeping = new Int32Array(new SharedArrayBuffer(4))

/** Sleeps for a few ms, never the same for long: for trying again what another process keeps from succeeding. */
export function pause(): void {
  Atomics.wait(sleeping, 0, 0, 1 + 4 * Math.random())
}
