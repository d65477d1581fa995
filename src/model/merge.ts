/**
 * Base, ours and theirs -> one Ticket: the merge of two branches by meaning.
 *
 * Invariant: what comes out depends on the set of the sides' changes alone, not on which side is ours, on the order of
 * merges from one base, or on repetition. Each value that both sides changed has a greatest one, which wins; each that
 * lost is kept as a `contested` decision that every clone derives alike. Nothing here knows of git or the disk.
 */

import { canonicalText } from './canonical-json.ts'
import type { Decision } from './decision.ts'
import { derivedId } from './derived-id.ts'
import { lazy } from './lazy.ts'
import { compareText } from './order.ts'
import type { Phase } from './phase.ts'
import { isTimestamp } from './text.ts'
import type { Ticket } from './ticket.ts'

/** The fields that say where a Ticket stands; they move together, as one value. */
const STATE_GROUP = ['queued_at', 'queued_by', 'state', 'state_at'] as const

/** The author of what a merge decides; the same in every clone. */
const MERGE_ACTOR = 'ticketplan'

/** Of a value that names no time of its own. */
const NO_TIME = '1970-01-01T00:00:00.000Z'

const RANK: Record<Phase, number> = { open: 0, queued: 1, active: 2, terminal: 3 }

/** The outcome of a merge. */
export interface Merged {
  ticket: Ticket
  /** What lost in this merge, in the order of the ids; all of it is part of the Ticket. */
  contested: Decision[]
}

/** A value and its canonical text; undefined where it is absent. */
type Side = { text: string; value: unknown } | undefined

/**
 * Merges two versions of one Ticket.
 * @param base the version that both come from; null where there is none (both sides added the file).
 * @param phaseOf decides between two states of the same `state_at`.
 */
export function mergeTickets(
  base: Ticket | null,
  ours: Ticket,
  theirs: Ticket,
  phaseOf: (state: string) => Phase,
): Merged {
  const fields = { base: fieldsOf(base), ours: fieldsOf(ours), theirs: fieldsOf(theirs) }
  const decisions = { base: decisionsOf(base), ours: decisionsOf(ours), theirs: decisionsOf(theirs) }
  const contested = new Map<string, Decision>()
  const contest = (field: string, lost: Side) => {
    const decision = contestedDecision(ours.id, field, lost)
    contested.set(decision.id, decision)
  }

  // The later of two formats: what was read of such a side is not all of it, so nobody may write the result.
  const merged: Record<string, unknown> = { format: Math.max(ours.format, theirs.format), id: ours.id }
  for (const field of namesOf(fields)) {
    const [from, left, right] = [fields.base.get(field), fields.ours.get(field), fields.theirs.get(field)]
    const compare = field === 'state' ? (a: Side, b: Side) => compareStates(a, b, phaseOf) : compareSides
    const [winner, loser] = mergeField(from, left, right, compare)
    if (loser) contest(field, loser.side)
    if (field === 'state') Object.assign(merged, winner?.value)
    else if (winner) merged[field] = winner.value
  }

  const changesField = (side: 'ours' | 'theirs') => (name: string) =>
    !isSame(fields[side].get(name), fields.base.get(name))
  const changesDecision = (side: 'ours' | 'theirs') => (id: string) => {
    const decision = decisions[side].get(id) // to remove one is no change
    return decision !== undefined && !isSame(decision, decisions.base.get(id))
  }
  const changesAnything = {
    ours: lazy(() => changes('ours')),
    theirs: lazy(() => changes('theirs')),
  }
  const changes = (side: 'ours' | 'theirs') =>
    [...namesOf(fields)].some(changesField(side)) || [...decisions[side].keys()].some(changesDecision(side))
  const changesWhatIsLost = (side: 'ours' | 'theirs', field: string): boolean => {
    // A field of a version to come may be named like a decision, so both are looked at.
    if (changesField(side)(field)) return true
    if (!field.startsWith(DECISION_FIELD)) return false
    const about = field.slice(DECISION_FIELD.length)
    if (decisions.base.has(about)) return changesDecision(side)(about)
    // One that the base lacks may itself be what a merge makes, of anything that the side changes.
    return changesAnything[side]()
  }
  /** Does a side change what the contested decision of the base is about, and keep it? Then it is not withdrawn in this merge. */
  const isUpheld = (id: string, decision: Decision) =>
    decision.kind === 'contested' &&
    (['ours', 'theirs'] as const).some(side => decisions[side].has(id) && changesWhatIsLost(side, decision.field))
  const mergeDecision = (id: string): Decision | undefined => {
    const [from, left, right] = [decisions.base.get(id), decisions.ours.get(id), decisions.theirs.get(id)]
    const made = contested.get(id)
    // Where the base has it, its value is on record already, even if somebody has since added a word to it.
    const changed = [left, right, made && !from ? sideOf(made) : undefined]
      .filter(side => side !== undefined && !isSame(side, from))
      .sort(compareSides)
    const winner = changed.pop()
    if (winner) {
      for (const side of changed) if (!isSame(side, winner)) contest(DECISION_FIELD + id, side)
      return winner.value as Decision
    }
    const kept = from?.value as Decision | undefined
    if (!kept) return undefined
    return (left && right) || made || isUpheld(id, kept) ? kept : undefined
  }
  const result = new Map<string, Decision>()
  // What a merge makes can itself meet a decision of the same id, which somebody edited by hand; then that one is looked at again.
  let pending = new Set([...namesOf(decisions), ...contested.keys()])
  while (pending.size > 0) {
    const known = new Set(contested.keys())
    for (const id of pending) {
      const decision = mergeDecision(id)
      if (decision) result.set(id, decision)
    }
    pending = new Set([...contested.keys()].filter(id => !known.has(id)))
  }
  return {
    ticket: { ...merged, decisions: inOrder(result) } as Ticket,
    contested: inOrder(contested),
  }
}

