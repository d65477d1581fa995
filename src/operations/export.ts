import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { packageRoot } from '../files/package-root.ts'
import { count } from '../model/count.ts'
import type { Store } from '../store/store.ts'
import { problemsOf } from './answers.ts'
import { exportParts } from './export-parts.ts'
import { flag, operation, ticketName } from './operation.ts'
import { OVERVIEW_CLAIMS, overviewOf } from './overview.ts'
import { withoutClaims } from './overview-claims.ts'
import { type FileMaker, ticketDocuments } from './page-documents.ts'
import { type Problem, problemShape } from './shapes.ts'

/** Exports Tickets and their relations in a format of other programs. */
export const exportPlan = operation({
  name: 'export',
  summary: 'Print Tickets and relations for another program',
  details:
    'mermaid and dot draw the graph, csv is a table of relations, json has Tickets with their decisions, which "import json" reads back, beads is JSONL for bd. Terminal Tickets are left out unless --all is given; json and beads have those that others name. svg is the map of what waits for what, light or dark as its viewer asks; html is the whole page of "ticketplan view" as one file, which opens without a server. Claims are exported only into these two, and only with --claims.',
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
  claims: ({ format }) => (format === 'svg' || format === 'html' ? OVERVIEW_CLAIMS : undefined),
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
      const { problems, parts } = exportParts(queries, format, all, store.notify)
      notifyUnread(store, problems)
      return { format, text: [...parts].join(''), problems }
    })
  },
})

/** Notifies of files that the export cannot take into account. */
export function notifyUnread(store: Store, problems: readonly Problem[]): void {
  const unread = problems.filter(({ severity }) => severity === 'error').length
  if (unread === 0) return
  store.notify(`${count(unread, 'file')} cannot be read in full, so the export is incomplete; see "ticketplan verify"`)
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
