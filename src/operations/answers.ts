/** From rows to the shapes of answers: Tickets, relations named once, problems. */

import { idFromPath } from '../files/ticket-files.ts'
import { FORMAT } from '../model/format.ts'
import { idKey } from '../model/names.ts'
import { compareText } from '../model/order.ts'
import type { DanglingRow, IndexQueries, QuarantineRow, RelationRow, TicketRow } from '../ticket-index/query.ts'
import type { Problem, Relation, TicketSummary } from './shapes.ts'

export function ticketSummary(id: string, row: TicketRow | null): TicketSummary {
  return {
    id,
    slug: row?.slug ?? null,
    title: row?.title ?? null,
    state: row?.state ?? null,
    phase: row?.phase ?? null,
  }
}

/**
 * Relations in the order of the rows; rows that say the same, with the same status, become one. Where nobody looks from one
 * of the two Tickets (`eachOnce`), a conflict is shown from the smaller id, whichever file keeps it.
 */
export function relationsOf(rows: RelationRow[], eachOnce: boolean): Relation[] {
  const relations = new Map<string, Relation>()
  for (const row of rows) {
    const { kind, status, decision_id, reason, by, at, advisory, label } = row
    const turned = eachOnce && kind === 'conflicts_with' && row.other_id < row.ticket_id
    const [ticket, other] = turned ? [row.other_id, row.ticket_id] : [row.ticket_id, row.other_id]
    const key = [ticket, kind, other, status, advisory, label ?? ''].join('\n')
    const known = relations.get(key)
    if (known) {
      if (!known.decisions.includes(decision_id)) known.decisions.push(decision_id)
      continue
    }
    relations.set(key, {
      decision: decision_id,
      decisions: [decision_id],
      kind,
      ticket,
      other,
      status,
      reason,
      by,
      at,
      ...(advisory && { advisory: true as const }),
      ...(label !== null && { label }),
    })
  }
  return [...relations.values()]
}

/**
 * What an answer could not take into account: files that cannot be read or only in part, and relations to Tickets without
 * a file. For an answer about one Ticket, only its own relations and format.
 */
export function problemsOf(queries: IndexQueries, ticket?: TicketRow | null): Problem[] {
  const later = ticket === undefined ? queries.laterFormats(FORMAT) : ticket && ticket.format > FORMAT ? [ticket] : []
  const dangling = ticket === null ? [] : ticket === undefined ? queries.dangling() : danglingOf(queries, ticket)
  return [
    ...queries.quarantined().map(quarantineProblem),
    ...later.map(formatProblem),
    ...dangling.map(danglingProblem),
  ]
}

/** The same as `queries.dangling()` for one Ticket. */
function danglingOf(queries: IndexQueries, { id, path, phase }: TicketRow): DanglingRow[] {
  if (phase === 'terminal') return []
  const rows: DanglingRow[] = []
  for (const { kind, other, decision } of queries.activeDecisions(id)) {
    if (other === null || queries.ticket(other)) continue
    if (queries.pathsOfKey(idKey(other)).some(path => path.endsWith(`/${other}.json`))) continue
    rows.push({ ticket_id: id, kind, target_id: other, decision_id: decision, path })
  }
  return rows.sort((a, b) => compareText(a.decision_id, b.decision_id))
}

function formatProblem({ path, format }: { path: string; format: number }): Problem {
  const message = `has format ${format}, this version knows ${FORMAT}: what it adds is not taken into account, and it is not written`
  return { code: 'newer_format', path, message, severity: 'error' }
}

function quarantineProblem({ path, code, message, line, column }: QuarantineRow): Problem {
  const place = line === null ? '' : `line ${line}, column ${column}: `
  return { code, path, message: `${place}${message}`, severity: 'error' }
}

function danglingProblem({ ticket_id, kind, target_id, decision_id, path }: DanglingRow): Problem {
  const message = `${ticket_id} ${kind} ${target_id}, which has no file (decision ${decision_id})`
  return { code: 'dangling', path, message, severity: 'warning' }
}

/** The path of a quarantined Ticket's file. */
export function quarantinedPath(queries: IndexQueries, id: string): string {
  return queries.quarantined().find(({ path }) => idFromPath(path) === id)?.path ?? id
}
