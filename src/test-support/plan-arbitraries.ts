/** Generators of whole plans, for property tests: Tickets that depend on each other, with what a verdict needs beside them. */
import fc from 'fast-check'
import type { Decision } from '../model/decision.ts'
import type { TicketId } from '../model/names.ts'
import type { Ticket } from '../model/ticket.ts'
import {
  byId,
  DECISION_POOL,
  decisionsAbout,
  listOf,
  merged,
  optional,
  pools,
  required,
  TIME_POOL,
  texts,
} from './arbitraries.ts'
import { asDecision, loose } from './loose-decision.ts'
import type { MemoryPlan } from './memory-facts.ts'

const PLAN_IDS = ['A', 'B', 'C', 'D', 'E', 'F'] as TicketId[]

const PLAN_STATES = [
  'open',
  'queued',
  'Queued',
  'in_progress',
  'In Review',
  'done',
  'wontfix',
  'CANCELLED',
  'quued',
  'dnoe',
]

/** A Ticket of a plan: its relations name other Tickets of the plan, never itself. Most are queued. */
function planTickets(id: TicketId): fc.Arbitrary<Ticket> {
  const others = PLAN_IDS.filter(other => other !== id)
  return merged<Ticket>(
    required({
      format: fc.oneof({ weight: 19, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant(2) }),
      id: fc.constant(id),
      title: texts,
      state: fc.oneof(
        { weight: 2, arbitrary: fc.constant('queued') },
        { weight: 1, arbitrary: fc.constantFrom(...PLAN_STATES) },
      ),
      decisions: listOf(decisionsAbout(fc.constantFrom(...others)), 6).map(list =>
        // An id belongs to one file: the last character tells whose.
        list.map(decision => renamed(decision, id)).sort(byId),
      ),
    }),
    optional({ state_at: fc.constantFrom(...TIME_POOL) }),
  )
}

function renamed(decision: Decision, ticket: TicketId): Decision {
  const rename = (id: string) => (DECISION_POOL.includes(id) ? `${id.slice(0, 24)}${ticket}${id.slice(25)}` : id)
  const { id, retracts, supersedes } = loose(decision)
  return asDecision({
    ...decision,
    id: rename(id),
    ...(retracts !== undefined && { retracts: rename(retracts) }),
    ...(supersedes && { supersedes: supersedes.map(rename) }),
  })
}

/** A Ticket, a file that cannot be read, or nothing. */
function planEntries(id: TicketId) {
  const mentions = fc.subarray(
    PLAN_IDS.filter(other => other !== id),
    { maxLength: 1 },
  )
  return fc.oneof(
    { weight: 6, arbitrary: planTickets(id).map(ticket => ({ ticket })) },
    { weight: 1, arbitrary: mentions.map(mentions => ({ lost: { id, path: `tickets/${id}.json`, mentions } })) },
    { weight: 1, arbitrary: fc.constant({}) },
  ) as fc.Arbitrary<{ ticket?: Ticket; lost?: { id: string; path: string; mentions: string[] } }>
}

const planIds = fc.constantFrom<string[]>(...PLAN_IDS)
const datedStates = { state: fc.constantFrom(...PLAN_STATES), state_at: fc.option(fc.constantFrom(...TIME_POOL)) }

/** A file of another worktree that cannot be read. */
const unread = { path: fc.constant('tickets/x.json'), message: fc.constant('conflict markers') }
function inWorktree<T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return required({ ticket: planIds, worktree: fc.constantFrom('/wt/a', '/wt/b'), ...fields })
}

const claims = required({
  ticket: planIds,
  holder: fc.constantFrom('pod-1', 'pod-2'),
  session: fc.constantFrom(null, null, 's-1', 's-2'),
  token: fc.integer({ min: 1, max: 3 }),
  pool: fc.option(pools),
  acquired_at: fc.constantFrom(...TIME_POOL),
  expires_at: fc.constant('2026-06-08T13:00:00.000Z'),
  conflicts: fc.subarray<string>(PLAN_IDS, { maxLength: 1 }),
})

/**
 * A whole plan: up to six Tickets that depend on each other, some of them missing or not readable, with claims, pools, other
 * worktrees and releases. No decision id is in two files, no Ticket names itself.
 */
export const memoryPlans: fc.Arbitrary<Required<MemoryPlan>> = fc
  .record({
    entries: fc.tuple(...PLAN_IDS.map(planEntries)),
    claims: fc.uniqueArray(claims, { selector: ({ ticket }) => ticket, maxLength: 2 }),
    pools: optional<Record<string, number>>({
      default: fc.integer({ min: 0, max: 4 }),
      gpu: fc.integer({ min: 0, max: 1 }),
    }),
    now: fc.constantFrom(...TIME_POOL),
    claimsUnknown: fc.oneof(
      { weight: 19, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.constant('the server does not answer') },
    ),
    elsewhere: fc.array(fc.oneof({ weight: 3, arbitrary: inWorktree(datedStates) }, inWorktree(unread)), {
      maxLength: 2,
    }),
    released: fc.uniqueArray(required({ ticket: planIds, ...datedStates }), {
      selector: ({ ticket }) => ticket,
      maxLength: 2,
    }),
  })
  .map(({ entries, pools, claims, claimsUnknown, ...rest }) => ({
    claims: claimsUnknown === null ? claims : [],
    claimsUnknown,
    tickets: entries.flatMap(({ ticket }) => ticket ?? []),
    quarantined: entries.flatMap(({ lost }) => lost ?? []),
    pools: pools as Record<string, number>,
    ...rest,
  }))
