/**
 * Takes a change of one Ticket back, as a pure function: decisions by retractions, fields by their values before.
 *
 * Invariant: decisions are only ever added, and what others have said or set since is kept. Must not read a file.
 */
import { LAST_MOMENT_MS, retractDecision, type Stamp } from './change.ts'
import type { Decision } from './decision.ts'
import { fileStatuses } from './decision-status.ts'
import { isoTime } from './text.ts'
import { STATE_GROUP, type Ticket } from './ticket.ts'

/** A field that goes back; null where it is absent. */
export interface FieldReturn {
  field: string
  from: string | null
  to: string | null
}

export interface TakenBack {
  ticket: Ticket
  /** The decisions that the change had added and that are withdrawn. */
  decisions: Decision[]
  /** The new retractions, one for each of them. */
  retractions: Decision[]
  fields: FieldReturn[]
  /** What of the change is not taken back, as sentences. */
  left: string[]
}

/** Returns the decisions that a change added. */
export function addedDecisions(before: Ticket, after: Ticket): Decision[] {
  const known = new Set(before.decisions.map(({ id }) => id))
  return after.decisions.filter(({ id }) => !known.has(id))
}

/** Returns the fields that differ between two versions of a Ticket, sorted. */
export function changedFields(before: Ticket, after: Ticket): FieldReturn[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names
    .filter(name => name !== 'decisions' && textOf(before[name]) !== textOf(after[name]))
    .map(field => ({ field, from: textOf(after[field]), to: textOf(before[field]) }))
}

/** Returns the decisions, but for retractions, that are active in the second version and were not in the first. */
export function activeAgain(now: Ticket, next: Ticket): Decision[] {
  const was = fileStatuses(now.decisions)
  const is = fileStatuses(next.decisions)
  return next.decisions.filter(
    ({ id, kind }) => kind !== 'retraction' && was.has(id) && was.get(id) !== 'active' && is.get(id) === 'active',
  )
}

/**
 * Takes the change from `before` to `after` back in a Ticket that may have changed since. Returns the same Ticket where nothing
 * is left to take back.
 */
export function takeBack(now: Ticket, { before, after }: { before: Ticket; after: Ticket }, stamp: Stamp): TakenBack {
  const taken: TakenBack = { ticket: now, decisions: [], retractions: [], fields: [], left: [] }
  for (const decision of addedDecisions(before, after)) takeDecision(taken, decision, stamp)
  takeFields(taken, before, after, stamp)
  return taken
}

function takeDecision(taken: TakenBack, added: Decision, stamp: Stamp): void {
  const decision = taken.ticket.decisions.find(({ id }) => id === added.id)
  if (!decision) {
    taken.left.push(`${added.id} is no longer in the file`)
    return
  }
  const { created, ticket, decision: retraction } = retractDecision(taken.ticket, decision.id, 'undo', stamp)
  if (!created) {
    taken.left.push(`${added.id} is retracted already, by ${retraction.id}`)
    return
  }
  taken.ticket = ticket
  taken.decisions.push(decision)
  taken.retractions.push(retraction)
}

function takeFields(taken: TakenBack, before: Ticket, after: Ticket, { nowMs }: Stamp): void {
  const changed = changedFields(before, after).map(({ field }) => field)
  const inGroup = changed.filter(field => (STATE_GROUP as readonly string[]).includes(field))
  const groups = [...changed.filter(field => !inGroup.includes(field)).map(field => [field]), inGroup]
  for (const fields of groups.filter(({ length }) => length > 0)) {
    const now = taken.ticket
    const moved = fields.includes('state_at') ? STATE_GROUP : fields
    if (moved.some(field => textOf(now[field]) !== textOf(after[field]))) {
      taken.left.push(`${moved === STATE_GROUP ? 'state' : fields.join(' and ')} was changed since`)
      continue
    }
    const next: Ticket = { ...now }
    for (const field of fields) {
      if (before[field] === undefined) delete next[field]
      else next[field] = before[field]
    }
    // Later than what it takes back: a merge keeps the later state.
    if (next.state !== now.state) next.state_at = timeAfter(now.state_at, nowMs)
    taken.fields.push(...changedFields(next, now))
    taken.ticket = next
  }
}

function timeAfter(earlier: string | undefined, nowMs: number): string {
  const leastMs = earlier === undefined ? 0 : Date.parse(earlier) + 1
  return isoTime(Math.min(Math.max(nowMs, leastMs), LAST_MOMENT_MS))
}

function textOf(value: unknown): string | null {
  if (value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}
