/**
 * The tables of fleets in PostgreSQL, for drizzle-kit (migrations). The functions on them are in migrations/fleet too.
 *
 * Clients call four functions and read the view `claims`; the tables are closed to them. Several fleets share a database. Import
 * types only: loading drizzle costs more than a query.
 */
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  text,
  timestamp,
} from 'drizzle-orm/pg-core'

/** Text that is ordered by its bytes, as in local.db. */
const bytewise = customType<{ data: string }>({ dataType: () => 'text collate "C"' })
const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })
const large = (name: string) => bigint(name, { mode: 'number' })

export const ticketplan = pgSchema('ticketplan')

/** One row for each fleet. It is the lock: a function that changes claims locks the row first. */
export const fleets = ticketplan.table('fleets', {
  id: text('id').primaryKey(),
  /** The highest fencing token. */
  token: large('token').notNull().default(0),
  /** How often a claim was taken or released. */
  changes: large('changes').notNull().default(0),
  /** The start of the server that gave the last token. */
  server: text('server'),
  createdAt: moment('created_at').notNull().default(sql`clock_timestamp()`),
})

const fleet = () =>
  text('fleet')
    .notNull()
    .references(() => fleets.id, { onDelete: 'cascade' })

/** At most one row for each Ticket of a fleet: its latest lease. */
export const leases = ticketplan.table(
  'leases',
  {
    fleet: fleet(),
    ticket: bytewise('ticket').notNull(),
    /** A holder is a name, with its session, on a machine: the random id of a clone. */
    holder: text('holder').notNull(),
    session: text('session'),
    machine: text('machine').notNull(),
    token: large('token').notNull(),
    pool: text('pool'),
    worktree: text('worktree'),
    pid: integer('pid'),
    /** The area and the strict conflicts of the Ticket as the clone of the taker knew them; a null area is unknown. */
    area: jsonb('area'),
    conflicts: text('conflicts').array().notNull().default(sql`'{}'`),
    /** `fleets.changes` when the lease was taken, last changed its pool, area or conflicts, or was released. */
    taken: large('taken').notNull(),
    acquiredAt: moment('acquired_at').notNull(),
    renewedAt: moment('renewed_at').notNull(),
    expiresAt: moment('expires_at').notNull(),
    ttlMs: large('ttl_ms').notNull(),
    /** How the lease ended; null while it may be live. */
    ended: text('ended', { enum: ['released', 'forced', 'lapsed'] }),
    endedAt: moment('ended_at'),
    /** Identifies the call that released the lease, so that it can be repeated. */
    endedBy: text('ended_by'),
    /** The last release that noted the state of the Ticket: the state, its time, and the time of the release. */
    releasedState: text('released_state'),
    releasedStateAt: text('released_state_at'),
    lastReleasedAt: moment('last_released_at'),
  },
  table => [
    primaryKey({ columns: [table.fleet, table.ticket] }),
    check('leases_ended', sql`(ended is null) = (ended_at is null) and ended in ('released', 'forced', 'lapsed')`),
    // What a snapshot has, however many were released. Without the times, so that a renewal changes no index.
    index('leases_shown').on(table.fleet).where(sql`ended is null or ended = 'lapsed'`),
  ],
)

/** Every change of a lease, in order: what is needed to check afterwards that no two leases were in each other's way. */
export const claimLog = ticketplan.table(
  'claim_log',
  {
    sequence: large('sequence').generatedAlwaysAsIdentity().primaryKey(),
    fleet: fleet(),
    at: moment('at').notNull(),
    action: text('action', {
      enum: ['acquired', 'taken_over', 'renewed', 'moved', 'released', 'forced', 'lapsed'],
    }).notNull(),
    ticket: bytewise('ticket').notNull(),
    holder: text('holder').notNull(),
    session: text('session'),
    machine: text('machine').notNull(),
    token: large('token').notNull(),
    pool: text('pool'),
    area: jsonb('area'),
    conflicts: text('conflicts').array().notNull(),
    /** When the lease expires after this change. */
    expiresAt: moment('expires_at').notNull(),
    /** For `taken_over` and `moved`: the holder before. */
    previousHolder: text('previous_holder'),
    reason: text('reason'),
  },
  table => [index('claim_log_by_ticket').on(table.fleet, table.ticket, table.sequence)],
)

/** The clones that have taken claims, with the capacities that they are configured with. */
export const machines = ticketplan.table(
  'machines',
  {
    fleet: fleet(),
    machine: text('machine').notNull(),
    pools: jsonb('pools').notNull(),
    seenAt: moment('seen_at').notNull(),
  },
  table => [primaryKey({ columns: [table.fleet, table.machine] })],
)

/** Claims for users of SQL, with the columns of the view of the same name in local.db. */
export const claims = ticketplan
  .view('claims', {
    fleet: text('fleet'),
    ticketId: text('ticket_id'),
    holder: text('holder'),
    machine: text('machine'),
    token: large('token'),
    pool: text('pool'),
    acquiredAt: moment('acquired_at'),
    renewedAt: moment('renewed_at'),
    expiresAt: moment('expires_at'),
    live: boolean('live'),
  })
  .as(
    sql`select fleet, ticket as ticket_id, holder, machine, token, pool, acquired_at, renewed_at, expires_at,
    ended is null and expires_at > clock_timestamp() as live
  from ticketplan.leases where ended is null or ended = 'lapsed'`,
  )
