/**
 * Decides whether a queued Ticket may be accepted now: facts about it and its neighbours in, a verdict and every reason out.
 *
 * The only place that has these rules; `consult`, `queue`, `show` and `accept` all use it. Pure: the facts are a snapshot,
 * read by the caller.
 */
import type { Facts, TicketFact } from './facts.ts'
import { compareText } from './order.ts'
import { REASON_CODES, type Reason, type ReasonOf } from './reasons.ts'
import { blockerChain, findCycle } from './wait-graph.ts'

/** `accept`, or `hold` where at least one reason holds. */
export type Verdict = 'accept' | 'hold'

/** Who asks, and for which pool; both optional. */
export interface Asking {
  holder?: string
  pool?: string
}

/**
 * Returns the verdict on a Ticket with every reason, in the order of REASON_CODES and then of the other Tickets' ids. A
 * Ticket that the facts do not have counts as not queued; callers refuse it before.
 */
export function verdictOn(id: string, facts: Facts, asking: Asking = {}): { verdict: Verdict; reasons: Reason[] } {
  const reasons = [...findReasons(id, facts, asking)]
  const rank = (reason: Reason) => REASON_CODES.indexOf(reason.code)
  reasons.sort((a, b) => rank(a) - rank(b) || compareText(otherTicket(a), otherTicket(b)))
  return { verdict: reasons.some(reason => reason.severity === 'hold') ? 'hold' : 'accept', reasons }
}

/** Returns the pool whose slot the Ticket would take: the one asked for, else that of its capacity note, else `default` if it has a limit. */
export function poolFor(id: string, facts: Facts, asked: string | undefined): string | undefined {
  return asked ?? facts.waiting(id)?.pool ?? (facts.slots('default', id) ? 'default' : undefined)
}

function otherTicket(reason: Reason): string {
  return ('ticket' in reason && reason.ticket) || ''
}

function* findReasons(id: string, facts: Facts, asking: Asking): Generator<Reason> {
  const claim = facts.claim(id)
  if (claim && claim.holder !== asking.holder) {
    const message = `claimed by ${claim.holder} until ${claim.expires_at}`
    yield { code: 'claimed', severity: 'hold', message, holder: claim.holder, expires_at: claim.expires_at }
  }
  const own = facts.ticket(id)
  if (own && !own.readable) {
    yield unreadable(own, `${id}'s own file cannot be read`)
    return
  }
  if (own?.phase !== 'queued') {
    const message = own ? `its state is "${own.state}", which is not a queued one` : 'it has no file'
    yield { code: 'not_queued', severity: 'hold', message }
  }
  if (!own) return
  if (own.phase === 'terminal') {
    yield* poolReasons(id, facts, asking) // its decisions no longer matter, but a claim would still take a slot
    return
  }
  yield* blockerReasons(id, facts)
  yield* orderReasons(id, facts)
  yield* conflictReasons(id, facts)
  const cycle = findCycle(id, facts)
  if (cycle) {
    const message = `waits for itself: ${[...cycle, id].join(' waits for ')}`
    yield { code: 'cycle', severity: 'hold', message, cycle }
  }
  yield* capacityReasons(id, facts)
  yield* poolReasons(id, facts, asking)
  for (const { decision, field, lost } of facts.contested(id)) {
    const value = lost === undefined ? 'its removal' : shortened(JSON.stringify(lost))
    const message = `a merge found two values of "${field}"; decision ${decision} keeps the losing one, ${value}: set the right value, then retract the decision`
    yield { code: 'contested', severity: 'warn', message, field, decisions: [decision] }
  }
}

function* blockerReasons(id: string, facts: Facts): Generator<Reason> {
  for (const { other, decisions } of facts.waitsFor(id, 'blocked_by')) {
    const fact = facts.ticket(other)
    const common = { severity: 'hold', ticket: other, decisions } as const
    if (!fact) yield { code: 'blocker_missing', ...common, message: `blocked by ${other}, which has no file here` }
    else if (!fact.readable) yield unreadable(fact, `blocked by ${other}, whose file cannot be read`, decisions)
    else if (fact.phase !== 'terminal') {
      const chain = blockerChain(id, other, facts)
      const below = chain.length > 1 ? `, which itself waits for ${chain.length - 1} more` : ''
      yield { code: 'blocked_by', ...common, message: `blocked by ${other} (${fact.state})${below}`, chain }
    }
  }
}

