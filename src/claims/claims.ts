/**
 * The interface to claims: leases of running workers on Tickets, with fencing tokens, never in a Ticket file.
 *
 * Invariant of every implementation: at any moment a Ticket has at most one live lease, and tokens only grow. An outcome that a
 * caller must branch on is returned, not thrown. The tests in test-support/claims-suite.ts are the contract.
 */
import type { AreaPattern } from '../model/area.ts'

/** A claim as answers show it. */
export interface Claim {
  ticket: string
  holder: string
  /** The fencing token: an integer that only grows. */
  token: number
  pool: string | null
  session: string | null
  worktree: string | null
  pid: number | null
  acquired_at: string
  renewed_at: string
  /** By the wall clock at the last renewal. */
  expires_at: string
  live: boolean
  /** The machine of the holder; only where several machines share the claims. */
  machine?: string
}

/** A claim as everybody but its holder sees it. */
export type ClaimWithoutToken = Omit<Claim, 'token'>

/** The state of a Ticket in a checkout; `state_at` is null where the file has none. */
export interface SeenState {
  state: string
  state_at: string | null
}

/** The last release of a Ticket, with the state that the checkout of the release had. */
export interface Released extends SeenState {
  at: string
}

/** A claim with the time of its release; null where it was not released. */
export interface ListedClaim extends Claim {
  released_at: string | null
}

/** The area of a live claim as it was when the claim was taken; null where it is unknown. */
export interface ClaimedArea {
  ticket: string
  area: readonly AreaPattern[] | null
}

/**
 * The holder of a lease to be taken, and its time to live. A holder is the pair of name and session; an absent session is a
 * value of its own.
 */
export interface LeaseRequest {
  ticket: string
  holder: string
  ttlMs: number
  pool?: string
  session?: string
  /** If it is the token of the live lease, the lease moves to this holder; any other token makes this another holder. */
  token?: number
  worktree?: string
  pid?: number
  /** The area of the Ticket, with names expanded; it is kept with the lease. */
  area?: readonly AreaPattern[]
}

/**
 * How a lease is released: by its holder with the token, or by a person with a reason, which the log keeps; `by` is that person,
 * where it is known.
 */
export type ReleaseBy = { token: number } | { force: true; reason: string; by?: string | undefined }

export type Acquired =
  | { status: 'acquired'; claim: Claim; takenFrom: string | null }
  | { status: 'renewed'; claim: Claim }
  | { status: 'held'; claim: Claim }

export type Kept = { status: 'kept'; claim: Claim } | { status: 'stale_token'; claim: Claim | null }

/** The claims at one moment. */
export interface LiveClaims {
  /** Why the claims are unknown; then there are none here. Null where they are known. */
  readonly unknown: string | null
  /** Lists the Tickets with a live claim whose taker knew of a strict conflict with this one, in the order of their ids. */
  conflictsWith(ticket: string): string[]
  /** Finds the live claim on a Ticket. */
  find(ticket: string): Claim | undefined
  /** Counts the live claims that use a slot of the pool, except the claims on one Ticket and on those that are terminal. */
  countInPool(pool: string, exceptTicket: string, isTerminal: (ticket: string) => boolean): number
  /** Lists the areas of the live claims. */
  areas(): ClaimedArea[]
  /** Finds the last release of a Ticket for which the state was noted, whatever happened to its claims since. */
  released(ticket: string): Released | undefined
  /** Lists live and expired claims in the order of their Tickets' ids, and released ones on request. */
  all(withReleased: boolean): ListedClaim[]
}

/** A change of a claim as the log keeps it; renewals are left out. */
export interface ClaimLogEntry {
  at: string
  action: 'acquired' | 'moved' | 'released' | 'forced' | 'taken_over'
  ticket: string
  holder: string
  /** For `taken_over` and `moved`: who had it before. */
  previous_holder: string | null
  /** For `forced`: who ended the claim; null where that is not known. */
  by: string | null
  /** Why a release was forced. */
  reason: string | null
}

/** Which entries of the log to list; all optional. */
export interface ClaimLogFilter {
  /** Empty for all Tickets. */
  tickets?: readonly string[]
  /** A timestamp; entries of that time and later ones. */
  since?: string | undefined
  holder?: string | undefined
}

/** How many entries of the log an answer about the past reads. */
export const MOST_LOG_ENTRIES = 10_000

/** How a claim was released, by its token or by a person. */
export interface ReleaseEntry {
  action: 'released' | 'forced'
  reason: string | null
}

/** Within the store's lock the three changes are part of its transaction: undone where that throws. */
export interface Claims {
  /** Lists the log, newest first, up to a limit. @throws PlanError busy, database, io. */
  log(filter: ClaimLogFilter, limit: number): ClaimLogEntry[]
  /** Reads the claims at this moment. @throws PlanError busy, database, io. */
  snapshot(): LiveClaims
  /**
   * Takes the lease unless another holder has it. The holder of the live lease renews it and keeps the token; so does who
   * presents that token, and becomes its holder. @throws PlanError busy, database, io.
   */
  acquire(request: LeaseRequest): Acquired
  /**
   * Extends the lease, by default by its last time to live. Refused unless the token is that of the live lease: a holder that
   * slept past the expiry has lost it. @throws PlanError busy, database, io.
   */
  renew(ticket: string, token: number, ttlMs?: number): Kept
  /**
   * Ends the lease. With a token, refused unless it is that of the live lease. Notes the state of the Ticket that the caller
   * sees, if any. @throws PlanError busy, database, io.
   */
  release(ticket: string, by: ReleaseBy, seen?: SeenState): Kept
  /** Finds in the log how the claim with a token was released; undefined where it was not. @throws PlanError busy, database, io. */
  releaseOf(ticket: string, token: number): ReleaseEntry | undefined
}

/** Returns the claim as everybody but its holder may see it: who knows a token can end the claim. */
export function withoutToken({ token: _, ...claim }: Claim): ClaimWithoutToken {
  return claim
}

/**
 * Returns the claims of one moment, from the latest claim on each Ticket in the order of the Tickets' ids, and the last
 * releases by Ticket. `areas` lists those of the live claims.
 */
export function liveClaims(
  claims: readonly ListedClaim[],
  releases: ReadonlyMap<string, Released>,
  areas: () => ClaimedArea[] = () => [],
): LiveClaims {
  const live = new Map(claims.filter(claim => claim.live).map(claim => [claim.ticket, withoutRelease(claim)]))
  return {
    unknown: null,
    conflictsWith: () => [],
    find: ticket => live.get(ticket),
    countInPool: (pool, except, isTerminal) =>
      [...live.values()].filter(claim => claim.pool === pool && claim.ticket !== except && !isTerminal(claim.ticket))
        .length,
    areas,
    released: ticket => releases.get(ticket),
    all: withReleased => claims.filter(claim => withReleased || claim.released_at === null),
  }
}

function withoutRelease({ released_at: _, ...claim }: ListedClaim): Claim {
  return claim
}
