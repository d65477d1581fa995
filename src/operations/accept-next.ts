/** Chooses the Ticket of `accept --next`: the first of the queue that can be accepted and that nobody holds. */
import type { Asking } from '../model/asking.ts'
import type { Reason } from '../model/reasons.ts'
import { verdictOn } from '../model/verdict.ts'
import { MANY_TICKETS } from '../model/wait-graph.ts'
import type { View } from '../store/store.ts'

/** How many Tickets of a queue without an acceptable one are named, and how many reasons of each. */
const MOST_HELD = 10
const MOST_REASONS = 3

/** A queued Ticket that cannot be accepted: the first reasons that hold it, and how many those are. */
interface Held {
  ticket: string
  reasons: Reason[]
  total: number
}

/** What is said where no queued Ticket can be accepted: the first of them, and how many are queued. */
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
    const holds = reasons.filter(({ severity }) => severity === 'hold')
    held.push({ ticket: id, reasons: holds.slice(0, MOST_REASONS), total: holds.length })
  }
  return { held, queued: queued.length }
}
