/** A fleet on a throw-away server, whose clock a test moves: on the side of the server, where the functions read it. */
import { ulid } from 'ulid'
import { type FleetServer, fleetServer } from '../fleet/fleet-server.ts'
import { migrateSchema } from '../fleet/migrations.ts'
import type { PostgresConnection } from '../fleet/postgres.ts'
import { type ServerClaims, serverClaims } from '../fleet/server-claims.ts'
import { settingsOf } from '../fleet/server-settings.ts'
import { parseServerUrl } from '../fleet/server-url.ts'
import type { TestPostgres } from './postgres.ts'

/** The role of clients in tests. */
export const CLIENT = 'plan_client'

/** A fleet, empty at first. */
export interface TestFleet extends AsyncDisposable {
  id: string
  database: string
  /** A connection as the owner of the schema. */
  owner: PostgresConnection
  /** Returns the claims as a clone sees them, as the client's role; each clone has one connection. */
  claimsOf(machine: string, options?: { fleet?: string; pools?: Record<string, number> }): ServerClaims
  /** Creates another fleet in the same database. */
  another(): Promise<string>
}

/** Migrates a new database, with a role for clients, and creates a fleet in it. */
export async function createTestFleet(postgres: TestPostgres): Promise<TestFleet> {
  const database = await postgres.createDatabase()
  const owner = await postgres.connect(database)
  await migrateSchema(owner)
  await owner.query(`do $$ begin create role ${CLIENT} login; exception when duplicate_object then null; end $$`)
  await grantToClient(owner)
  const another = async () => {
    const id = `test-${ulid()}`
    await owner.query('insert into ticketplan.fleets (id) values ($1)', [id])
    return id
  }
  const id = await another()
  const servers = new Map<string, FleetServer>()
  const serverOf = (machine: string): FleetServer => {
    const known = servers.get(machine)
    if (known) return known
    const server = fleetServer(settingsOf(parseServerUrl(postgres.url(database, CLIENT), 'test'), false))
    servers.set(machine, server)
    return server
  }
  return {
    id,
    database,
    owner,
    another,
    claimsOf: (machine, { fleet = id, pools = {} } = {}) => serverClaims(serverOf(machine), { fleet, machine, pools }),
    async [Symbol.asyncDispose]() {
      await Promise.all([...servers.values()].map(server => server.close()))
      owner.close(1000)
    },
  }
}

/** Grants what docs/fleet.md says. */
export async function grantToClient(owner: PostgresConnection, role = CLIENT): Promise<void> {
  await owner.query(`grant usage on schema ticketplan to ${role};
    grant execute on function ticketplan.snapshot(text, jsonb), ticketplan.acquire(text, jsonb),
      ticketplan.renew(text, jsonb), ticketplan.release(text, jsonb) to ${role};
    grant select on ticketplan.claims to ${role}`)
}

/** Makes the clock of the functions stand still at a time, which `setClock` changes. */
export async function stopClock(owner: PostgresConnection, timeMs: number): Promise<void> {
  await owner.query(`create table public.test_clock (at timestamptz not null);
    insert into public.test_clock values (to_timestamp(${timeMs} / 1000.0));
    create or replace function ticketplan.clock() returns timestamptz language sql volatile
      as 'select at from public.test_clock'`)
}

/** Sets the clock that `stopClock` made. */
export async function setClock(owner: PostgresConnection, timeMs: number): Promise<void> {
  await owner.query(`update public.test_clock set at = to_timestamp(${timeMs} / 1000.0)`)
}
