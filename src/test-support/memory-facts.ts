/**
 * The facts of a verdict from a plain list of Tickets, and the status of decisions word for word as docs/design.md has it.
 *
 * A model to compare with: written for the eye, in squares and cubes of the input, and without the code that it checks.
 */

import type { Decision } from '../model/decision.ts'
import type { Status } from '../model/decision-status.ts'
import type { Facts, InWorktree, RelationFact } from '../model/facts.ts'
import { remembered } from '../model/remembered.ts'
import type { Outcome, Phase } from '../model/states.ts'
import type { Ticket } from '../model/ticket.ts'
import { globsOverlap } from './globs-overlap.ts'
import { loose } from './loose-decision.ts'

/** A live claim. */
export interface MemoryClaim {
  ticket: string
  holder: string
  pool: string | null
  expires_at: string
  session?: string | null
  token?: number
  acquired_at?: string
  machine?: string
  /** The Tickets that its taker knew to be in strict conflict. */
  conflicts?: string[]
}

/** A plan without files and databases. */
export interface MemoryPlan {
  tickets: Ticket[]
  claims?: MemoryClaim[]
  /** Capacities; a pool without one has no limit. */
  pools?: Record<string, number>
  /** The wall clock. */
  now?: string
  /** The same Tickets in other worktrees. */
  elsewhere?: ({ ticket: string } & InWorktree)[]
  /** What the last release of a Ticket noted. */
  released?: { ticket: string; state: string; state_at?: string | null }[]
  /** Why the claims are unknown. */
  claimsUnknown?: string | null
  /** Files that cannot be read; `mentions` are the Tickets that they seem to be in conflict with. */
  quarantined?: { id: string; path: string; mentions: string[] }[]
}

/** The default states of the contract. */
const STATES = {
  open: 'open backlog blocked deferred draft new pending planning ready todo triage'.split(' '),
  queued: ['queued'],
  active: 'in_progress inprogress in_review review started doing'.split(' '),
  completed: 'closed completed done merged resolved'.split(' '),
  abandoned: 'abandoned canceled cancelled duplicate not_planned rejected wontfix'.split(' '),
}

/** The letters of a state, small: what counts when states are compared. */
const lettersOf = (state: string) =>
  [...state]
    .filter(letter => !'-_ '.includes(letter))
    .join('')
    .toLowerCase()
const LETTERS = Object.fromEntries(Object.entries(STATES).map(([list, states]) => [list, states.map(lettersOf)]))
const isIn = (list: keyof typeof STATES, state: string) => LETTERS[list]!.includes(lettersOf(state))

/** The phase of a state under the default configuration. */
export function phaseOf(state: string): Phase {
  if (isIn('completed', state) || isIn('abandoned', state)) return 'terminal'
  return isIn('active', state) ? 'active' : isIn('queued', state) ? 'queued' : 'open'
}

/** The outcome of a state under the default configuration. */
export function outcomeOf(state: string): Outcome | null {
  return isIn('completed', state) ? 'completed' : isIn('abandoned', state) ? 'abandoned' : null
}

/** True for a state of the default configuration. */
export function isKnown(state: string): boolean {
  return phaseOf(state) !== 'open' || isIn('open', state)
}

