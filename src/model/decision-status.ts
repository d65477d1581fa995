/** What became of each decision: derived from the decisions of its file and the phases of its Tickets, never stored. */
import { byTime, type Decision, isStoredRelation } from './decision.ts'
import { LAST_COUNTS } from './decision-kinds.ts'
import type { Outcome, Phase } from './states.ts'

/** What became of a decision. */
export type Status = 'active' | 'satisfied' | 'superseded' | 'retracted'

/** True for a decision that was neither retracted nor superseded. */
export function isInForce(status: Status | undefined): boolean {
  return status === 'active' || status === 'satisfied'
}

/**
 * Returns the status of each decision as far as it follows from its file alone, by decision id.
 *
 * A retraction that is itself retracted has no effect; nor has a `supersedes` in a retracted decision. Of the kinds of
 * which only the last counts, the last one that is not retracted is active.
 */
export function fileStatuses(decisions: readonly Decision[]): Map<string, Status> {
  const statuses = new Map<string, Status>()
  if (decisions.length === 0) return statuses
  const retracted = retractedIds(decisions)
  const remaining = decisions.filter(decision => !retracted.has(decision.id)).sort(byTime)
  const superseded = supersededIds(remaining)
  const lastPlan = remaining.findLast(({ kind }) => kind === 'accepted_plan')
  for (const decision of decisions) {
    const { id } = decision
    if (retracted.has(id)) statuses.set(id, 'retracted')
    else if (superseded.has(id)) statuses.set(id, 'superseded')
    else if (decision.kind === 'waiting_for_capacity' && lastPlan && byTime(decision, lastPlan) < 0)
      statuses.set(id, 'satisfied')
    else statuses.set(id, 'active')
  }
  return statuses
}

/** The ids that a later decision replaces. The decisions are in the order of their times. */
function supersededIds(decisions: readonly Decision[]): Set<string> {
  const superseded = new Set<string>()
  const last = new Map<string, string>()
  const positions = new Map(decisions.map(({ id }, position) => [id, position]))
  for (const [position, { id, kind, supersedes = [] }] of decisions.entries()) {
    for (const earlier of supersedes) if ((positions.get(earlier) ?? position) < position) superseded.add(earlier)
    if (!(LAST_COUNTS as string[]).includes(kind)) continue
    const before = last.get(kind)
    if (before !== undefined) superseded.add(before)
    last.set(kind, id)
  }
  return superseded
}

/**
 * Returns the ids that an effective retraction names. It works from the retractions that nothing retracts inwards, without
 * recursion: a file may hold a chain of as many as it holds decisions.
 */
function retractedIds(decisions: readonly Decision[]): Set<string> {
  const targetOf = new Map<string, string>()
  const threats = new Map<string, number>()
  for (const decision of decisions) {
    if (decision.kind !== 'retraction') continue
    targetOf.set(decision.id, decision.retracts)
    threats.set(decision.retracts, (threats.get(decision.retracts) ?? 0) + 1)
  }
  const retracted = new Set<string>()
  const effective = new Set<string>()
  const settle = (first: string) => {
    const pending = [first]
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      effective.add(id)
      const target = targetOf.get(id)
      if (target === undefined || retracted.has(target) || effective.has(target)) continue
      retracted.add(target)
      const freed = targetOf.get(target)
      if (freed === undefined || retracted.has(freed) || effective.has(freed)) continue
      threats.set(freed, threats.get(freed)! - 1)
      if (threats.get(freed) === 0) pending.push(freed)
    }
  }
  const ids = [...targetOf.keys()].sort()
  for (const id of ids) if (!threats.has(id)) settle(id)
  // Only a file edited by hand can hold retractions that name each other in a cycle; there the smallest id is effective.
  for (const id of ids) if (!retracted.has(id) && !effective.has(id)) settle(id)
  return retracted
}

/** What the status of a decision depends on beside its own file. */
export interface Surroundings {
  /** The phase of the Ticket whose file has the decision. */
  ownPhase: Phase
  /** The outcome of the Ticket that the decision names; undefined where it names none, or one without a readable file. */
  other?: { phase: Phase; outcome: Outcome | null } | undefined
  /** The wall clock, as a timestamp. */
  now: string
}

/**
 * Returns the status of a decision from its status within its file. Every decision of a terminal Ticket is satisfied, and
 * so is a relation to a terminal Ticket, but for a blocker that was abandoned: what it would have delivered will not come.
 */
export function finalStatus(fileStatus: Status, decision: Decision, { ownPhase, other, now }: Surroundings): Status {
  if (fileStatus !== 'active') return fileStatus
  if (ownPhase === 'terminal') return 'satisfied'
  if (decision.kind === 'hold') return isOver(decision, now) ? 'satisfied' : 'active'
  if (!isStoredRelation(decision) || other?.phase !== 'terminal') return 'active'
  return decision.kind === 'blocked_by' && other.outcome === 'abandoned' ? 'active' : 'satisfied'
}

/** True for a hold whose time has passed. */
export function isOver({ not_before }: { not_before?: string | undefined }, now: string): boolean {
  return not_before !== undefined && not_before <= now
}
