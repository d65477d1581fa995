/**
 * One change applied to one Ticket, as pure functions: (ticket, change, stamp) -> ticket.
 *
 * Invariant: decisions are only ever added. A change that says nothing new gives the same Ticket back, so its caller
 * writes nothing. Clock and ids come in with the stamp; nothing here reads a file.
 */

import {
  type AcceptedPlan,
  byTime,
  type Decision,
  fileStatuses,
  isStoredRelation,
  type StoredKind,
} from './decision.ts'
import { PlanError } from './errors.ts'
import { FORMAT } from './format.ts'
import type { TicketId } from './names.ts'
import { byId } from './order.ts'
import type { Phase } from './phase.ts'
import { isoTime } from './text.ts'
import type { Ticket } from './ticket.ts'

/** Who decides, when, and where new ids come from. */
export interface Stamp {
  by: string
  /** Milliseconds since 1970, wall clock. */
  nowMs: number
  /** A ULID for a decision made at that time. */
  newId(timeMs: number): string
}

/** The fields that `add` and `set` may give; an empty slug or queuedBy removes the field. */
export interface TicketFields {
  title?: string
  slug?: string
  state?: string
  queuedBy?: string
}

/** What is to be decided, before it has an id, an author and a time. */
export interface DecisionDraft {
  kind: StoredKind
  target?: TicketId
  reason?: string
  supersedes?: string[]
  advisory?: boolean
  label?: string
  pool?: string
  until?: string[]
  plan?: AcceptedPlan
  overrides?: string[]
}

/** The outcome of a change that adds a decision; `created` is false where it stood already. */
export interface Decided {
  ticket: Ticket
  decision: Decision
  created: boolean
}

/** A new Ticket without decisions. */
export function createTicket(
  id: TicketId,
  fields: TicketFields & { title: string },
  stamp: Stamp,
  phaseOf: (state: string) => Phase,
): Ticket {
  const created_at = isoTime(stamp.nowMs)
  const empty: Ticket = { created_at, decisions: [], format: FORMAT, id, state: '', title: fields.title }
  return setFields(empty, { ...fields, state: fields.state ?? 'open' }, stamp, phaseOf)
}

/**
 * The Ticket with other fields; the same object where nothing changes. A new state dates itself, and one that enters
 * the queue says when and by whom it was queued.
 */
export function setFields(
  ticket: Ticket,
  fields: TicketFields,
  stamp: Stamp,
  phaseOf: (state: string) => Phase,
): Ticket {
  const next: Ticket = { ...ticket }
  if (fields.title !== undefined) next.title = fields.title
  if (fields.slug !== undefined) setOrRemove(next, 'slug', fields.slug)
  if (fields.state !== undefined && fields.state !== ticket.state) {
    const now = isoTime(stamp.nowMs)
    next.state = fields.state
    next.state_at = now
    if (phaseOf(fields.state) === 'queued' && (ticket.state === '' || phaseOf(ticket.state) !== 'queued')) {
      next.queued_at = now
      next.queued_by = stamp.by
    }
  }
  if (fields.queuedBy !== undefined) setOrRemove(next, 'queued_by', fields.queuedBy)
  const keys = new Set([...Object.keys(ticket), ...Object.keys(next)])
  return [...keys].every(key => ticket[key] === next[key]) ? ticket : next
}

function setOrRemove(ticket: Ticket, key: 'slug' | 'queued_by', value: string): void {
  if (value === '') delete ticket[key]
  else ticket[key] = value
}

/** The decision of this file that already says what the draft says and still stands, if there is one. */
export function findStanding(ticket: Ticket, draft: DecisionDraft): Decision | undefined {
  return listStanding(ticket, draft)[0]
}

function listStanding(ticket: Ticket, draft: DecisionDraft): Decision[] {
  const statuses = fileStatuses(ticket.decisions)
  return ticket.decisions.filter(decision => {
    if (decision.kind !== draft.kind || statuses.get(decision.id) !== 'active') return false
    if (draft.supersedes?.includes(decision.id)) return false
    if (isStoredRelation(decision)) {
      const same = (decision.advisory ?? false) === (draft.advisory ?? false) && decision.label === draft.label
      return decision.target === draft.target && same
    }
    if (decision.kind !== 'waiting_for_capacity') return false
    const sameUntil = JSON.stringify(decision.until ?? []) === JSON.stringify(draft.until ?? [])
    return decision.pool === draft.pool && (decision.reason ?? '') === (draft.reason ?? '') && sameUntil
  })
}

