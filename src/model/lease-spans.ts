/** Turns the log of claims into spans of time: who held which Ticket, from when until when, and how it ended. Pure. */

/** A change of a claim, as the log has it. */
export interface LeaseEvent {
  at: string
  action: 'acquired' | 'moved' | 'released' | 'forced' | 'taken_over'
  ticket: string
  holder: string
  previous_holder: string | null
  reason: string | null
}

export interface LeaseSpan {
  ticket: string
  holder: string
  /** Null where the log that was read begins later. */
  from: string | null
  /** Null where the log has no end: the lease runs, or has expired without anybody who took it over. */
  to: string | null
  /** How it ended. After `taken_over` the lease had expired at an unknown time before. */
  end: 'released' | 'forced' | 'taken_over' | 'moved' | null
  /** Why a release was forced. */
  reason: string | null
}

/** Returns the spans in the order in which they begin; those of unknown beginning first. `newestFirst` is the log. */
export function leaseSpans(newestFirst: readonly LeaseEvent[]): LeaseSpan[] {
  const running = new Map<string, LeaseSpan>()
  const spans: LeaseSpan[] = []
  const before: LeaseSpan[] = []
  const end = (ticket: string, holder: string, how: Omit<LeaseSpan, 'ticket' | 'holder' | 'from'>) => {
    const span = running.get(ticket)
    running.delete(ticket)
    if (span) Object.assign(span, how)
    else before.push({ ticket, holder, from: null, ...how })
  }
  for (const { at, action, ticket, holder, previous_holder: previous, reason } of newestFirst.toReversed()) {
    if (action === 'released' || action === 'forced') {
      end(ticket, holder, { to: at, end: action, reason })
      continue
    }
    if (previous !== null)
      end(ticket, previous, { to: at, end: action === 'moved' ? 'moved' : 'taken_over', reason: null })
    const span: LeaseSpan = { ticket, holder, from: at, to: null, end: null, reason: null }
    running.set(ticket, span)
    spans.push(span)
  }
  return [...before, ...spans]
}
