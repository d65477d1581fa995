/** Waiting for what another process, or a later turn of this one, is going to do. */
import { setTimeout as sleep } from 'node:timers/promises'

const DEADLINE_MS = 60_000

/** Settles as soon as the condition holds; fails where it does not for a minute. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (const deadline = performance.now() + DEADLINE_MS; !condition(); await sleep(5)) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`)
  }
}
