/** Reads the past of the queue from dates, decisions and the log of claims. What is not kept is counted, never guessed. */
import { MOST_LOG_ENTRIES } from '../claims/claims.ts'
import { leaseSpans } from '../model/lease-spans.ts'
import { type PastCode, type PastHold, pastQueue, upTo, type Wait } from '../model/past-queue.ts'
import { isoTime } from '../model/text.ts'
import type { Store, View } from '../store/store.ts'
import type { OverviewFacts } from './overview-facts.ts'
import type { Past } from './overview-shape.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const DAY_POINTS = 48
const HISTORY_POINTS = 60
/** Older decisions than these are not read. */
const MOST_ROWS = 200_000

/** Returns the past up to now with at most that many waits, and how many more there are. */
export function pastOf(
  store: Store,
  view: View,
  facts: OverviewFacts,
  most: number,
): { value: Past; waitsLeftOut: number } {
  const { nowMs, rows, counts } = facts
  const time = (at: string | null) => (at === null ? null : Date.parse(at))
  const queue = pastQueue(
    [...rows.values()].map(({ id, phase, queued_at, state_at }) => ({
      id,
      phase,
      queuedAt: time(queued_at),
      stateAt: time(state_at),
    })),
    startsOf(store, view, nowMs),
    holdsOf(view),
    nowMs,
  )
  const waits = queue.waitsSince(nowMs - 7 * DAY_MS)
  const lengths = waits.map(({ from, to }) => to - from).sort((a, b) => a - b)
  const median = lengths[lengths.length >> 1]
  const value: Past = {
    day: [
      ...Array.from({ length: DAY_POINTS }, (_, position) => {
        const at = nowMs - DAY_MS + (position * DAY_MS) / DAY_POINTS
        const { queued, held, running } = queue.countsAt(at)
        return { at: isoTime(at), free: queued - held, held, running }
      }),
      { at: isoTime(nowMs), free: counts.accept, held: counts.hold, running: counts.running },
    ],
    unknown: queue.unknown,
    waits: waits.slice(0, most).map(waitEntry),
    median_wait: median === undefined ? null : Math.round(median / 1000),
    history: historyOf(view, facts),
  }
  return { value, waitsLeftOut: waits.length - value.waits.length }
}

function waitEntry({ ticket, from, to, heldMs, restMs }: Wait): Past['waits'][number] {
  const held = Object.entries(heldMs) as [PastCode, number][]
  const [longest] = held.toSorted(([, a], [, b]) => b - a)
  return {
    ticket,
    queued_at: isoTime(from),
    started_at: isoTime(to),
    seconds: Math.round((to - from) / 1000),
    mostly: longest?.[0] ?? null,
    held_seconds: Object.fromEntries(held.map(([code, ms]) => [code, Math.round(ms / 1000)])),
    rest_seconds: Math.round(restMs / 1000),
  }
}

/** Returns the times at which each Ticket was accepted or claimed, sorted. */
function startsOf(store: Store, { queries }: View, nowMs: number): Map<string, number[]> {
  const starts = new Map<string, number[]>()
  const add = (ticket: string, at: string) => starts.set(ticket, [...(starts.get(ticket) ?? []), Date.parse(at)])
  for (const { ticket_id, at } of queries.decisionTimes('accepted_plan')) add(ticket_id, at)
  const since = isoTime(nowMs - 30 * DAY_MS)
  for (const { ticket, from } of leaseSpans(store.claims.log({ since }, MOST_LOG_ENTRIES)))
    if (from !== null) add(ticket, from)
  for (const times of starts.values()) times.sort((a, b) => a - b)
  return starts
}

/** Returns what can have held a Ticket. What was superseded is left out: nothing says when. */
function holdsOf({ queries }: View): PastHold[] {
  const retractedAt = new Map(
    queries
      .decisionsOfKinds({ kinds: ['retraction'] }, MOST_ROWS)
      .rows.map(({ body }) => JSON.parse(body) as { retracts: string; at: string })
      .map(({ retracts, at }) => [retracts, Date.parse(at)]),
  )
  return queries.pastHolds().flatMap(({ id, ticket, kind, other, at, not_before, advisory, status }): PastHold[] => {
    if (advisory || status === 'superseded') return []
    const ends = [retractedAt.get(id), not_before === null ? undefined : Date.parse(not_before)]
    const to = Math.min(...ends.map(end => end ?? Number.POSITIVE_INFINITY))
    const code: PastCode = kind === 'hold' ? 'on_hold' : kind
    const hold = { ticket, code, other, from: Date.parse(at), to }
    return kind === 'conflicts_with' && other !== null ? [hold, { ...hold, ticket: other, other: ticket }] : [hold]
  })
}

/** Returns points over the life of the plan: from the first Tickets to now, or to the last change of a plan that rests. */
function historyOf({ queries }: View, { rows, nowMs }: OverviewFacts): Past['history'] {
  const timesOf = (values: (string | null)[]) =>
    values.flatMap(at => (at === null ? [] : Date.parse(at))).sort((a, b) => a - b)
  const all = [...rows.values()]
  const made = timesOf(all.map(({ created_at }) => created_at))
  const settled = timesOf(all.filter(({ phase }) => phase === 'terminal').map(({ state_at }) => state_at))
  // A few dates far back, of imported Tickets, must not squeeze everything else into the last pixel.
  const from = made[Math.floor(made.length / 500)]
  if (from === undefined) return []
  const groups = Map.groupBy(queries.decisionTimes(), ({ kind }) => groupOf(kind))
  const times = { relations: [], plans: [], notes: [], retractions: [] } as Record<DecisionGroup, number[]>
  for (const [group, rows] of groups) times[group] = timesOf(rows.map(({ at }) => at))
  const last = Math.max(made.at(-1)!, settled.at(-1) ?? 0, ...Object.values(times).map(list => list.at(-1) ?? 0))
  const to = nowMs - last < 3 * DAY_MS ? nowMs : last
  const step = Math.max((to - from) / HISTORY_POINTS, 1000)
  return Array.from({ length: HISTORY_POINTS + 1 }, (_, position) => {
    const at = from + position * step
    const between = (list: number[]) => upTo(list, at) - (position === 0 ? 0 : upTo(list, at - step))
    return {
      at: isoTime(at),
      made: upTo(made, at),
      settled: upTo(settled, at),
      relations: between(times.relations),
      plans: between(times.plans),
      notes: between(times.notes),
      retractions: between(times.retractions),
    }
  })
}

type DecisionGroup = 'relations' | 'plans' | 'notes' | 'retractions'

function groupOf(kind: string): DecisionGroup {
  if (kind === 'accepted_plan') return 'plans'
  if (kind === 'retraction') return 'retractions'
  return ['note', 'contested', 'waiting_for_capacity'].includes(kind) ? 'notes' : 'relations'
}
