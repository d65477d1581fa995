/** The schema on the server: what clients may use, several fleets side by side, and migrations. */
import { describe, expect, test } from 'vitest'
import { isPlanError } from '../model/errors.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { CLIENT, createTestFleet } from '../test-support/test-fleet.ts'
import { createFleet, migrateServer } from './administration.ts'
import { FLEET_SCHEMA_VERSION, migrateSchema, readSchemaVersion } from './migrations.ts'
import type { PostgresConnection } from './postgres.ts'
import { settingsOf } from './server-settings.ts'
import { parseServerUrl } from './server-url.ts'

const postgres = postgresForFile()
const settings = (database: string, user?: string) =>
  settingsOf(parseServerUrl(postgres().url(database, user), 'test'), false)

/** Returns the code of the server's error, or "done". */
async function outcome(connection: PostgresConnection, statement: string): Promise<string> {
  return connection.query(statement).then(
    () => 'done',
    error => String((error as { code?: string }).code),
  )
}

/** Returns the code of the error with which a promise is rejected. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    error => error,
  )
  if (!isPlanError(error)) throw error ?? new Error('nothing was thrown')
  return error.code
}

describe.skipIf(postgresObstacle())('the schema of fleets', () => {
  test('lets clients call the four functions and read the view, and nothing else', async () => {
    await using fleet = await createTestFleet(postgres())
    const client = await postgres().connect(fleet.database, CLIENT)
    const functions = await fleet.owner.query(
      "select oid::regprocedure::text as name, pg_get_function_identity_arguments(oid) as arguments from pg_proc where pronamespace = 'ticketplan'::regnamespace order by 1",
    )
    expect(functions.length).toBeGreaterThan(10)
    const callable: string[] = []
    for (const { name } of functions) {
      const call = (name as string).replace(/\((.*)\)$/, (_, types: string) =>
        types === ''
          ? '()'
          : `(${types
              .split(',')
              .map(type => `null::${type}`)
              .join(', ')})`,
      )
      // Whatever is missing in the arguments, a function that is closed says so first.
      if ((await outcome(client, `select ${call}`)) !== '42501') callable.push(name as string)
    }
    expect(callable).toEqual([
      'ticketplan.acquire(text,jsonb)',
      'ticketplan.release(text,jsonb)',
      'ticketplan.renew(text,jsonb)',
      'ticketplan.snapshot(text,jsonb)',
    ])
    const relations = await fleet.owner.query(
      "select relname as name, relkind as kind from pg_class where relnamespace = 'ticketplan'::regnamespace and relkind in ('r', 'v', 'S') order by 1",
    )
    expect(relations.map(({ name }) => name)).toEqual([
      'claim_log',
      'claim_log_sequence_seq',
      'claims',
      'fleets',
      'leases',
      'machines',
    ])
    for (const { name } of relations) {
      const isView = name === 'claims'
      expect([name, await outcome(client, `select * from ticketplan.${name}`)]).toEqual([
        name,
        isView ? 'done' : '42501',
      ])
      if (String(name).endsWith('_seq')) continue
      const column = { fleets: 'token', machines: 'pools' }[name as string] ?? 'holder'
      // 42809 and 55000: a view cannot be truncated, and this one takes no row.
      for (const statement of [
        `delete from ticketplan.${name}`,
        `insert into ticketplan.${name} default values`,
        `update ticketplan.${name} set ${column} = null`,
        `truncate ticketplan.${name}`,
        `select 1 from ticketplan.${name} for update`,
        `drop ${isView ? 'view' : 'table'} ticketplan.${name}`,
        `alter table ticketplan.${name} rename to mine`,
      ])
        expect([statement, await outcome(client, statement)]).toEqual([
          statement,
          expect.stringMatching(isView ? /^42501$|^42809$|^55000$/ : /^42501$/),
        ])
    }
    expect(await outcome(client, 'create table ticketplan.mine (a integer)')).toBe('42501')
    expect(
      await outcome(client, 'create function ticketplan.mine() returns integer language sql as $$ select 1 $$'),
    ).toBe('42501')
    expect(await outcome(client, 'drop schema ticketplan cascade')).toBe('42501')
    client.close(1000)
  })

  test('runs as its owner whatever a client puts before it in the search path', async () => {
    await using fleet = await createTestFleet(postgres())
    const client = await postgres().connect(fleet.database, CLIENT)
    await client.query(`create temporary table fleets (id text, token bigint, changes bigint, created_at timestamptz);
      insert into fleets values ('${fleet.id}', 9, 9, now());
      create function pg_temp.clock() returns timestamptz language sql as $$ select 'epoch'::timestamptz $$;
      set search_path = pg_temp, public`)
    const request = JSON.stringify({ version: FLEET_SCHEMA_VERSION })
    const [row] = await client.query('select ticketplan.snapshot($1, $2::jsonb) as answer', [fleet.id, request])
    expect(row!.answer).toMatchObject({ changes: 0 })
    expect((row!.answer as { now: string }).now).not.toMatch(/^1970/)
    client.close(1000)
  })

  test('gives another role nothing', async () => {
    await using fleet = await createTestFleet(postgres())
    await fleet.owner.query('create role stranger login')
    const stranger = await postgres().connect(fleet.database, 'stranger')
    expect(await outcome(stranger, 'select * from ticketplan.claims')).toBe('42501')
    expect(await outcome(stranger, "select ticketplan.snapshot('x', '{}')")).toBe('42501')
    stranger.close(1000)
    expect(await codeOf(createFleet(settings(fleet.database, 'stranger'), 'shop-x'))).toBe('fleet_denied')
    expect(await codeOf(migrateServer(settings(fleet.database, 'stranger')))).toBe('fleet_denied')
  })

  test('keeps fleets in one database apart', async () => {
    await using fleet = await createTestFleet(postgres())
    const other = await fleet.another()
    const [ours, theirs] = [fleet.claimsOf('m-1'), fleet.claimsOf('m-1', { fleet: other })]
    const take = async (claims: typeof ours) => {
      const { changes } = await claims.snapshot()
      return claims.acquire({
        ticket: 'A',
        holder: 'pod',
        ttlMs: 60_000,
        pool: 'gpu',
        changes,
        expired: [],
        asked: null,
        floor: 0,
      })
    }
    const [first, second] = [await take(ours), await take(theirs)]
    expect([first.status, second.status]).toEqual(['acquired', 'acquired'])
    const token = first.status === 'acquired' ? first.claim.token : 0
    await theirs.release('A', { force: true, reason: 'gone' })
    expect((await ours.snapshot()).claims).toMatchObject([{ ticket: 'A', token, live: true }])
    expect((await theirs.snapshot({ log: { filter: {}, limit: 9 } })).log.map(({ action }) => action)).toEqual([
      'forced',
      'acquired',
    ])
    expect((await ours.snapshot({ log: { filter: {}, limit: 9 } })).log.map(({ action }) => action)).toEqual([
      'acquired',
    ])
  })

  test('is migrated once, however often and by how many at a time', async () => {
    const database = await postgres().createDatabase()
    const all = await Promise.all(Array.from({ length: 4 }, () => migrateServer(settings(database))))
    const after = FLEET_SCHEMA_VERSION
    expect(all.sort((one, other) => one.before - other.before)).toEqual([
      { before: 0, after },
      { before: after, after },
      { before: after, after },
      { before: after, after },
    ])
    expect(await migrateServer(settings(database))).toEqual({ before: after, after })
  })

  test('stays as it was where a migration fails', async () => {
    const database = await postgres().createDatabase()
    const owner = await postgres().connect(database)
    await owner.query('create schema ticketplan; create table ticketplan.leases (a integer)')
    await expect(migrateSchema(owner)).rejects.toThrow(/already exists/)
    expect(await readSchemaVersion(owner)).toBe(0)
    const [row] = await owner.query(
      "select count(*)::int as n from pg_class where relnamespace = 'ticketplan'::regnamespace",
    )
    expect(row).toEqual({ n: 1 })
    owner.close(1000)
  })

  test('of another version is refused by every call, which says what to do', async () => {
    await using fleet = await createTestFleet(postgres())
    const claims = fleet.claimsOf('m-1')
    const calls = [
      () => claims.snapshot(),
      () => claims.acquire({ ticket: 'A', holder: 'p', ttlMs: 1000, changes: 0, expired: [], asked: null, floor: 0 }),
      () => claims.renew('A', 1),
      () => claims.release('A', { token: 1 }),
      () => createFleet(settings(fleet.database), 'shop-x'),
    ]
    for (const [version, advice] of [
      [FLEET_SCHEMA_VERSION + 1, /install the newer version of ticketplan/],
      [1, /run "ticketplan fleet migrate"/],
    ] as const) {
      await fleet.owner.query(
        `create or replace function ticketplan.schema_version() returns integer language sql immutable as 'select ${version}'`,
      )
      for (const call of calls)
        await expect(call()).rejects.toMatchObject({
          code: 'fleet_schema',
          message: expect.stringMatching(advice),
          data: { version, expected: FLEET_SCHEMA_VERSION },
        })
    }
    await fleet.owner.query(
      `create or replace function ticketplan.schema_version() returns integer language sql immutable as 'select ${FLEET_SCHEMA_VERSION + 1}'`,
    )
    expect(await codeOf(migrateServer(settings(fleet.database)))).toBe('fleet_schema')
  })

  test('that is missing, or a fleet that is, is named', async () => {
    await using fleet = await createTestFleet(postgres())
    expect(await codeOf(fleet.claimsOf('m-1', { fleet: 'shop-x' }).snapshot())).toBe('fleet_unknown')
    expect(await codeOf(fleet.claimsOf('m-1', { fleet: 'shop-x' }).renew('A', 1))).toBe('fleet_unknown')
    const empty = await postgres().createDatabase()
    expect(await codeOf(createFleet(settings(empty), 'shop-x'))).toBe('fleet_schema')
    expect(await codeOf(migrateServer(settings('nowhere')))).toBe('fleet_failed')
  })

  test('refuses transactions in which a check could miss what was committed', async () => {
    await using fleet = await createTestFleet(postgres())
    const claims = fleet.claimsOf('m-2')
    const { changes } = await claims.snapshot()
    await fleet.owner.query(`alter database ${fleet.database} set default_transaction_isolation = 'repeatable read'`)
    const late = fleet.claimsOf('m-3')
    await late.snapshot()
    await expect(
      late.acquire({ ticket: 'A', holder: 'p', ttlMs: 1000, changes, expired: [], asked: null, floor: 0 }),
    ).rejects.toMatchObject({
      code: 'fleet_failed',
      message: expect.stringMatching(/read committed.*alter role/),
    })
  })
})
