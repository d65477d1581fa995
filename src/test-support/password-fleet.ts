/** A server that wants passwords and encrypts, with the roles of docs/fleet.md, for the tests of a file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect } from 'vitest'
import { postgresForFile, postgresObstacle, type TestPostgres, writeCertificate } from './postgres.ts'
import { jsonOf, PACKAGE_ROOT, type Run, runCli } from './run-cli.ts'
import { type TemporaryRepository, temporaryRepository } from './temporary-repository.ts'

/** That of the roles plan_owner and plan_client. */
export const PASSWORD = 'Vq7-Zebra-Kayak'
const HBA = `local all all trust
hostssl all all 127.0.0.1/32 scram-sha-256
`

export interface PasswordFleet {
  postgres(): TestPostgres
  /** The path of the server's certificate. */
  certificate(): string
  /** Returns a URL without a password, or with one. */
  url(user: string, options?: { password?: string; database?: string; parameters?: string }): string
  asOwner<T>(database: string, action: (sql: (text: string) => Promise<unknown>) => Promise<T>): Promise<T>
  /** Runs a command without a password of the caller's own environment. */
  cli(root: string, args: string[], env?: NodeJS.ProcessEnv): Promise<Run>
  /** All runs of the file, for the search for passwords. */
  runs: { args: string[]; run: Run }[]
  /** Creates a repository whose ticketplan.json names a new fleet. */
  repositoryWithFleet(): Promise<TemporaryRepository>
}

/** Starts the server before the tests of a file; its database is `plans`. */
export function passwordFleet(): PasswordFleet {
  const postgres = postgresForFile({ hba: HBA })
  const runs: PasswordFleet['runs'] = []
  let certificate: string
  const fleet: PasswordFleet = {
    postgres,
    certificate: () => certificate,
    url(user, { password, database = 'plans', parameters = 'sslmode=require' } = {}) {
      const secret = password === undefined ? '' : `:${password}`
      return `postgres://${user}${secret}@127.0.0.1:${postgres().port}/${database}?${parameters}`
    },
    async asOwner(database, action) {
      const connection = await postgres().connect(database)
      try {
        return await action(text => connection.query(text))
      } finally {
        connection.close(1000)
      }
    },
    async cli(root, args, env = {}) {
      const run = await runCli(root, args, { env: { PGPASSWORD: undefined, HOME: '/nonexistent', ...env } })
      runs.push({ args, run })
      return run
    },
    runs,
    async repositoryWithFleet() {
      const repository = temporaryRepository()
      expect(await fleet.cli(repository.root, ['fleet', 'init', '--name', 'shop'], asOwner())).toMatchObject({
        status: 0,
      })
      return repository
    },
  }
  const asOwner = () => ({ TICKETPLAN_FLEET_URL: fleet.url('plan_owner'), PGPASSWORD: PASSWORD })
  beforeAll(async () => {
    if (postgresObstacle() !== null) return
    certificate = writeCertificate(postgres(), 'localhost')
    await fleet.asOwner('postgres', async sql => {
      await sql('alter system set ssl = on')
      await sql('select pg_reload_conf()')
      await sql(`create role plan_owner login password '${PASSWORD}'`)
      await sql('create database plans owner plan_owner')
    })
    using repository = temporaryRepository()
    const migrated = await fleet.cli(repository.root, ['fleet', 'migrate', '--json'], asOwner())
    expect(jsonOf(migrated)).toMatchObject({ before: 0, after: 2, server: { user: 'plan_owner', database: 'plans' } })
    await fleet.asOwner('plans', sql => sql(documentedGrants()))
  })
  return fleet
}

/** The SQL for roles that docs/fleet.md gives. */
function documentedGrants(): string {
  const page = readFileSync(join(PACKAGE_ROOT, 'docs', 'fleet.md'), 'utf8')
  const [, sql] = /## Roles and privileges[\s\S]*?```sql\n([\s\S]*?)```/.exec(page)!
  return sql!.replace('choose one', PASSWORD)
}
