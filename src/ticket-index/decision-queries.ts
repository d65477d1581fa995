/**
 * Queries for decisions and relations.
 *
 * The view `decisions` has the final status, in which the phases of both Tickets count. `file_decisions` has the status by
 * the Ticket's own file; reading it is faster.
 */

import type { Prepare } from '../database/statements.ts'
import { BODY_IN_VERDICT, type RelationKind, STORED_KINDS } from '../model/decision-kinds.ts'
import type { Status } from '../model/decision-status.ts'
import { compareText } from '../model/order.ts'

/** A row of `decisions`; `body` is the stored JSON. */
export interface DecisionRow {
  id: string
  ticket_id: string
  kind: string
  status: Status
  body: string
}

/** A row of `relations`, with details of the decision. */
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

/** A decision that is active by its own file. */
export interface ActiveDecisionRow {
  kind: string
  /** The Ticket that it names; null for a decision that is no relation. */
  other: string | null
  decision: string
  advisory: number
  at: string
  /** The stored JSON; null for kinds of which the other columns say enough. */
  body: string | null
}

/** A conflict that is active by the file of the other Ticket. */
export interface IncomingConflictRow {
  other: string
  decision: string
  advisory: number
}

/** A relation whose other Ticket has no file, readable or not. */
export interface DanglingRow {
  ticket_id: string
  kind: string
  target_id: string
  decision_id: string
  path: string
}

/** A decision that can hold its Ticket, of any status by its own file. */
export interface PastHoldRow {
  id: string
  ticket: string
  kind: 'blocked_by' | 'after' | 'conflicts_with' | 'hold'
  other: string | null
  at: string
  not_before: string | null
  advisory: number
  status: Status
}

/** Conditions on relations; a field that is left out is no condition. */
export interface RelationFilter {
  ticket?: string
  kind?: RelationKind
  status?: Status
}

const STORED_RELATIONS = `(select ticket_id, kind, target_id as other_id, status, id as decision_id, "by", "at", reason
  from decisions where target_id is not null)`
/** Relations of a source, with columns that the promised view does not have, from the decision itself. */
export const WITH_DETAILS = `select r.*, d.advisory, json_extract(d.body, '$.label') as label
  from %source% r join file_decisions d on d.id = r.decision_id and d.ticket_id in (r.ticket_id, r.other_id)`

/** The active decisions of a Ticket. The plus keeps SQLite from another index than that of the Ticket; sorting a few rows is faster here. */
const ACTIVE = `select kind, target_id as other, id as decision, advisory, "at",
    case when kind in (${sqlList(BODY_IN_VERDICT)}) or kind not in (${sqlList(STORED_KINDS)}) then body end as body
  from file_decisions where ticket_id = ? and +file_status = 'active'`

const PAST_HOLDS = `select id, ticket_id as ticket, kind, target_id as other, "at", advisory, file_status as status,
    case when kind = 'hold' then json_extract(body, '$.not_before') end as not_before
  from file_decisions where kind in ('blocked_by', 'after', 'conflicts_with', 'hold')`

function byOtherOrTime(a: ActiveDecisionRow, b: ActiveDecisionRow): number {
  if (a.other === null || b.other === null)
    return a.other === b.other
      ? compareText(a.at, b.at) || compareText(a.decision, b.decision)
      : a.other === null
        ? 1
        : -1
  return compareText(a.other, b.other) || compareText(a.decision, b.decision)
}

/** Returns texts as a list of SQL literals. */
function sqlList(texts: readonly string[]): string {
  return texts.map(text => `'${text}'`).join(', ')
}

