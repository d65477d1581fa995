/**
 * The fleet of a store: the claims that a server keeps, for reads that are synchronous and for the steps that change them.
 *
 * Nothing connects before it is needed: a command that only writes files starts no client and works without the server.
 */
import { setImmediate } from 'node:timers/promises'
import type { LeaseClock } from '../claims/lease-clock.ts'
import type { LeaseCovers } from '../claims/lease-covers.ts'
import type { Repository } from '../files/repository.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { FleetClaims, SnapshotRequest } from '../fleet/fleet-claims.ts'
import type { Given, GivenClaims } from '../fleet/given-claims.ts'
import { fleetState } from '../fleet/joined-fleet.ts'
import { isPlanError, PlanError } from '../model/errors.ts'

export interface StoreFleet {
  /** The random id of this clone; a holder is a name on a machine. */
  readonly machine: string
  /** What the reads of the store answer from. */
  readonly given: GivenClaims
  readonly covers: LeaseCovers
  readonly clock: LeaseClock
  /** Returns the calls to the server. @throws PlanError fleet_url, io. */
  claims(): Promise<FleetClaims>
  /** Lists the Tickets whose releases a verdict may need: those that are not settled here, and those that were missed. */
  releasesOf(): string[]
  /**
   * Reads the claims, to be given to the next read, with the releases of `releasesOf` unless the request names others. Claims of
   * a server that cannot be reached are unknown.
   * @throws PlanError fleet_denied, fleet_unknown, fleet_schema, fleet_failed, fleet_url, io.
   */
  read(request?: SnapshotRequest): Promise<Given>
  /** Calls the listener after changes, as a hint, until the returned function is called. */
  listen(listener: () => void): Promise<() => void>
  /** Ends the connections. Reads that run find the claims unknown; other calls fail. */
  close(): Promise<void>
}

/** Returns the error for what rests on claims where a program has not asked their server; undefined without a fleet. */
export function claimsRefused(repository: Repository): PlanError | undefined {
  const state = fleetState(repository)
  if (state.status === 'none') return undefined
  const { fleet } = state
  if (state.status === 'joined') {
    const message = `${repository.root}: the claims are on the server of the fleet ${fleet}: open the plan with connectPlan() in place of openPlan()`
    return new PlanError('fleet_required', message, { fleet })
  }
  const message = `${repository.root}: this clone has not joined the fleet ${fleet}, so it asks no server for claims; set TICKETPLAN_FLEET_URL or ticketplan.fleetUrl of git, and run "ticketplan fleet join"`
  return new PlanError('fleet_not_joined', message, { fleet })
}

/** Returns the fleet that a clone has joined; undefined where it has joined none. @throws PlanError io. */
export function storeFleet(
  repository: Repository,
  given: GivenClaims,
  covers: LeaseCovers,
  clock: LeaseClock,
  timeoutMs: number,
  unsettled: () => readonly string[],
): StoreFleet | undefined {
  const state = fleetState(repository)
  if (state.status !== 'joined') return undefined
  let opened: Promise<Fleet> | undefined
  const openNow = async (): Promise<Fleet> => {
    // Loaded here: most commands need no server.
    const [{ openFleet }, { CALL_TIMEOUT_MS }] = await Promise.all([
      import('../fleet/fleet.ts'),
      import('../fleet/fleet-server.ts'),
    ])
    return openFleet(repository, Math.min(timeoutMs, CALL_TIMEOUT_MS), state)
  }
  const open = () => (opened ??= openNow())
  const releasesOf = () => [...new Set([...unsettled(), ...given.missed()])]
  const snapshot = async (request: SnapshotRequest | undefined) => {
    const { claims, prepare } = await open()
    prepare()
    await setImmediate() // the server starts a process for the connection while the index is read here
    return claims.snapshot({ releasesOf: releasesOf(), ...request })
  }
  return {
    machine: state.machine,
    given,
    covers,
    clock,
    claims: async () => (await open()).claims,
    releasesOf,
    async read(request) {
      try {
        return { snapshot: await snapshot(request) }
      } catch (error) {
        if (isPlanError(error, 'fleet_unreachable')) return { unknown: error }
        throw error
      }
    },
    listen: async listener => (await open()).listen(listener),
    async close() {
      const fleet = await opened?.catch(() => undefined)
      await fleet?.close()
    },
  }
}
