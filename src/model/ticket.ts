/**
 * What a Ticket file holds: identity, the few fields that routing needs, and the decisions.
 *
 * Invariant: a value that passes `ticketProblem` can be written as canonical bytes and read back as the same value. Unknown
 * keys pass and are kept. Must not know of disk, clock or database.
 */
import * as z from 'zod/mini'
import { type Decision, decisionProblem, isStoredRelation, localKeyProblem } from './decision.ts'
import {
  FILLED_LINE,
  type FieldTypes,
  hasPlainFields,
  LINE,
  looseSchema,
  optional,
  SLUG,
  TICKET_ID,
  TIMESTAMP,
  type ValuesOf,
} from './fields.ts'
import { firstIssue } from './first-issue.ts'
import { FORMAT } from './format.ts'
import { lazy } from './lazy.ts'
import type { TicketId } from './names.ts'
import { LIMITS } from './text.ts'

/** The fields of a Ticket, in the order in which they are checked. */
const TICKET_FIELDS = {
  id: TICKET_ID,
  title: LINE,
  state: FILLED_LINE,
  slug: optional(SLUG),
  created_at: optional(TIMESTAMP),
  queued_at: optional(TIMESTAMP),
  queued_by: optional(LINE),
  state_at: optional(TIMESTAMP),
} as const satisfies FieldTypes

/** The schema of a Ticket; its decisions are checked one by one. */
export const ticketSchema = lazy(() =>
  looseSchema({
    format: { schema: () => z.literal(FORMAT), isPlain: value => value === FORMAT, optional: false },
    ...TICKET_FIELDS,
    decisions: {
      schema: () => z.optional(z.array(z.unknown()).check(z.maxLength(LIMITS.decisions))),
      isPlain: Array.isArray,
      optional: true,
    },
  }),
)

/** A Ticket as its file holds it. Keys that this version does not know are kept. */
export interface Ticket extends ValuesOf<typeof TICKET_FIELDS> {
  id: TicketId
  format: number
  /** In the order of their ids. */
  decisions: Decision[]
  [unknown: string]: unknown
}

/** The fields that describe the state of a Ticket. A merge, or a change that is taken back, takes all of them from one version. */
export const STATE_GROUP = ['state', 'state_at', 'queued_at', 'queued_by'] as const

const plainFields = Object.entries(TICKET_FIELDS)

/** True where the value is a Ticket of this format beyond doubt; false says nothing. Decisions and local keys are not checked. */
export function isPlainTicket(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const object = value as Record<string, unknown>
  const { format, decisions } = object
  return (
    format === FORMAT &&
    Array.isArray(decisions) &&
    decisions.length <= LIMITS.decisions &&
    hasPlainFields(object, plainFields)
  )
}

/** What is wrong with a value that should be a Ticket, and where in it. */
export interface TicketProblem {
  path: (string | number)[]
  message: string
}

/** Returns the first thing that keeps a parsed value from being a Ticket of this format, or null. */
export function ticketProblem(value: unknown): TicketProblem | null {
  const issue = (isPlainTicket(value) ? null : firstIssue(ticketSchema(), value)) ?? localKeyProblem(value)
  if (issue) return issue
  const { id: ticketId, decisions } = value as Ticket
  const seen = new Set<string>()
  for (const [position, decision] of (decisions ?? []).entries()) {
    const problem = decisionProblem(decision)
    if (problem) return { path: ['decisions', position, ...problem.path], message: problem.message }
    const { id } = decision
    if (seen.has(id)) return { path: ['decisions', position, 'id'], message: `the decision id ${id} appears twice` }
    seen.add(id)
    if (isStoredRelation(decision) && decision.target === ticketId) {
      return { path: ['decisions', position, 'target'], message: 'a relation of a Ticket to itself' }
    }
  }
  return null
}

/** Returns the latest time that the content of a Ticket names; null where it names none. */
export function changedAt(ticket: Ticket): string | null {
  let latest = ''
  for (const time of [ticket.created_at, ticket.queued_at, ticket.state_at]) if (time && time > latest) latest = time
  for (const decision of ticket.decisions) if (decision.at > latest) latest = decision.at
  return latest || null
}
