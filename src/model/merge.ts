/**
 * Merges two versions of a Ticket by meaning, given the version that both come from.
 *
 * Invariant: the result depends only on the set of changes that the sides made, not on which side is ours, on the order of
 * merges from one base, or on repetition. Where both sides changed a value, the greater value wins, and the losing value is
 * kept as a `contested` decision, which every clone derives alike. Does not use git or the disk.
 */

import { canonicalText } from './canonical-json.ts'
import type { Decision } from './decision.ts'
import { derivedId } from './derived-id.ts'
import { compareText } from './order.ts'
import { compareStates, type Phase } from './states.ts'
import { isTimestamp } from './text.ts'
import { STATE_GROUP, type Ticket } from './ticket.ts'

/** The author of the decisions that a merge adds; the same in every clone. */
const MERGE_ACTOR = 'ticketplan'

/** The time of a contested decision whose losing value has no time of its own. */
const NO_TIME = '1970-01-01T00:00:00.000Z'

/** A `contested` decision about another decision has this prefix and that decision's id as its `field`. */
const DECISION_FIELD = 'decisions.'

const SIDES = ['ours', 'theirs'] as const
type Side = (typeof SIDES)[number]

/** A JSON value with its canonical text; undefined where it is absent. */
type Value = { text: string; content: unknown } | undefined

/** Three versions of the same set of values: fields by name, or decisions by id. */
type Versions = Record<'base' | Side, ReadonlyMap<string, Value>>

/** A value that lost: both sides changed it, and the other side's value is greater. */
interface Loss {
  field: string
  value: Value
}

/** The result of a merge. */
export interface Merged {
  ticket: Ticket
  /** The decisions that keep the losing values of this merge, ordered by id. The Ticket contains them too. */
  contested: Decision[]
}

/**
 * Merges two versions of one Ticket.
 * @param base the version that both come from; null where there is none (both sides added the file).
 * @param phaseOf decides between two states that have the same `state_at`.
 */
export function mergeTickets(
  base: Ticket | null,
  ours: Ticket,
  theirs: Ticket,
  phaseOf: (state: string) => Phase,
): Merged {
  const { id } = ours
  const fields = { base: fieldsOf(base), ours: fieldsOf(ours), theirs: fieldsOf(theirs) }
  const decisions = { base: decisionsOf(base), ours: decisionsOf(ours), theirs: decisionsOf(theirs) }
  const { merged, losses } = mergeFields(fields, phaseOf)
  const { kept, contested } = mergeDecisions(
    { id, fields, decisions },
    losses.map(loss => contestedDecision(id, loss)),
  )
  // Of a side with a newer format only a part was understood. The result has that format, so that nobody writes it.
  const format = Math.max(ours.format, theirs.format)
  return { ticket: { format, id, ...merged, decisions: inOrder(kept) } as Ticket, contested: inOrder(contested) }
}

/** Merges the fields one by one; the state group counts as one field with the name `state`. */
function mergeFields(
  fields: Versions,
  phaseOf: (state: string) => Phase,
): { merged: Record<string, unknown>; losses: Loss[] } {
  const merged: Record<string, unknown> = {}
  const losses: Loss[] = []
  for (const field of namesOf(fields)) {
    const compare = field === 'state' ? (a: Value, b: Value) => compareStateGroups(a, b, phaseOf) : compareValues
    const { winner, loss } = mergeValue(fields, field, compare)
    if (loss) losses.push(loss)
    if (field === 'state') Object.assign(merged, winner?.content)
    else if (winner) merged[field] = winner.content
  }
  return { merged, losses }
}

/** Merges one value: the changed one wins over an unchanged one, the greater of two changed ones; absent is the least. */
function mergeValue(
  { base, ours, theirs }: Versions,
  field: string,
  compare: (a: Value, b: Value) => number,
): { winner: Value; loss?: Loss } {
  const [from, left, right] = [base.get(field), ours.get(field), theirs.get(field)]
  if (isSame(left, right) || isSame(right, from)) return { winner: left }
  if (isSame(left, from)) return { winner: right }
  const [winner, value] = compare(left, right) > 0 ? [left, right] : [right, left]
  return { winner, loss: { field, value } }
}

/** All that the merge of decisions depends on: whether to keep a contested one also depends on the fields. */
interface TicketVersions {
  id: string
  fields: Versions
  decisions: Versions
}

/**
 * Merges the decisions one by one, and adds those that keep losing values.
 * @param lost the contested decisions of the fields.
 * @returns the decisions of the result, and those among them that keep a losing value of this merge.
 */
function mergeDecisions(
  versions: TicketVersions,
  lost: readonly Decision[],
): { kept: Map<string, Decision>; contested: Map<string, Decision> } {
  const kept = new Map<string, Decision>()
  const contested = new Map(lost.map(decision => [decision.id, decision]))
  const isUpheld = upheldBy(versions)
  // A contested decision can have the id of a decision that somebody edited by hand: then that id is merged again.
  let pending = new Set([...namesOf(versions.decisions), ...contested.keys()])
  while (pending.size > 0) {
    const added = new Map<string, Decision>()
    for (const id of pending) {
      const { decision, losses } = mergeDecision(versions.decisions, id, contested.get(id), isUpheld)
      if (decision) kept.set(id, decision)
      for (const loss of losses) {
        const other = contestedDecision(versions.id, loss)
        if (!contested.has(other.id)) added.set(other.id, other)
      }
    }
    for (const [id, decision] of added) contested.set(id, decision)
    pending = new Set(added.keys())
  }
  return { kept, contested }
}

