/**
 * Claims of running workers: leases in local.db, never in a Ticket file.
 *
 * Invariant: at any moment of the lease clock a Ticket has at most one live lease, and tokens only grow. Functions that
 * change something are called inside the write lock, whose transaction makes them one with what else happens there. What a
 * caller must branch on is returned, not thrown.
 */

import type { Connection, Statement } from '../database/open.ts'
import { isoTime } from '../model/text.ts'
import type { Moment } from './lease-clock.ts'

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
  /** By the wall clock as it was at the last renewal. */
  expires_at: string
  live: boolean
}

/** Who wants a lease, and for how long. */
export interface LeaseRequest {
  ticket: string
  holder: string
  ttlMs: number
  pool?: string
  session?: string
  worktree?: string
  pid?: number
}

export type Acquired =
  | { status: 'acquired'; claim: Claim; takenFrom: string | null }
  | { status: 'renewed'; claim: Claim }
  | { status: 'held'; claim: Claim }

export type Kept = { status: 'kept'; claim: Claim } | { status: 'stale_token'; claim: Claim | null }

/** The claims at one moment. */
export interface LiveClaims {
  /** The live claim on a Ticket. */
  find(ticket: string): Claim | undefined
  /** Live claims that use a slot of the pool, but for that of one Ticket. */
  countInPool(pool: string, exceptTicket: string): number
  /** Every claim, live and expired, in the order of the Tickets' ids; released ones too if asked. */
  all(withReleased: boolean): (Claim & { released_at: string | null })[]
}

/** A row of `leases`. */
interface LeaseRow extends Omit<Claim, 'ticket' | 'live'> {
  ticket_id: string
  boot: string
  expires_tick: number
  ttl_ms: number
  released_at: string | null
}

interface Marks {
  token: number
  wall_ms: number
  boot: string
  tick: number
}

/** Reads the claims as they are at a moment; without a local database there are none. */
export function liveClaims(connection: Connection | undefined, given: Moment): LiveClaims {
  if (!connection) return { find: () => undefined, countInPool: () => 0, all: () => [] }
  const moment = notBefore(given, readMarks(connection))
  const rows = statement<[], LeaseRow>(connection, 'select * from leases order by ticket_id').all()
  const claims = rows.map(row => ({ ...claimOf(row, moment), released_at: row.released_at }))
  const live = new Map(claims.filter(claim => claim.live).map(claim => [claim.ticket, withoutRelease(claim)]))
  return {
    find: ticket => live.get(ticket),
    countInPool: (pool, except) =>
      [...live.values()].filter(claim => claim.pool === pool && claim.ticket !== except).length,
    all: withReleased => claims.filter(claim => withReleased || claim.released_at === null),
  }
}

/** Takes the lease if nobody else has it. The holder of a live one renews it and keeps the token. */
export function acquireLease(
  connection: Connection,
  request: LeaseRequest,
  given: Moment,
  newestToken: number,
): Acquired {
  const marks = readMarks(connection)
  const moment = notBefore(given, marks)
  const row = findLease(connection, request.ticket)
  const live = row && isLive(row, moment)
  if (live && row.holder !== request.holder) {
    writeMarks(connection, moment, marks?.token ?? row.token)
    return { status: 'held', claim: claimOf(row, moment) }
  }
  const token = live ? row.token : Math.max(marks?.token ?? 0, newestToken, Math.floor(moment.wallMs / 1000)) + 1
  const at = isoTime(moment.wallMs)
  const next: LeaseRow = {
    ticket_id: request.ticket,
    holder: request.holder,
    token,
    pool: request.pool ?? (live ? row.pool : null),
    session: request.session ?? (live ? row.session : null),
    worktree: request.worktree ?? (live ? row.worktree : null),
    pid: request.pid ?? (live ? row.pid : null),
    acquired_at: live ? row.acquired_at : at,
    ...expiry(request.ttlMs, moment),
    released_at: null,
  }
  writeLease(connection, next)
  const takenFrom = row && !live && row.released_at === null ? row.holder : null
  const action = live ? 'renewed' : takenFrom === null ? 'acquired' : 'taken_over'
  writeLog(connection, at, action, next, { previousHolder: takenFrom })
  writeMarks(connection, moment, Math.max(token, marks?.token ?? 0))
  const claim = claimOf(next, moment)
  return live ? { status: 'renewed', claim } : { status: 'acquired', claim, takenFrom }
}

/** Extends a lease. Refused unless the token is that of the live lease: who slept past the expiry has lost it. */
export function renewLease(
  connection: Connection,
  ticket: string,
  token: number,
  ttlMs: number | undefined,
  given: Moment,
): Kept {
  const marks = readMarks(connection)
  const moment = notBefore(given, marks)
  const row = findLease(connection, ticket)
  if (!row || row.token !== token || !isLive(row, moment)) return stale(connection, row, moment, marks)
  const next = { ...row, ...expiry(ttlMs ?? row.ttl_ms, moment) }
  writeLease(connection, next)
  writeLog(connection, isoTime(moment.wallMs), 'renewed', next, {})
  writeMarks(connection, moment, marks?.token ?? token)
  return { status: 'kept', claim: claimOf(next, moment) }
}

/**
 * Ends a lease. With a token, refused unless it is that of the live lease; with `force`, whoever holds it, and the log says why.
 */
