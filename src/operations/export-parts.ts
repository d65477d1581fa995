/**
 * Exports as text, part by part, so that the whole text is never needed in memory.
 *
 * Parts are made while a snapshot of the index is open, and end with a line. Joined, they are the export.
 */
import { type Decision, namedTickets } from '../model/decision.ts'
import type { IndexQueries, TicketRow } from '../ticket-index/query.ts'
import { eachRelationOnce, problemsOf, ticketSummary } from './answers.ts'
import { beadsText } from './export-beads.ts'
import { csvRows, dotLines, mermaidLines } from './export-text.ts'
import type { Problem, Relation } from './shapes.ts'

/** The formats that are made of Tickets and relations alone. */
export type TextFormat = 'mermaid' | 'dot' | 'json' | 'csv' | 'beads'

const CSV_COLUMNS = ['ticket', 'kind', 'other', 'status', 'decision', 'by', 'at', 'reason'] as const

/**
 * Returns the parts of an export. The caller must take them within the read whose queries these are.
 * @param all also terminal Tickets, and relations of every status.
 * @param notify receives what the format has no form for.
 */
export function exportParts(
  queries: IndexQueries,
  format: TextFormat,
  all: boolean,
  notify: (message: string) => void,
): { problems: Problem[]; parts: Iterable<string> } {
  const problems = problemsOf(queries)
  return { problems, parts: partsOf(queries, format, all, problems, notify) }
}

function partsOf(
  queries: IndexQueries,
  format: TextFormat,
  all: boolean,
  problems: readonly Problem[],
  notify: (message: string) => void,
): Iterable<string> {
  const relations = () => eachRelationOnce(queries.relationPages(all ? null : 'active'))
  if (format === 'json') return jsonParts(queries, all, relations(), problems)
  if (format === 'csv') return csvParts(relations())
  if (format === 'beads') return beadsParts(queries, all, notify)
  return drawingParts(format === 'dot' ? dotLines : mermaidLines, queries, all, relations())
}

/** The document of Tickets, relations and problems, as JSON.stringify would indent it. */
function* jsonParts(
  queries: IndexQueries,
  all: boolean,
  relations: Iterable<Relation>,
  problems: readonly Problem[],
): Generator<string> {
  const tickets = function* () {
    for (const page of exportedPages(queries, all, row => ticketDocument(queries, row))) yield* page
  }
  yield '{\n  "tickets": '
  yield* listParts(tickets())
  yield ',\n  "relations": '
  yield* listParts(relations)
  yield ',\n  "problems": '
  yield* listParts(problems)
  yield '\n}\n'
}

/** A Ticket as an export has it; the decisions without a status are active. */
interface Exported {
  decisions: readonly (Decision & { status?: string })[]
}

/**
 * Yields the Tickets of an export, made a page at a time. Without terminal Tickets those come last that others name, and the
 * parents above these: a reader could not know a blocker that is done from one that is missing.
 */
function* exportedPages<T extends Exported>(
  queries: IndexQueries,
  all: boolean,
  make: (row: TicketRow) => T,
): Generator<T[]> {
  const named = new Set<string>()
  const name = ({ decisions }: Exported, isNaming: (kind: string) => boolean) => {
    for (const decision of decisions)
      if (decision.status !== 'retracted' && isNaming(decision.kind))
        for (const id of namedTickets(decision)) named.add(id)
  }
  for (const rows of queries.ticketPages(all)) {
    const page = rows.map(make)
    if (!all) for (const ticket of page) name(ticket, kind => kind !== 'related')
    yield page
  }
  const settled = new Map<string, T>()
  for (const id of named) {
    const row = queries.ticket(id)
    if (row?.phase !== 'terminal') continue
    const ticket = make(row)
    name(ticket, kind => kind === 'part_of')
    settled.set(id, ticket)
  }
  yield [...settled].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, ticket]) => ticket)
}

function* listParts(items: Iterable<object>): Generator<string> {
  let isEmpty = true
  for (const item of items) {
    const text = JSON.stringify(item, null, 2).replaceAll('\n', '\n    ')
    yield `${isEmpty ? '[' : ','}\n    ${text}`
    isEmpty = false
  }
  yield isEmpty ? '[]' : '\n  ]'
}

function ticketDocument(queries: IndexQueries, row: TicketRow): Exported {
  const { created_at, queued_at, queued_by, state_at } = row
  return {
    ...ticketSummary(row.id, row),
    ...withoutNull({ created_at, queued_at, queued_by, state_at }),
    decisions: queries.decisionsOf(row.id).map(({ body, status }) => ({ ...JSON.parse(body), status })),
  }
}

function withoutNull(fields: Record<string, string | null>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}

function* csvParts(relations: Iterable<Relation>): Generator<string> {
  yield csvRows([[...CSV_COLUMNS]])
  for (const relation of relations) yield csvRows([CSV_COLUMNS.map(column => relation[column])])
}

function* beadsParts(queries: IndexQueries, all: boolean, notify: (message: string) => void): Generator<string> {
  const left: Record<string, number> = {}
  const made = (row: TicketRow) => ({ row, decisions: activeDecisions(queries, row.id) })
  for (const page of exportedPages(queries, all, made)) {
    const { text, lost } = beadsText(page)
    for (const [kind, n] of Object.entries(lost)) left[kind] = (left[kind] ?? 0) + n
    yield text
  }
  const kinds = Object.entries(left).map(([kind, n]) => `${n} ${kind}`)
  if (kinds.length > 0) notify(`beads has no form for these decisions, which are left out: ${kinds.join(', ')}`)
}

function activeDecisions(queries: IndexQueries, id: string): Decision[] {
  return queries
    .decisionsOf(id)
    .filter(({ status, kind }) => status === 'active' || (status === 'satisfied' && kind !== 'hold'))
    .map(({ body }) => JSON.parse(body))
}

/** A drawing names every Ticket before the first line between two; of both only what is drawn is kept. */
function* drawingParts(
  draw: typeof dotLines,
  queries: IndexQueries,
  all: boolean,
  relations: Iterable<Relation>,
): Generator<string> {
  const nodes: Parameters<typeof draw>[0] = []
  const edges: Parameters<typeof draw>[1] = []
  for (const page of queries.ticketPages(all))
    for (const { id, title, state, phase } of page) nodes.push({ id, title, state, phase })
  for (const { ticket, kind, other } of relations) edges.push({ ticket, kind, other })
  yield* draw(nodes, edges)
}
