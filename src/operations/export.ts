import * as z from 'zod/mini'
import { count } from '../model/count.ts'
import type { Decision } from '../model/decision.ts'
import type { IndexQueries } from '../ticket-index/query.ts'
import { problemsOf, relationsOf, ticketSummary } from './answers.ts'
import { beadsText } from './export-beads.ts'
import { csvText, dotText, mermaidText } from './export-text.ts'
import { flag, operation } from './operation.ts'
import { problemShape } from './shapes.ts'

/** Exports Tickets and their relations in a format of other programs. */
export const exportPlan = operation({
  name: 'export',
  summary: 'Print Tickets and relations for another program',
  details:
    'mermaid and dot draw the graph, csv is a table of relations, json has Tickets with their decisions, which "import json" reads back, beads is JSONL for bd. Terminal Tickets are left out unless --all is given. Claims are never exported.',
  writes: false,
  fields: {
    format: {
      schema: z.enum(['mermaid', 'dot', 'json', 'csv', 'beads']),
      help: 'mermaid, dot, json, csv or beads',
      positional: true,
    },
    all: { schema: flag, help: 'also terminal Tickets, and relations of every status' },
  },
  output: () => z.object({ format: z.string(), text: z.string(), problems: z.array(problemShape()) }),
  examples: [
    'ticketplan export mermaid',
    'ticketplan export dot --all | dot -Tsvg > plan.svg',
    'ticketplan export csv > relations.csv',
    'ticketplan export beads --all > issues.jsonl',
  ],
  run(store, { format, all }) {
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
