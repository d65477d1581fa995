/** Runs ad hoc SQL in a child process, which is killed at its deadline. */
import { join } from 'node:path'
import { PlanError } from '../model/errors.ts'
import type { SqlReply, SqlRequest } from './sql-child.ts'

const OUTPUT_LIMIT_BYTES = 128 * 1024 * 1024

/** Returns the result of one query. @throws PlanError sql_refused, sql_failed, sql_timeout. */
export function runSql(request: SqlRequest, timeoutSeconds: number): Exclude<SqlReply, { error: unknown }> {
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'cjs'
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const child = spawnSync(process.execPath, [join(import.meta.dirname, `sql-child.${extension}`)], {
    input: JSON.stringify(request),
    timeout: Math.ceil(timeoutSeconds * 1000),
    killSignal: 'SIGKILL',
    maxBuffer: OUTPUT_LIMIT_BYTES,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  if ((child.error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT') {
    throw new PlanError(
      'sql_timeout',
      `the query was stopped after ${timeoutSeconds} s; raise the limit with --timeout`,
      {
        timeoutSeconds,
      },
    )
  }
  if (child.error || child.status !== 0) {
    const why = child.error?.message ?? (child.stderr.trim().split('\n').at(-1) || `signal ${child.signal}`)
    throw new PlanError('sql_failed', `the query failed: ${why}`, {})
  }
  const reply = JSON.parse(child.stdout) as SqlReply
  if ('error' in reply)
    throw new PlanError(
      reply.error.code,
      `the query ${reply.error.code === 'sql_failed' ? 'failed' : 'was refused'}: ${reply.error.message}`,
      {},
    )
  return reply
}
