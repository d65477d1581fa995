/**
 * Claims in local.db, for all worktrees of one clone.
 *
 * Every change reads the clock, the marks and the lease under the write lock, and is one transaction with whatever else happens
 * there. Each also moves the marks forward, a refusal included: a holder that was refused must not find its lease live again
 * under a clock that was set back.
 */
import { dirname } from 'node:path'
import { readFencingMark, writeFencingMark } from '../database/fencing-mark.ts'
import type { LocalDatabase } from '../database/local-database.ts'
import { type Claims, liveClaims, type Released } from './claims.ts'
import { acquireLease, areaOf, claimOf, type Lease, releaseLease, releaseOf, renewLease, type Step } from './lease.ts'
import { isCallersMoment, type LeaseClock, type Moment, notBefore } from './lease-clock.ts'
import { findLease, findMarks, findRelease, listLeases, listLog, writeLease, writeMarks } from './lease-rows.ts'

/** Returns the claims in a local database, by the clock. Nothing is opened yet. */
export function localClaims(local: LocalDatabase, clock: LeaseClock): Claims {
  const folder = dirname(local.path)
  const none = liveClaims([], new Map())

  const change = <T>(
    ticket: string,
    decide: (lease: Lease | undefined, moment: Moment, newestToken: number) => Step<T>,
  ): T =>
    local.write(connection => {
      const marks = findMarks(connection)
      const moment = notBefore(clock(), marks)
      const newestToken = marks?.token ?? 0
      const lease = findLease(connection, ticket)
      const { answer, change } = decide(lease, moment, newestToken)
      if (change) writeLease(connection, change.lease, change.log, moment)
      const latest = change?.lease ?? lease
      if (latest) writeMarks(connection, { ...moment, token: Math.max(newestToken, latest.token) })
      return answer
    })

  return {
    snapshot: () =>
      local.read(connection => {
        if (!connection) return none
        const now = clock()
        const moment = isCallersMoment(now) ? notBefore(now, findMarks(connection)) : now
        const leases = listLeases(connection)
        if (leases.length === 0) return none
        const claims = leases.map(lease => ({ ...claimOf(lease, moment), released_at: lease.released_at }))
        const releases = new Map<string, Released>()
        for (const lease of leases) {
          const release = releaseOf(lease)
          if (release) releases.set(lease.ticket_id, release)
        }
        const areas = () => leases.filter((_, at) => claims[at]!.live).map(areaOf)
        return liveClaims(claims, releases, areas)
      }),
    log: (filter, limit) => local.read(connection => (connection ? listLog(connection, filter, limit) : [])),
    acquire: request =>
      local.locked(() => {
        const acquired = change(request.ticket, (lease, moment, newestToken) =>
          acquireLease(lease, request, moment, Math.max(newestToken, readFencingMark(folder))),
        )
        // Before the commit: a token that is in use is in the mark, or in local.db, or in both.
        if (acquired.status === 'acquired') writeFencingMark(folder, acquired.claim.token)
        return acquired
      }),
    renew: (ticket, token, ttlMs) => change(ticket, (lease, moment) => renewLease(lease, token, ttlMs, moment)),
    release: (ticket, by, seen) => change(ticket, (lease, moment) => releaseLease(lease, by, seen, moment)),
    releaseOf: (ticket, token) => local.read(connection => connection && findRelease(connection, ticket, token)),
  }
}
