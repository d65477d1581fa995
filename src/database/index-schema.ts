/**
 * The tables and views of index.db, for drizzle-kit (migrations) and for the types of rows.
 *
 * `tickets`, `decisions`, `relations`, `blockers`, `areas` and `quarantine` are an interface for users of SQL (docs/sql.md); `files`,
 * `file_decisions`, `area_patterns`, `snapshot`, `snapshot_lag` and `meta` are internal. Import types only: loading drizzle costs more than a query.
 */
import { sql } from 'drizzle-orm'
import { blob, index, integer, primaryKey, real, sqliteTable, sqliteView, text } from 'drizzle-orm/sqlite-core'
import { INVERSE, STORED_RELATION_KINDS } from '../model/decision-kinds.ts'
import { FORMAT } from '../model/format.ts'

/** One row for each file below the tickets folder that is or should be a Ticket. */
export const files = sqliteTable(
  'files',
  {
    path: text('path').primaryKey(),
    /** The id in lower case. Files that share it are quarantined. */
    idKey: text('id_key').notNull(),
    sizeBytes: real('size_bytes').notNull(),
    mtimeMs: real('mtime_ms').notNull(),
    ctimeMs: real('ctime_ms').notNull(),
    inode: real('inode').notNull(),
    /** 1 where the file had changed so recently when it was read that its stat data may not show a later change. */
    racy: integer('racy').notNull(),
    hash: text('hash').notNull(),
    canonical: integer('canonical').notNull(),
  },
  table => [index('files_by_id_key').on(table.idKey)],
)

export const tickets = sqliteTable(
  'tickets',
  {
    id: text('id').primaryKey(),
    slug: text('slug'),
    title: text('title').notNull(),
    state: text('state').notNull(),
    phase: text('phase', { enum: ['open', 'queued', 'active', 'terminal'] }).notNull(),
    outcome: text('outcome', { enum: ['completed', 'abandoned'] }),
    stateAt: text('state_at'),
    createdAt: text('created_at'),
    queuedAt: text('queued_at'),
    queuedBy: text('queued_by'),
    changedAt: text('changed_at'),
    path: text('path').notNull(),
    format: integer('format').notNull(),
  },
  table => [
    index('tickets_by_slug').on(table.slug),
    index('tickets_by_phase').on(table.phase, table.queuedAt, table.id),
    // Empty but for files that a later version wrote: each answer asks for them.
    index('tickets_of_later_format')
      .on(table.path)
      .where(sql.raw(`format > ${FORMAT}`)),
  ],
)

/** Decisions with the status that their own file gives them. The view `decisions` adds the effect of the other Ticket's phase. */
export const fileDecisions = sqliteTable(
  'file_decisions',
  {
    ticketId: text('ticket_id').notNull(),
    id: text('id').notNull(),
    kind: text('kind').notNull(),
    targetId: text('target_id'),
    fileStatus: text('file_status', { enum: ['active', 'satisfied', 'superseded', 'retracted'] }).notNull(),
    by: text('by').notNull(),
    at: text('at').notNull(),
    reason: text('reason'),
    pool: text('pool'),
    /** The ids that this decision replaces, as a JSON array. */
    supersedes: text('supersedes'),
    advisory: integer('advisory').notNull(),
    body: text('body').notNull(),
  },
  table => [
    primaryKey({ columns: [table.ticketId, table.id] }),
    index('file_decisions_by_id').on(table.id),
    index('file_decisions_by_target').on(table.targetId, table.kind),
    index('file_decisions_by_kind').on(table.kind, table.ticketId),
  ],
)

/** The globs of the active decisions of kind `touches`, by their own file, with the areas of the configuration expanded. */
export const areaPatterns = sqliteTable(
  'area_patterns',
  {
    ticketId: text('ticket_id').notNull(),
    decisionId: text('decision_id').notNull(),
    pattern: text('pattern').notNull(),
    shared: integer('shared').notNull(),
  },
  table => [index('area_patterns_by_ticket').on(table.ticketId)],
)

/** Files that cannot be read as Tickets. */
export const quarantine = sqliteTable('quarantine', {
  path: text('path').primaryKey(),
  code: text('code').notNull(),
  message: text('message').notNull(),
  line: integer('line'),
  column: integer('column'),
  /** Tickets that the file may be in conflict with, as a JSON array. */
  mentions: text('mentions').notNull(),
})

