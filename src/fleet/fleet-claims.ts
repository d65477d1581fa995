/**
 * The interface to the claims of a fleet: the four calls to its server, each one round trip, and every one safe to repeat.
 *
 * No lock is held between two calls. A verdict rests on a snapshot; `acquire` is refused with a fresh snapshot where what the
 * verdict asked about was taken since. A holder is a name, with its session, on a machine: the clone's own random id.
 */
import type {
  Acquired,
  Claim,
  ClaimLogEntry,
  ClaimLogFilter,
  Kept,
  LeaseRequest,
  ListedClaim,
  ReleaseBy,
  Released,
  ReleaseEntry,
  SeenState,
} from '../claims/claims.ts'
import type { AreaPattern } from '../model/area.ts'

/** The clone whose holder has a claim. */
interface OnMachine {
  machine: string
}

/** A claim of a fleet. */
export type FleetClaim = Claim & OnMachine

/** A claim of a fleet with what its taker's clone knew when it was taken. */
export interface KnownFleetClaim extends Omit<ListedClaim, 'machine'>, OnMachine {
  /** The Tickets in strict conflict with this one. A verdict on one of them must count them, whatever its own clone knows. */
  conflicts: string[]
  /** Null where it is unknown. */
  area: AreaPattern[] | null
  /** True where the server has noted its end, so that it cannot be renewed. A lease that has only expired can have been, meanwhile. */
  ended: boolean
}

/** An entry of the fleet's log. */
export type FleetLogEntry = ClaimLogEntry & OnMachine

/** The claims of a fleet at one moment. */
export interface FleetSnapshot {
  /** How often claims were taken or ended until then: `acquire` compares it. */
  changes: number
  /** The server's clock, as a timestamp. */
  now: string
  /** The latest claim on each Ticket in the order of the Tickets' ids: live, expired and, on request, released ones. */
  claims: KnownFleetClaim[]
  /** The last release that noted a state, of each of the Tickets in `releasesOf`. */
  releases: ReadonlyMap<string, Released>
  /** The Tickets whose releases were asked for; null for all. */
  releasesOf: ReadonlySet<string> | null
  /** Newest first; empty unless asked for. */
  log: FleetLogEntry[]
  /** How the claim asked about was released; undefined where it was not, or nothing was asked. */
  release: ReleaseEntry | undefined
}

/** What a snapshot has beside live and expired claims; all optional. */
export interface SnapshotRequest {
  withReleased?: boolean
  /** The Tickets whose last release is needed. Default: all that ever were released. */
  releasesOf?: readonly string[]
  log?: { filter: ClaimLogFilter; limit: number }
  releaseOf?: { ticket: string; token: number }
}

/** A lease to be taken, and the facts that the verdict about it rests on. */
export interface FleetLeaseRequest extends LeaseRequest {
  /** `changes` of the snapshot. */
  changes: number
  /** The Tickets whose leases the verdict took for expired though the snapshot had no end of them: they may have been renewed. */
  expired: readonly string[]
  /** The Tickets and pools whose claims the verdict read; null for all. */
  asked: { tickets: readonly string[]; pools: readonly string[] } | null
  /** As that of a snapshot: a refusal has one. */
  releasesOf?: readonly string[]
  /** The Tickets in strict conflict with this one, as this clone knows them. Default: those of the live lease, else none. */
  conflicts?: readonly string[]
  /** The highest token that this clone has seen: the new one is above it. */
  floor: number
  /** The configured capacities of pools. Default: as they were when the fleet was opened. */
  capacities?: Record<string, number>
}

/** `changed`: what the verdict asked about was taken since; it must be computed again over the snapshot. */
export type FleetAcquired =
  | (Extract<Acquired, { status: 'acquired' }> & { claim: FleetClaim; changes: number })
  | { status: 'renewed'; claim: FleetClaim; changes: number }
  | { status: 'held'; claim: FleetClaim; snapshot: FleetSnapshot }
  | { status: 'changed'; snapshot: FleetSnapshot }

export type FleetKept = Kept & { claim: FleetClaim | null }

/**
 * The four calls. Each fails after its timeout (5 s) where the server does not answer, and until then tries again on a new
 * connection. @throws PlanError fleet_unreachable, fleet_denied, fleet_unknown, fleet_schema, fleet_failed.
 */
export interface FleetClaims {
  /** Reads the claims at this moment. */
  snapshot(request?: SnapshotRequest): Promise<FleetSnapshot>
  /** Takes the lease. The holder of the live lease renews it and keeps the token, so a lost answer is asked for again. */
  acquire(request: FleetLeaseRequest): Promise<FleetAcquired>
  /** Extends the lease, by default by its last time to live. Refused unless the token is that of the live lease. */
  renew(ticket: string, token: number, ttlMs?: number): Promise<FleetKept>
  /**
   * Ends the lease. With a token, refused unless it is that of the live lease or of the last one, which was released with it:
   * a release said again is done. Notes the state of the Ticket that the caller sees, if any.
   */
  release(ticket: string, by: ReleaseBy, seen?: SeenState): Promise<FleetKept>
}
