/** The tool `sql`: other calls go on while a query runs in its child. */
import { setImmediate } from 'node:timers/promises'
import { runOperation } from '../operations/run-operation.ts'
import { sql, sqlMeanwhile } from '../operations/sql.ts'
import type { Store } from '../store/store.ts'
import type { CallContext } from './wait-tool.ts'

/** Ends with the last query: each may use the memory that its child is allowed, so they run one after the other. */
let lastQuery: Promise<unknown> = Promise.resolve()

/** Resolves once every query that was called has its answer. */
export async function queriesAnswered(): Promise<void> {
  for (let last: unknown; last !== lastQuery; ) {
    last = lastQuery
    await lastQuery
    await setImmediate() // the answer is written, and a call that was read is made
  }
}

/** Runs a query after those that were called before. */
export function callSql(store: Store, given: object, { signal }: CallContext): Promise<object> {
  const input = sql.input.parse(given)
  const result = lastQuery.then(() => {
    signal.throwIfAborted()
    return store.fleet ? runOperation(store, sql, input) : sqlMeanwhile(store, input, signal)
  })
  lastQuery = result.catch(() => {})
  return result
}
