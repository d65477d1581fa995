/**
 * The parts of a claim without a plan, of its renewal and of its release: what refuses it, and the answers.
 *
 * Used where the claims are in local.db (claim.ts) and where a server has them (claim-in-fleet.ts).
 */
import * as z from 'zod/mini'
import { type Kept, type LeaseRequest, type ReleaseBy, type SeenState, withoutToken } from '../claims/claims.ts'
import { type Asking, isHeldBy, poolFor } from '../model/asking.ts'
import { isPlanError } from '../model/errors.ts'
import type { Facts } from '../model/facts.ts'
import { lazy } from '../model/lazy.ts'
import type { Reason, ReasonCode } from '../model/reasons.ts'
import { verdictOn } from '../model/verdict.ts'
import type { Store } from '../store/store.ts'
import { askingOf } from './asking.ts'
import { type ClaimRefusal, claimRefusalShape, claimShape, reasonShape } from './shapes.ts'

/** The answer to `claim`, `renew` and `release`. */
export const claimed = lazy(() =>
  z.object({
    claim: z.nullable(claimShape()),
    /** Set if refused. */
    refused: z.optional(claimRefusalShape()),
    reasons: z.optional(z.array(reasonShape())),
    /** `renew`, where the server of the fleet cannot be reached: until when the claim may still be live. */
    covered_until: z.optional(z.string()),
    /** `release`: the state that was set with it. */
    state: z.optional(z.string()),
    warnings: z.optional(z.array(z.string())),
  }),
)
export type Claimed = z.infer<ReturnType<typeof claimed>>

/** The holds that a claim without a plan enforces; `accept` enforces all of them. */
const ENFORCED: ReasonCode[] = ['quarantined', 'claimed', 'conflicts_with', 'area', 'pool_full']

/** Who claims what. */
export interface ClaimInput extends Asking {
  ticket: string
  holder: string
  ttl?: number | undefined
  worktree?: string | undefined
  pid?: number | undefined
}

/** A claim that may be taken: the lease, the other Tickets of its strict conflicts, and whether the claimant has it already. */
export interface Claimable {
  lease: LeaseRequest
  conflicts: string[]
  isOwn: boolean
}

/** Judges a claim over the files as they are; returns the lease to take, or the answer that refuses it. */
export function judgeClaim(
  store: Store,
  { ticket: name, ttl, worktree, pid, ...given }: ClaimInput,
): Claimable | Claimed {
  const asking = askingOf(store, given)
  return store.readFew(view => {
    const { id, row } = view.resolve(name)
    const live = view.claims.find(id)
    const held = live ? withoutToken(live) : null
    const own = live && isHeldBy(live, asking) ? live : undefined
    // A renewal keeps its slot whatever holds the Ticket by now; only a slot in another pool must be free.
    const pool = poolFor(id, view.facts, asking)
    const enforced: ReasonCode[] = own ? (pool === (own.pool ?? undefined) ? [] : ['pool_full']) : ENFORCED
    const { reasons } = verdictOn(id, view.facts, asking)
    const isTerminal = row?.phase === 'terminal'
    const refusals = reasons.filter(({ code, severity }) => {
      return severity === 'hold' && (enforced.includes(code) || (isTerminal && code === 'not_queued'))
    })
    if (isTerminal) return { claim: held, refused: 'terminal' as const, reasons: refusals }
    if (asking.token !== undefined && asking.token !== live?.token)
      return { claim: held, refused: 'stale_token' as const }
    if (refusals.length > 0) return { claim: held, ...refusal(refusals) }
    const { session, token } = asking
    const area = view.facts.area(id)
    const lease = {
      ticket: id,
      holder: given.holder,
      session,
      token,
      pool,
      worktree,
      pid,
      area,
      ttlMs: ttlOf(store, ttl),
    }
    return { lease, conflicts: strictConflicts(view.facts, id), isOwn: own !== undefined }
  })
}

function refusal(reasons: Reason[]): { refused: ClaimRefusal; reasons: Reason[] } {
  const { code } = reasons[0]!
  return { refused: code === 'claimed' ? 'held' : (code as ClaimRefusal), reasons } // one of ENFORCED
}

/** Lists the other Tickets of a Ticket's strict conflicts. */
export function strictConflicts(facts: Facts, id: string): string[] {
  return facts.conflicts(id).flatMap(({ other, advisory }) => (advisory ? [] : [other]))
}

/** Returns the answer to a release; who forced one does not get the token. */
export function released(result: Kept, by: ReleaseBy): Claimed {
  const answer = kept(result)
  return 'force' in by && result.claim ? { ...answer, claim: withoutToken(result.claim) } : answer
}

/** Returns the state of a Ticket in this checkout; undefined where it has no readable file, or on a branch without Tickets. */
export function seenState(store: Store, id: string): SeenState | undefined {
  try {
    const row = store.readFew(view => view.queries.ticket(id))
    return row && { state: row.state, state_at: row.state_at }
  } catch (error) {
    if (isPlanError(error, 'not_initialized')) return undefined
    throw error
  }
}

export function kept(result: Kept): Claimed {
  if (result.status === 'kept') return { claim: result.claim }
  return { claim: result.claim && withoutToken(result.claim), refused: 'stale_token' }
}

/** Returns the time to live of a claim: the one given, else the configured one. */
export function ttlOf(store: Store, ttlSeconds: number | undefined): number {
  return wholeMs(ttlSeconds ?? store.repository.config.claimTtlSeconds)
}

/** Returns a time to live in whole milliseconds, at least one: times have no smaller part. */
export function wholeMs(seconds: number): number {
  return Math.max(1, Math.round(seconds * 1000))
}

/** Returns who runs the command; undefined where nothing says it: a claim can be ended all the same. */
export function findActor(store: Store): string | undefined {
  try {
    return store.stamp().by
  } catch (error) {
    if (isPlanError(error, 'no_actor')) return undefined
    throw error
  }
}