/** Returns the queries over decisions and relations. */
export function decisionQueries(statement: Prepare) {
  return {
    /** The decisions of a Ticket, oldest first. */
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
    /** Decisions, newest first, up to a limit. An absent filter matches everything, and so does an empty list of Tickets. */
    decisionLog: (
      filter: {
        tickets: readonly string[]
        since?: string | undefined
        by?: string | undefined
        kind?: string | undefined
      },
      limit: number,
    ) =>
      statement<[object], DecisionRow>(
        `select id, ticket_id, kind, status, body from decisions where (ticket_id, id) in (
           select ticket_id, id from file_decisions
           where (@tickets = '[]' or ticket_id in (select value from json_each(@tickets))) and (@kind is null or kind = @kind)
             and (@since is null or "at" >= @since) and (@by is null or "by" = @by)
           order by "at" desc, id desc, ticket_id limit @limit)
         order by "at" desc, id desc, ticket_id`,
      ).all({
        tickets: JSON.stringify(filter.tickets),
        since: filter.since ?? null,
        by: filter.by ?? null,
        kind: filter.kind ?? null,
        limit,
      }),
    /** The kind and time of every decision, or of those of one kind, unordered. */
    decisionTimes: (kind: string | null = null) =>
      statement<[object], { ticket_id: string; kind: string; at: string }>(
        'select ticket_id, kind, "at" from file_decisions where @kind is null or kind = @kind',
      ).all({ kind }),
    /** The same of those made at that time or later. */
    decisionTimesSince: (at: string) =>
      statement<[string], { ticket_id: string; kind: string; at: string }>(
        'select ticket_id, kind, "at" from file_decisions where "at" >= ?',
      ).all(at),
    /** What can have held a Ticket at some time, unordered. */
    pastHolds: () => statement<[], PastHoldRow>(PAST_HOLDS).all(),
    /** Newest first. */
    latestDecisions: (limit: number) =>
      statement<[number], DecisionRow>(
        'select id, ticket_id, kind, status, body from decisions order by "at" desc, id desc, ticket_id limit ?',
      ).all(limit),
    /** At most `limit` decisions of the kinds, newest first, and how many there are in all. */
    decisionsOfKinds(
      { ticket, kinds, status }: { ticket?: string; kinds: readonly string[]; status?: Status },
      limit: number,
    ) {
      const conditions = [
        `kind in (${kinds.map(() => '?').join(', ')})`,
        ticket !== undefined && 'ticket_id = ?',
        status !== undefined && 'status = ?',
      ].filter(Boolean)
      const parameters = [...kinds, ticket, status].filter(parameter => parameter !== undefined)
      const source = `from decisions where ${conditions.join(' and ')}`
      const rows = statement<(string | number)[], DecisionRow>(
        `select id, ticket_id, kind, status, body ${source} order by "at" desc, id desc, ticket_id limit ?`,
      ).all(...parameters, limit)
      const { count } = statement<string[], { count: number }>(`select count(*) as count ${source}`).get(...parameters)!
      return { rows, count }
    },
    /** Every Ticket whose file holds the decision: one, unless a file was copied. */
    holdersOf: (decision: string) =>
      statement<[string], { ticket_id: string }>('select ticket_id from file_decisions where id = ? order by ticket_id')
        .all(decision)
        .map(row => row.ticket_id),
    /** The first ids of decisions that begin with a text, in order. */
    decisionIdsFrom: (prefix: string, limit: number) =>
      statement<[string, string, number], { id: string }>(
        'select distinct id from file_decisions where id >= ? and id < ? order by id limit ?',
      )
        .all(prefix, `${prefix}~`, limit)
        .map(row => row.id),
    /** The ids of all decisions, unordered. */
    allDecisionIds: () =>
      statement<[], { id: string }>('select distinct id from file_decisions')
        .all()
        .map(row => row.id),
    /** With a Ticket, its relations from both sides; without one, each relation once, as stored. */
    relations({ ticket, kind, status }: RelationFilter) {
      const source = ticket === undefined ? STORED_RELATIONS : 'relations'
      const conditions = [
        ticket !== undefined && 'r.ticket_id = ?',
        kind !== undefined && 'r.kind = ?',
        status !== undefined && 'r.status = ?',
      ].filter(Boolean)
      const where = conditions.length ? `where ${conditions.join(' and ')}` : ''
      const parameters = [ticket, kind, status].filter(parameter => parameter !== undefined)
      return statement<string[], RelationRow>(
        `${WITH_DETAILS.replace('%source%', source)} ${where} order by r.ticket_id, r.kind, r.other_id, r.decision_id`,
      ).all(...parameters)
    },
    /** A Ticket's active decisions: those that name a Ticket, by its id and then their own, then the others by time. */
    activeDecisions: (ticket: string) => statement<[string], ActiveDecisionRow>(ACTIVE).all(ticket).sort(byOtherOrTime),
    /** Active conflicts that other Tickets have with this one, unordered: with ORDER BY, SQLite would read every conflict. */
    incomingConflicts: (ticket: string) =>
      statement<[string], IncomingConflictRow>(
        `select ticket_id as other, id as decision, advisory from file_decisions
         where target_id = ? and kind = 'conflicts_with' and file_status = 'active'`,
      ).all(ticket),
    /** Active relations whose other Ticket has no file, readable or not. The targets without a Ticket come first: mostly none. */
    dangling: () =>
      statement<[], DanglingRow>(
        `select d.ticket_id, d.kind, d.target_id, d.id as decision_id, own.path
         from file_decisions d join tickets own on own.id = d.ticket_id
         where d.target_id in (
             select target_id from file_decisions where target_id is not null except select id from tickets)
           and own.phase <> 'terminal' and d.file_status = 'active'
           and not exists (select 1 from files where id_key = lower(d.target_id)
             and substr(path, -length(d.target_id) - 6, length(d.target_id) + 1) = '/' || d.target_id)
         order by d.ticket_id, d.id`,
      ).all(),
    /** Ids of decisions that more than one Ticket has, with the Tickets' ids, separated by a comma. */
    repeatedDecisions: () =>
      statement<[], { id: string; tickets: string }>(
        "select id, group_concat(ticket_id, ', ') as tickets from (select id, ticket_id from file_decisions order by id, ticket_id) group by id having count(*) > 1",
      ).all(),
    /** Decisions whose stored JSON matches one of the LIKE patterns, one by one: no other query may run meanwhile. */
    eachBodyLike: (...patterns: string[]) =>
      statement<string[], { ticket_id: string; path: string; body: string }>(
        `select d.ticket_id, t.path, d.body from file_decisions d join tickets t on t.id = d.ticket_id
         where ${patterns.map(() => 'd.body like ?').join(' or ')} order by d.ticket_id, d.id`,
      ).iterate(...patterns),
    /** For every Ticket with decisions: their ids, separated by a space. */
    decisionIds: () =>
      statement<[], [ticket: string, ids: string]>(
        "select ticket_id, group_concat(id, ' ') from file_decisions group by ticket_id",
        true,
      ).all(),
  }
}
