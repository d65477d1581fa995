/** Two machines of a fleet, the first behind a proxy with which a test breaks its network, or lets others go first. */
import { type ConnectedPlan, connectPlan } from '../sdk.ts'
import type { OpenOptions } from '../store/store.ts'
import { fleetClone } from './fleet-clones.ts'
import type { TestPostgres } from './postgres.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
import { CLIENT, createTestFleet, type TestFleet } from './test-fleet.ts'

/** How long a call of these machines may take. */
const TIMEOUT_MS = 600

/** An entry of the fleet's log. */
export interface MachineLogEntry {
  action: string
  ticket: string
  token: number
  machine: string
}

/** Two machines with the queued Tickets A and B. */
export interface FleetMachines {
  fleet: TestFleet
  /** Between the first machine and the server. */
  proxy: TcpProxy
  one: ConnectedPlan
  two: ConnectedPlan
  /** Reads the log, without leases that lapsed. */
  log(): Promise<MachineLogEntry[]>
}

/** Runs an action over two machines; the options are those of the first. */
export async function withMachines(
  postgres: TestPostgres,
  use: (machines: FleetMachines) => Promise<void>,
  options: OpenOptions = {},
): Promise<void> {
  await using fleet = await createTestFleet(postgres)
  await using proxy = await startTcpProxy(() => postgres.port)
  const url = postgres.url(fleet.database, CLIENT)
  const through = url.replace(`:${postgres.port}/`, `:${proxy.port}/`)
  using first = fleetClone({ id: fleet.id, url: through }, 'm-1', ['A', 'B'])
  using second = fleetClone({ id: fleet.id, url }, 'm-2', ['A', 'B'])
  await using one = await connectPlan({ root: first.root, actor: 'tester', busyTimeoutMs: TIMEOUT_MS, ...options })
  await using two = await connectPlan({ root: second.root, actor: 'tester', busyTimeoutMs: TIMEOUT_MS })
  const log = async () => {
    const rows = await fleet.owner.query(
      "select action, ticket, token, machine from ticketplan.claim_log where action <> 'lapsed' order by sequence",
    )
    return rows.map(row => ({ ...row, token: Number(row.token) }) as MachineLogEntry)
  }
  await use({ fleet, proxy, one, two, log })
}
