/** Finds the decisions that a caller names: by id, by the beginning of an id, or by what they say. */
import { isRelationKind, type RelationKind } from '../model/decision-kinds.ts'
import { isInForce } from '../model/decision-status.ts'
import { PlanError } from '../model/errors.ts'
import { isDecisionId } from '../model/names.ts'
import { didYouMean, nearestNames } from '../model/nearest-names.ts'
import type { View } from '../store/store.ts'

/** A decision and the Ticket whose file holds it. */
export interface NamedDecision {
  id: string
  ticket: string
}

/** The fewest characters of an id that can name a decision. */
export const SHORTEST_PREFIX = 4
const PREFIX = /^[0-7][0-9A-HJKMNP-TV-Z]*$/
/** How many ids a message lists. */
const MOST_LISTED = 10

/** True for what can be the id of a decision or the beginning of one, in any case. */
export function isDecisionPrefix(text: string): boolean {
  return text.length >= SHORTEST_PREFIX && text.length <= 26 && PREFIX.test(text.toUpperCase())
}

/** Returns the one decision with this id, or whose id begins with it. @throws PlanError unknown_decision. */
export function decisionById({ queries }: View, given: string): NamedDecision {
  const prefix = given.toUpperCase()
  const ids = queries.decisionIdsFrom(prefix, MOST_LISTED + 1)
  if (ids.length > 1) {
    const message = `${given} is the beginning of ${listOf(ids)}; give more characters`
    throw new PlanError('unknown_decision', message, { decision: given })
  }
  const [id] = ids
  if (id === undefined) {
    const similar = isDecisionId(prefix) ? didYouMean(nearestNames(prefix, queries.allDecisionIds())) : ''
    const rest = similar || '; "ticketplan show <ticket>" lists the decisions of a Ticket'
    const what = isDecisionId(prefix) ? `a decision ${given}` : `a decision whose id begins with ${given}`
    throw new PlanError('unknown_decision', `no Ticket file has ${what}${rest}`, { decision: given })
  }
  const holders = queries.holdersOf(id)
  if (holders.length === 1) return { id, ticket: holders[0]! }
  const message = `the decision ${id} is in the files of ${holders.join(' and ')}, so it cannot be retracted; see "ticketplan verify"`
  throw new PlanError('unknown_decision', message, { decision: id })
}

/**
 * Returns the decisions of a Ticket that are neither retracted nor superseded and say this: all that say the relation to the
 * other Ticket, from either side; of another kind the only one. @throws PlanError unknown_decision, unknown_ticket.
 */
export function decisionsBySense(
  view: View,
  name: string,
  kind: string,
  otherName: string | undefined,
): NamedDecision[] {
  const ticket = view.resolve(name).id
  if (isRelationKind(kind)) return relationDecisions(view, ticket, kind, view.resolve(otherName!).id)
  const found = view.queries
    .decisionsOf(ticket)
    .filter(decision => decision.kind === kind && isInForce(decision.status))
    .map(({ id }) => ({ id, ticket }))
  if (found.length === 1) return found
  const message =
    found.length === 0
      ? `${ticket} has no ${kind} to retract; "ticketplan show ${ticket}" lists its decisions`
      : `${ticket} has ${found.length} decisions of kind ${kind}; name one by its id: ${listOf(found.map(({ id }) => id))}`
  throw new PlanError('unknown_decision', message, { decision: kind })
}

function relationDecisions(view: View, ticket: string, kind: RelationKind, other: string): NamedDecision[] {
  const rows = view.queries
    .relations({ ticket, kind })
    .filter(({ other_id, status }) => other_id === other && isInForce(status))
  const ids = [...new Set(rows.map(({ decision_id }) => decision_id))]
  if (ids.length > 0) return ids.map(id => decisionById(view, id))
  const message = `no active decision says "${ticket} ${kind} ${other}"; "ticketplan relations --ticket ${ticket}" lists those that are active`
  throw new PlanError('unknown_decision', message, { decision: kind })
}

function listOf(ids: readonly string[]): string {
  return ids.slice(0, MOST_LISTED).join(', ') + (ids.length > MOST_LISTED ? ', …' : '')
}
