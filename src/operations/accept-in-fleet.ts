/**
 * Accept where a server has the claims: verdict and reservation, verdict and plan under this clone's lock, confirmation.
 *
 * Invariants: no lock of this clone is held while the server is asked. A confirmed claim has its plan in the file; where the
 * process ends in between, the reservation runs out by itself and the plan is one without a claim. Times of the plan are the
 * server's, so that the clock of a machine matters nowhere.
 */
import { withoutToken } from '../claims/claims.ts'
import { monotonicMs } from '../files/pause.ts'
import { isHeldBy } from '../model/asking.ts'
import { PlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import type { StoreFleet } from '../store/store-fleet.ts'
import {
  type Accepted,
  type AcceptRequest,
  type Choice,
  judge,
  leaseFor,
  noneAccepted,
  type Situation,
  writePlan,
} from './acceptance.ts'
import { takeBackable } from './file-and-claim.ts'
import { type Allowed, giveUp, noteConfirmed, type Taken, takeInFleet, withUntil } from './fleet-steps.ts'

/** How long a claim is reserved until its plan is written and it is confirmed. */
const RESERVATION_MS = 30_000
/** How often files change between the two verdicts before the command gives up. */
const MOST_ROUNDS = 10

/** A Ticket that may be accepted, with the lease that reserves it. */
interface Reservable extends Allowed {
  situation: Situation
}

/** What the second step came to: refused, with the plan written, or to be judged again because the files have changed. */
type Written = { refusal: Accepted } | { decision: NonNullable<Accepted['decision']> } | { changed: true }

/** Accepts the chosen Ticket, or refuses it. @throws PlanError fleet_unreachable and others of the fleet, contended, busy, io. */
export async function acceptInFleet(
  store: Store,
  fleet: StoreFleet,
  choose: Choice,
  request: AcceptRequest,
): Promise<Accepted> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const taken = await takeInFleet<Reservable, Accepted>(fleet, () => judgeReservation(store, fleet, choose, request))
    if (!('acquired' in taken)) return taken
    const { result, takeBack } = await writing(store, fleet, taken, request)
    if ('decision' in result) return confirm(store, fleet, taken, { request, decision: result.decision, takeBack })
    await giveUp(fleet, taken)
    if ('refusal' in result) return result.refusal
  }
  const { path } = store.getFile(store.read(choose) as string)
  const message = `${path}: the file changed between two verdicts ${MOST_ROUNDS} times; run the command again`
  throw new PlanError('contended', message, { path })
}

function judgeReservation(
  store: Store,
  fleet: StoreFleet,
  choose: Choice,
  request: AcceptRequest,
): Reservable | Accepted {
  const chosen = store.read(choose)
  if (typeof chosen !== 'string') return noneAccepted(chosen, request.warnings)
  fleet.given.forgetAsked() // the rest of the queue may change without changing the verdict on this one
  const situation = judge(store, () => chosen, request)
  if ('accepted' in situation) return situation
  const lease = leaseFor(store, situation, request)
  const isOwn = situation.claim !== null && isHeldBy(situation.claim, request.asking)
  const ttlMs = isOwn ? lease.ttlMs : Math.min(RESERVATION_MS, lease.ttlMs)
  return { lease: { ...lease, ttlMs }, conflicts: situation.conflicts, situation, isOwn }
}

/** Judges again over the files as they are under the lock, and writes the plan. A failure gives the reservation back. */
async function writing(store: Store, fleet: StoreFleet, taken: Taken<Reservable>, request: AcceptRequest) {
  const { claim } = taken.acquired
  const { situation } = taken.allowed
  try {
    fleet.covers.noteToken(claim.token)
    return takeBackable(store, (written): Written => {
      fleet.given.give({ snapshot: taken.snapshot }) // as they were when the lease was taken
      const now = judge(store, () => situation.id, request)
      if ('accepted' in now) return { refusal: now }
      if (leased(now) !== leased(situation)) return { changed: true }
      const stamp = { ...store.stamp(), nowMs: Date.parse(claim.renewed_at) }
      return { decision: writePlan(store, now, request, stamp, written) }
    })
  } catch (error) {
    await giveUp(fleet, taken)
    throw error
  }
}

/** What the server has from the first verdict. */
function leased({ pool, area, conflicts }: Situation): string {
  return JSON.stringify([pool, area, conflicts])
}

/** Extends the reservation to the whole time to live; takes the plan back unless that is certain. */
async function confirm(
  store: Store,
  fleet: StoreFleet,
  { acquired, allowed: { situation } }: Taken<Reservable>,
  written: { request: AcceptRequest; decision: NonNullable<Accepted['decision']>; takeBack: () => void },
): Promise<Accepted> {
  const { request, decision, takeBack } = written
  const { id, reasons } = situation
  const { warnings } = request
  const { ttlMs } = leaseFor(store, situation, request)
  const claims = await fleet.claims()
  const sent = fleet.clock()
  const sentAt = monotonicMs()
  const kept = await claims.renew(id, acquired.claim.token, ttlMs).catch(error => {
    takeBack()
    const latestMs = Date.parse(acquired.claim.renewed_at) + (monotonicMs() - sentAt) + ttlMs
    throw withUntil(error, id, 'the plan was taken back', latestMs)
  })
  if (kept.status === 'stale_token') {
    takeBack()
    const claim = kept.claim && withoutToken(kept.claim)
    return { accepted: false, claim, decision: null, reasons, refused: 'stale_token', warnings }
  }
  noteConfirmed(store, fleet, kept.claim, sent)
  return { accepted: true, claim: kept.claim, decision, reasons, warnings }
}
