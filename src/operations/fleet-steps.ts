/** Steps that accept, claim, renew and release share where a server has the claims. No lock of this clone is held over one. */
import type { Claim, LeaseRequest } from '../claims/claims.ts'
import type { Moment } from '../claims/lease-clock.ts'
import { monotonicMs } from '../files/pause.ts'
import type { FleetAcquired, FleetSnapshot } from '../fleet/fleet-claims.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { isoTime } from '../model/text.ts'
import type { Store } from '../store/store.ts'
import type { StoreFleet } from '../store/store-fleet.ts'

/** How often a verdict is computed again because claims have changed meanwhile, before the command gives up. */
const MOST_ROUNDS = 100

/** What a verdict allows: a lease to take, and the conflicts that its taker knows. */
export interface Allowed {
  lease: LeaseRequest
  conflicts: string[]
  /** True where this holder has the claim already: it is kept whatever becomes of the command. */
  isOwn: boolean
}

/** A lease that was taken, with the claims that the verdict rested on, and when the request was sent. */
export interface Taken<S> {
  allowed: S
  acquired: Extract<FleetAcquired, { status: 'acquired' | 'renewed' }>
  snapshot: FleetSnapshot
  sent: Moment
}

/**
 * Judges over the claims of a snapshot and takes the lease, again while others take what was asked about in between. `judge`
 * returns what is allowed, or the answer that refuses it.
 * @throws PlanError those of `judge`; fleet_unreachable with until when the lease may hold; busy.
 */
export async function takeInFleet<S extends Allowed, R extends object>(
  fleet: StoreFleet,
  judge: () => S | R,
): Promise<Taken<S> | R> {
  const claims = await fleet.claims()
  const startedAt = monotonicMs()
  let releasesOf = fleet.releasesOf()
  let snapshot = await claims.snapshot({ releasesOf })
  for (let round = 0; round < MOST_ROUNDS; round++) {
    fleet.given.give({ snapshot })
    const allowed = judge()
    if (fleet.given.isIncomplete()) {
      releasesOf = fleet.releasesOf()
      snapshot = await claims.snapshot({ releasesOf })
      continue
    }
    if (!('lease' in allowed)) return allowed
    const { lease, conflicts } = allowed as S
    const request = {
      ...lease,
      conflicts,
      releasesOf,
      changes: snapshot.changes,
      expired: fleet.given.expired(),
      asked: fleet.given.asked(),
      floor: fleet.covers.highestToken(),
    }
    const sent = fleet.clock()
    const sentAt = monotonicMs()
    const acquired = await claims.acquire(request).catch(error => {
      const latestMs = Date.parse(snapshot.now) + (monotonicMs() - sentAt) + lease.ttlMs
      throw withUntil(error, lease.ticket, 'nothing was written', latestMs)
    })
    if ('claim' in acquired && acquired.status !== 'held') return { allowed: allowed as S, acquired, snapshot, sent }
    snapshot = (acquired as Extract<FleetAcquired, { snapshot: FleetSnapshot }>).snapshot
  }
  const waitedMs = Math.round(monotonicMs() - startedAt)
  const message = `the claims of the fleet changed ${MOST_ROUNDS} times while this one was judged; run the command again`
  throw new PlanError('busy', message, { lock: 'fleet', waitedMs, holder: null })
}

/** Gives a lease back that was just taken. Where that fails, it ends when it expires. */
export async function giveUp(fleet: StoreFleet, { acquired: { claim }, allowed }: Taken<Allowed>): Promise<void> {
  if (allowed.isOwn) return
  const claims = await fleet.claims()
  await claims.release(claim.ticket, { token: claim.token }).catch(() => {})
}

/** Returns the error of a step whose outcome is unknown, with what was done and until when the claim may hold; any other unchanged. */
export function withUntil(error: unknown, ticket: string, done: string, latestMs: number): unknown {
  if (!isPlanError(error, 'fleet_unreachable')) return error
  const until = error.data.sent ? `; the claim may hold ${ticket} until ${isoTime(latestMs)}` : ''
  return new PlanError(error.code, `${error.message}; ${done}${until}`, error.data, error)
}

/** Notes a claim that the server has confirmed. A failure costs only the cover, which a notice reports. */
export function noteConfirmed({ notify }: Store, { covers }: StoreFleet, claim: Claim, sent: Moment): void {
  try {
    covers.note(claim.ticket, claim.token, Date.parse(claim.expires_at) - Date.parse(claim.renewed_at), sent)
  } catch (error) {
    notify(
      `the claim on ${claim.ticket} is not noted for when the server cannot be reached: ${(error as Error).message}`,
    )
  }
}

/** Returns the id that belongs to a name. The server is asked only where no file has it: a claim can outlive its file. */
export async function claimedId(store: Store, fleet: StoreFleet, name: string): Promise<string> {
  try {
    return store.read(view => view.resolve(name).id)
  } catch (error) {
    if (!isPlanError(error, 'unknown_ticket') && !isPlanError(error, 'not_initialized')) throw error
    const { claims } = await (await fleet.claims()).snapshot({ withReleased: true, releasesOf: [] })
    if (claims.some(({ ticket }) => ticket === name)) return name
    throw error
  }
}
