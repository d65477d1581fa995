/**
 * Runs one ad hoc query in a process of its own, which its parent kills at the deadline: SQLite cannot be interrupted from
 * JavaScript. Reads a request from standard input and writes a reply to standard output, both JSON.
 *
 * The connection is read-only and `query_only`. The parent limits the memory of this process, and a row is copied only if it
 * fits. The query must be one statement that only reads and begins with a word that reads. None of these is enough alone: a
 * read-only connection still runs VACUUM INTO and ATTACH.
 */
import { readFileSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'

export interface SqlRequest {
  indexPath: string
  /** The rows of `claims`. They are passed in because they are in local.db, and because SQL cannot decide which are live. */
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

type Connection = InstanceType<typeof Database>
type Statement = Database.Statement

const READING = /^(?:select|with|values|explain)\b/i
// Comments, string literals and quoted names: words in them are not keywords.
const QUOTED = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]/g

/** Returns the query without comments and quotes. */
function codeOf(query: string): string {
  return query.replace(QUOTED, quoted => (/^['"`[]/.test(quoted) ? quoted.replace(/[^\w]/g, ' ') : ' ')).trim()
}

function refusal(query: string): string | null {
  const code = codeOf(query)
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
  connection.exec(`create temp table claims(${CLAIM_COLUMNS.join(', ')})`)
  const insert = connection.prepare(`insert into claims values (${CLAIM_COLUMNS.map(() => '?').join(', ')})`)
  for (const claim of claims) insert.run(claim)
  connection.pragma('query_only = on')
  return connection
}

function run(request: SqlRequest): SqlReply {
  const refused = refusal(request.query)
  if (refused) return refusedReply(refused)
  try {
    const connection = open(request)
    const statement = connection.prepare(request.query)
    if (!statement.reader || !statement.readonly) {
      return refusedReply('the statement does more than read')
    }
    return replyOf(connection, statement, request)
  } catch (error) {
    const { message } = error as Error
    if (/^(?:Missing named parameters|Too few parameter values)/.test(message))
      return refusedReply('it has parameters, such as ?; write the values into the query')
    if (error instanceof RangeError) return refusedReply('only one statement is allowed')
    return { error: { code: 'sql_failed', message } }
  }
}

function refusedReply(message: string): SqlReply {
  return { error: { code: 'sql_refused', message } }
}

/** Ends a query at a row that is too large to be copied. */
class RowTooLarge extends Error {}

function replyOf(connection: Connection, statement: Statement, { query, limit, maxBytes }: SqlRequest): SqlReply {
  const columns = statement.columns().map(column => column.name)
  let bytes = 0
  connection.function('ticketplan_fits', (rowBytes: number) => {
    bytes += Math.max(0, rowBytes) + columns.length * 8
    if (bytes > maxBytes) throw new RowTooLarge()
    return 1
  })
  // EXPLAIN cannot be wrapped; its rows are small.
  const bounded = /^explain\b/i.test(codeOf(query))
    ? statement
    : connection.prepare(boundedQuery(query, columns, limit))
  const rows: SqlValue[][] = []
  try {
    for (const row of bounded.raw().safeIntegers().iterate() as IterableIterator<unknown[]>) {
      if (rows.length === limit) return { columns, rows, truncated: true }
      rows.push(row.map(plain))
    }
    return { columns, rows, truncated: false }
  } catch (error) {
    if (!(error instanceof RowTooLarge)) throw error
    if (rows.length > 0) return { columns, rows, truncated: true }
    const message = `the first row has more than ${maxBytes / 1024 / 1024} MB; select fewer columns, or parts of them with substr()`
    return { error: { code: 'sql_failed', message } }
  }
}

/**
 * Wraps a query so that `ticketplan_fits` sees the size of each row before better-sqlite3 copies every column of it. The inner
 * LIMIT keeps SQLite from merging the two queries, so a value is computed once and its size is that of the value that is copied.
 */
function boundedQuery(query: string, columns: string[], limit: number): string {
  const names = columns.map((_, position) => `c${position}`)
  const sizes = names.map(name => `coalesce(octet_length(${name}), 0)`)
  const code = query.replace(QUOTED, quoted => (/^(?:--|\/\*)/.test(quoted) ? ' ' : 'x').repeat(quoted.length))
  const one = query.slice(0, code.replace(/[\s;]+$/, '').length) // without the comments and semicolons at its end
  return `with q(${names.join(', ')}) as (select * from (${one}\n) limit ${limit + 1}) select * from q where ticketplan_fits(${sum(sizes)})`
}

/** Returns the sum as a balanced tree: SQLite limits the depth of an expression. */
function sum(terms: string[]): string {
  if (terms.length === 1) return terms[0]!
  const half = terms.length >> 1
  return `(${sum(terms.slice(0, half))} + ${sum(terms.slice(half))})`
}

writeSync(1, ' ') // informs the parent that the program could start within its memory limit
process.stdout.write(JSON.stringify(run(JSON.parse(readFileSync(0, 'utf8')))))
