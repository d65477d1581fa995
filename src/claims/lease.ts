/** Decides what becomes of a lease: pure functions over the lease, what is asked for, and the moment. */
import type { AreaPattern } from '../model/area.ts'
import { isHeldBy } from '../model/asking.ts'
import { isoTime } from '../model/text.ts'
import type { Acquired, Claim, ClaimedArea, Kept, LeaseRequest, ReleaseBy, Released, SeenState } from './claims.ts'
import { isBeforeExpiry, type LeaseTimes, leaseTimes, type Moment } from './lease-clock.ts'

/** The latest lease on a Ticket: a row of `leases`. */
export interface Lease extends Omit<Claim, 'ticket' | 'live' | keyof LeaseTimes>, LeaseTimes {
  ticket_id: string
  released_at: string | null
  /** The state of the last release that noted one, and the time of that release. A later lease keeps them. */
  released_state: string | null
  released_state_at: string | null
  last_released_at: string | null
  /** The area when the lease was taken, as JSON. */
  area: string | null
}

/** An entry of the log about a changed lease. */
export interface LogEntry {
  action: 'acquired' | 'renewed' | 'moved' | 'released' | 'forced' | 'taken_over'
  /** For `taken_over`: the holder of the expired lease. For `moved`: the holder before. For `forced`: who ended it. */
  previousHolder?: string
  reason?: string
}

/** The answer and, where the lease changes, the new lease with its entry of the log. */
export interface Step<T> {
  answer: T
  change?: { lease: Lease; log: LogEntry }
}

/** Takes or renews the lease. A new token is above `newestToken`. */
export function acquireLease(
  lease: Lease | undefined,
  request: LeaseRequest,
  moment: Moment,
  newestToken: number,
): Step<Acquired> {
  const current = lease && isLive(lease, moment) ? lease : undefined
  if (current && !isHeldBy(current, request)) return { answer: { status: 'held', claim: claimOf(current, moment) } }
  const next: Lease = {
    ticket_id: request.ticket,
    holder: request.holder,
    token: current?.token ?? Math.max(newestToken, Math.floor(moment.wallMs / 1000)) + 1,
    pool: request.pool ?? current?.pool ?? null,
    session: request.session ?? null,
    worktree: request.worktree ?? current?.worktree ?? null,
    pid: request.pid ?? current?.pid ?? null,
    acquired_at: current?.acquired_at ?? isoTime(moment.wallMs),
    ...leaseTimes(request.ttlMs, moment),
    released_at: null,
    released_state: lease?.released_state ?? null,
    released_state_at: lease?.released_state_at ?? null,
    last_released_at: lease?.last_released_at ?? null,
    area: request.area === undefined ? (current?.area ?? null) : JSON.stringify(request.area.map(withoutDecision)),
  }
  const claim = claimOf(next, moment)
  if (current) {
    const isSame = current.holder === next.holder && current.session === next.session
    const log: LogEntry = isSame ? { action: 'renewed' } : { action: 'moved', previousHolder: current.holder }
    return { answer: { status: 'renewed', claim }, change: { lease: next, log } }
  }
  const takenFrom = lease?.released_at === null ? lease.holder : null
  const log: LogEntry =
    takenFrom === null ? { action: 'acquired' } : { action: 'taken_over', previousHolder: takenFrom }
  return { answer: { status: 'acquired', claim, takenFrom }, change: { lease: next, log } }
}

/** Extends the lease, if the token is that of the live one. */
export function renewLease(
  lease: Lease | undefined,
  token: number,
  ttlMs: number | undefined,
  moment: Moment,
): Step<Kept> {
  if (lease?.token !== token || !isLive(lease, moment)) return stale(lease, moment)
  const next = { ...lease, ...leaseTimes(ttlMs ?? lease.ttl_ms, moment) }
  return kept(next, moment, { action: 'renewed' })
}

/** Ends the lease, if the token is that of the live one, or by force. Notes the state that the caller sees, if any. */
export function releaseLease(
  lease: Lease | undefined,
  by: ReleaseBy,
  seen: SeenState | undefined,
  moment: Moment,
): Step<Kept> {
  const isAllowed = 'force' in by ? lease?.released_at === null : lease?.token === by.token && isLive(lease, moment)
  if (!lease || !isAllowed) return stale(lease, moment)
  const at = isoTime(moment.wallMs)
  const noted = seen && { released_state: seen.state, released_state_at: seen.state_at, last_released_at: at }
  const next = { ...lease, released_at: at, ...noted }
  return kept(
    next,
    moment,
    'force' in by
      ? { action: 'forced', reason: by.reason, ...(by.by !== undefined && { previousHolder: by.by }) }
      : { action: 'released' },
  )
}

/** Returns the claim as answers show it. */
export function claimOf(lease: Lease, moment: Moment): Claim {
  const { ticket_id, holder, token, pool, session, worktree, pid, acquired_at, renewed_at, expires_at } = lease
  const live = isLive(lease, moment)
  return { ticket: ticket_id, holder, token, pool, session, worktree, pid, acquired_at, renewed_at, expires_at, live }
}

function withoutDecision({ pattern, shared }: AreaPattern): AreaPattern {
  return { pattern, shared }
}

/** Returns the area of a lease. */
export function areaOf({ ticket_id, area }: Lease): ClaimedArea {
  return { ticket: ticket_id, area: area === null ? null : (JSON.parse(area) as AreaPattern[]) }
}

/** Returns the last release of the Ticket that noted a state. */
export function releaseOf({ released_state, released_state_at, last_released_at }: Lease): Released | undefined {
  if (released_state === null || last_released_at === null) return undefined
  return { state: released_state, state_at: released_state_at, at: last_released_at }
}

function isLive(lease: Lease, moment: Moment): boolean {
  return lease.released_at === null && isBeforeExpiry(lease, moment)
}

function kept(lease: Lease, moment: Moment, log: LogEntry): Step<Kept> {
  return { answer: { status: 'kept', claim: claimOf(lease, moment) }, change: { lease, log } }
}

function stale(lease: Lease | undefined, moment: Moment): Step<Kept> {
  return { answer: { status: 'stale_token', claim: lease?.released_at === null ? claimOf(lease, moment) : null } }
}
