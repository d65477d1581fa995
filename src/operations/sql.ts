import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { runSql, runSqlMeanwhile } from '../database/ad-hoc-sql.ts'
import type { SqlRequest } from '../database/sql-child.ts'
import { count } from '../model/count.ts'
import type { Store } from '../store/store.ts'
import { flag, type InputOf, operation } from './operation.ts'

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
  needsClaims: true,
  examples: [
    "ticketplan sql 'select * from blockers'",
    'ticketplan sql --csv "select phase, count(*) from tickets group by phase"',
  ],
  run(store, input) {
    using prepared = requestOf(store, input)
    return runSql(prepared.request, input.timeout)
  },
})

/** Runs the query while this process does its other work; an abort stops it. @throws PlanError as `sql` does. */
export async function sqlMeanwhile(store: Store, input: InputOf<typeof sql.fields>, signal: AbortSignal) {
  using prepared = requestOf(store, input)
  return await runSqlMeanwhile(prepared.request, input.timeout, signal)
}

/** Returns what a query reads: the index, current, and the claims as the lease clock judges them. */
function requestOf(store: Store, { query, limit }: InputOf<typeof sql.fields>): { request: SqlRequest } & Disposable {
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
  const request = { claims, query, limit, maxBytes: MAX_BYTES, indexPath: store.index.path }
  if (!store.index.inMemory) return { request, [Symbol.dispose]() {} }
  const { tmpdir } = process.getBuiltinModule('node:os')
  const folder = mkdtempSync(join(tmpdir(), 'ticketplan-'))
  const indexPath = join(folder, 'index.db')
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    store.index.copyTo(indexPath)
  } catch (error) {
    remove()
    throw error
  }
  return { request: { ...request, indexPath }, [Symbol.dispose]: remove }
}

/** True where a query can read claims; any other needs none. */
function readsClaims(query: string): boolean {
  return /claims/i.test(query)
}
