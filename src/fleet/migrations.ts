/**
 * Migrates the schema on the server of a fleet. Nothing else changes it.
 *
 * The migrations are drizzle-kit's files in migrations/fleet. All that are missing run in one transaction, under a lock of that
 * transaction, so that two at once end with the same schema. `schema_version()` on the server is how many it has.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../files/package-root.ts'
import type { PostgresConnection } from './postgres.ts'

/** The number of migrations, which is the version of the schema that this program was made for. */
export const FLEET_SCHEMA_VERSION = 2

/** Returns the version of the schema on the server; 0 where there is none. @throws the server's error. */
export async function readSchemaVersion(connection: PostgresConnection): Promise<number> {
  const [found] = await connection.query("select to_regprocedure('ticketplan.schema_version()') is not null as found")
  if (!found!.found) return 0
  const [row] = await connection.query('select ticketplan.schema_version() as version')
  return row!.version as number
}

/**
 * Brings the schema to this version. Returns the version before and the one after; a newer schema stays as it is.
 * @throws the server's error; nothing is changed then.
 */
export async function migrateSchema(connection: PostgresConnection): Promise<{ before: number; after: number }> {
  await connection.query('begin isolation level read committed')
  try {
    await connection.query("select pg_advisory_xact_lock(hashtext('ticketplan fleet migrate'))")
    const before = await readSchemaVersion(connection)
    for (const text of migrationTexts().slice(before)) await connection.query(text)
    if (before < FLEET_SCHEMA_VERSION) await connection.query(closing(FLEET_SCHEMA_VERSION))
    await connection.query('commit')
    return { before, after: Math.max(before, FLEET_SCHEMA_VERSION) }
  } catch (error) {
    await connection.query('rollback').catch(() => {}) // the connection may be gone, and the transaction with it
    throw error
  }
}

/** What follows the migrations: the version, and that only the owner may use what was not granted. */
function closing(version: number): string {
  return `create or replace function ticketplan.schema_version() returns integer language sql immutable as 'select ${version}';
    revoke all on schema ticketplan from public;
    revoke all on all tables in schema ticketplan from public;
    revoke all on all functions in schema ticketplan from public`
}

/** Returns the SQL of each migration, in order. */
function migrationTexts(): string[] {
  const folder = join(packageRoot(), 'migrations', 'fleet')
  const { entries } = JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')) as {
    entries: { tag: string }[]
  }
  return entries.map(({ tag }) => readFileSync(join(folder, `${tag}.sql`), 'utf8'))
}
