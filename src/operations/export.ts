import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { packageRoot } from '../files/package-root.ts'
import { count } from '../model/count.ts'
import type { Decision } from '../model/decision.ts'
import type { Store } from '../store/store.ts'
import type { IndexQueries } from '../ticket-index/query.ts'
import { problemsOf, relationsOf, ticketSummary } from './answers.ts'
import { beadsText } from './export-beads.ts'
import { csvText, dotText, mermaidText } from './export-text.ts'
import { flag, operation, ticketName } from './operation.ts'
import { overviewOf } from './overview.ts'
import { withoutClaims } from './overview-claims.ts'
import { type FileMaker, ticketDocuments } from './page-documents.ts'
import { problemShape } from './shapes.ts'

/** Exports Tickets and their relations in a format of other programs. */
export const exportPlan = operation({
  name: 'export',
  summary: 'Print Tickets and relations for another program',
  details:
    'mermaid and dot draw the graph, csv is a table of relations, json has Tickets with their decisions, which "import json" reads back, beads is JSONL for bd. Terminal Tickets are left out unless --all is given. svg is the map of what waits for what, light or dark as its viewer asks; html is the whole page of "ticketplan view" as one file, which opens without a server. Claims are exported only into these two, and only with --claims.',
  writes: false,
  fields: {
    format: {
      schema: z.enum(['mermaid', 'dot', 'svg', 'html', 'json', 'csv', 'beads']),
      help: 'mermaid, dot, svg, html, json, csv or beads',
      positional: true,
    },
    all: { schema: flag, help: 'also terminal Tickets, and relations of every status; not for svg and html' },
    focus: {
      schema: z.optional(ticketName),
      help: 'svg and html: id or slug; draw what is around this Ticket',
      value: 'ticket',
    },
    claims: { schema: flag, help: 'svg and html: also say who holds what; without it, no holder is named' },
  },
  output: () => z.object({ format: z.string(), text: z.string(), problems: z.array(problemShape()) }),
  examples: [
    'ticketplan export mermaid',
    'ticketplan export dot --all | dot -Tsvg > plan.svg',
    'ticketplan export csv > relations.csv',
    'ticketplan export beads --all > issues.jsonl',
    'ticketplan export svg --focus T-2 > map.svg',
    'ticketplan export html --claims > plan.html',
  ],
  check({ format, all, focus, claims }, nameOf) {
    const isPicture = format === 'svg' || format === 'html'
    const unfit = isPicture ? all && 'all' : focus !== undefined ? 'focus' : claims && 'claims'
    return unfit ? { field: unfit, message: `${format} takes no ${nameOf(unfit)}` } : undefined
  },
  run(store, { format, all, focus, claims }) {
    if (format === 'svg' || format === 'html') return exportPicture(store, format, focus, claims)
    return store.read(({ queries }) => {
      const problems = problemsOf(queries)
      const unread = problems.filter(({ severity }) => severity === 'error').length
      if (unread > 0)
        store.notify(
          `${count(unread, 'file')} cannot be read in full, so the export is incomplete; see "ticketplan verify"`,
        )
      const tickets = queries.allTickets().filter(({ phase }) => all || phase !== 'terminal')
      const relations = relationsOf(queries.relations({ status: all ? undefined : 'active' }), true)
      if (format === 'mermaid') return { format, text: mermaidText(tickets, relations), problems }
      if (format === 'dot') return { format, text: dotText(tickets, relations), problems }
      if (format === 'beads') {
        const { text, lost } = beadsText(tickets.map(row => ({ row, decisions: activeDecisions(queries, row.id) })))
        const kinds = Object.entries(lost).map(([kind, n]) => `${n} ${kind}`)
        if (kinds.length > 0)
          store.notify(`beads has no form for these decisions, which are left out: ${kinds.join(', ')}`)
        return { format, text, problems }
      }
      if (format === 'csv') {
        const columns = ['ticket', 'kind', 'other', 'status', 'decision', 'by', 'at', 'reason'] as const
        return {
          format,
          problems,
          text: csvText(
            [...columns],
            relations.map(relation => columns.map(column => relation[column])),
          ),
        }
      }
      const document = {
        tickets: tickets.map(row => ({
          ...ticketSummary(row.id, row),
          ...withoutNull({
            created_at: row.created_at,
            queued_at: row.queued_at,
            queued_by: row.queued_by,
            state_at: row.state_at,
          }),
          decisions: queries.decisionsOf(row.id).map(({ body, status }) => ({ ...JSON.parse(body), status })),
        })),
        relations,
        problems,
      }
      return { format, text: `${JSON.stringify(document, null, 2)}\n`, problems }
    })
  },
})

function activeDecisions(queries: IndexQueries, id: string): Decision[] {
  return queries
    .decisionsOf(id)
    .filter(({ status, kind }) => status === 'active' || (status === 'satisfied' && kind !== 'hold'))
    .map(({ body }) => JSON.parse(body))
}

function withoutNull(fields: Record<string, string | null>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}

const LIST_LIMIT = 1000
/** The page shows one Ticket at a time; those that no list names need no document. */
const MOST_DOCUMENTS = 2000

function exportPicture(store: Store, format: 'svg' | 'html', name: string | undefined, claims: boolean) {
  // A bundle of its own, above this room: few commands load it.
  const bundle = join(packageRoot(), 'dist', 'view.cjs')
  const { exportHtml, exportSvg } = createRequire(bundle)(bundle) as FileMaker
  const focus = name === undefined ? undefined : store.read(({ resolve }) => resolve(name).id)
  const whole = overviewOf(store, { focus, limit: LIST_LIMIT, noPast: format === 'svg' })
  const holders = store.claims
    .snapshot()
    .all(false)
    .map(({ holder }) => holder)
  const overview = claims ? whole : withoutClaims(whole, holders)
  const problems = store.read(({ queries }) => problemsOf(queries))
  if (format === 'svg') return { format, text: exportSvg(overview, { focus }), problems }
  const ids = Object.keys(overview.tickets).slice(0, MOST_DOCUMENTS)
  const documents = ticketDocuments(store, ids)
  const tickets = claims
    ? documents
    : Object.fromEntries(Object.entries(documents).map(([id, one]) => [id, withoutClaims(one, holders)]))
  return { format, text: exportHtml({ overview, tickets }), problems }
}
