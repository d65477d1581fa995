/** Reads and writes the rows of local.db about leases. The rules are in lease.ts and lease-clock.ts. */
import type { Connection } from '../database/open.ts'
import { statementsOf } from '../database/statements.ts'
import { isoTime } from '../model/text.ts'
import type { ClaimLogEntry, ClaimLogFilter, ReleaseEntry } from './claims.ts'
import type { Lease, LogEntry } from './lease.ts'
import type { Moment } from './lease-clock.ts'

/** The highest token and the latest times that were ever seen. */
export interface Marks extends Moment {
  token: number
}

/** Lists the latest lease on each Ticket, in the order of the Tickets' ids. */
export function listLeases(connection: Connection): Lease[] {
  return statementsOf(connection)<[], Lease>('select * from leases order by ticket_id').all()
}

/** Lists the log without renewals, newest first, up to a limit. */
export function listLog(
  connection: Connection,
  { tickets = [], since = '', holder }: ClaimLogFilter,
  limit: number,
): ClaimLogEntry[] {
  const filter = { tickets: JSON.stringify(tickets), since, holder: holder ?? null, limit }
  return statementsOf(connection)<[object], ClaimLogEntry>(
    `select at, action, ticket_id as ticket, holder, iif(action = 'forced', null, previous_holder) as previous_holder,
            iif(action = 'forced', previous_holder, null) as by, reason from claim_log
     where action <> 'renewed' and at >= @since and (@holder is null or holder = @holder or previous_holder = @holder)
       and (@tickets = '[]' or ticket_id in (select value from json_each(@tickets)))
     order by sequence desc limit @limit`,
  ).all(filter)
}

/** Finds the latest lease on a Ticket. */
export function findLease(connection: Connection, ticket: string): Lease | undefined {
  return statementsOf(connection)<[string], Lease>('select * from leases where ticket_id = ?').get(ticket)
}

/** Finds the entry of the log about the release of a claim. */
export function findRelease(connection: Connection, ticket: string, token: number): ReleaseEntry | undefined {
  return statementsOf(connection)<[string, number], ReleaseEntry>(
    "select action, reason from claim_log where ticket_id = ? and token = ? and action in ('released', 'forced') order by sequence desc",
  ).get(ticket, token)
}

/** Finds the marks; there are none before the first lease. */
export function findMarks(connection: Connection): Marks | undefined {
  return statementsOf(connection)<[], Marks>(
    'select token, wall_ms as wallMs, boot, tick from marks where id = 1',
  ).get()
}

/** Replaces the marks. */
export function writeMarks(connection: Connection, { token, wallMs, boot, tick }: Marks): void {
  statementsOf(connection)('insert or replace into marks values (1, ?, ?, ?, ?)').run(token, wallMs, boot, tick)
}

/** Replaces the lease on a Ticket, without an entry in the log. */
export function putLease(connection: Connection, lease: Lease): void {
  statementsOf(
    connection,
  )(`insert or replace into leases (ticket_id, holder, token, pool, session, worktree, pid, acquired_at, renewed_at, expires_at,
         boot, expires_tick, ttl_ms, released_at, released_state, released_state_at, last_released_at, area)
       values (@ticket_id, @holder, @token, @pool, @session, @worktree, @pid, @acquired_at, @renewed_at, @expires_at,
         @boot, @expires_tick, @ttl_ms, @released_at, @released_state, @released_state_at, @last_released_at, @area)`).run(
    lease,
  )
}

/** Adds the entries of another log that this one does not have. */
export function copyLog(from: Connection, to: Connection): void {
  const entries = statementsOf(from)<[], object>('select * from claim_log order by sequence').all()
  const copy = statementsOf(to)<[object], never>(
    `insert into claim_log (at, action, ticket_id, holder, token, previous_holder, reason)
     select @at, @action, @ticket_id, @holder, @token, @previous_holder, @reason where not exists (
       select 1 from claim_log where at = @at and action = @action and ticket_id = @ticket_id and token = @token)`,
  )
  for (const entry of entries) copy.run(entry)
}

/** Replaces the lease on a Ticket, and adds an entry to the log. */
export function writeLease(connection: Connection, lease: Lease, entry: LogEntry, moment: Moment): void {
  putLease(connection, lease)
  const { ticket_id, holder, token } = lease
  const { action, previousHolder = null, reason = null } = entry
  statementsOf(connection)(
    'insert into claim_log (at, action, ticket_id, holder, token, previous_holder, reason) values (?, ?, ?, ?, ?, ?, ?)',
  ).run(isoTime(moment.wallMs), action, ticket_id, holder, token, previousHolder, reason)
}
