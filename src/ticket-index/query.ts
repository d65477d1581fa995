/**
 * Prepared, typed selects over the index. SQL text rather than drizzle's builder: half the time a query, and drizzle itself
 * stays unloaded (docs/design.md has the figures). Every statement is prepared at most once a connection.
 */
import type { Connection } from '../database/open.ts'
import { BODY_IN_VERDICT, type RelationKind } from '../model/decision-kinds.ts'
import type { Status } from '../model/decision-status.ts'
import type { Phase } from '../model/phase.ts'

/** A row of `tickets`. */
export interface TicketRow {
  id: string
  slug: string | null
  title: string
  state: string
  phase: Phase
  state_at: string | null
  created_at: string | null
  queued_at: string | null
  queued_by: string | null
  changed_at: string | null
  path: string
  format: number
}

/** A row of `decisions`; `body` is the stored JSON. */
export interface DecisionRow {
  id: string
  ticket_id: string
  kind: string
  status: Status
  body: string
}

/** A row of `relations`, with what the decision adds. */
export interface RelationRow {
  ticket_id: string
  kind: RelationKind
  other_id: string
  status: Status
  decision_id: string
  by: string
  at: string
  reason: string | null
  advisory: number
  label: string | null
}

/** A decision that stands in its file. */
export interface StandingRow {
  kind: string
  /** The Ticket that it names; null for a decision that is no relation. */
  other: string | null
  decision: string
  advisory: number
  /** The stored JSON, of kinds of which more is needed than this. */
  body: string | null
}

/** A conflict that stands in the file of the other Ticket. */
export interface IncomingConflictRow {
  other: string
  decision: string
  advisory: number
}

/** What the index holds of a file: path, and stat data where they tell of every change. */
export type FileRow = [path: string, sizeBytes: number, mtimeMs: number, ctimeMs: number, inode: number, racy: number]

export interface QuarantineRow {
  path: string
  code: string
  message: string
  line: number | null
  column: number | null
  mentions: string
}

/** A relation whose other Ticket has no file, readable or not. */
export interface DanglingRow {
  ticket_id: string
  kind: string
  target_id: string
  decision_id: string
  path: string
}

export type IndexQueries = ReturnType<typeof prepareQueries>

/** What `relations` can be narrowed to; every field may be left out. */
export interface RelationFilter {
  ticket?: string
  kind?: RelationKind
  status?: Status
}

const STORED_RELATIONS = `(select ticket_id, kind, target_id as other_id, status, id as decision_id, "by", "at", reason
  from decisions where target_id is not null)`
// What the promised view leaves out of a relation, from the decision itself.
const WITH_DETAILS = `select r.*, d.advisory, json_extract(d.body, '$.label') as label
  from %source% r join file_decisions d on d.id = r.decision_id and d.ticket_id in (r.ticket_id, r.other_id)`

