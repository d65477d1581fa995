/**
 * Changes of one Ticket, as pure functions: (ticket, change, stamp) -> ticket.
 *
 * Invariant: decisions are only ever added. A change that says nothing new returns the same Ticket, so its caller writes
 * nothing. Clock and ids come in with the stamp. Must not read a file.
 */
import { type AnyFields, anyFields, byTime, type Decision } from './decision.ts'
import { isStoredRelationKind, LAST_COUNTS, type OwnFieldsOf, type StoredKind } from './decision-kinds.ts'
import { fileStatuses, isInForce } from './decision-status.ts'
import { PlanError } from './errors.ts'
import { FORMAT } from './format.ts'
import type { TicketId } from './names.ts'
import { byId } from './order.ts'
import type { Phase } from './states.ts'
import { isoTime } from './text.ts'
import type { Ticket } from './ticket.ts'

/** The author and time of a change, and the source of new ids. */
export interface Stamp {
  by: string
  /** Milliseconds since 1970, wall clock. */
  nowMs: number
  /** Returns a ULID for a decision made at that time. */
  newId(timeMs: number): string
}

/** The fields that `add` and `set` take; an empty slug or queuedBy removes the field. */
export interface TicketFields {
  title?: string
  slug?: string
  state?: string
  queuedBy?: string
  /** Renews the time in the queue: the Ticket goes to its end. */
  requeue?: boolean
}

/** A decision of one kind, before it has an id, an author and a time. */
type DraftOf<K extends StoredKind> = { kind: K; reason?: string; supersedes?: string[] } & OwnFieldsOf<K>
/** A decision before it has an id, an author and a time. */
export type DecisionDraft = { [K in StoredKind]: DraftOf<K> }[StoredKind]

/** The outcome of a change that adds a decision; `created` is false where the file had it already. */
export interface Decided {
  ticket: Ticket
  decision: Decision
  created: boolean
}

/** Creates a Ticket without decisions. */
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
 * Returns the Ticket with other fields; the same object where nothing changes. A new state sets `state_at`; the
 * first one that is queued also sets `queued_at` and `queued_by`.
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
    // Kept once it is set: a correction, or work that was given back, does not cost the place in the queue.
    if (phaseOf(fields.state) === 'queued' && next.queued_at === undefined) queue(next, stamp)
  }
  if (fields.requeue) queue(next, stamp)
  if (fields.queuedBy !== undefined) setOrRemove(next, 'queued_by', fields.queuedBy)
  const keys = new Set([...Object.keys(ticket), ...Object.keys(next)])
  return [...keys].every(key => ticket[key] === next[key]) ? ticket : next
}

function queue(ticket: Ticket, { by, nowMs }: Stamp): void {
  ticket.queued_at = isoTime(nowMs)
  ticket.queued_by = by
}

function setOrRemove(ticket: Ticket, key: 'slug' | 'queued_by', value: string): void {
  if (value === '') delete ticket[key]
  else ticket[key] = value
}

/** Returns the active decision of this file that says what the draft says, if there is one. */
export function findActive(ticket: Ticket, draft: DecisionDraft): Decision | undefined {
  return listActive(ticket, draft)[0]
}

function listActive(ticket: Ticket, draft: DecisionDraft): Decision[] {
  const statuses = fileStatuses(ticket.decisions)
  return ticket.decisions.filter(decision => {
    if (statuses.get(decision.id) !== 'active' || draft.supersedes?.includes(decision.id)) return false
    return saysTheSame(anyFields(decision), draft)
  })
}

/** True for a relation, area, hold or capacity note that says what the draft says. Other kinds never repeat each other. */
function saysTheSame(decision: AnyFields, draft: DecisionDraft): boolean {
  if (decision.kind !== draft.kind) return false
  const wanted = draft as Partial<AnyFields>
  if (isStoredRelationKind(decision.kind)) {
    const isAsStrict = (decision.advisory ?? false) === (wanted.advisory ?? false)
    return decision.target === wanted.target && isAsStrict && decision.label === wanted.label
  }
  const isReasonSame = (decision.reason ?? '') === (wanted.reason ?? '')
  if (decision.kind === 'touches') {
    const isSharedSame = (decision.shared ?? false) === (wanted.shared ?? false)
    return isSharedSame && JSON.stringify(decision.paths) === JSON.stringify(wanted.paths)
  }
  if (decision.kind === 'hold') return isReasonSame && decision.not_before === wanted.not_before
  if (decision.kind !== 'waiting_for_capacity') return false
  const isUntilSame = JSON.stringify(decision.until ?? []) === JSON.stringify(wanted.until ?? [])
  return decision.pool === wanted.pool && isReasonSame && isUntilSame
}

