/**
 * Reconstructs the queue of the past from what is kept: dates of Tickets and decisions, and the log of claims.
 *
 * Pure. A Ticket keeps the time of its last change of state only, and past capacities, areas and claims of other clones are kept
 * nowhere; so a past Ticket counts as held by its relations and holds alone, and one of which no start is known is counted as
 * unknown. Times are milliseconds since 1970.
 */

export interface PastTicket {
  id: string
  phase: 'open' | 'queued' | 'active' | 'terminal'
  queuedAt: number | null
  stateAt: number | null
}

export const PAST_CODES = ['blocked_by', 'after', 'conflicts_with', 'on_hold'] as const
export type PastCode = (typeof PAST_CODES)[number]

/** A decision that can hold a Ticket, from when it was made until it was withdrawn or its time had come. */
export interface PastHold {
  ticket: string
  code: PastCode
  /** The other Ticket; null for a hold. */
  other: string | null
  from: number
  to: number
}

/** A span of time, the end not included. */
interface Span {
  from: number
  to: number
}

/** What is known of one Ticket's way through the queue. */
interface Way {
  queued: Span | null
  running: Span | null
  settledAt: number
}

export interface PastQueue {
  /** How many Tickets were queued, and how many of them held by relations and holds; how many ran. */
  countsAt(time: number): { queued: number; held: number; running: number }
  /** Tickets that were queued and have left the queue at a time that nothing says. */
  unknown: number
  /** The waits of Tickets that left the queue at that time or later, longest first. */
  waitsSince(time: number): Wait[]
}

/** How long a Ticket waited in the queue. */
export interface Wait extends Span {
  ticket: string
  /** For how long each code held it, in milliseconds; several can hold at once. */
  heldMs: Partial<Record<PastCode, number>>
  /** How long none of them did: it might have run, or was held by what is not kept. */
  restMs: number
}

/** `startsOf` has the times at which a Ticket was accepted or claimed, sorted. `now` ends what still goes on. */
export function pastQueue(
  tickets: readonly PastTicket[],
  startsOf: ReadonlyMap<string, readonly number[]>,
  holds: readonly PastHold[],
  now: number,
): PastQueue {
  const ways = new Map(tickets.map(ticket => [ticket.id, wayOf(ticket, startsOf.get(ticket.id) ?? [], now)]))
  const spansOf = Map.groupBy(
    holds.flatMap(hold => heldSpans(hold, ways, now)),
    ({ ticket }) => ticket,
  )
  const queued = [...ways].flatMap(([ticket, { queued }]) => (queued ? [{ ticket, ...queued }] : []))
  const held = queued.flatMap(({ ticket, ...span }) => clipped(union(spansOf.get(ticket) ?? []), span))
  const running = [...ways.values()].flatMap(way => way.running ?? [])
  const counts = [queued, held, running].map(countAt)
  return {
    countsAt: time => ({ queued: counts[0]!(time), held: counts[1]!(time), running: counts[2]!(time) }),
    unknown: tickets.filter(({ id, queuedAt, phase }) => queuedAt !== null && phase !== 'open' && !ways.get(id)!.queued)
      .length,
    waitsSince: time =>
      queued
        .filter(({ to }) => to >= time && to < now)
        .map(span => waitOf(span, spansOf.get(span.ticket) ?? []))
        .sort((a, b) => b.to - b.from - (a.to - a.from) || (a.ticket < b.ticket ? -1 : 1)),
  }
}

function wayOf({ phase, queuedAt, stateAt }: PastTicket, starts: readonly number[], now: number): Way {
  const settledAt = phase === 'terminal' ? (stateAt ?? 0) : Number.POSITIVE_INFINITY
  const start = starts.find(time => time >= (queuedAt ?? 0) && time <= settledAt)
  const startedAt = start ?? (phase === 'active' ? stateAt : null)
  const left = phase === 'queued' ? now : startedAt
  const queued =
    queuedAt !== null && phase !== 'open' && left !== null && left >= queuedAt ? { from: queuedAt, to: left } : null
  const ranFrom = phase === 'queued' || phase === 'open' ? null : startedAt
  return { queued, running: ranFrom === null ? null : { from: ranFrom, to: Math.min(settledAt, now) }, settledAt }
}

/** Returns when a decision held its Ticket. */
function heldSpans(
  hold: PastHold,
  ways: ReadonlyMap<string, Way>,
  now: number,
): ({ ticket: string; code: PastCode } & Span)[] {
  const { ticket, code, other, from } = hold
  const to = Math.min(hold.to, now)
  const way = other === null ? undefined : ways.get(other)
  const spans: Span[] =
    other === null
      ? [{ from, to }]
      : code === 'blocked_by'
        ? [{ from, to: Math.min(to, way?.settledAt ?? to) }]
        : code === 'after'
          ? clipped(
              [way?.queued, way?.running].filter(span => span != null),
              { from, to },
            )
          : clipped(way?.running ? [way.running] : [], { from, to })
  return spans.filter(span => span.from < span.to).map(span => ({ ticket, code, ...span }))
}

function waitOf({ ticket, from, to }: { ticket: string } & Span, spans: readonly ({ code: PastCode } & Span)[]): Wait {
  const lengthOf = (some: readonly Span[]) =>
    clipped(union(some), { from, to }).reduce((sum, s) => sum + s.to - s.from, 0)
  const byCode = PAST_CODES.map(code => [code, lengthOf(spans.filter(span => span.code === code))] as const)
  return {
    ticket,
    from,
    to,
    heldMs: Object.fromEntries(byCode.filter(([, ms]) => ms > 0)),
    restMs: to - from - lengthOf(spans),
  }
}

/** Returns spans without overlaps, in order. */
function union(spans: readonly Span[]): Span[] {
  const merged: Span[] = []
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last && from <= last.to) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}

function clipped(spans: readonly Span[], { from, to }: Span): Span[] {
  return spans
    .map(span => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) }))
    .filter(span => span.from < span.to)
}

/** Returns a function that counts the spans around a time, by binary search. */
function countAt(spans: readonly Span[]): (time: number) => number {
  const starts = spans.map(({ from }) => from).sort((a, b) => a - b)
  const ends = spans.map(({ to }) => to).sort((a, b) => a - b)
  return time => upTo(starts, time) - upTo(ends, time)
}

/** Returns how many numbers of a sorted list are at most `limit`. */
export function upTo(sorted: readonly number[], limit: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! <= limit) low = middle + 1
    else high = middle
  }
  return low
}
