/**
 * Runs ad hoc SQL in a child process, which is killed at its deadline and has a memory limit of its own.
 *
 * The operating system enforces the memory limit: better-sqlite3 is compiled without SQLite's memory statistics, so
 * `hard_heap_limit` has no effect. RLIMIT_DATA works on Linux; elsewhere only the size of the result is limited.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PlanError } from '../model/errors.ts'
import type { SqlReply, SqlRequest } from './sql-child.ts'

const OUTPUT_LIMIT_BYTES = 128 * 1024 * 1024
/** What a query may use beside the program itself. */
const MEMORY_LIMIT_MB = 384
const TOO_LARGE = `the query failed: it needs more than ${MEMORY_LIMIT_MB} MB of memory; select fewer rows or columns, or parts of values with substr()`

/** Returns the result of one query. @throws PlanError sql_refused, sql_failed, sql_timeout. */
export function runSql(request: SqlRequest, timeoutSeconds: number): Exclude<SqlReply, { error: unknown }> {
  const limitKb = dataLimitKb()
  let child = startChild(request, timeoutSeconds, limitKb)
  // Not even the space that the program writes first: another version of Node may reserve more than the limit.
  if (limitKb !== undefined && child.status !== 0 && !child.error && child.stdout === '')
    child = startChild(request, timeoutSeconds, undefined)
  const failure = (child.error as NodeJS.ErrnoException | undefined)?.code
  if (failure === 'ETIMEDOUT') {
    const message = `the query was stopped after ${timeoutSeconds} s; give it more time, or narrow it`
    throw new PlanError('sql_timeout', message, { timeoutSeconds })
  }
  if (failure === 'ENOBUFS' || /out of memory|allocation failed/i.test(child.stderr))
    throw new PlanError('sql_failed', TOO_LARGE, {})
  if (child.error || child.status !== 0) {
    const why = child.error?.message ?? (child.stderr.trim().split('\n').at(-1) || `signal ${child.signal}`)
    throw new PlanError('sql_failed', `the query failed: ${why}`, {})
  }
  const reply = JSON.parse(child.stdout) as SqlReply
  if (!('error' in reply)) return reply
  const { code, message } = reply.error
  if (code === 'sql_failed' && /^out of memory$/.test(message)) throw new PlanError(code, TOO_LARGE, {})
  const hint = /^no such (?:table|column): /.test(message) ? '; docs/sql.md lists the views with their columns' : ''
  throw new PlanError(code, `the query ${code === 'sql_failed' ? 'failed' : 'was refused'}: ${message}${hint}`, {})
}

function startChild(request: SqlRequest, timeoutSeconds: number, limitKb: number | undefined) {
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'cjs'
  const command = [process.execPath, join(import.meta.dirname, `sql-child.${extension}`)]
  const limited = ['/bin/sh', '-c', `ulimit -d ${limitKb} && ulimit -c 0; exec "$0" "$@"`, ...command]
  const [program, ...args] = limitKb === undefined ? command : limited
  return spawnSync(program!, args, {
    input: JSON.stringify(request),
    timeout: Math.ceil(timeoutSeconds * 1000),
    killSignal: 'SIGKILL',
    maxBuffer: OUTPUT_LIMIT_BYTES,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
}

/** No Node reserves more than this when it starts; a larger number is that of the rows that this process holds. */
const MOST_RESERVED_KB = 1024 * 1024

/**
 * Returns the limit of the child's data segment. Node reserves hundreds of megabytes that it never uses; this process, which
 * is the same program, shows how much that is; where it cannot, the limit allows for the most. Returns undefined where the
 * system has no such limit.
 */
function dataLimitKb(): number | undefined {
  if (process.platform !== 'linux') return undefined
  return Math.min(reservedKb(), MOST_RESERVED_KB) + MEMORY_LIMIT_MB * 1024
}

function reservedKb(): number {
  try {
    return Number(/^VmData:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? Infinity)
  } catch {
    return Infinity // a sandbox or a container has no /proc
  }
}
