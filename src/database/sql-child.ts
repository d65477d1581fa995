/**
 * Runs one ad hoc query in a process of its own, which its parent kills at the deadline: SQLite cannot be interrupted from
 * JavaScript. Reads a request from standard input and writes a reply to standard output, both JSON.
 *
 * The connection is read-only and `query_only`, and its memory is limited. The query must be one statement that only reads and
 * begins with a word that reads. None of these is enough alone: a read-only connection still runs VACUUM INTO and ATTACH.
 */
import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'

export interface SqlRequest {
  indexPath: string
  /** The rows of `claims`. They are passed in because they are in local.db, and because SQL cannot tell which are live. */
  claims: (string | number | null)[][]
  query: string
  /** The most rows, and the most bytes of values, in a reply. */
  limit: number
  maxBytes: number
}

export type SqlReply =
  | { columns: string[]; rows: SqlValue[][]; truncated: boolean }
  | { error: { code: 'sql_refused' | 'sql_failed'; message: string } }
/** A value of a row. Integers above 2^53 and infinite numbers are text, blobs are hexadecimal text. */
export type SqlValue = string | number | null

export const CLAIM_COLUMNS = ['ticket_id', 'holder', 'token', 'pool', 'acquired_at', 'renewed_at', 'expires_at', 'live']

const HEAP_LIMIT_BYTES = 256 * 1024 * 1024
const READING = /^(?:select|with|values|explain)\b/i
// Comments, string literals and quoted names: words in them are not keywords.
const QUOTED = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]/g

function refusal(query: string): string | null {
  const code = query.replace(QUOTED, quoted => (/^['"`[]/.test(quoted) ? quoted.replace(/[^\w]/g, ' ') : ' ')).trim()
  if (!READING.test(code)) return 'only one SELECT, WITH, VALUES or EXPLAIN is allowed'
  // Some pragmas act while they are compiled, even under EXPLAIN. As table-valued functions their names can be quoted.
  if (/\bpragma_\w|^explain(?:\s+query\s+plan)?\s+pragma\b/i.test(code)) return 'PRAGMA is not allowed in any form'
  return null
}

function plain(value: unknown): SqlValue {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return value as string | null
}

function open({ indexPath, claims }: SqlRequest) {
  const connection = new Database(indexPath, { readonly: true, fileMustExist: true, timeout: 10_000 })
  connection.pragma(`hard_heap_limit = ${HEAP_LIMIT_BYTES}`)
  connection.exec(`create temp table claims(${CLAIM_COLUMNS.join(', ')})`)
  const insert = connection.prepare(`insert into claims values (${CLAIM_COLUMNS.map(() => '?').join(', ')})`)
  for (const claim of claims) insert.run(claim)
  connection.pragma('query_only = on')
  return connection
}

function run(request: SqlRequest): SqlReply {
  const refused = refusal(request.query)
  if (refused) return { error: { code: 'sql_refused', message: refused } }
  try {
    const statement = open(request).prepare(request.query)
    if (!statement.reader || !statement.readonly) {
      return { error: { code: 'sql_refused', message: 'the statement does more than read' } }
    }
    const columns = statement.columns().map(column => column.name)
    const rows: SqlValue[][] = []
    let bytes = 0
    for (const row of statement.raw().safeIntegers().iterate() as IterableIterator<unknown[]>) {
      const values = row.map(plain)
      for (const value of values) bytes += typeof value === 'string' ? value.length : 8
      if (rows.length === request.limit || bytes > request.maxBytes) return { columns, rows, truncated: true }
      rows.push(values)
    }
    return { columns, rows, truncated: false }
  } catch (error) {
    if (error instanceof RangeError) return { error: { code: 'sql_refused', message: 'only one statement is allowed' } }
    return { error: { code: 'sql_failed', message: (error as Error).message } }
  }
}

process.stdout.write(JSON.stringify(run(JSON.parse(readFileSync(0, 'utf8')))))