/** The queries over one connection. Lists are in the order that their SQL says, always a total one. */
export function prepareQueries(connection: Connection) {
  const prepared = new Map<string, ReturnType<Connection['prepare']>>()
  const statement = <P extends unknown[], R>(sql: string, asArrays = false) => {
    const known = prepared.get(sql) ?? connection.prepare(sql).raw(asArrays)
    prepared.set(sql, known)
    return known as unknown as { get(...parameters: P): R | undefined; all(...parameters: P): R[] }
  }
  return {
    ticket: (id: string) => statement<[string], TicketRow>('select * from tickets where id = ?').get(id),
    ticketsBySlug: (slug: string) =>
      statement<[string], TicketRow>('select * from tickets where slug = ? order by id').all(slug),
    allTickets: () => statement<[], TicketRow>('select * from tickets order by id').all(),
    queued: () =>
      statement<[], TicketRow>(
        "select * from tickets where phase = 'queued' order by coalesce(queued_at, ''), id",
      ).all(),
    active: () => statement<[], TicketRow>("select * from tickets where phase = 'active' order by id").all(),
    /** Paths of the files, readable or not, that bear the id without regard to case. */
    pathsOfKey: (key: string) =>
      statement<[string], { path: string }>('select path from files where id_key = ? order by path')
        .all(key)
        .map(row => row.path),
    /** The files that bear the id without regard to case. */
    filesOfKey: (key: string) =>
      statement<[string], FileRow>(
        'select path, size_bytes, mtime_ms, ctime_ms, inode, racy from files where id_key = ?',
        true,
      ).all(key),
    fileAt: (path: string) =>
      statement<[string], FileRow>(
        'select path, size_bytes, mtime_ms, ctime_ms, inode, racy from files where path = ?',
        true,
      ).get(path),
    /** Ids and slugs that begin alike, for a hint after a name that is not known. */
    similar(name: string) {
      const pattern = `%${name.replace(/[\\%_]/g, '\\$&')}%`
      return statement<[string, string], { id: string; slug: string | null }>(
        "select id, slug from tickets where id like ? escape '\\' or slug like ? escape '\\' order by id limit 5",
      ).all(pattern, pattern)
    },
    decisionsOf: (ticket: string) =>
      statement<[string], DecisionRow>(
        'select id, ticket_id, kind, status, body from decisions where ticket_id = ? order by "at", id',
      ).all(ticket),
    /** The Tickets that a Ticket's decisions name, whatever their status. */
    targetsOf: (ticket: string) =>
      statement<[string], { target_id: string }>(
        'select distinct target_id from file_decisions where ticket_id = ? and target_id is not null',
      )
        .all(ticket)
        .map(row => row.target_id),
    /** Decisions made at that time or later, newest first. */
    decisionsSince: (at: string) =>
      statement<[string], DecisionRow>(
        'select id, ticket_id, kind, status, body from decisions where "at" >= ? order by "at" desc, id desc, ticket_id',
      ).all(at),
    latestDecisions: (limit: number) =>
      statement<[number], DecisionRow>(
        'select id, ticket_id, kind, status, body from decisions order by "at" desc, id desc, ticket_id limit ?',
      ).all(limit),
    /** Decisions of some kinds, newest first, and how many there are in all. */
    decisionsOfKinds(
      { ticket, kinds, status }: { ticket?: string; kinds: readonly string[]; status?: Status },
      limit: number,
    ) {
      const tests = [
        `kind in (${kinds.map(() => '?').join(', ')})`,
        ticket !== undefined && 'ticket_id = ?',
        status !== undefined && 'status = ?',
      ].filter(Boolean)
      const given = [...kinds, ticket, status].filter(parameter => parameter !== undefined)
      const source = `from decisions where ${tests.join(' and ')}`
      const rows = statement<(string | number)[], DecisionRow>(
        `select id, ticket_id, kind, status, body ${source} order by "at" desc, id desc, ticket_id limit ?`,
      ).all(...given, limit)
      const { count } = statement<string[], { count: number }>(`select count(*) as count ${source}`).get(...given)!
      return { rows, count }
    },
    /** Every Ticket whose file holds the decision: one, unless a file was copied. */
    holdersOf: (decision: string) =>
      statement<[string], { ticket_id: string }>('select ticket_id from file_decisions where id = ? order by ticket_id')
        .all(decision)
        .map(row => row.ticket_id),
    /** From both sides where a Ticket is given, else each relation once, as stored. */
    relations({ ticket, kind, status }: RelationFilter) {
      const source = ticket === undefined ? STORED_RELATIONS : 'relations'
      const tests = [
        ticket !== undefined && 'r.ticket_id = ?',
        kind !== undefined && 'r.kind = ?',
        status !== undefined && 'r.status = ?',
      ].filter(Boolean)
      const where = tests.length ? `where ${tests.join(' and ')}` : ''
      const parameters = [ticket, kind, status].filter(parameter => parameter !== undefined)
      return statement<string[], RelationRow>(
        `${WITH_DETAILS.replace('%source%', source)} ${where} order by r.ticket_id, r.kind, r.other_id, r.decision_id`,
      ).all(...parameters)
    },
    /** Those that name a Ticket in the order of its id and then their own, then the others in the order of their time. */
    standing: (ticket: string) =>
      // The plus keeps SQLite from another index than that of the Ticket.
      statement<[string], StandingRow>(
        `select kind, target_id as other, id as decision, advisory,
           case when kind in (${BODY_IN_VERDICT.map(kind => `'${kind}'`).join(', ')}) then body end as body
         from file_decisions where ticket_id = ? and +file_status = 'active'
         order by target_id is null, target_id, case when target_id is null then "at" end, id`,
      ).all(ticket),
    /** In no order: with an ORDER BY, SQLite reads every conflict that there is. */
    incomingConflicts: (ticket: string) =>
      statement<[string], IncomingConflictRow>(
        `select ticket_id as other, id as decision, advisory from file_decisions
         where target_id = ? and kind = 'conflicts_with' and file_status = 'active'`,
      ).all(ticket),
    quarantined: () => statement<[], QuarantineRow>('select * from quarantine order by path').all(),
    /** Relations that stand and whose other Ticket has no file, readable or not. */
    dangling: () =>
      statement<[], DanglingRow>(
        `select d.ticket_id, d.kind, d.target_id, d.id as decision_id, own.path
         from tickets own
         join file_decisions d on d.ticket_id = own.id
         where own.phase <> 'terminal' and d.target_id is not null
           and d.file_status = 'active' and not exists (select 1 from tickets other where other.id = d.target_id)
           and not exists (select 1 from files where id_key = lower(d.target_id)
             and substr(path, -length(d.target_id) - 6) = '/' || d.target_id || '.json')
         order by d.ticket_id, d.id`,
      ).all(),
    sharedSlugs: () =>
      statement<[], { slug: string; ids: string }>(
        "select slug, group_concat(id, ', ') as ids from (select slug, id from tickets where slug is not null order by slug, id) group by slug having count(*) > 1",
      ).all(),
    repeatedDecisions: () =>
      statement<[], { id: string; tickets: string }>(
        "select id, group_concat(ticket_id, ', ') as tickets from (select id, ticket_id from file_decisions order by id, ticket_id) group by id having count(*) > 1",
      ).all(),
    /** Decisions whose text matches one of the patterns of LIKE. */
    bodiesLike: (...patterns: string[]) =>
      statement<string[], { ticket_id: string; path: string; body: string }>(
        `select d.ticket_id, t.path, d.body from file_decisions d join tickets t on t.id = d.ticket_id
         where ${patterns.map(() => 'd.body like ?').join(' or ')} order by d.ticket_id, d.id`,
      ).all(...patterns),
    notCanonical: () =>
      statement<[], { path: string }>(
        'select path from files where canonical = 0 and path not in (select path from quarantine) order by path',
      )
        .all()
        .map(row => row.path),
    laterFormats: (known: number) =>
      statement<[number], { path: string; format: number }>(
        'select path, format from tickets where format > ? order by path',
      ).all(known),
    /** Of every file: its path, the hash of its bytes, and why it cannot be read, null where it can. */
    fileStates: () =>
      statement<[], [path: string, hash: string, refusal: string | null]>(
        'select f.path, f.hash, q.code from files f left join quarantine q using (path)',
        true,
      ).all(),
    /** Of every Ticket with decisions: their ids, separated by a space. */
    decisionIds: () =>
      statement<[], [ticket: string, ids: string]>(
        "select ticket_id, group_concat(id, ' ') from file_decisions group by ticket_id",
        true,
      ).all(),
    counts: () =>
      statement<[], { tickets: number; decisions: number; quarantined: number }>(
        `select (select count(*) from tickets) as tickets, (select count(*) from file_decisions) as decisions,
                (select count(*) from quarantine) as quarantined`,
      ).get()!,
    /** Everything that came from files, as text, for comparing two indexes. Racy marks and stat data are not part of it. */
    content: () =>
      [
        'select path, id_key, hash, canonical from files order by path',
        'select * from tickets order by id',
        'select * from file_decisions order by ticket_id, id',
        'select * from quarantine order by path',
      ]
        .map(sql => JSON.stringify(connection.prepare(sql).raw().all()))
        .join('\n'),
  }
}