/**
 * One row: the stat data of all files as one value, so that a scan that finds no change does not read a row for each file. It
 * equals `files` for every path that is not in `snapshot_lag`.
 */
export const snapshot = sqliteTable('snapshot', {
  id: integer('id').primaryKey(),
  /** The paths from the tickets folder, in order, separated by NUL. */
  paths: text('paths').notNull(),
  /** Four float64 for each path: size, mtime, ctime, inode. The first is NaN where only the row counts. */
  stats: blob('stats', { mode: 'buffer' }).notNull(),
})

/** Paths whose rows have changed since the snapshot was taken. For them only the row counts. */
export const snapshotLag = sqliteTable('snapshot_lag', {
  path: text('path').primaryKey(),
})

/** The settings that the rows were derived with. A change requires a rebuild. */
export const meta = sqliteTable('meta', {
  key: text('key').primaryKey(),
  value: text('value').notNull(),
})

/** Texts as a list of SQL literals. */
function sqlList(texts: readonly string[]) {
  return sql.raw(texts.map(text => `'${text}'`).join(', '))
}

const inverses = sql.raw(
  STORED_RELATION_KINDS.filter(kind => INVERSE[kind] !== kind)
    .map(kind => `when '${kind}' then '${INVERSE[kind]}'`)
    .join(' '),
)
// Phases are looked up where the status depends on them: joins would read both Tickets of every row.
const finalStatus = sql`case
    when d.file_status <> 'active' then d.file_status
    when (select phase from tickets where id = d.ticket_id) = 'terminal' then 'satisfied'
    when d.kind = 'hold' and json_extract(d.body, '$.not_before') <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now') then 'satisfied'
    when d.target_id is not null and exists (select 1 from tickets other where other.id = d.target_id
      and other.phase = 'terminal' and (d.kind <> 'blocked_by' or other.outcome <> 'abandoned')) then 'satisfied'
    else 'active' end`
// "+" keeps SQLite from reading all relations of a kind to find those of one Ticket.
const isRelation = sql`+d.kind in (${sqlList(STORED_RELATION_KINDS)}) and d.target_id is not null`

export const decisions = sqliteView('decisions', {
  id: text('id'),
  ticketId: text('ticket_id'),
  kind: text('kind'),
  targetId: text('target_id'),
  status: text('status', { enum: ['active', 'satisfied', 'superseded', 'retracted'] }),
  by: text('by'),
  at: text('at'),
  reason: text('reason'),
  pool: text('pool'),
  supersedes: text('supersedes'),
  body: text('body'),
}).as(sql`select d.id, d.ticket_id, d.kind, d.target_id, ${finalStatus} as status, d.by, d.at, d.reason, d.pool, d.supersedes, d.body
  from file_decisions d`)

export const relations = sqliteView('relations', {
  ticketId: text('ticket_id'),
  kind: text('kind'),
  otherId: text('other_id'),
  status: text('status'),
  decisionId: text('decision_id'),
  by: text('by'),
  at: text('at'),
  reason: text('reason'),
}).as(sql`select d.ticket_id, d.kind, d.target_id as other_id, ${finalStatus} as status, d.id as decision_id, d.by, d.at, d.reason
  from file_decisions d
  where ${isRelation}
union all
select d.target_id, case d.kind ${inverses} else d.kind end, d.ticket_id, ${finalStatus}, d.id, d.by, d.at, d.reason
  from file_decisions d
  where ${isRelation}`)

export const blockers = sqliteView('blockers', {
  ticketId: text('ticket_id'),
  blockerId: text('blocker_id'),
  blockerState: text('blocker_state'),
  decisionId: text('decision_id'),
}).as(sql`select d.ticket_id, d.target_id as blocker_id, other.state as blocker_state, d.id as decision_id
  from file_decisions d
  join tickets own on own.id = d.ticket_id
  left join tickets other on other.id = d.target_id
  where d.kind = 'blocked_by' and d.file_status = 'active' and own.phase <> 'terminal'
    and (other.phase is null or other.phase <> 'terminal' or other.outcome = 'abandoned')`)

export const areas = sqliteView('areas', {
  ticketId: text('ticket_id'),
  pattern: text('pattern'),
  shared: integer('shared'),
  decisionId: text('decision_id'),
}).as(sql`select ticket_id, pattern, shared, decision_id from area_patterns
  where (select phase from tickets where id = ticket_id) <> 'terminal'`)
