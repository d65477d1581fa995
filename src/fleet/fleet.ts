/**
 * Opens the fleet that a clone has joined.
 *
 * Invariant: a clone that has not joined never contacts a server, whatever its files and its configuration say.
 */
import type { Repository } from '../files/repository.ts'
import type { ServerAddress } from '../model/errors.ts'
import { fleetServer } from './fleet-server.ts'
import { getJoined } from './joined-fleet.ts'
import { listenTo } from './listen-to.ts'
import { type ServerClaims, serverClaims } from './server-claims.ts'
import { joinedSettings } from './server-settings.ts'

/** The fleet that a clone has joined. */
export interface Fleet extends AsyncDisposable {
  readonly id: string
  /** The random id of this clone. */
  readonly machine: string
  readonly server: ServerAddress
  readonly claims: ServerClaims
  /** Begins to connect. A failure is reported by the next call. */
  prepare(): void
  /**
   * Calls the listener after changes of claims, until the returned function is called. Only a hint: behind PgBouncer and while
   * the server is unreachable nothing is reported, so a caller polls too.
   */
  listen(listener: () => void): () => void
  /** Ends the connections. Calls that run, and later ones, fail. */
  close(): Promise<void>
}

/**
 * Opens the fleet that the clone has joined; its calls may take that long, by default 5,000 ms. Connects at the first call.
 * @throws PlanError no_fleet, fleet_not_joined, fleet_url, io.
 */
export function openFleet(repository: Repository, timeoutMs?: number, joined = getJoined(repository)): Fleet {
  const server = fleetServer(joinedSettings(repository, joined), timeoutMs)
  const { fleet, machine } = joined
  const stops = new Set<() => void>()
  const close = async () => {
    for (const stop of stops) stop()
    await server.close()
  }
  return {
    id: fleet,
    machine,
    server: server.address,
    claims: serverClaims(server, { fleet, machine, pools: repository.config.pools }),
    prepare: server.prepare,
    listen(listener) {
      const stop = listenTo(server, fleet, listener)
      stops.add(stop)
      return () => {
        stops.delete(stop)
        stop()
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
