/** The verdicts that a watcher has told of, and which of them are others by now. */

import { type Reason, ticketsIn } from '../model/reasons.ts'
import { type Verdict, verdictOn } from '../model/verdict.ts'
import type { View } from '../store/store.ts'

/** A queued Ticket whose verdict is another one; null stands for a Ticket that is not queued. */
export interface VerdictChange {
  ticket: string
  from: Verdict | null
  to: Verdict | null
  /** The reasons of the verdict as it is now. */
  reasons: Reason[]
}

/** A change, with the Tickets that its reasons name, those of before included. */
export interface TracedChange extends VerdictChange {
  named: ReadonlySet<string>
}

export interface VerdictMemory {
  /** What is new since `remember` was called last, in the order of the queue; `remember` makes it count as told. */
  compare(view: View): { changes: TracedChange[]; remember(): void }
}

interface Known {
  verdict: Verdict
  named: Set<string>
}

/** A memory that begins with the verdicts of now. */
export function verdictMemory(view: View): VerdictMemory {
  let known = new Map([...verdictsOf(view)].map(([ticket, now]) => [ticket, forget(now)]))
  return {
    compare(view) {
      const verdicts = verdictsOf(view)
      const changes: TracedChange[] = []
      for (const [ticket, now] of verdicts) {
        const before = known.get(ticket)
        if (before?.verdict === now.verdict) continue
        const named = new Set([...(before?.named ?? []), ...now.named])
        changes.push({ ticket, from: before?.verdict ?? null, to: now.verdict, reasons: now.reasons, named })
      }
      for (const [ticket, before] of known) {
        if (verdicts.has(ticket)) continue
        changes.push({ ticket, from: before.verdict, to: null, reasons: [], named: before.named })
      }
      return {
        changes,
        remember() {
          known = new Map([...verdicts].map(([ticket, now]) => [ticket, forget(now)]))
        },
      }
    },
  }
}

function verdictsOf({ queries, facts }: View): Map<string, Known & { reasons: Reason[] }> {
  return new Map(
    queries.queued().map(({ id }) => {
      const { verdict, reasons } = verdictOn(id, facts)
      return [id, { verdict, reasons, named: new Set(reasons.flatMap(ticketsIn)) }]
    }),
  )
}

function forget({ verdict, named }: Known): Known {
  return { verdict, named }
}
