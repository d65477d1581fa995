/**
 * What a Ticket file holds: identity, the few fields that routing needs, and the decisions.
 *
 * Invariant: whatever passes `ticketSchema` can be written as canonical bytes and read back as the same value.
 * Unknown keys pass and are kept. Nothing here knows of disk, clock or database.
 */
import * as z from 'zod/mini'
import { type Decision, decisionProblem, isStoredRelation, localKeyProblem } from './decision.ts'
import { firstIssue } from './first-issue.ts'
import { FORMAT } from './format.ts'
import { lazy } from './lazy.ts'
import { isSlug, isTicketId, type TicketId } from './names.ts'
import { isPlainTicket } from './quick-proof.ts'
import { LIMITS, oneLine, timestamp } from './text.ts'

/** The fields of a Ticket; its decisions are checked one by one. */
export const ticketSchema = lazy(() =>
  z.looseObject({
    format: z.literal(FORMAT),
    id: z.string().check(z.refine(text => isTicketId(text), 'not a Ticket id')),
    title: oneLine(),
    state: oneLine().check(z.minLength(1)),
    slug: z.optional(z.string().check(z.refine(isSlug, 'not a slug: a-z, 0-9 and "-", at most 128'))),
    created_at: z.optional(timestamp()),
    queued_at: z.optional(timestamp()),
    queued_by: z.optional(oneLine()),
    state_at: z.optional(timestamp()),
    decisions: z.optional(z.array(z.unknown()).check(z.maxLength(LIMITS.decisions))),
  }),
)

/** A Ticket as its file holds it. Keys that this version does not know are kept. */
export interface Ticket {
  format: number
  id: TicketId
  title: string
  state: string
  slug?: string
  created_at?: string
  queued_at?: string
  queued_by?: string
  state_at?: string
  /** In the order of their ids. */
  decisions: Decision[]
  [unknown: string]: unknown
}

/** What is wrong with a value that should be a Ticket, and where in it. */
export interface TicketProblem {
  path: (string | number)[]
  message: string
}

/** The first thing that keeps a parsed value from being a Ticket of this format, or null. */
export function ticketProblem(value: unknown): TicketProblem | null {
  const issue = (isPlainTicket(value) ? null : firstIssue(ticketSchema(), value)) ?? localKeyProblem(value)
  if (issue) return issue
  const { id: ticketId, decisions } = value as Ticket
  const seen = new Set<string>()
  for (const [position, decision] of (decisions ?? []).entries()) {
    const problem = decisionProblem(decision)
    if (problem) return { path: ['decisions', position, ...problem.path], message: problem.message }
    const { id } = decision
    if (seen.has(id)) return { path: ['decisions', position, 'id'], message: `the decision id ${id} stands twice` }
    seen.add(id)
    if (isStoredRelation(decision) && decision.target === ticketId) {
      return { path: ['decisions', position, 'target'], message: 'a relation of a Ticket to itself' }
    }
  }
  return null
}

/** When the Ticket last changed: the latest time that its content names. Null where it names none. */
export function changedAt(ticket: Ticket): string | null {
  let latest = ''
  for (const time of [ticket.created_at, ticket.queued_at, ticket.state_at]) if (time && time > latest) latest = time
  for (const decision of ticket.decisions) if (decision.at > latest) latest = decision.at
  return latest || null
}
