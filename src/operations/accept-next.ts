/** Chooses the Ticket of `accept --next`: the first of the queue that can be accepted and that nobody holds. */
import type { Asking } from '../model/asking.ts'
import type { Reason } from '../model/reasons.ts'
import { verdictOn } from '../model/verdict.ts'
import { MANY_TICKETS } from '../model/wait-graph.ts'
import type { View } from '../store/store.ts'
import { firstHolds } from './answers.ts'

/** How many Tickets are named where none of the queue can be accepted. */
const MOST_HELD = 10

/** A queued Ticket that cannot be accepted: the first reasons that hold it, and how many those are. */
interface Held {
  ticket: string
  reasons: Reason[]
  total: number
}

/** The answer where no queued Ticket can be accepted: the first of them, and how many are queued. */
export interface NoneAcceptable {
  held: Held[]
  queued: number
}

/** Returns the id of the Ticket, or why there is none. */
export function firstAcceptable({ queries, facts, claims }: View, asking: Asking): string | NoneAcceptable {
  const queued = queries.queued()
  const held: Held[] = []
  for (const { id } of queued) {
    const live = claims.find(id)
    // A claim of this holder's own is work that has begun: it is renewed by name, and never offered a second time.
    const { verdict, reasons } = verdictOn(id, facts, live ? { pool: asking.pool } : asking, MANY_TICKETS)
    if (verdict === 'accept') return id
    if (held.length >= MOST_HELD) continue
    held.push({ ticket: id, ...firstHolds(reasons) })
  }
  return { held, queued: queued.length }
}