/**
 * Adds a decision, unless the file holds an active one that says the same. A new reason replaces all that say the same; a
 * strict conflict replaces an advisory one. An advisory conflict leaves a strict one as it is unless `supersedes` names it,
 * and is recorded beside it only for a reason that the file does not have. A decision that has to be later than another one
 * is dated later, whatever the clock says.
 * @throws PlanError unknown_decision where `supersedes` names a decision that the file does not hold.
 */
export function addDecision(ticket: Ticket, draft: DecisionDraft, stamp: Stamp): Decided {
  for (const id of draft.supersedes ?? []) {
    if (ticket.decisions.some(decision => decision.id === id)) continue
    throw new PlanError(
      'unknown_decision',
      `"supersedes" names ${id}, which is not in ${ticket.id}'s file: a decision can only replace one of the same file`,
      { decision: id },
    )
  }
  const same = listActive(ticket, draft)
  const otherWeight = draft.kind === 'conflicts_with' ? listActive(ticket, { ...draft, advisory: !draft.advisory }) : []
  const isWeaker = draft.kind === 'conflicts_with' && draft.advisory === true && otherWeight.length > 0
  const said = isWeaker ? [...otherWeight, ...same] : same
  const existing = draft.reason ? said.find(({ reason }) => reason === draft.reason) : said[0]
  if (existing && !replacesActive(ticket, draft)) return { ticket, decision: existing, created: false }
  const replaced = (isWeaker ? same : [...same, ...otherWeight]).map(({ id }) => id)
  const supersedes = [...new Set([...(draft.supersedes ?? []), ...replaced])].sort()
  const mustFollow = ticket.decisions.filter(decision => supersedes.includes(decision.id) || rivals(decision, draft))
  const decision = newDecision(stamp, mustFollow, { ...draft, supersedes })
  return { ticket: withDecision(ticket, decision), decision, created: true }
}

function replacesActive(ticket: Ticket, { supersedes = [] }: DecisionDraft): boolean {
  const statuses = fileStatuses(ticket.decisions)
  return supersedes.some(id => isInForce(statuses.get(id)))
}

/**
 * Withdraws a decision. For one that is withdrawn already, returns the retraction that did it.
 * @throws PlanError unknown_decision where the file does not hold it.
 */
export function retractDecision(ticket: Ticket, id: string, reason: string | undefined, stamp: Stamp): Decided {
  const withdrawn = ticket.decisions.find(decision => decision.id === id)
  if (!withdrawn) throw new PlanError('unknown_decision', `${ticket.id}'s file has no decision ${id}`, { decision: id })
  const statuses = fileStatuses(ticket.decisions)
  if (statuses.get(id) === 'retracted') {
    const retraction = ticket.decisions.find(
      decision =>
        decision.kind === 'retraction' && decision.retracts === id && statuses.get(decision.id) !== 'retracted',
    )
    if (retraction) return { ticket, decision: retraction, created: false }
  }
  const decision = newDecision(stamp, [withdrawn], { kind: 'retraction', retracts: id, reason })
  return { ticket: withDecision(ticket, decision), decision, created: true }
}

/** True for two decisions of which the later one settles the other: plans and capacity notes. */
function rivals(decision: Decision, draft: DecisionDraft): boolean {
  const kinds: string[] = LAST_COUNTS
  return kinds.includes(draft.kind) && kinds.includes(decision.kind)
}

/** The last time that a file can hold; nothing can follow it. */
export const LAST_MOMENT_MS = Date.parse('9999-12-31T23:59:59.999Z')

/** Gives the draft an id, an author and a time; its empty fields are left out. */
function newDecision({ by, nowMs, newId }: Stamp, mustFollow: Decision[], draft: DecisionDraft): Decision {
  const latest = [...mustFollow].sort(byTime).at(-1)
  const timeMs = latest ? Math.min(Math.max(nowMs, Date.parse(latest.at) + 1), LAST_MOMENT_MS) : nowMs
  const fields = Object.entries(draft).filter(([, value]) => !isEmpty(value))
  return { at: isoTime(timeMs), by, id: newId(timeMs), ...Object.fromEntries(fields) } as Decision
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0)
}

function withDecision(ticket: Ticket, decision: Decision): Ticket {
  return { ...ticket, decisions: [...ticket.decisions, decision].sort(byId) }
}