/** A `contested` decision about another decision has this before that one's id as its `field`. */
const DECISION_FIELD = 'decisions.'

/** The winner, and the side that lost where both changed the value. Absent counts as the least. */
function mergeField(
  from: Side,
  left: Side,
  right: Side,
  compare: (a: Side, b: Side) => number,
): [winner: Side, loser?: { side: Side }] {
  if (isSame(left, right) || isSame(right, from)) return [left]
  if (isSame(left, from)) return [right]
  return compare(left, right) > 0 ? [left, { side: right }] : [right, { side: left }]
}

function compareSides(a: Side, b: Side): number {
  if (!a || !b) return (a ? 1 : 0) - (b ? 1 : 0)
  return Buffer.compare(Buffer.from(a.text), Buffer.from(b.text))
}

/** The later `state_at` is greater, then the higher phase, then the greater bytes. */
function compareStates(a: Side, b: Side, phaseOf: (state: string) => Phase): number {
  const [left, right] = [(a?.value ?? {}) as Partial<Ticket>, (b?.value ?? {}) as Partial<Ticket>]
  const [leftAt, rightAt] = [left.state_at ?? '', right.state_at ?? '']
  if (leftAt !== rightAt) return leftAt > rightAt ? 1 : -1
  const byPhase = RANK[phaseOf(left.state ?? '')] - RANK[phaseOf(right.state ?? '')]
  return byPhase || compareSides(a, b)
}

/** The decision that keeps what lost. Its id and time come from the Ticket's id, the field and the lost value alone. */
function contestedDecision(ticket: string, field: string, lost: Side): Decision {
  const { at, queued_at, state_at } = (lost?.value ?? {}) as Record<string, unknown>
  const times = field === 'state' ? [state_at, queued_at] : field.startsWith(DECISION_FIELD) ? [at] : []
  const time = times.find(time => typeof time === 'string' && isTimestamp(time) && time >= NO_TIME) ?? NO_TIME
  return {
    at: time as string,
    by: MERGE_ACTOR,
    field,
    id: derivedId(time as string, canonicalText([ticket, field, ...(lost ? [lost.value] : [])])),
    kind: 'contested',
    ...(lost && { lost: lost.value }),
  }
}

function fieldsOf(ticket: Ticket | null): Map<string, Side> {
  const fields = new Map<string, Side>()
  if (!ticket) return fields
  const { decisions, format, id, ...rest } = ticket
  const group: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined) continue
    if ((STATE_GROUP as readonly string[]).includes(name)) group[name] = value
    else fields.set(name, sideOf(value))
  }
  return fields.set('state', sideOf(group))
}

function decisionsOf(ticket: Ticket | null): Map<string, Side> {
  return new Map(ticket?.decisions.map(decision => [decision.id, sideOf(decision)]))
}

function sideOf(value: unknown): Side {
  return { text: canonicalText(value), value }
}

function isSame(a: Side, b: Side): boolean {
  return a?.text === b?.text
}

function namesOf(versions: Record<'base' | 'ours' | 'theirs', Map<string, Side>>): Set<string> {
  return new Set([...versions.base.keys(), ...versions.ours.keys(), ...versions.theirs.keys()])
}

function inOrder(decisions: Map<string, Decision>): Decision[] {
  return [...decisions].sort(([a], [b]) => compareText(a, b)).map(([, decision]) => decision)
}
