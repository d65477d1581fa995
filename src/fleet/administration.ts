/** Sets fleets up on their server, and reads how they are. */
import { PlanError, type ServerAddress } from '../model/errors.ts'
import { CALL_TIMEOUT_MS, fleetServer } from './fleet-server.ts'
import { FLEET_SCHEMA_VERSION, migrateSchema, readSchemaVersion } from './migrations.ts'
import type { PostgresConnection, ServerSettings } from './postgres.ts'
import { passingReason, schemaError, serverError } from './server-error.ts'
import { serverName } from './server-url.ts'

/** Migrates the schema to this version. Returns the version before and the one after. @throws PlanError fleet_schema where it is newer. */
export function migrateServer(settings: ServerSettings): Promise<{ before: number; after: number }> {
  return onServer(settings, async connection => {
    const versions = await migrateSchema(connection)
    if (versions.after > FLEET_SCHEMA_VERSION) throw schemaError(settings.address, versions.after)
    return versions
  })
}

/** Creates a fleet, as the owner of the schema; returns false where it exists. @throws PlanError fleet_schema, fleet_denied. */
export function createFleet(settings: ServerSettings, fleet: string): Promise<boolean> {
  return onServer(settings, async connection => {
    const version = await readSchemaVersion(connection)
    if (version !== FLEET_SCHEMA_VERSION) throw schemaError(settings.address, version)
    const rows = await connection.query(
      'insert into ticketplan.fleets (id) values ($1) on conflict do nothing returning id',
      [fleet],
    )
    return rows.length > 0
  })
}

/** Runs an action on a connection of its own. @throws PlanError. */
async function onServer<T>(
  settings: ServerSettings,
  action: (connection: PostgresConnection) => Promise<T>,
): Promise<T> {
  const { address } = settings
  const connection = await fleetServer(settings).connect()
  try {
    return await action(connection)
  } catch (error) {
    throw serverError(error, address) ?? lost(error, address)
  } finally {
    connection.close(CALL_TIMEOUT_MS)
  }
}

function lost(error: unknown, address: ServerAddress): PlanError<'fleet_failed'> {
  const message = `${serverName(address)}: the server ${passingReason(error)}, and run the command again`
  return new PlanError('fleet_failed', message, { ...address, sqlState: null }, error)
}