/** The facts of a plan. */
export function memoryFacts(plan: MemoryPlan): Facts {
  const { tickets, claims = [], pools = {}, quarantined = [] } = plan
  const activeOf = remembered(id => {
    const decisions = tickets.find(ticket => ticket.id === id)?.decisions ?? []
    const statuses = naiveStatuses(decisions)
    return decisions
      .filter(decision => statuses.get(decision.id) === 'active')
      .sort((a, b) => (isLater(a, b) ? 1 : -1))
      .map(loose)
  })
  const active = (id: string, kind: string) => activeOf(id).filter(decision => decision.kind === kind)
  const areaOf = (id: string) =>
    active(id, 'touches').flatMap(({ id: decision, paths = [], shared = false }) =>
      paths.map(pattern => ({ pattern, shared, decision })),
    )
  const conflictsOf = (id: string, advisory: boolean): RelationFact[] => {
    const weighed = (holder: string) =>
      active(holder, 'conflicts_with').filter(decision => (decision.advisory ?? false) === advisory)
    const own = weighed(id).map(decision => ({ other: decision.target!, decision: decision.id }))
    const named = tickets.flatMap(ticket =>
      weighed(ticket.id)
        .filter(decision => decision.target === id)
        .map(decision => ({ other: ticket.id as string, decision: decision.id })),
    )
    return grouped([...own, ...named])
  }

  return {
    now: () => plan.now ?? '2026-06-08T12:30:00.000Z',
    queuedStates: STATES.queued,
    phaseOf,
    ticket(id) {
      const ticket = tickets.find(ticket => ticket.id === id)
      if (ticket) {
        const { state, state_at = null, format } = ticket
        return {
          readable: true,
          id,
          state,
          state_at,
          phase: phaseOf(state),
          outcome: outcomeOf(state),
          ...(!isKnown(state) && { unknownState: [] }),
          ...(format > 1 && { newerFormat: format }),
        }
      }
      const file = quarantined.find(file => file.id.toLowerCase() === id.toLowerCase())
      return file && { readable: false, id, path: file.path }
    },
    waitsFor: (id, kind) =>
      grouped(active(id, kind).map(decision => ({ other: decision.target!, decision: decision.id }))),
    parents: id => grouped(active(id, 'part_of').map(decision => ({ other: decision.target!, decision: decision.id }))),
    holds: id => active(id, 'hold').map(({ id: decision, not_before, reason }) => ({ decision, not_before, reason })),
    area: areaOf,
    unknownAreas: () => [],
    areas() {
      const ids = [...claims.map(({ ticket }) => ticket), ...tickets.map(({ id }) => id as string)]
      const isAtWork = (id: string) =>
        claims.some(claim => claim.ticket === id) ||
        tickets.some(ticket => ticket.id === id && (phaseOf(ticket.state) === 'active' || !isKnown(ticket.state)))
      const others = [...new Set(ids)].filter(isAtWork)
      return {
        *overlaps(area) {
          for (const ticket of others) {
            const pairs = area.flatMap(own => areaOf(ticket).map(other => ({ ticket, own, other })))
            const found = pairs.find(
              ({ own, other }) => !(own.shared && other.shared) && globsOverlap(own.pattern, other.pattern),
            )
            if (found) yield found
          }
        },
      }
    },
    unknownKinds: id =>
      activeOf(id)
        .filter(({ kind, advisory }) => !KNOWN_KINDS.includes(kind) && advisory !== true)
        .map(({ id: decision, kind }) => ({ decision, kind })),
    acceptedAt: id => active(id, 'accepted_plan').at(-1)?.at,
    conflicts(id) {
      const strict = conflictsOf(id, false).map(fact => ({ ...fact, advisory: false }))
      const advisory = conflictsOf(id, true).map(fact => ({ ...fact, advisory: true }))
      const claimed = claims
        .filter(claim => claim.ticket !== id && claim.conflicts?.includes(id))
        .filter(claim => !strict.some(fact => fact.other === claim.ticket))
        .map(claim => ({ other: claim.ticket, decisions: [], advisory: false }))
      const alone = advisory.filter(({ other }) => ![...strict, ...claimed].some(fact => fact.other === other))
      return [...strict, ...claimed, ...alone].sort((a, b) => (a.other < b.other ? -1 : 1))
    },
    waiting(id) {
      const note = active(id, 'waiting_for_capacity').at(-1)
      return note && { decision: note.id, pool: note.pool, until: note.until, reason: note.reason }
    },
    contested: id =>
      active(id, 'contested').map(decision => ({
        decision: decision.id,
        field: decision.field as string,
        lost: decision.lost,
      })),
    claimsUnknown: () => plan.claimsUnknown ?? null,
    claim: id => {
      const found = claims.find(claim => claim.ticket === id)
      return found && { session: null, token: 1, acquired_at: '2026-06-08T12:00:00.000Z', ...found }
    },
    elsewhere: id =>
      (plan.elsewhere ?? []).filter(({ ticket }) => ticket === id).map(({ ticket: _, ...other }) => other),
    released: id => plan.released?.find(({ ticket }) => ticket === id),
    slots(pool, exceptTicket) {
      const capacity = Object.hasOwn(pools, pool) ? pools[pool] : undefined
      if (capacity === undefined) return undefined
      return { capacity, taken: claims.filter(claim => claim.pool === pool && claim.ticket !== exceptTicket).length }
    },
    suspects: id =>
      quarantined
        .filter(({ mentions }) => mentions.includes(id))
        .map(({ id: ticket, path }) => ({ ticket, path }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
  }
}

const KNOWN_KINDS: string[] = [
  ...['accepted_plan', 'after', 'blocked_by', 'conflicts_with', 'contested', 'hold', 'note', 'part_of', 'related'],
  ...['retraction', 'touches', 'waiting_for_capacity'],
]

/** The status of each decision from its file alone, by decision id. */
export function naiveStatuses(decisions: readonly Decision[]): Map<string, Status> {
  const retracted = naiveRetracted(decisions)
  const remaining = decisions.filter(({ id }) => !retracted.has(id))
  const onlyLastCounts = ['accepted_plan', 'waiting_for_capacity']
  const statusOf = (decision: Decision): Status => {
    if (retracted.has(decision.id)) return 'retracted'
    const later = remaining.filter(other => isLater(other, decision))
    if (later.some(other => other.supersedes?.includes(decision.id))) return 'superseded'
    if (onlyLastCounts.includes(decision.kind) && later.some(other => other.kind === decision.kind)) return 'superseded'
    if (decision.kind === 'waiting_for_capacity' && later.some(other => other.kind === 'accepted_plan'))
      return 'satisfied'
    return 'active'
  }
  return new Map(decisions.map(decision => [decision.id, statusOf(decision)]))
}

/**
 * Repeats until nothing changes: a decision is effective when everything that retracts it is retracted, and is retracted
 * when something effective retracts it. What is left retracts each other in cycles; there the retraction with the smallest
 * id is effective.
 */
function naiveRetracted(decisions: readonly Decision[]): Set<string> {
  const effective = new Set<string>()
  const retracted = new Set<string>()
  const retractionsOf = (id: string) =>
    decisions.filter(decision => decision.kind === 'retraction' && decision.retracts === id)
  for (;;) {
    const open = decisions.filter(({ id }) => !effective.has(id) && !retracted.has(id))
    if (open.length === 0) return retracted
    const lost = open.find(({ id }) => retractionsOf(id).some(retraction => effective.has(retraction.id)))
    const safe = open.find(({ id }) => retractionsOf(id).every(retraction => retracted.has(retraction.id)))
    if (lost) retracted.add(lost.id)
    else if (safe) effective.add(safe.id)
    else {
      const retractions = open.filter(({ kind }) => kind === 'retraction')
      effective.add(retractions.map(({ id }) => id).reduce((a, b) => (a < b ? a : b)))
    }
  }
}

function isLater(a: Decision, b: Decision): boolean {
  return a.at === b.at ? a.id > b.id : a.at > b.at
}

function grouped(rows: { other: string; decision: string }[]): RelationFact[] {
  const others = [...new Set(rows.map(({ other }) => other))].sort()
  return others.map(other => ({
    other,
    decisions: [...new Set(rows.filter(row => row.other === other).map(({ decision }) => decision))].sort(),
  }))
}
