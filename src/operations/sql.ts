import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { runSql } from '../database/ad-hoc-sql.ts'
import { count } from '../model/count.ts'
import { flag, operation } from './operation.ts'

const MAX_BYTES = 16 * 1024 * 1024
const MAX_QUERY = 100_000

/** Runs one reading query over the promised views. */
export const sql = operation({
  name: 'sql',
  summary: 'Run one SELECT over the index',
  details:
    'Views: tickets, decisions, relations, blockers, quarantine, claims; docs/sql.md has their columns. Anything but one reading statement is refused, including every PRAGMA. For other SQLite programs, "ticketplan db" prints the path.',
  writes: false,
  alone: true,
  fields: {
    query: {
      schema: z.string().check(z.minLength(1), z.maxLength(MAX_QUERY)),
      help: 'one SELECT, WITH, VALUES or EXPLAIN',
      positional: true,
    },
    csv: { schema: flag, help: 'print CSV' },
    timeout: {
      schema: z._default(z.number().check(z.positive(), z.maximum(3600, 'must be at most an hour')), 30),
      help: 'how long until the query is stopped: seconds, or 2m (default: 30)',
      value: 'time',
      span: true,
    },
    limit: {
      schema: z._default(z.int().check(z.positive()), 1000),
      help: 'at most this many rows (default: 1000)',
      value: 'n',
    },
  },
  output: () =>
    z.object({
      columns: z.array(z.string()),
      rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
      truncated: z.boolean(),
    }),
  claims: ({ query }) => (readsClaims(query) ? {} : undefined),
  examples: [
    "ticketplan sql 'select * from blockers'",
    'ticketplan sql --csv "select phase, count(*) from tickets group by phase"',
  ],
  run(store, { query, timeout, limit }) {
    // Reconciles the index first; claims are as the lease clock judges them.
    const claims = store.read(view =>
      (readsClaims(query) ? view.claims.all(false) : []).map(
        ({ ticket, holder, token, pool, acquired_at, renewed_at, expires_at, live }) => {
          return [
            ticket,
            holder,
            store.showsTokens ? token : null,
            pool,
            acquired_at,
            renewed_at,
            expires_at,
            live ? 1 : 0,
          ]
        },
      ),
    )
    const unread = store.index.peek(queries => queries.counts().quarantined)
    if (unread > 0) store.notify(`${count(unread, 'file')} cannot be read; the view quarantine lists them`)
    const request = { claims, query, limit, maxBytes: MAX_BYTES }
    if (!store.index.inMemory) return runSql({ ...request, indexPath: store.index.path }, timeout)
    const { tmpdir } = process.getBuiltinModule('node:os')
    const folder = mkdtempSync(join(tmpdir(), 'ticketplan-'))
    try {
      const indexPath = join(folder, 'index.db')
      store.index.copyTo(indexPath)
      return runSql({ ...request, indexPath }, timeout)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
})

/** True where a query can read claims; any other needs none. */
function readsClaims(query: string): boolean {
  return /claims/i.test(query)
}