/**
 * Adds a decision, unless the file holds one that says the same and stands. A conflict that is said again with another
 * weight (advisory or strict) supersedes all that stand with the first, so that the weight is what was said last. A
 * decision that has to be later than another one is dated later, whatever the clock says.
 * @throws PlanError unknown_decision where `supersedes` names a decision that the file does not hold.
 */
export function addDecision(ticket: Ticket, draft: DecisionDraft, stamp: Stamp): Decided {
  for (const id of draft.supersedes ?? []) {
    if (ticket.decisions.some(decision => decision.id === id)) continue
    throw new PlanError(
      'unknown_decision',
      `"supersedes" names ${id}, which ${ticket.id}'s file does not hold: a decision can only replace one of the same file`,
      { decision: id },
    )
  }
  const standing = findStanding(ticket, draft)
  const otherWeight =
    draft.kind === 'conflicts_with' ? listStanding(ticket, { ...draft, advisory: !draft.advisory }) : []
  // A merge can bring both weights; the strict one counts, so that saying it again changes nothing.
  const saysNothingNew = standing && !(draft.advisory && otherWeight.length > 0) && !replacesStanding(ticket, draft)
  if (saysNothingNew) return { ticket, decision: standing, created: false }
  const supersedes = [...new Set([...(draft.supersedes ?? []), ...otherWeight.map(({ id }) => id)])].sort()
  const mustFollow = ticket.decisions.filter(decision => supersedes.includes(decision.id) || rivals(decision, draft))
  const decision = newDecision(stamp, mustFollow, {
    kind: draft.kind,
    reason: draft.reason || undefined,
    supersedes: supersedes.length ? supersedes : undefined,
    target: draft.target,
    advisory: draft.advisory || undefined,
    label: draft.label,
    pool: draft.pool,
    until: draft.until?.length ? draft.until : undefined,
    plan: draft.plan,
    overrides: draft.overrides?.length ? draft.overrides : undefined,
  })
  return { ticket: withDecision(ticket, decision), decision, created: true }
}

function replacesStanding(ticket: Ticket, { supersedes = [] }: DecisionDraft): boolean {
  const statuses = fileStatuses(ticket.decisions)
  return supersedes.some(id => statuses.get(id) === 'active' || statuses.get(id) === 'satisfied')
}

/**
 * Withdraws a decision. One that is withdrawn already gives the retraction that did it.
 * @throws PlanError unknown_decision where the file does not hold it.
 */
export function retractDecision(ticket: Ticket, id: string, reason: string | undefined, stamp: Stamp): Decided {
  const withdrawn = ticket.decisions.find(decision => decision.id === id)
  if (!withdrawn)
    throw new PlanError('unknown_decision', `${ticket.id}'s file holds no decision ${id}`, { decision: id })
  const statuses = fileStatuses(ticket.decisions)
  if (statuses.get(id) === 'retracted') {
    const retraction = ticket.decisions.find(
      decision =>
        decision.kind === 'retraction' && decision.retracts === id && statuses.get(decision.id) !== 'retracted',
    )
    if (retraction) return { ticket, decision: retraction, created: false }
  }
  const decision = newDecision(stamp, [withdrawn], { kind: 'retraction', retracts: id, reason: reason || undefined })
  return { ticket: withDecision(ticket, decision), decision, created: true }
}

function rivals(decision: Decision, draft: DecisionDraft): boolean {
  const capacity: string[] = ['accepted_plan', 'waiting_for_capacity'] satisfies StoredKind[]
  return capacity.includes(draft.kind) && capacity.includes(decision.kind)
}

/** The last time that a file can hold; nothing can follow it. */
const LAST_MOMENT_MS = Date.parse('9999-12-31T23:59:59.999Z')

function newDecision(stamp: Stamp, mustFollow: Decision[], fields: Partial<Decision> & { kind: string }): Decision {
  const latest = [...mustFollow].sort(byTime).at(-1)
  const timeMs = latest ? Math.min(Math.max(stamp.nowMs, Date.parse(latest.at) + 1), LAST_MOMENT_MS) : stamp.nowMs
  const decision: Decision = { at: isoTime(timeMs), by: stamp.by, id: stamp.newId(timeMs), ...fields }
  for (const key of Object.keys(decision)) if (decision[key] === undefined) delete decision[key]
  return decision
}

function withDecision(ticket: Ticket, decision: Decision): Ticket {
  const decisions = [...ticket.decisions, decision].sort(byId)
  return { ...ticket, decisions }
}
