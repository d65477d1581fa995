/**
 * The parts of an accept: who asks for what, whether it is refused, the lease and the plan.
 *
 * The two ways to accept are made of them: under one lock where the claims are in local.db (accept.ts), and in steps where
 * a server has them (accept-in-fleet.ts).
 */
import * as z from 'zod/mini'
import { type Claim, type LeaseRequest, withoutToken } from '../claims/claims.ts'
import type { AreaPattern } from '../model/area.ts'
import { type Asking, isRenewal, poolFor } from '../model/asking.ts'
import { addDecision, retractDecision, type Stamp } from '../model/change.ts'
import type { DecisionOf } from '../model/decision.ts'
import type { AcceptedPlan } from '../model/decision-kinds.ts'
import { lazy } from '../model/lazy.ts'
import type { Reason, ReasonCode } from '../model/reasons.ts'
import { verdictOn } from '../model/verdict.ts'
import type { Store, View } from '../store/store.ts'
import type { TicketRow } from '../ticket-index/query.ts'
import type { NoneAcceptable } from './accept-next.ts'
import { strictConflicts, ttlOf } from './claiming.ts'
import { activePlan } from './consult.ts'
import { inState, type OnWritten, withStateOf } from './file-and-claim.ts'
import { claimShape, planDecisionShape, reasonShape } from './shapes.ts'

/** Holds that no force overrides: the claim of another holder, claims that cannot be read, a file that cannot be read. */
const NOT_FORCED: ReasonCode[] = ['claims_unknown', 'claimed', 'quarantined']

/** The answer to an accept. */
export const accepted = lazy(() =>
  z.object({
    accepted: z.boolean(),
    claim: z.nullable(claimShape()),
    /** The plan as recorded; null if it was refused. */
    decision: z.nullable(planDecisionShape()),
    reasons: z.array(reasonShape()),
    /** Set if the given token is no longer that of the live claim. */
    refused: z.optional(z.literal('stale_token')),
    /** With `next`, if none can be accepted: the first queued Tickets, each with the first reasons that hold it. */
    held: z.optional(z.array(z.object({ ticket: z.string(), reasons: z.array(reasonShape()), total: z.int() }))),
    /** With `next`, if none can be accepted: how many Tickets are queued. */
    queued: z.optional(z.int()),
    warnings: z.array(z.string()),
  }),
)
export type Accepted = z.infer<ReturnType<typeof accepted>>

/** What to accept a Ticket with. */
export interface AcceptRequest {
  holder: string
  ttl?: number | undefined
  state?: string | undefined
  force: boolean
  reason?: string | undefined
  asked: Partial<AcceptedPlan>
  asking: Asking
  warnings: string[]
}

/** Chooses the Ticket, by its name, or says why there is none. */
export type Choice = (view: View) => string | NoneAcceptable

/** A Ticket that may be accepted, with what its acceptance depends on. */
export interface Situation {
  id: string
  row: TicketRow
  claim: Claim | null
  reasons: Reason[]
  /** The codes of the holds that are forced. */
  overrides: ReasonCode[]
  pool: string | undefined
  area: readonly AreaPattern[]
  /** The other Tickets of its strict conflicts. */
  conflicts: string[]
  /** The plan that this holder has recorded under the live claim. */
  renewed: DecisionOf<'accepted_plan'> | null
}

/** Returns the answer where no Ticket can be accepted. */
export function noneAccepted(none: NoneAcceptable, warnings: string[]): Accepted {
  return { accepted: false, claim: null, decision: null, reasons: [], ...none, warnings }
}

/**
 * Judges the chosen Ticket over the files as they are; returns its situation, or the answer that refuses it. `read` is
 * `store.readFew` where the choice depends on few Tickets.
 */
export function judge(
  store: Store,
  choose: Choice,
  request: AcceptRequest,
  read: Store['read'] = store.read,
): Situation | Accepted {
  const { force, asking, warnings } = request
  const seen = read(view => {
    const chosen = choose(view)
    return typeof chosen === 'string' ? situationOf(view, chosen, asking) : chosen
  })
  if ('held' in seen) return noneAccepted(seen, warnings)
  const { id, row, claim, reasons } = seen
  const refused = (why: object = {}) => {
    return { accepted: false, claim: claim && withoutToken(claim), decision: null, reasons, warnings, ...why }
  }
  const holds = reasons.filter(({ severity }) => severity === 'hold').map(({ code }) => code)
  if (holds.includes('stale_token')) return refused({ refused: 'stale_token' as const })
  const isForced = force && row?.phase !== 'terminal'
  if (!row || holds.some(code => !isForced || NOT_FORCED.includes(code))) return refused()
  if (holds.length > 0) store.read(({ facts }) => store.holdGuard?.checkForce(id, facts))
  return { ...seen, row, overrides: force ? [...new Set(holds)].sort() : [] }
}

/** Returns the lease to take. */
export function leaseFor(store: Store, { id, pool, area }: Situation, request: AcceptRequest): LeaseRequest {
  const { holder, ttl, asking, asked } = request
  const { session, token } = asking
  return { ticket: id, holder, pool, session, token, worktree: asked.worktree, area, ttlMs: ttlOf(store, ttl) }
}

/** Writes plan and state into the Ticket's file, in one write. Returns the active plan, which may be there already. */
export function writePlan(
  store: Store,
  { row, renewed, overrides }: Situation,
  { asked, reason, state }: AcceptRequest,
  stamp: Stamp,
  written: OnWritten,
): DecisionOf<'accepted_plan'> {
  const earlier = renewed?.plan
  const isSaid = earlier && Object.entries(asked).every(([key, value]) => earlier[key as keyof AcceptedPlan] === value)
  const plan: AcceptedPlan = { ...(earlier ?? { summary: row.title }), ...asked }
  const draft = { kind: 'accepted_plan', plan, overrides, reason } as const
  const { before, ticket, decision } = store.edit(row.path, before => {
    const decided = isSaid ? { ticket: before, decision: renewed! } : addDecision(before, draft, stamp)
    return { before, decision: decided.decision, ticket: inState(decided.ticket, state, stamp, store.phaseOf) }
  })
  written(row.path, now => {
    const back = withStateOf(before, ticket, now)
    return isSaid ? back : retractDecision(back, decision.id, 'the claim could not be taken', store.stamp()).ticket
  })
  return decision as DecisionOf<'accepted_plan'>
}

function situationOf(
  view: View,
  name: string,
  asking: Asking,
): Omit<Situation, 'row' | 'overrides'> & { row: TicketRow | null } {
  const { facts } = view
  const { id, row } = view.resolve(name)
  const { reasons } = verdictOn(id, facts, asking)
  const renewed = isRenewal(id, facts, asking) ? activePlan(view, id) : null
  const claim = view.claims.find(id) ?? null
  return {
    id,
    row,
    claim,
    reasons,
    pool: poolFor(id, facts, asking),
    area: facts.area(id),
    conflicts: strictConflicts(facts, id),
    renewed,
  }
}
