/** The rules of a verdict: each function yields the reasons of one kind. Pure. */
import { areaReasons } from './area-rules.ts'
import { type Asking, isHeldBy, poolFor } from './asking.ts'
import { behindReasons } from './checkout-rules.ts'
import { isOver } from './decision-status.ts'
import type { ClaimFact, Facts, ReadableTicket, RelationFact, TicketFact } from './facts.ts'
import { contestedReasons, laterVersionReasons } from './file-rules.ts'
import { didYouMean } from './nearest-names.ts'
import type { HeldParent, Parents } from './parents.ts'
import type { Reason, ReasonOf } from './reasons.ts'
import { stateOrUnclaimed } from './unclaimed.ts'
import { type Bounds, waitGraph } from './wait-graph.ts'

/** Yields every reason about a Ticket, in no order. */
export function* findReasons(id: string, facts: Facts, asking: Asking, bounds: Bounds): Generator<Reason> {
  const claimsUnknown = facts.claimsUnknown()
  if (claimsUnknown !== null) {
    yield { code: 'claims_unknown', severity: 'hold', message: `the claims are unknown: ${claimsUnknown}` }
  }
  const claim = facts.claim(id)
  const isOwn = claim !== undefined && isHeldBy(claim, asking)
  if (claim && !isOwn) yield claimed(claim, asking)
  if (asking.token !== undefined && !isOwn) {
    const message = `the token ${asking.token} is not that of a live claim: the claim has expired, or another holder has it`
    yield { code: 'stale_token', severity: 'hold', message }
  }
  const own = facts.ticket(id)
  if (own && !own.readable) {
    yield unreadable(own, `${id}'s own file cannot be read`)
    return
  }
  if (own?.phase !== 'queued') {
    const lists = `states.queued (${facts.queuedStates.join(', ')})`
    const message = own ? `state "${own.state}" is not in ${lists}` : 'it has no file'
    yield { code: 'not_queued', severity: 'hold', message }
  }
  if (!own) return
  if (own.phase !== 'terminal') yield* unsettledReasons(own, facts, bounds)
  // Of a terminal Ticket no decision matters any more, but a claim would still take a slot.
  if (!isOwn || poolFor(id, facts, asking) !== (claim?.pool ?? undefined)) yield* poolReasons(id, facts, asking)
}

function* unsettledReasons(own: ReadableTicket, facts: Facts, bounds: Bounds): Generator<Reason> {
  const { id } = own
  yield* laterVersionReasons(own, facts)
  yield* behindReasons(own, facts)
  yield* blockerReasons(id, facts, bounds)
  yield* parentReasons(id, facts, bounds)
  yield* holdReasons(id, facts)
  yield* orderReasons(id, facts)
  yield* conflictReasons(id, facts)
  const inArea = yield* areaReasons(id, facts, bounds)
  yield* cycleReasons(id, facts, bounds)
  yield* capacityReasons(id, facts)
  yield* contestedReasons(id, facts)
  yield* stateReasons(own, facts, bounds, inArea)
}

function claimed({ holder, session, machine, expires_at }: ClaimFact, asking: Asking): Reason {
  const isNamesake = holder === asking.holder && session !== (asking.session ?? null)
  const where = isNamesake ? (session === null ? ' without a session' : ` in session ${session}`) : ''
  const isFar = asking.machine !== undefined && machine !== asking.machine
  const message = `claimed by ${holder}${where}${isFar ? ` on machine ${machine}` : ''} until ${expires_at}`
  return { code: 'claimed', severity: 'hold', message, holder, session, expires_at, ...(machine && { machine }) }
}

/** How many chains a verdict lists in full length; where there are more long ones, it lists no more than the blocker of each. */
const MOST_CHAINS = 10

function* blockerReasons(id: string, facts: Facts, bounds: Bounds): Generator<Reason> {
  let left = bounds.links * MOST_CHAINS
  for (const { other, decisions } of facts.waitsFor(id, 'blocked_by')) {
    const fact = facts.ticket(other)
    const common = { severity: 'hold', ticket: other, decisions } as const
    if (!fact) yield { code: 'blocker_missing', ...common, message: `blocked by ${other}, which has no file here` }
    else if (!fact.readable) yield unreadable(fact, `blocked by ${other}, whose file cannot be read`, decisions)
    else if (fact.outcome === 'abandoned') {
      const message = `blocked by ${other}, which was abandoned (${fact.state}): retract the relation, or name another blocker`
      yield { code: 'blocker_abandoned', ...common, message }
    } else if (fact.phase !== 'terminal') {
      const links = Math.max(1, Math.min(bounds.links, left))
      const { list: chain, total, atLeast } = waitGraph(facts).chain(id, other, { ...bounds, links })
      left -= chain.length
      const waits = total > 1 ? `, which itself waits for ${atLeast ? 'at least ' : ''}${total - 1} more` : ''
      const message = `blocked by ${other} (${fact.state})${waits}`
      yield { code: 'blocked_by', ...common, message, chain, total, ...(atLeast && { at_least: true }) }
    }
  }
}

