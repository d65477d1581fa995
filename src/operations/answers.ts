/** Turns rows of the index into the shapes of outputs: Tickets, relations, problems. */
import { idFromPath } from '../files/ticket-files.ts'
import { FORMAT } from '../model/format.ts'
import { idKey } from '../model/names.ts'
import { compareText } from '../model/order.ts'
import type { Reason } from '../model/reasons.ts'
import type {
  DanglingRow,
  IndexQueries,
  QuarantineRow,
  RelationPage,
  RelationRow,
  TicketRow,
} from '../ticket-index/query.ts'
import type { Problem, Relation, TicketSummary } from './shapes.ts'

/** Returns a Ticket as outputs show it; without a row, all but the id is null. */
export function ticketSummary(id: string, row: TicketRow | null): TicketSummary {
  return {
    id,
    slug: row?.slug ?? null,
    title: row?.title ?? null,
    state: row?.state ?? null,
    phase: row?.phase ?? null,
  }
}

/** How many reasons an answer has of a Ticket that is not its subject. */
const MOST_REASONS = 3

/** Returns the first reasons that hold a Ticket, and how many there are. */
export function firstHolds(reasons: readonly Reason[]): { reasons: Reason[]; total: number } {
  const holds = reasons.filter(({ severity }) => severity === 'hold')
  return { reasons: holds.slice(0, MOST_REASONS), total: holds.length }
}

/**
 * Returns relations in the order of the rows. Rows with the same relation and status become one. With `eachOnce`, a conflict
 * is shown from the smaller id, whichever file stores it.
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
 * Yields what `relationsOf(rows, true)` returns for the relations of all Tickets, in its order, one page of Tickets after the
 * other. A conflict that the files of both Tickets have is with the smaller id, as one.
 */
export function* eachRelationOnce(pages: Iterable<RelationPage>): Generator<Relation> {
  const key = (ticket: string, other: string, { status, advisory, label }: RelationRow) =>
    [ticket, other, status, advisory, label ?? ''].join('\n')
  for (const { rows, incomingConflicts } of pages) {
    const isConflict = ({ kind }: RelationRow) => kind === 'conflicts_with'
    const own = new Set(rows.filter(isConflict).map(row => key(row.ticket_id, row.other_id, row)))
    const others = new Set(incomingConflicts.map(row => key(row.ticket_id, row.other_id, row)))
    const isWithOther = (row: RelationRow) =>
      isConflict(row) && row.other_id < row.ticket_id && others.has(key(row.other_id, row.ticket_id, row))
    const joining = incomingConflicts.filter(
      row => row.other_id < row.ticket_id && own.has(key(row.other_id, row.ticket_id, row)),
    )
    yield* relationsOf([...rows.filter(row => !isWithOther(row)), ...joining], true)
  }
}

/**
 * Returns what an output could not take into account: files that cannot be read, or only in part, and relations to Tickets
 * without a file. With a Ticket, only the relations and the format of that one.
 */
export function problemsOf(queries: IndexQueries, ticket?: TicketRow | null): Problem[] {
  const later = ticket === undefined ? queries.laterFormats() : ticket && ticket.format > FORMAT ? [ticket] : []
  const dangling = ticket === null ? [] : ticket === undefined ? queries.dangling() : danglingOf(queries, ticket)
  return [
    ...queries.quarantined().map(quarantineProblem),
    ...later.map(formatProblem),
    ...dangling.map(danglingProblem),
  ]
}

/** Returns what `queries.dangling()` has of one Ticket. */
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
  const message = `format ${format} is newer than ${FORMAT}, which this version supports: its additions are ignored, and the file is never written`
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

/** Returns the path of the file of a quarantined Ticket. */
export function quarantinedPath(queries: IndexQueries, id: string): string {
  return queries.quarantined().find(({ path }) => idFromPath(path) === id)?.path ?? id
}
