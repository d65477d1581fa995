/** A plan as a listener sees it that applies each event to the state at the start: to be compared with the files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findRepository } from '../files/repository.ts'
import { idFromPath } from '../files/ticket-files.ts'
import { listTicketPaths } from '../files/ticket-listing.ts'
import { decodeTicket } from '../model/canonical-json.ts'
import type { Plan } from '../sdk.ts'
import type { TicketEvent } from '../watch/watch.ts'

export interface ReplayedPlan {
  /** Applies an event. @throws Error where an old verdict in it is not the last one. */
  apply(event: TicketEvent): void
  /** All events so far, in order. */
  events: TicketEvent[]
  /** The ids of each Ticket's decisions, sorted, according to the events; null where the file is unreadable. */
  decisions(): Record<string, string[] | null>
  /** The verdict on each queued Ticket, according to the events. */
  verdicts(): Record<string, string>
}

/** Starts with the plan as it is now. */
export function replayedPlan(plan: Plan): ReplayedPlan {
  const files = Object.entries(decisionsOnDisk(plan.root))
  const tickets = new Map(files.map(([id, decisions]) => [id, new Set(decisions ?? [])]))
  const unreadable = new Set(files.flatMap(([id, decisions]) => (decisions ? [] : [id])))
  const verdicts = new Map(plan.queue().queue.map(({ ticket, verdict }) => [ticket.id, verdict as string]))
  const events: TicketEvent[] = []
  return {
    events,
    apply(event) {
      events.push(event)
      const { ticket, change } = event
      for (const { ticket, from, to } of event.verdicts) {
        if ((verdicts.get(ticket) ?? null) !== from)
          throw new Error(`${ticket} was ${verdicts.get(ticket)}, not ${from}`)
        if (to) verdicts.set(ticket, to)
        else verdicts.delete(ticket)
      }
      if (ticket === null || change === 'claimed' || change === 'unclaimed') return
      const known = tickets.get(ticket) ?? new Set()
      for (const { id } of event.decisions) known.add(id)
      for (const id of event.removed) known.delete(id)
      if (change === 'removed') tickets.delete(ticket)
      else tickets.set(ticket, known)
      if (change === 'quarantined') unreadable.add(ticket)
      else unreadable.delete(ticket)
    },
    decisions: () =>
      Object.fromEntries([...tickets].map(([id, known]) => [id, unreadable.has(id) ? null : [...known].sort()])),
    verdicts: () => Object.fromEntries(verdicts),
  }
}

/** The ids of each Ticket's decisions, sorted, read without the index; null for an unreadable file. */
export function decisionsOnDisk(root: string): Record<string, string[] | null> {
  const all = listTicketPaths(findRepository(root)).map(path => {
    const id = idFromPath(path)
    try {
      const { ticket } = decodeTicket(readFileSync(join(root, path)), id)
      return [id, ticket.decisions.map(decision => decision.id).sort()] as const
    } catch {
      return [id, null] as const
    }
  })
  return Object.fromEntries(all)
}