/**
 * Merges the versions of one decision. One that a side removed is gone, unless the other side changed it.
 * @param made the contested decision with this id that the merge itself adds.
 */
function mergeDecision(
  { base, ours, theirs }: Versions,
  id: string,
  made: Decision | undefined,
  isUpheld: (decision: Decision) => boolean,
): { decision: Decision | undefined; losses: Loss[] } {
  const [from, left, right] = [base.get(id), ours.get(id), theirs.get(id)]
  // Where the base has the id, the losing value is recorded already, even if somebody has added a reason to it since.
  const changed = [left, right, made && !from ? toValue(made) : undefined]
    .filter(value => value !== undefined && !isSame(value, from))
    .sort(compareValues)
  const winner = changed.pop()
  if (winner) {
    const losers = changed.filter(value => !isSame(value, winner))
    const losses = losers.map(value => ({ field: DECISION_FIELD + id, value }))
    return { decision: winner.content as Decision, losses }
  }
  const known = from?.content as Decision | undefined
  const stays = known && ((left && right) || made || isUpheld(known))
  return { decision: stays ? known : undefined, losses: [] }
}

/**
 * Returns a predicate for decisions of the base. It is true for a contested decision that a side keeps while it changes the
 * value that the decision is about. Such a decision stays, although the other side removed it.
 */
function upheldBy({ fields, decisions }: TicketVersions): (decision: Decision) => boolean {
  const isChangedField = (side: Side, name: string) => !isSame(fields[side].get(name), fields.base.get(name))
  const isChangedDecision = (side: Side, id: string) => {
    const decision = decisions[side].get(id) // a removal is no change
    return decision !== undefined && !isSame(decision, decisions.base.get(id))
  }
  const changesAnything = (side: Side) =>
    [...namesOf(fields)].some(name => isChangedField(side, name)) ||
    [...decisions[side].keys()].some(id => isChangedDecision(side, id))
  const isChanged = { ours: changesAnything('ours'), theirs: changesAnything('theirs') }
  const changesSubject = (side: Side, field: string): boolean => {
    // A field of a newer version may have a name with the prefix, so both a field and a decision are checked.
    if (isChangedField(side, field)) return true
    if (!field.startsWith(DECISION_FIELD)) return false
    const id = field.slice(DECISION_FIELD.length)
    // A decision that the base lacks may be one that a merge adds, for anything that the side changes.
    return decisions.base.has(id) ? isChangedDecision(side, id) : isChanged[side]
  }
  return decision =>
    decision.kind === 'contested' &&
    SIDES.some(side => decisions[side].has(decision.id) && changesSubject(side, decision.field))
}

function compareValues(a: Value, b: Value): number {
  if (!a || !b) return (a ? 1 : 0) - (b ? 1 : 0)
  return Buffer.compare(Buffer.from(a.text), Buffer.from(b.text))
}

/** Compares two state groups: by `state_at`, then by phase, then by bytes. */
function compareStateGroups(a: Value, b: Value, phaseOf: (state: string) => Phase): number {
  const dated = (group: Value) => ({ state: '', ...((group?.content ?? {}) as Partial<Ticket>) })
  return compareStates(dated(a), dated(b), phaseOf) || compareValues(a, b)
}

/** Returns the decision that keeps a losing value. Its id and time derive from the Ticket's id, the field and that value alone. */
function contestedDecision(ticket: string, { field, value }: Loss): Decision {
  const { at, queued_at, state_at } = (value?.content ?? {}) as Record<string, unknown>
  const times = field === 'state' ? [state_at, queued_at] : field.startsWith(DECISION_FIELD) ? [at] : []
  const time = times.find(time => typeof time === 'string' && isTimestamp(time) && time >= NO_TIME) ?? NO_TIME
  return {
    at: time as string,
    by: MERGE_ACTOR,
    field,
    id: derivedId(time as string, canonicalText([ticket, field, ...(value ? [value.content] : [])])),
    kind: 'contested',
    ...(value && { lost: value.content }),
  }
}

function fieldsOf(ticket: Ticket | null): Map<string, Value> {
  const fields = new Map<string, Value>()
  if (!ticket) return fields
  const { decisions, format, id, ...rest } = ticket
  const group: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined) continue
    if ((STATE_GROUP as readonly string[]).includes(name)) group[name] = value
    else fields.set(name, toValue(value))
  }
  return fields.set('state', toValue(group))
}

function decisionsOf(ticket: Ticket | null): Map<string, Value> {
  return new Map(ticket?.decisions.map(decision => [decision.id, toValue(decision)]))
}

function toValue(content: unknown): Value {
  return { text: canonicalText(content), content }
}

function isSame(a: Value, b: Value): boolean {
  return a?.text === b?.text
}

function namesOf({ base, ours, theirs }: Versions): Set<string> {
  return new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])
}

function inOrder(decisions: ReadonlyMap<string, Decision>): Decision[] {
  return [...decisions].sort(([a], [b]) => compareText(a, b)).map(([, decision]) => decision)
}
