/**
 * The tables of local.db, for drizzle-kit (migrations) and for the types of rows: claims of running workers.
 *
 * One file per clone, shared by its worktrees. Nothing here is ever written to a Ticket file, an export or a commit. Import
 * types only: loading drizzle costs more than a query.
 */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** At most one row for each Ticket: the latest claim on it, live, expired or released. */
export const claims = sqliteTable(
  'claims',
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
    expiresAt: text('expires_at').notNull(),
    releasedAt: text('released_at'),
  },
  table => [index('claims_by_pool').on(table.pool)],
)

/** Who took, renewed, released or took over what, in order. */
export const claimLog = sqliteTable('claim_log', {
  sequence: integer('sequence').primaryKey({ autoIncrement: true }),
  at: text('at').notNull(),
  action: text('action', { enum: ['acquired', 'renewed', 'released', 'forced', 'taken_over'] }).notNull(),
  ticketId: text('ticket_id').notNull(),
  holder: text('holder').notNull(),
  token: integer('token').notNull(),
  /** `taken_over` and `forced`: the holder before. */
  previousHolder: text('previous_holder'),
  reason: text('reason'),
})
