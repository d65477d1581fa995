/** The tool `wait`: the one call that takes long. Other calls go on meanwhile, and progress keeps the client waiting. */
import * as z from 'zod/mini'
import type { Operation } from '../operations/operation.ts'
import { command } from '../operations/operation.ts'
import { waitCommand, waited, waitFor } from '../operations/wait.ts'
import type { Store } from '../store/store.ts'
import { followClaims } from '../watch/follow-claims.ts'

/** Below the time after which clients give up on a call by default. */
const DEFAULT_SECONDS = 50
const MAX_SECONDS = 600
const PROGRESS_MS = 5000

/** What a call has beside its arguments. */
export interface CallContext {
  /** Aborted where the client has cancelled the call, or the server ends. */
  signal: AbortSignal
  /** Informs the client that the call goes on, where it wants to know. */
  progress?(seconds: number, total: number): void
}

const { tickets, until, any, timeout } = waitCommand.fields

const waitTool = command({
  ...waitCommand,
  fields: {
    tickets,
    until: { ...until, help: 'released: without a live claim' },
    any: { ...any, help: 'one of them is enough' },
    timeout: {
      ...timeout,
      schema: z._default(
        z.number().check(z.minimum(0), z.maximum(MAX_SECONDS, 'must be at most 10 minutes')),
        DEFAULT_SECONDS,
      ),
      help: 'seconds, or 5m; then met is false: call again',
    },
  },
})

/** The definition as the tools list it; `callWait` gives its answers. */
export const waitDefinition = {
  ...waitTool,
  writes: false,
  output: waited,
  run: () => {
    throw new Error('callWait gives the answers of the tool wait')
  },
} as unknown as Operation

/** Waits, and reports its progress. */
export async function callWait(store: Store, given: unknown, { signal, progress }: CallContext): Promise<object> {
  const input = waitTool.input.parse(given)
  using _ = await followClaims(store)
  const startedAt = performance.now()
  const report = () => progress?.(Math.round((performance.now() - startedAt) / 1000), input.timeout)
  const timer = setInterval(report, PROGRESS_MS)
  try {
    return (await waitFor(store, input, { signal })) ?? { met: false, until: input.until, tickets: [], ms: 0 }
  } finally {
    clearInterval(timer)
  }
}
