/** Claims of running workers: leases in local.db, never in a Ticket file. */
import type { Connection } from '../database/open.ts'

/** A claim as `claims` shows it. */
export interface Claim {
  ticket: string
  holder: string
  /** The fencing token: an integer that only grows. */
  token: number
  pool: string | null
  acquired_at: string
  renewed_at: string
  expires_at: string
}

/** The claims that are live at one moment. */
export interface LiveClaims {
  find(ticket: string): Claim | undefined
  countInPool(pool: string, exceptTicket: string): number
}

/** Reads the live claims; without a local database there are none. */
export function liveClaims(connection: Connection | undefined, nowMs: number): LiveClaims {
  if (!connection) return { find: () => undefined, countInPool: () => 0 }
  const live = connection
    .prepare<[string], Claim>(
      `select ticket_id as ticket, holder, token, pool, acquired_at, renewed_at, expires_at
       from claims where released_at is null and expires_at > ?`,
    )
    .all(new Date(nowMs).toISOString())
  const byTicket = new Map(live.map(claim => [claim.ticket, claim]))
  return {
    find: ticket => byTicket.get(ticket),
    countInPool: (pool, exceptTicket) =>
      live.filter(claim => claim.pool === pool && claim.ticket !== exceptTicket).length,
  }
}
