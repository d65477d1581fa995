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

/** The rows of a query. */
type SqlResult = Exclude<SqlReply, { error: unknown }>

/** Returns the result of one query. @throws PlanError sql_refused, sql_failed, sql_timeout. */
export function runSql(request: SqlRequest, timeoutSeconds: number): SqlResult {
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const run = (limitKb: number | undefined): ChildEnd => {
    const { program, args, options } = childOf(timeoutSeconds, limitKb)
    const { error, ...end } = spawnSync(program, args, { ...options, input: JSON.stringify(request) })
    return { ...end, failure: (error as NodeJS.ErrnoException | undefined)?.code ?? error?.message }
  }
  const limitKb = dataLimitKb()
  const end = run(limitKb)
  return resultOf(isWithoutStart(end, limitKb) ? run(undefined) : end, timeoutSeconds)
}

/**
 * Returns the result of one query while this process does its other work; an abort stops the query.
 * @throws PlanError sql_refused, sql_failed, sql_timeout.
 */
export async function runSqlMeanwhile(
  request: SqlRequest,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<SqlResult> {
  const { execFile } = process.getBuiltinModule('node:child_process')
  const run = (limitKb: number | undefined) => {
    const { program, args, options } = childOf(timeoutSeconds, limitKb)
    return new Promise<ChildEnd>(resolve => {
      const child = execFile(program, args, { ...options, signal }, (error, stdout, stderr) => {
        const { code, killed, signal: by } = (error ?? {}) as { code?: unknown; killed?: boolean; signal?: string }
        const failure = code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER' ? 'ENOBUFS' : killed ? 'ETIMEDOUT' : undefined
        const status = error ? (typeof code === 'number' ? code : null) : 0
        resolve({ status, stdout, stderr, signal: by ?? null, failure: failure ?? (by ? undefined : textOf(code)) })
      })
      child.stdin?.on('error', () => {}) // it ended before it read the query
      child.stdin?.end(JSON.stringify(request))
    })
  }
  const limitKb = dataLimitKb()
  const end = await run(limitKb)
  return resultOf(isWithoutStart(end, limitKb) ? await run(undefined) : end, timeoutSeconds)
}

function textOf(code: unknown): string | undefined {
  return typeof code === 'string' ? code : undefined
}

/** How a child ended. */
interface ChildEnd {
  /** The exit status; null where a signal ended it. */
  status: number | null
  stdout: string
  stderr: string
  signal: string | null
  /** ETIMEDOUT, ENOBUFS for a result that is too large, or why it could not be started. */
  failure: string | undefined
}

/** True where not even the space came that the program writes first: another version of Node may reserve more than the limit. */
function isWithoutStart({ status, failure, stdout }: ChildEnd, limitKb: number | undefined): boolean {
  return limitKb !== undefined && status !== 0 && failure === undefined && stdout === ''
}

/** @throws PlanError sql_refused, sql_failed, sql_timeout. */
function resultOf({ status, stdout, stderr, signal, failure }: ChildEnd, timeoutSeconds: number): SqlResult {
  if (failure === 'ETIMEDOUT') {
    const message = `the query was stopped after ${timeoutSeconds} s; give it more time, or narrow it`
    throw new PlanError('sql_timeout', message, { timeoutSeconds })
  }
  if (failure === 'ENOBUFS' || /out of memory|allocation failed/i.test(stderr))
    throw new PlanError('sql_failed', TOO_LARGE, {})
  if (failure !== undefined || status !== 0) {
    const why = failure ?? (stderr.trim().split('\n').at(-1) || `signal ${signal}`)
    throw new PlanError('sql_failed', `the query failed: ${why}`, {})
  }
  const reply = JSON.parse(stdout) as SqlReply
  if (!('error' in reply)) return reply
  const { code, message } = reply.error
  if (code === 'sql_failed' && /^out of memory$/.test(message)) throw new PlanError(code, TOO_LARGE, {})
  const hint = /^no such (?:table|column): /.test(message) ? '; docs/sql.md lists the views with their columns' : ''
  throw new PlanError(code, `the query ${code === 'sql_failed' ? 'failed' : 'was refused'}: ${message}${hint}`, {})
}

/** Returns the program of a child, which reads its query from standard input. */
function childOf(timeoutSeconds: number, limitKb: number | undefined) {
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'cjs'
  const command = [process.execPath, join(import.meta.dirname, `sql-child.${extension}`)]
  const limited = ['/bin/sh', '-c', `ulimit -d ${limitKb} && ulimit -c 0; exec "$0" "$@"`, ...command]
  const [program, ...args] = limitKb === undefined ? command : limited
  const options = {
    timeout: Math.ceil(timeoutSeconds * 1000),
    killSignal: 'SIGKILL',
    maxBuffer: OUTPUT_LIMIT_BYTES,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  } as const
  return { program: program!, args, options }
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
