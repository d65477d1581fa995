import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { runSql } from '../database/ad-hoc-sql.ts'
import { inodeOf } from '../database/open.ts'
import { flag, operation } from './operation.ts'

const MAX_BYTES = 16 * 1024 * 1024

/** One reading query over the promised views. */
export const sql = operation({
  name: 'sql',
  summary: 'Run one SELECT over the index',
  details:
    'Views: tickets, decisions, relations, blockers, quarantine, claims (docs/sql.md has their columns). Anything but one reading statement is refused, every PRAGMA included. "ticketplan db" prints the path for other SQLite programs.',
  writes: false,
  fields: {
    query: { schema: z.string().check(z.minLength(1)), help: 'one SELECT, WITH, VALUES or EXPLAIN', positional: true },
    csv: { schema: flag, help: 'print CSV' },
    timeout: {
      schema: z._default(z.number().check(z.positive(), z.maximum(3600)), 30),
      help: 'stop after so many seconds (default 30)',
      value: 'seconds',
    },
    limit: {
      schema: z._default(z.int().check(z.positive()), 1000),
      help: 'at most so many rows (default 1000)',
      value: 'n',
    },
  },
  output: () =>
    z.object({
      columns: z.array(z.string()),
      rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
      truncated: z.boolean(),
    }),
  examples: [
    "ticketplan sql 'select * from blockers'",
    'ticketplan sql --csv "select phase, count(*) from tickets group by phase"',
  ],
  run(store, { query, timeout, limit }) {
    // The rows as the files are now.
    const live = store.read(({ claims }) =>
      claims
        .all(false)
        .filter(claim => claim.live)
        .map(({ ticket }) => ticket),
    )
    const localPath = inodeOf(store.local.path) === null ? null : store.local.path
    const request = { localPath, live, query, limit, maxBytes: MAX_BYTES }
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
