/** Plans in few words: Tickets with decisions, claims, unreadable files, and the verdict on one of them. */
import type { Asking } from '../model/asking.ts'
import type { Facts } from '../model/facts.ts'
import type { TicketId } from '../model/names.ts'
import type { Ticket } from '../model/ticket.ts'
import { verdictOn } from '../model/verdict.ts'
import { type Bounds, ONE_TICKET } from '../model/wait-graph.ts'
import { asDecision, type LooseDecision, type LooseReason, looseReasons } from './loose-decision.ts'
import { type MemoryClaim, type MemoryPlan, memoryFacts } from './memory-facts.ts'

/** When the claims of tests expire. */
export const EXPIRES = '2026-06-08T13:00:00.000Z'

/** A Ticket with decisions; those without an id of their own are numbered, and each is a second later than the one before. */
export function ticket(id: string, state: string, ...drafts: LooseDecision[]): Ticket {
  const decisions = drafts.map((draft, i) =>
    asDecision({ id: `${id}${i + 1}`, kind: 'note', by: 'x', at: `2026-06-08T12:00:0${i}.000Z`, ...draft }),
  )
  return { format: 1, id: id as TicketId, title: id, state, decisions }
}

export const comesAfter = (target: string): LooseDecision => ({ kind: 'after', target })
export const blockedBy = (target: string): LooseDecision => ({ kind: 'blocked_by', target })
export const partOf = (target: string): LooseDecision => ({ kind: 'part_of', target })
export const conflict = (target: string, advisory?: true): LooseDecision => ({
  kind: 'conflicts_with',
  target,
  ...(advisory && { advisory }),
})
export const waiting = (fields: LooseDecision = {}): LooseDecision => ({ kind: 'waiting_for_capacity', ...fields })
export const hold = (fields: LooseDecision = {}): LooseDecision => ({ kind: 'hold', ...fields })
export const accepted = (fields: LooseDecision = {}): LooseDecision => ({
  kind: 'accepted_plan',
  plan: { summary: '' },
  ...fields,
})
export const touches = (...paths: string[]): LooseDecision => ({ kind: 'touches', paths })
export const sharing = (...paths: string[]): LooseDecision => ({ kind: 'touches', paths, shared: true })
export const contested = (field: string): LooseDecision => ({ kind: 'contested', field, lost: 'x' })
export const retraction = (retracts: string): LooseDecision => ({ kind: 'retraction', retracts })

/** A live claim of pod-1 without a session, in no pool. */
export function claim(ticket: string, fields: Partial<MemoryClaim> = {}): MemoryClaim {
  return { ticket, holder: 'pod-1', pool: null, expires_at: EXPIRES, ...fields }
}

/** A file that cannot be read and seems to be in conflict with some Tickets. */
export const lost = (id: string, ...mentions: string[]) => ({ id, path: `tickets/${id}.json`, mentions })

const known = new WeakMap<MemoryPlan, Facts>()

/** The facts of a plan, which must not change any more. */
export function factsOf(plan: MemoryPlan): Facts {
  const facts = known.get(plan) ?? memoryFacts(plan)
  known.set(plan, facts)
  return facts
}

/** The verdict on a Ticket of a plan. */
export function consult(plan: MemoryPlan, id = 'T', asking?: Asking, bounds: Bounds = ONE_TICKET) {
  return looseReasons(verdictOn(id, factsOf(plan), asking, bounds))
}

/** The verdict on the first Ticket among the others. */
export function on(own: Ticket, ...others: Ticket[]) {
  return consult({ tickets: [own, ...others] }, own.id)
}

/** Each reason as code, severity and the other Ticket. */
export const codes = ({ reasons }: { reasons: LooseReason[] }) =>
  reasons.map(({ code, severity, ticket }) => [code, severity, ticket].filter(Boolean).join(' '))