function* parentReasons(id: string, facts: Facts, bounds: Bounds): Generator<Reason> {
  const direct = new Map(facts.parents(id).map(({ other, decisions }) => [other, decisions]))
  const { list, hasMore } = heldParents(id, facts, bounds)
  for (const held of list) {
    const fact = facts.ticket(held.parent)
    if (fact && !fact.readable)
      yield unreadable(fact, `part of ${held.parent}, whose file cannot be read`, direct.get(held.parent))
    else yield { ...parentReason(held, facts, bounds.links), ...(hasMore && { more: true }) }
  }
}

/** What was said of a parent, with how many of its blockers and holds: all of its parts say the same. */
const saidOfParents = new WeakMap<HeldParent, { most: number; reason: ParentReason }>()
type ParentReason = Extract<Reason, { code: 'parent_blocked' }>

function parentReason(held: HeldParent, facts: Facts, most: number): ParentReason {
  const known = saidOfParents.get(held)
  if (known?.most === most) return known.reason
  const [blockers, holds] = [held.blockers.slice(0, most), held.holds.slice(0, most)]
  const why = [
    ...(blockers.length ? [`blocked by ${named(held.blockers, facts)}`] : []),
    ...(holds.length ? [`on hold${textOf(holds[0]!.reason)}`] : []),
  ]
  const reason: ParentReason = {
    code: 'parent_blocked',
    severity: 'hold',
    message: `part of ${held.parent}, which is ${why.join(' and ')}`,
    ticket: held.parent,
    blockers: blockers.map(({ other }) => other),
    total: held.blockers.length,
    decisions: [...blockers.flatMap(({ decisions }) => decisions), ...holds.map(({ decision }) => decision)].sort(),
  }
  saidOfParents.set(held, { most, reason })
  return reason
}

const NO_PARENTS: ReturnType<Parents['someHeld']> = { list: [], hasMore: false }

/** The Tickets above this one that hold it: all of them, or as many as an answer about many Tickets lists. */
function heldParents(id: string, facts: Facts, { links, exact }: Bounds) {
  if (facts.parents(id).length === 0) return NO_PARENTS
  const { parents } = waitGraph(facts)
  return exact ? { list: parents.held(id), hasMore: false } : parents.someHeld(id, links)
}

/** The first of some Tickets with its state, and how many more there are. */
function named([first, ...others]: readonly RelationFact[], facts: Facts): string {
  const fact = facts.ticket(first!.other)
  const state = fact?.readable ? fact.state : fact ? 'unreadable' : 'no file here'
  return `${first!.other} (${state})${others.length ? ` and ${others.length} more` : ''}`
}

function* holdReasons(id: string, facts: Facts): Generator<Reason> {
  for (const hold of facts.holds(id)) {
    if (isOver(hold, facts.now())) continue
    const { decision, not_before, reason } = hold
    const until = not_before === undefined ? '' : ` until ${not_before}`
    const message = `on hold${until}${textOf(reason)}`
    yield { code: 'on_hold', severity: 'hold', message, decisions: [decision], ...(not_before && { not_before }) }
  }
}

function textOf(reason: string | undefined): string {
  return reason ? `: ${reason}` : ''
}

function* orderReasons(id: string, facts: Facts): Generator<Reason> {
  for (const { other, decisions } of facts.waitsFor(id, 'after')) {
    const fact = facts.ticket(other)
    if (fact && !fact.readable) yield unreadable(fact, `comes after ${other}, whose file cannot be read`, decisions)
    else if (isInPlay(other, facts)) {
      const how = facts.claim(other) ? 'claimed' : fact && stateOrUnclaimed(fact, facts)
      yield { code: 'after', severity: 'hold', ticket: other, decisions, message: `comes after ${other} (${how})` }
    } else if (fact?.phase !== 'terminal') {
      const message = `comes after ${other}, which ${fact ? `is not in play (${fact.state})` : 'has no file here'}`
      yield { code: 'order_not_in_play', severity: 'warn', ticket: other, decisions, message }
    }
  }
}

function* conflictReasons(id: string, facts: Facts): Generator<Reason> {
  for (const { other, decisions, advisory } of facts.conflicts(id)) {
    const fact = facts.ticket(other)
    const severity = advisory ? 'warn' : 'hold'
    if (fact && !fact.readable) {
      yield { ...unreadable(fact, `must not run beside ${other}, whose file cannot be read`, decisions), severity }
      continue
    }
    const claim = facts.claim(other)
    if (fact?.phase !== 'active' && !(claim && fact?.phase !== 'terminal')) continue
    const how = claim ? `claimed by ${claim.holder}` : fact && stateOrUnclaimed(fact, facts)
    const source = decisions.length ? '' : ', says its holder: pull to get that decision'
    const message = `${advisory ? 'better not' : 'must not'} run beside ${other} (${how})${source}`
    yield { code: 'conflicts_with', severity, ticket: other, decisions, message }
  }
  for (const { ticket, path } of facts.suspects(id)) {
    const message = `${path} cannot be read and seems to hold a conflict with this Ticket`
    yield { code: 'quarantined', severity: 'hold', ticket, path, message }
  }
}