export function releaseLease(
  connection: Connection,
  ticket: string,
  by: { token: number } | { force: true; reason: string },
  given: Moment,
): Kept {
  const marks = readMarks(connection)
  const moment = notBefore(given, marks)
  const row = findLease(connection, ticket)
  const allowed = row && row.released_at === null && ('force' in by || (row.token === by.token && isLive(row, moment)))
  if (!row || !allowed) return stale(connection, row, moment, marks)
  const at = isoTime(moment.wallMs)
  const next = { ...row, released_at: at }
  writeLease(connection, next)
  writeLog(connection, at, 'force' in by ? 'forced' : 'released', next, 'force' in by ? { reason: by.reason } : {})
  writeMarks(connection, moment, marks?.token ?? row.token)
  return { status: 'kept', claim: claimOf(next, moment) }
}

/** The refusal. Its moment is noted too: who was told that the lease is over must not find it alive by a clock set back. */
function stale(connection: Connection, row: LeaseRow | undefined, moment: Moment, marks: Marks | undefined): Kept {
  if (row) writeMarks(connection, moment, marks?.token ?? row.token)
  return { status: 'stale_token', claim: row && row.released_at === null ? claimOf(row, moment) : null }
}

/**
 * Within the boot of its last renewal a lease goes by that boot's clock. After a reboot it goes by the wall clock, and for no
 * longer than its time to live since the boot.
 */
function isLive(row: LeaseRow, moment: Moment): boolean {
  if (row.released_at !== null) return false
  // One of the two knows only the wall clock.
  if (row.boot !== moment.boot && [row.boot, moment.boot].includes('given'))
    return moment.wallMs < Date.parse(row.expires_at)
  const sameBoot = row.boot === moment.boot && moment.tick >= row.expires_tick - row.ttl_ms
  if (sameBoot) return moment.tick < row.expires_tick
  return moment.wallMs < Date.parse(row.expires_at) && moment.tick < row.ttl_ms
}

function expiry(ttlMs: number, { wallMs, boot, tick }: Moment) {
  return {
    renewed_at: isoTime(wallMs),
    expires_at: isoTime(wallMs + ttlMs),
    boot,
    expires_tick: tick + ttlMs,
    ttl_ms: ttlMs,
  }
}

/** The moment, but never before the latest one seen. */
function notBefore(moment: Moment, marks: Marks | undefined): Moment {
  if (!marks) return moment
  // A clock of the same boot cannot run backwards, but one that a test hands in can, and one that counts for another boot.
  const tick = marks.boot === moment.boot && moment.boot === 'given' ? Math.max(moment.tick, marks.tick) : moment.tick
  return { ...moment, tick, wallMs: moment.boot === 'given' ? Math.max(moment.wallMs, marks.wall_ms) : moment.wallMs }
}

function claimOf(row: LeaseRow, moment: Moment): Claim {
  const { holder, token, pool, session, worktree, pid, acquired_at, renewed_at, expires_at } = row
  const live = isLive(row, moment)
  return {
    ticket: row.ticket_id,
    holder,
    token,
    pool,
    session,
    worktree,
    pid,
    acquired_at,
    renewed_at,
    expires_at,
    live,
  }
}

function withoutRelease({ released_at: _, ...claim }: Claim & { released_at: string | null }): Claim {
  return claim
}

function findLease(connection: Connection, ticket: string): LeaseRow | undefined {
  return statement<[string], LeaseRow>(connection, 'select * from leases where ticket_id = ?').get(ticket)
}

function readMarks(connection: Connection): Marks | undefined {
  return statement<[], Marks>(connection, 'select token, wall_ms, boot, tick from marks where id = 1').get()
}

function writeMarks(connection: Connection, { wallMs, boot, tick }: Moment, token: number): void {
  statement(connection, 'insert or replace into marks values (1, ?, ?, ?, ?)').run(token, wallMs, boot, tick)
}

function writeLease(connection: Connection, row: LeaseRow): void {
  statement(
    connection,
    `insert or replace into leases (ticket_id, holder, token, pool, session, worktree, pid, acquired_at, renewed_at, expires_at,
         boot, expires_tick, ttl_ms, released_at)
       values (@ticket_id, @holder, @token, @pool, @session, @worktree, @pid, @acquired_at, @renewed_at, @expires_at,
         @boot, @expires_tick, @ttl_ms, @released_at)`,
  ).run(row)
}

function writeLog(
  connection: Connection,
  at: string,
  action: string,
  { ticket_id, holder, token }: LeaseRow,
  { previousHolder = null, reason = null }: { previousHolder?: string | null; reason?: string | null },
): void {
  statement(
    connection,
    'insert into claim_log (at, action, ticket_id, holder, token, previous_holder, reason) values (?, ?, ?, ?, ?, ?, ?)',
  ).run(at, action, ticket_id, holder, token, previousHolder, reason)
}

const prepared = new WeakMap<Connection, Map<string, Statement<unknown[], unknown>>>()

/** A statement, prepared once for each connection: preparing costs more than running it. */
function statement<P extends unknown[] = unknown[], R = unknown>(connection: Connection, sql: string): Statement<P, R> {
  const statements = prepared.get(connection) ?? new Map<string, Statement<unknown[], unknown>>()
  const found = statements.get(sql) ?? connection.prepare(sql)
  statements.set(sql, found)
  prepared.set(connection, statements)
  return found as Statement<P, R>
}
