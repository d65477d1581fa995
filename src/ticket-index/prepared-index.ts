/** What is prepared once for each connection to the index: queries, reconciler and snapshots. */
import { type Connection, connect, migrate } from '../database/open.ts'
import type { Repository } from '../files/repository.ts'
import type { States } from '../model/states.ts'
import { type CheckoutFiles, checkoutFiles } from './checkout-files.ts'
import { type IndexQueries, prepareQueries } from './query.ts'
import { prepareReconciler, type Reconciler } from './reconcile.ts'
import { type TrackedQueries, trackQueries } from './tracked-queries.ts'

/** An open index. */
export interface PreparedIndex {
  readonly connection: Connection
  readonly queries: IndexQueries
  readonly tracked: TrackedQueries
  readonly reconciler: Reconciler
  readonly files: CheckoutFiles
  /** A number that changes whenever a different database is opened. */
  readonly generation: number
  /** Changes whenever a row of this database may have changed, through any connection. */
  version(): string
  /** Runs the action over one snapshot of the rows. */
  inSnapshot<T>(action: () => T): T
}

let generations = 0

/** Prepares everything on a connection whose tables exist. @throws SqliteError where the database is damaged. */
export function prepareIndex(connection: Connection, repository: Repository, states: States): PreparedIndex {
  const queries = prepareQueries(connection)
  const files = checkoutFiles(connection, repository)
  const reconciler = prepareReconciler(connection, repository, states, files)
  // SQLite counts the writes of all other connections, the reconciler counts its own.
  const dataVersion = connection.prepare<[], number>('pragma data_version').pluck()
  // Prepared once: preparing a transaction takes as long as a query.
  const snapshot = connection.transaction((action: () => unknown) => action()).deferred
  return {
    connection,
    queries,
    tracked: trackQueries(queries, repository.config.ticketsDir, files.findStat),
    reconciler,
    files,
    generation: ++generations,
    version: () => `${reconciler.writes()} ${dataVersion.get()}`,
    inSnapshot: <T>(action: () => T) => snapshot(action) as T,
  }
}

/** Opens an empty index in memory. */
export function openInMemory(timeoutMs: number): Connection {
  const connection = connect(':memory:', 'index', timeoutMs)
  migrate(connection, 'index')
  return connection
}
