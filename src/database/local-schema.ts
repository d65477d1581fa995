/**
 * The tables of local.db, for drizzle-kit (migrations) and for the types of rows: leases of running workers.
 *
 * A clone has one file, which its worktrees share. Nothing here is ever written to a Ticket file, an export or a commit. Import
 * types only: loading drizzle costs more than a query.
 */
import { sql } from 'drizzle-orm'
import { index, integer, real, sqliteTable, sqliteView, text } from 'drizzle-orm/sqlite-core'

/** At most one row for each Ticket: its latest lease, live, expired or released. */
export const leases = sqliteTable(
  'leases',
  {
    ticketId: text('ticket_id').primaryKey(),
    holder: text('holder').notNull(),
    /** The fencing token: an integer that only grows, over all Tickets. */
    token: integer('token').notNull(),
    pool: text('pool'),
    session: text('session'),
    worktree: text('worktree'),
    pid: integer('pid'),
    acquiredAt: text('acquired_at').notNull(),
    renewedAt: text('renewed_at').notNull(),
    /** By the wall clock: shown to users, and the limit after a reboot. Within a boot `expires_tick` is the limit. */
    expiresAt: text('expires_at').notNull(),
    /** Identifies the boot of the machine in which the lease was last renewed. */
    boot: text('boot').notNull(),
    /** When the lease expires, in ms of that boot's clock, which cannot be set. */
    expiresTick: real('expires_tick').notNull(),
    ttlMs: real('ttl_ms').notNull(),
    releasedAt: text('released_at'),
    /** The last release that noted the state of its Ticket: the state, its time, and the time of the release. */
    releasedState: text('released_state'),
    releasedStateAt: text('released_state_at'),
    lastReleasedAt: text('last_released_at'),
    /** The area of the Ticket when the lease was taken, as JSON; null where it is unknown. */
    area: text('area'),
  },
  table => [index('leases_by_pool').on(table.pool)],
)

/** One row: the highest token and the latest times ever seen, so that neither goes backwards. */
export const marks = sqliteTable('marks', {
  id: integer('id').primaryKey(),
  token: integer('token').notNull(),
  wallMs: real('wall_ms').notNull(),
  boot: text('boot').notNull(),
  tick: real('tick').notNull(),
})

/** Every change of a lease, in order. */
export const claimLog = sqliteTable('claim_log', {
  sequence: integer('sequence').primaryKey({ autoIncrement: true }),
  at: text('at').notNull(),
  action: text('action', { enum: ['acquired', 'renewed', 'moved', 'released', 'forced', 'taken_over'] }).notNull(),
  ticketId: text('ticket_id').notNull(),
  holder: text('holder').notNull(),
  token: integer('token').notNull(),
  /** For `taken_over`: the holder of the expired lease. For `moved`: the holder before. For `forced`: who ended it. */
  previousHolder: text('previous_holder'),
  reason: text('reason'),
})

/** Claims for users of SQL. `live` goes by the wall clock here; `ticketplan claims` and `ticketplan sql` use the lease clock. */
export const claims = sqliteView('claims', {
  ticketId: text('ticket_id'),
  holder: text('holder'),
  token: integer('token'),
  pool: text('pool'),
  acquiredAt: text('acquired_at'),
  renewedAt: text('renewed_at'),
  expiresAt: text('expires_at'),
  live: integer('live'),
}).as(sql`select ticket_id, holder, token, pool, acquired_at, renewed_at, expires_at,
    expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now') as live
  from leases where released_at is null`)
