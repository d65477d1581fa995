/** Says that work on an active Ticket may have been given up: nobody has a live claim on it. Pure. */
import type { Facts, ReadableTicket } from './facts.ts'

/** Returns the state of a Ticket, as reasons show it; for an active one without a live claim, with what queues it again. */
export function stateOrUnclaimed({ id, state, state_at, phase }: ReadableTicket, facts: Facts): string {
  if (phase !== 'active' || facts.claim(id)) return state
  const since = state_at === null ? '' : ` since ${state_at}`
  return `${state}, active without a live claim${since}; ${requeueCommand(id, facts.queuedStates)} queues it again`
}

/** Returns the command that gives a Ticket back to the queue, in its old place. */
function requeueCommand(id: string, queuedStates: readonly string[]): string {
  return `"ticketplan set ${id} --state ${queuedStates[0] ?? 'queued'}"`
}
