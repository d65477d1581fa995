/** Calls through PgBouncer in its transaction mode, where each transaction may have another connection to the server. */
import { spawn } from 'node:child_process'
import { chownSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { historyProblems, readHistory } from '../test-support/claim-history.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { programObstacle } from '../test-support/system-abilities.ts'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import { CLIENT, createTestFleet } from '../test-support/test-fleet.ts'
import { migrateServer } from './administration.ts'
import { fleetServer } from './fleet-server.ts'
import { FLEET_SCHEMA_VERSION } from './migrations.ts'
import { serverClaims } from './server-claims.ts'
import { settingsOf } from './server-settings.ts'
import { parseServerUrl } from './server-url.ts'

const postgres = postgresForFile()
const obstacle = postgresObstacle() ?? programObstacle('pgbouncer')

/** Starts PgBouncer with two connections to the server for each user and database; returns its port. */
async function startPgBouncer(): Promise<{ port: number } & AsyncDisposable> {
  const folder = temporaryFolder()
  const { uid, gid } = statSync(join(postgres().folder, 'data'))
  const port = await freePort()
  const configuration = join(folder.path, 'pgbouncer.ini')
  const users = join(folder.path, 'users.txt')
  writeFileSync(users, `"postgres" ""\n"${CLIENT}" ""\n`)
  writeFileSync(
    configuration,
    `[databases]
* = host=127.0.0.1 port=${postgres().port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = 2
`,
  )
  for (const path of [folder.path, configuration, users]) chownSync(path, uid, gid)
  const child = spawn('pgbouncer', ['-q', configuration], { uid, gid, stdio: 'ignore' })
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error('PgBouncer does not start')
    await sleep(20)
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      const ended = new Promise(done => child.once('exit', done))
      child.kill('SIGKILL')
      await ended
      folder[Symbol.dispose]()
    },
  }
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

function isListening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

describe.skipIf(obstacle)('through PgBouncer in transaction mode', () => {
  test('more clones than connections take Tickets, and the schema can be migrated', async () => {
    await using fleet = await createTestFleet(postgres())
    await using bouncer = await startPgBouncer()
    const settings = (user: string) =>
      settingsOf(parseServerUrl(`postgres://${user}@127.0.0.1:${bouncer.port}/${fleet.database}`, 'test'), false)
    const after = FLEET_SCHEMA_VERSION
    expect(await migrateServer(settings('postgres'))).toEqual({ before: after, after })
    const servers = Array.from({ length: 8 }, () => fleetServer(settings(CLIENT), 20_000))
    const taken = await Promise.all(
      servers.map(async (server, at) => {
        const claims = serverClaims(server, { fleet: fleet.id, machine: `m-${at}`, pools: {} })
        let wins = 0
        for (const ticket of ['A', 'B', 'C', 'D']) {
          const { changes } = await claims.snapshot()
          const answer = await claims.acquire({
            ticket,
            holder: 'pod',
            ttlMs: 60_000,
            changes,
            expired: [],
            asked: { tickets: [], pools: [] },
            floor: 0,
          })
          if (answer.status !== 'acquired') continue
          wins++
          expect((await claims.renew(ticket, answer.claim.token)).status).toBe('kept')
          if (ticket === 'D') expect((await claims.release(ticket, { token: answer.claim.token })).status).toBe('kept')
        }
        return wins
      }),
    )
    expect(taken.reduce((one, other) => one + other)).toBeGreaterThanOrEqual(4)
    const history = await readHistory(fleet.owner, fleet.id)
    expect(historyProblems(history)).toEqual([])
    expect(
      history
        .filter(({ action }) => action === 'acquired')
        .map(({ ticket }) => ticket)
        .sort()
        .slice(0, 4),
    ).toEqual(['A', 'B', 'C', 'D'])
    await Promise.all(servers.map(server => server.close()))
  })
})
