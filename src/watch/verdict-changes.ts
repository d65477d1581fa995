/** Compares the verdicts on queued Tickets with those that a listener knows. */
import { type Reason, ticketsIn } from '../model/reasons.ts'
import { type Verdict, verdictOn } from '../model/verdict.ts'
import { MANY_TICKETS } from '../model/wait-graph.ts'
import type { View } from '../store/store.ts'

/** A new verdict on a Ticket; null where the Ticket is not queued. */
export interface VerdictChange {
  ticket: string
  from: Verdict | null
  to: Verdict | null
  /** The reasons of the new verdict. */
  reasons: Reason[]
}

/** A change, with the Tickets that the reasons of the old or the new verdict name. */
export interface TracedChange extends VerdictChange {
  named: ReadonlySet<string>
}

/** The verdicts on all queued Tickets, by id, in the order of the queue. */
export type KnownVerdicts = ReadonlyMap<string, { verdict: Verdict; reasons: Reason[] }>

/** Returns the verdicts of a view. */
export function readVerdicts({ queries, facts }: View): KnownVerdicts {
  return new Map(queries.queued().map(({ id }) => [id, verdictOn(id, facts, {}, MANY_TICKETS)]))
}

/** Returns the changes: those of queued Tickets in the order of the queue, then those of Tickets that are no longer queued. */
export function compareVerdicts(before: KnownVerdicts, now: KnownVerdicts): TracedChange[] {
  const changes: TracedChange[] = []
  for (const [ticket, { verdict, reasons }] of now) {
    const known = before.get(ticket)
    if (known?.verdict === verdict) continue
    const named = namedIn([...(known?.reasons ?? []), ...reasons])
    changes.push({ ticket, from: known?.verdict ?? null, to: verdict, reasons, named })
  }
  for (const [ticket, { verdict, reasons }] of before) {
    if (!now.has(ticket)) changes.push({ ticket, from: verdict, to: null, reasons: [], named: namedIn(reasons) })
  }
  return changes
}

function namedIn(reasons: Reason[]): Set<string> {
  return new Set(reasons.flatMap(ticketsIn))
}
