/** Claim, renew and release where a server has the claims. */
import type { ReleaseBy, ReleaseEntry } from '../claims/claims.ts'
import { isPlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import type { StoreFleet } from '../store/store-fleet.ts'
import {
  type Claimable,
  type Claimed,
  type ClaimInput,
  findActor,
  judgeClaim,
  kept,
  released,
  seenState,
  wholeMs,
} from './claiming.ts'
import { takeBackable, writeState } from './file-and-claim.ts'
import { claimedId, giveUp, noteConfirmed, takeInFleet, withUntil } from './fleet-steps.ts'
import { checkPool } from './pools.ts'
import { stateWarnings } from './warnings.ts'

/** Takes a claim without a plan, for its full time to live at once. @throws PlanError fleet_unreachable and others of the fleet. */
export async function claimInFleet(store: Store, fleet: StoreFleet, input: ClaimInput): Promise<Claimed> {
  checkPool(store, input.pool)
  const taken = await takeInFleet<Claimable, Claimed>(fleet, () => judgeClaim(store, input))
  if (!('acquired' in taken)) return taken
  const { claim } = taken.acquired
  try {
    fleet.covers.noteToken(claim.token)
  } catch (error) {
    await giveUp(fleet, taken)
    throw error
  }
  noteConfirmed(store, fleet, claim, taken.sent)
  return { claim }
}

/** Extends a claim. Where the server cannot be reached, the answer says whether the claim may still be live. */
export async function renewInFleet(
  store: Store,
  fleet: StoreFleet,
  { ticket: name, token, ttl }: { ticket: string; token: number; ttl?: number | undefined },
): Promise<Claimed> {
  const id = await claimedId(store, fleet, name)
  const sent = fleet.clock()
  try {
    const claims = await fleet.claims()
    const result = await claims.renew(id, token, ttl === undefined ? undefined : wholeMs(ttl))
    if (result.status === 'kept') noteConfirmed(store, fleet, result.claim, sent)
    return kept(result)
  } catch (error) {
    if (!isPlanError(error, 'fleet_unreachable')) throw error
    store.notify(error.message)
    const cover = fleet.covers.find(id, token)
    if (cover?.isOver) return { claim: null, refused: 'stale_token' }
    return { claim: null, refused: 'fleet_unreachable', ...(cover && { covered_until: cover.until }) }
  }
}

/** What a release is given. */
interface ReleaseInput {
  ticket: string
  token?: number | undefined
  force: boolean
  reason?: string | undefined
  state?: string | undefined
}

/**
 * Ends a claim. A state is written first; it goes back where the claim is not ended.
 * @throws PlanError fleet_unreachable and others of the fleet.
 */
export async function releaseInFleet(
  store: Store,
  fleet: StoreFleet,
  { ticket: name, token, force, reason, state }: ReleaseInput,
): Promise<Claimed> {
  const by: ReleaseBy = force ? { force: true, reason: reason!, by: findActor(store) } : { token: token! }
  const id = await claimedId(store, fleet, name)
  const claims = await fleet.claims()
  if (state === undefined) return released(await claims.release(id, by, seenState(store, id)), by)
  const { result: seen, takeBack } = takeBackable(store, written => writeState(store, id, state, written))
  try {
    const result = await claims.release(id, by, seen)
    if (result.status === 'stale_token') {
      takeBack()
      return released(result, by)
    }
    return { ...released(result, by), state, warnings: stateWarnings(store, state) }
  } catch (error) {
    takeBack()
    const latestMs = store.now() + store.repository.config.claimTtlSeconds * 1000
    throw withUntil(error, id, 'the state was set back; run the command again', latestMs)
  }
}

/** Finds how the claim with a token was released, wherever the claims are; undefined where it was not. */
export async function releaseOf(
  { fleet, claims }: Store,
  ticket: string,
  token: number,
): Promise<ReleaseEntry | undefined> {
  if (!fleet) return claims.releaseOf(ticket, token)
  return (await (await fleet.claims()).snapshot({ releasesOf: [], releaseOf: { ticket, token } })).release
}
