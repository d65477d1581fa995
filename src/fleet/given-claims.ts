/**
 * Claims that were read elsewhere and are given: a snapshot for the synchronous reads of a store, never changed here.
 *
 * Invariants: a lease that was live when it was read counts as expired once its time has passed on a clock that cannot be set.
 * What a verdict asked of the claims, and which leases it took for expired, is recorded, so that their server can check that
 * none of it has changed since.
 */

import { type ClaimLogEntry, type Claims, type LiveClaims, liveClaims } from '../claims/claims.ts'
import type { PlanError } from '../model/errors.ts'
import type { FleetSnapshot, KnownFleetClaim } from './fleet-claims.ts'

/** What a store knows of the claims: a snapshot, that they are unknown, or an error for whatever asks for them. */
export type Given = { snapshot: FleetSnapshot } | { unknown: PlanError } | { refused: PlanError }

/** The Tickets and pools whose claims a verdict has read. */
interface AskedClaims {
  tickets: string[]
  pools: string[]
}

export interface GivenClaims extends Claims {
  /** Replaces what is known. */
  give(given: Given): void
  /** Begins a new record of what is asked. */
  forgetAsked(): void
  /** Returns what was asked since the last `give` or `forgetAsked`. */
  asked(): AskedClaims
  /** Lists the Tickets whose leases counted as expired in a read since the last `give`, though their server has noted no end. */
  expired(): string[]
  /** True where a read since the last `give` asked for a release that was not asked of the server: it has to be read again. */
  isIncomplete(): boolean
  /** Lists the Tickets whose releases reads have missed, to be asked for next time. */
  missed(): string[]
}

/** Returns claims that are given; until then they are refused. `tick` is a clock that cannot be set, in ms. */
export function givenClaims(refused: PlanError, tick: () => number): GivenClaims {
  let given: Given = { refused }
  let givenAt = tick()
  let record = recorder()
  let latestMs = 0
  let isIncomplete = false
  const missed = new Set<string>()

  const known = () => {
    if ('refused' in given) throw given.refused
    return 'snapshot' in given ? given.snapshot : undefined
  }
  const notHere = (): never => {
    throw known() ? new Error('given claims cannot be changed here') : new Error('the claims are unknown')
  }
  return {
    give(next) {
      given = next
      givenAt = tick()
      latestMs = 0
      isIncomplete = false
      record = recorder()
    },
    forgetAsked() {
      record = recorder()
    },
    asked: () => record.asked(),
    isIncomplete: () => isIncomplete,
    missed: () => [...missed],
    expired() {
      if (!('snapshot' in given)) return []
      const { now, claims } = given.snapshot
      return claims.filter(claim => !claim.ended && !isLive(claim, now, latestMs)).map(({ ticket }) => ticket)
    },
    snapshot() {
      if ('refused' in given) return refusedClaims(given.refused)
      if ('unknown' in given) return { ...liveClaims([], new Map()), unknown: given.unknown.message }
      latestMs = Math.max(latestMs, tick() - givenAt)
      const { snapshot } = given
      const claims = record.over(claimsAt(snapshot, latestMs))
      return {
        ...claims,
        released(ticket) {
          if (snapshot.releasesOf?.has(ticket) === false) {
            missed.add(ticket)
            isIncomplete = true
          }
          return claims.released(ticket)
        },
      }
    },
    log({ tickets = [], since = '', holder }, limit) {
      const isAsked = (entry: ClaimLogEntry) =>
        entry.at >= since &&
        (tickets.length === 0 || tickets.includes(entry.ticket)) &&
        (holder === undefined || holder === entry.holder || holder === entry.previous_holder)
      return (known()?.log ?? []).filter(isAsked).slice(0, limit)
    },
    acquire: notHere,
    renew: notHere,
    release: notHere,
    releaseOf: () => known()?.release,
  }
}

/** Returns the claims of a snapshot when some time has passed since. */
function claimsAt({ now, claims, releases }: FleetSnapshot, sinceMs: number): LiveClaims {
  const live = claims.filter(claim => isLive(claim, now, sinceMs))
  const isInLive = new Set(live)
  const current = claims.map(known => {
    const { conflicts: _, area: __, ended: ___, ...claim } = known
    return { ...claim, live: isInLive.has(known) }
  })
  return {
    ...liveClaims(current, releases, () => live.map(({ ticket, area }) => ({ ticket, area }))),
    conflictsWith: ticket =>
      live.filter(claim => claim.ticket !== ticket && claim.conflicts.includes(ticket)).map(claim => claim.ticket),
  }
}

function isLive(claim: KnownFleetClaim, now: string, sinceMs: number): boolean {
  return claim.live && Date.parse(claim.expires_at) > Date.parse(now) + sinceMs
}

/** Records what is asked of claims. */
function recorder() {
  const tickets = new Set<string>()
  const pools = new Set<string>()
  return {
    over: (claims: LiveClaims): LiveClaims => ({
      ...claims,
      find(ticket) {
        tickets.add(ticket)
        return claims.find(ticket)
      },
      countInPool(pool, except, isTerminal) {
        pools.add(pool)
        return claims.countInPool(pool, except, isTerminal)
      },
    }),
    asked: (): AskedClaims => ({ tickets: [...tickets].sort(), pools: [...pools].sort() }),
  }
}

/** Returns claims that throw whatever is asked of them. */
function refusedClaims(error: PlanError): LiveClaims {
  const refuse = (): never => {
    throw error
  }
  return {
    get unknown() {
      return refuse()
    },
    conflictsWith: refuse,
    find: refuse,
    countInPool: refuse,
    areas: refuse,
    released: refuse,
    all: refuse,
  }
}
