/** Prepared statements, each prepared once for each connection: preparing costs more than running. */
import type { Connection, Statement } from './open.ts'

const prepared = new WeakMap<Connection, Map<string, Statement<unknown[], unknown>>>()

/** Returns the prepared statement of an SQL text on a connection. It lives as long as the connection. */
export function statement<P extends unknown[] = unknown[], R = unknown>(
  connection: Connection,
  sql: string,
): Statement<P, R> {
  const statements = prepared.get(connection) ?? new Map<string, Statement<unknown[], unknown>>()
  const found = statements.get(sql) ?? connection.prepare(sql)
  statements.set(sql, found)
  prepared.set(connection, statements)
  return found as Statement<P, R>
}
