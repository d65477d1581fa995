/**
 * Waits until Tickets can be accepted, are terminal, or are not claimed. The command line and MCP have it; the SDK, which is
 * synchronous, has `watch`.
 *
 * Changes of files come from a watch. Claims, leases that expire, holds that end and other worktrees are polled twice a second:
 * no event reports that time has passed. Must not report a condition that a full check of the files does not confirm.
 */
import * as z from 'zod/mini'
import { withoutToken } from '../claims/claims.ts'
import { isPlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import { verdictOn } from '../model/verdict.ts'
import { MANY_TICKETS } from '../model/wait-graph.ts'
import type { Store, View } from '../store/store.ts'
import { watchTickets } from '../watch/watch.ts'
import { firstHolds, ticketSummary } from './answers.ts'
import { command, flag, type InputOf, ticketName } from './operation.ts'
import { claimWithoutTokenShape, reasonShape, ticketShape } from './shapes.ts'

const UNTIL = ['accept', 'terminal', 'released'] as const

/** How often claims and due times are polled. */
const POLL_MS = 500
/** The longest wait, in seconds. */
const MAX_TIMEOUT = 30 * 24 * 3600

const fields = {
  tickets: {
    schema: z.array(ticketName).check(z.minLength(1), z.maxLength(1000)),
    help: 'ids or slugs',
    positional: true,
    list: true,
  },
  until: {
    schema: z._default(z.enum(UNTIL), 'accept'),
    help: 'accept: can be accepted; terminal: in a terminal state; released: nobody has a live claim (default: accept)',
    value: 'condition',
  },
  any: { schema: flag, help: 'one of them is enough (default: all of them, at one moment)' },
  timeout: {
    schema: z.optional(z.number().check(z.minimum(0), z.maximum(MAX_TIMEOUT, 'must be at most 30 days'))),
    help: 'give up after this time: seconds, or 30m, 2h (default: never)',
    value: 'time',
    span: true,
  },
} as const

export type WaitInput = InputOf<typeof fields>

export const waitCommand = command({
  name: 'wait',
  summary: 'Block until Tickets can be accepted, are done, or are released',
  details:
    'Exit status 0 as soon as the condition is true, 7 on a time-out; 128 and the number of the signal that ended it. Sees changes by any program: of files, of claims, leases that expire, and times that come. The condition can be false again a moment later: "accept" decides.',
  fields,
  examples: [
    'ticketplan wait T-2 && ticketplan accept T-2 --holder pod-3',
    'ticketplan wait T-1 T-2 --until terminal --timeout 2h',
    'ticketplan wait T-1 T-2 --until released --any --json',
  ],
})

export const waited = lazy(() =>
  z.object({
    /** False on a time-out. */
    met: z.boolean(),
    until: z.enum(UNTIL),
    tickets: z.array(
      z.object({
        ticket: ticketShape(),
        met: z.boolean(),
        claim: z.nullable(claimWithoutTokenShape()),
        /** `accept`: the first reasons that hold the Ticket, and how many those are. */
        reasons: z.optional(z.array(reasonShape())),
        total: z.optional(z.int()),
      }),
    ),
    /** How long it waited. */
    ms: z.int(),
  }),
)
export type Waited = z.infer<ReturnType<typeof waited>>

/** What a caller gets while it waits. */
interface Waiting {
  /** Ends the wait. */
  signal: AbortSignal
  /** Called once if the condition is not true at the beginning. */
  onWaiting?(seen: Waited): void
}

/**
 * Waits; returns undefined where the signal ended it.
 * @throws PlanError unknown_ticket, ambiguous_slug, and those of a first read.
 */
export async function waitFor(
  store: Store,
  { tickets, until, any, timeout = Number.POSITIVE_INFINITY }: WaitInput,
  { signal, onWaiting }: Waiting,
): Promise<Waited | undefined> {
  const startedAt = performance.now()
  const deadline = startedAt + timeout * 1000
  const ids = store.read(view => [...new Set(tickets.map(name => view.resolve(name).id))])
  const check = (view: View): Waited => {
    const entries = ids.map(id => entryOf(view, id, until))
    const met = any ? entries.some(({ met }) => met) : entries.every(({ met }) => met)
    return { met, until, tickets: entries, ms: Math.round(performance.now() - startedAt) }
  }
  let seen = store.read(check)
  if (seen.met || timeout === 0) return seen
  onWaiting?.(seen)
  const alarm = newAlarm(signal)
  using _ = watchTickets(store, alarm.ring)
  for (;;) {
    await alarm.wait(Math.min(POLL_MS, deadline - performance.now()))
    if (signal.aborted) return undefined
    const isLate = performance.now() >= deadline
    seen = poll(store, check) ?? { ...seen, ms: Math.round(performance.now() - startedAt) }
    if (seen.met || isLate) return seen
  }
}

/** Checks the rows as they are, and where the condition is true, all files; undefined where that is not possible now. */
function poll(store: Store, check: (view: View) => Waited): Waited | undefined {
  try {
    const seen = store.peek(check)
    return seen.met ? store.read(check) : seen
  } catch (error) {
    if (isPlanError(error)) return undefined // as during a checkout; the watch reports a failure that stays
    throw error
  }
}

/** A wait that ends early where it rings or the signal is aborted. */
function newAlarm(signal: AbortSignal) {
  let ring = () => {}
  return {
    ring: () => ring(),
    wait: (ms: number) =>
      new Promise<void>(resolve => {
        const end = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', end)
          resolve()
        }
        const timer = setTimeout(end, Math.max(ms, 1))
        signal.addEventListener('abort', end)
        ring = end
        if (signal.aborted) end()
      }),
  }
}

function entryOf({ queries, facts, claims }: View, id: string, until: WaitInput['until']): Waited['tickets'][number] {
  const row = queries.ticket(id)
  const live = claims.find(id)
  const entry = { ticket: ticketSummary(id, row ?? null), claim: live ? withoutToken(live) : null }
  if (until === 'terminal') return { ...entry, met: row?.phase === 'terminal' }
  if (until === 'released') return { ...entry, met: live === undefined && claims.unknown === null }
  const { verdict, reasons } = verdictOn(id, facts, {}, MANY_TICKETS)
  return { ...entry, met: verdict === 'accept', ...firstHolds(reasons) }
}
