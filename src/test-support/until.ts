/** Waits for what another process, or a later turn of the event loop, is going to do. */
import { setTimeout as sleep } from 'node:timers/promises'

const DEADLINE_MS = 60_000

/** Resolves as soon as the condition is true; rejects after a minute. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + DEADLINE_MS; !(await condition()); await sleep(5)) {
    if (performance.now() > deadline) throw new Error(`timeout: waited until ${what}`)
  }
}