/** How many Tickets of a cycle its message names. */
const MOST_NAMED = 20

function* cycleReasons(id: string, facts: Facts, bounds: Bounds): Generator<Reason> {
  const found = waitGraph(facts).cycle(id, bounds)
  if (!found) return
  const { list: cycle, total, atLeast } = found
  const shown = cycle.slice(0, MOST_NAMED)
  const isWhole = shown.length === total && !atLeast
  const message = `waits for itself: ${[...shown, ...(isWhole ? [] : ['…']), id].join(' waits for ')}`
  yield { code: 'cycle', severity: 'hold', message, cycle, total, ...(atLeast && { at_least: true }) }
}

function* capacityReasons(id: string, facts: Facts): Generator<Reason> {
  const note = facts.waiting(id)
  if (!note) return
  const slots = note.pool === undefined ? undefined : facts.slots(note.pool, id)
  const isFull = slots !== undefined && slots.taken >= slots.capacity
  const until = note.until ?? []
  const lost = until.map(other => facts.ticket(other)).filter(fact => fact !== undefined && !fact.readable)
  const waits =
    until.length > 0 && until.every(other => isInPlay(other, facts) || facts.ticket(other)?.readable === false)
  const why = [
    ...(isFull ? [`pool ${note.pool} is full (${slots.taken} of ${slots.capacity})`] : []),
    ...(waits ? [stillInPlay(until)] : []),
  ]
  const free =
    slots && !isFull ? ` (${slots.capacity - slots.taken} of ${slots.capacity} slots of ${note.pool} are free)` : ''
  yield {
    code: 'waiting_for_capacity',
    severity: why.length ? 'hold' : 'warn',
    message: why.length
      ? `waits for capacity: ${why.join(' and ')}${note.reason ? ` (${note.reason})` : ''}`
      : `there is a capacity note${free}${textOf(note.reason)}`,
    decisions: [note.decision],
    ...(note.pool !== undefined && { pool: note.pool }),
    ...(slots && { capacity: slots.capacity, taken: slots.taken }),
    ...(note.until && { until }),
  }
  for (const fact of waits ? lost : [])
    yield unreadable(fact, `waits for ${fact.id}, whose file cannot be read`, [note.decision])
}

function* poolReasons(id: string, facts: Facts, asking: Asking): Generator<Reason> {
  const pool = poolFor(id, facts, asking)
  const slots = pool === undefined ? undefined : facts.slots(pool, id)
  if (pool === undefined || !slots || slots.taken < slots.capacity) return
  const message = `every slot of pool ${pool} is taken (${slots.taken} of ${slots.capacity})`
  yield { code: 'pool_full', severity: 'hold', message, pool, ...slots }
}

/**
 * A state that the configuration does not know counts as open, so a misspelt one would switch enforcement off. Warns of the
 * Ticket's own state and of those of the Tickets that its relations, its area and the reasons about its parents name.
 */
function* stateReasons(
  own: ReadableTicket,
  facts: Facts,
  bounds: Bounds,
  inArea: readonly string[],
): Generator<Reason> {
  const { id } = own
  const named = new Set([id])
  const add = ({ other }: RelationFact) => named.add(other)
  facts.waitsFor(id, 'blocked_by').forEach(add)
  facts.waitsFor(id, 'after').forEach(add)
  facts.conflicts(id).forEach(add)
  facts.parents(id).forEach(add)
  for (const { parent, blockers } of heldParents(id, facts, bounds).list) {
    named.add(parent)
    blockers.slice(0, bounds.links).forEach(add)
  }
  for (const ticket of inArea) named.add(ticket)
  for (const ticket of facts.waiting(id)?.until ?? []) named.add(ticket)
  for (const ticket of named) {
    const fact = facts.ticket(ticket)
    if (!fact?.readable || !fact.unknownState) continue
    const { state, unknownState: nearest } = fact
    const message = `the state "${state}" of ${ticket} is in no list of states, so it counts as open${didYouMean(nearest)}`
    yield { code: 'unknown_state', severity: 'warn', message, ticket, state, nearest }
  }
}

function stillInPlay(tickets: string[]): string {
  if (tickets.length === 1) return `${tickets[0]} is still in play`
  return `${tickets.slice(0, -1).join(', ')} and ${tickets.at(-1)} are ${tickets.length === 2 ? 'both' : 'all'} still in play`
}

function unreadable(
  fact: TicketFact & { readable: false },
  message: string,
  decisions?: string[],
): ReasonOf<'quarantined'> {
  return {
    code: 'quarantined',
    severity: 'hold',
    message: `${message} (${fact.path})`,
    ticket: fact.id,
    path: fact.path,
    ...(decisions && { decisions }),
  }
}

/** True for a Ticket that is in play: queued, active or claimed, and not terminal. Order and capacity matter only among those. */
function isInPlay(id: string, facts: Facts): boolean {
  const fact = facts.ticket(id)
  if (fact?.readable && fact.phase === 'terminal') return false
  return (fact?.readable && (fact.phase === 'queued' || fact.phase === 'active')) || facts.claim(id) !== undefined
}
