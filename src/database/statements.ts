/** Prepares each SQL text at most once for a connection: preparing costs more than running. */
import type { Connection, Statement } from './open.ts'

/** Returns the prepared statement of an SQL text; with `asArrays`, its rows are arrays instead of objects. */
export type Prepare = <P extends unknown[] = unknown[], R = unknown>(sql: string, asArrays?: boolean) => Statement<P, R>

const caches = new WeakMap<Connection, Prepare>()

/** Returns the statements of a connection. They live as long as the connection. */
export function statementsOf(connection: Connection): Prepare {
  const cache = caches.get(connection) ?? makeCache(connection)
  caches.set(connection, cache)
  return cache
}

function makeCache(connection: Connection): Prepare {
  const statements = { objects: new Map<string, unknown>(), arrays: new Map<string, unknown>() }
  return (sql, asArrays = false) => {
    const cache = asArrays ? statements.arrays : statements.objects
    const statement = cache.get(sql) ?? (asArrays ? connection.prepare(sql).raw() : connection.prepare(sql))
    cache.set(sql, statement)
    return statement as never
  }
}
