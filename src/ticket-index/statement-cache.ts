/** Prepares each SQL text at most once for a connection. */
import type { Connection } from '../database/open.ts'

/** Returns the statement of a SQL text; with `asArrays`, its rows are arrays instead of objects. */
export type Prepare = <P extends unknown[], R>(
  sql: string,
  asArrays?: boolean,
) => { get(...parameters: P): R | undefined; all(...parameters: P): R[] }

/** Returns a function that prepares a statement on its first use. */
export function statementCache(connection: Connection): Prepare {
  type Statement = ReturnType<Connection['prepare']>
  const caches = { objects: new Map<string, Statement>(), arrays: new Map<string, Statement>() }
  return (sql, asArrays = false) => {
    const cache = asArrays ? caches.arrays : caches.objects
    const statement = cache.get(sql) ?? connection.prepare(sql).raw(asArrays)
    cache.set(sql, statement)
    return statement as never
  }
}