function* orderReasons(id: string, facts: Facts): Generator<Reason> {
  for (const { other, decisions } of facts.waitsFor(id, 'after')) {
    const fact = facts.ticket(other)
    if (fact && !fact.readable) yield unreadable(fact, `comes after ${other}, whose file cannot be read`, decisions)
    else if (inPlay(other, facts)) {
      const how = facts.claim(other) ? 'claimed' : fact?.state
      yield { code: 'after', severity: 'hold', ticket: other, decisions, message: `comes after ${other} (${how})` }
    } else if (fact?.phase !== 'terminal') {
      const message = `comes after ${other}, which is ${fact ? `not in play (${fact.state})` : 'without a file here'}`
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
    const how = claim ? `claimed by ${claim.holder}` : fact?.state
    const message = `${advisory ? 'better not' : 'must not'} run beside ${other} (${how})`
    yield { code: 'conflicts_with', severity, ticket: other, decisions, message }
  }
  for (const { ticket, path } of facts.suspects(id)) {
    const message = `${path} cannot be read and seems to hold a conflict with this Ticket`
    yield { code: 'quarantined', severity: 'hold', ticket, path, message }
  }
}

function* capacityReasons(id: string, facts: Facts): Generator<Reason> {
  const note = facts.waiting(id)
  if (note) {
    const slots = note.pool === undefined ? undefined : facts.slots(note.pool, id)
    const full = slots !== undefined && slots.taken >= slots.capacity
    const until = note.until ?? []
    const lost = until.map(other => facts.ticket(other)).filter(fact => fact && !fact.readable)
    const waits =
      until.length > 0 && until.every(other => inPlay(other, facts) || facts.ticket(other)?.readable === false)
    const why = [
      full ? `pool ${note.pool} is full (${slots.taken} of ${slots.capacity})` : '',
      waits ? stillInPlay(until) : '',
    ].filter(Boolean)
    const text = note.reason ? `: ${note.reason}` : ''
    const free =
      slots && !full ? ` (${slots.capacity - slots.taken} of ${slots.capacity} slots of ${note.pool} are free)` : ''
    const message = why.length
      ? `waits for capacity: ${why.join(' and ')}${text && ` (${note.reason})`}`
      : `there is a capacity note${free}${text}`
    const severity = why.length ? 'hold' : 'warn'
    yield {
      code: 'waiting_for_capacity',
      severity,
      message,
      decisions: [note.decision],
      ...(note.pool !== undefined && { pool: note.pool }),
      ...(slots && { capacity: slots.capacity, taken: slots.taken }),
      ...(note.until && { until }),
    }
    for (const fact of waits ? lost : []) {
      if (fact && !fact.readable)
        yield unreadable(fact, `waits for ${fact.id}, whose file cannot be read`, [note.decision])
    }
  }
}

function* poolReasons(id: string, facts: Facts, asking: Asking): Generator<Reason> {
  const pool = poolFor(id, facts, asking.pool)
  const slots = pool === undefined ? undefined : facts.slots(pool, id)
  if (pool === undefined || !slots || slots.taken < slots.capacity) return
  const message = `every slot of pool ${pool} is taken (${slots.taken} of ${slots.capacity})`
  yield { code: 'pool_full', severity: 'hold', message, pool, ...slots }
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100).toWellFormed()}…` : text
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

/** True for a Ticket that is in play: queued, active or claimed. Order and capacity matter only among those. */
function inPlay(id: string, facts: Facts): boolean {
  const fact = facts.ticket(id)
  if (fact?.readable && fact.phase === 'terminal') return false
  return (fact?.readable && (fact.phase === 'queued' || fact.phase === 'active')) || facts.claim(id) !== undefined
}
