/** Calls to a server that is killed, hangs, is locked, or is gone. */
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { createTestFleet } from '../test-support/test-fleet.ts'
import { until } from '../test-support/until.ts'
import { createFleet } from './administration.ts'
import type { FleetLeaseRequest } from './fleet-claims.ts'
import { fleetServer } from './fleet-server.ts'
import { connectPostgres } from './postgres.ts'
import { serverClaims } from './server-claims.ts'
import { settingsOf } from './server-settings.ts'
import { parseServerUrl } from './server-url.ts'

const postgres = postgresForFile()
const request = (fields: Partial<FleetLeaseRequest> = {}): FleetLeaseRequest => ({
  ticket: 'A',
  holder: 'pod',
  ttlMs: 60_000,
  changes: 0,
  expired: [],
  asked: null,
  floor: 0,
  ...fields,
})

/** Returns the error and how long it took, in milliseconds. */
async function failure(call: Promise<unknown>): Promise<{ code: string; data: unknown; ms: number }> {
  const startedAt = performance.now()
  const error = await call.then(
    () => ({}),
    error => error,
  )
  return { code: error.code, data: error.data, ms: performance.now() - startedAt }
}

describe.skipIf(postgresObstacle())('a call to the server of a fleet', () => {
  test('is answered after the server was killed and started again in between', async () => {
    await using fleet = await createTestFleet(postgres())
    const claims = fleet.claimsOf('m-1')
    const { changes } = await claims.snapshot()
    const taken = await claims.acquire(request({ changes }))
    postgres().kill()
    await postgres().start()
    expect((await claims.snapshot()).claims).toMatchObject([{ ticket: 'A', live: true }])
    // Counts from before the restart mean nothing to the server that has come back.
    const other = fleet.claimsOf('m-2')
    await other.snapshot()
    expect((await other.acquire(request({ ticket: 'B', changes: 1 }))).status).toBe('acquired')
    expect(taken.status === 'acquired' && (await claims.renew('A', taken.claim.token)).status).toBe('kept')
  })

  test('of a verdict from before a restart is computed again', async () => {
    await using fleet = await createTestFleet(postgres())
    const claims = fleet.claimsOf('m-1')
    const { changes } = await claims.snapshot()
    postgres().stop()
    await postgres().start()
    const answer = await claims.acquire(request({ changes }))
    expect(answer.status).toBe('changed')
    expect((await claims.acquire(request({ changes }))).status).toBe('acquired')
  })

  test('fails at its timeout where the server hangs, and the next one is answered', async () => {
    await using fleet = await createTestFleet(postgres())
    const server = fleetServer(settingsOf(parseServerUrl(postgres().url(fleet.database), 'test'), false), 1500)
    const claims = serverClaims(server, { fleet: fleet.id, machine: 'm-1', pools: {} })
    await claims.snapshot()
    postgres().signal('SIGSTOP')
    try {
      const { code, data, ms } = await failure(claims.snapshot())
      expect([code, data]).toEqual(['fleet_unreachable', expect.objectContaining({ sent: true })])
      expect(ms).toBeGreaterThan(700)
    } finally {
      postgres().signal('SIGCONT')
    }
    expect((await claims.snapshot()).changes).toBe(0)
    await server.close()
  })

  test('fails where another transaction keeps the lock of the fleet, and is done once when repeated', async () => {
    await using fleet = await createTestFleet(postgres())
    const server = fleetServer(settingsOf(parseServerUrl(postgres().url(fleet.database), 'test'), false), 1500)
    const claims = serverClaims(server, { fleet: fleet.id, machine: 'm-1', pools: {} })
    const { changes } = await claims.snapshot()
    await fleet.owner.query('begin')
    await fleet.owner.query('select 1 from ticketplan.fleets for update')
    expect(await failure(claims.acquire(request({ changes })))).toMatchObject({ code: 'fleet_unreachable' })
    expect((await claims.snapshot()).claims).toEqual([])
    await fleet.owner.query('commit')
    const answer = await claims.acquire(request({ changes }))
    expect(['acquired', 'renewed']).toContain(answer.status)
    await fleet.owner.query('select 1 from ticketplan.fleets for update') // after every call that still waited
    const [log] = await fleet.owner.query(
      "select count(*)::int as takes from ticketplan.claim_log where action = 'acquired'",
    )
    expect(log).toEqual({ takes: 1 })
    await server.close()
  })

  test('fails at its timeout where nothing answers, and says that nothing was sent', async () => {
    const sockets: Socket[] = []
    const silent = createServer(socket => void sockets.push(socket))
    await new Promise<void>(done => silent.listen(0, '127.0.0.1', done))
    const { port } = silent.address() as { port: number }
    const server = fleetServer(settingsOf(parseServerUrl(`postgres://kim@127.0.0.1:${port}/plans`, 'test'), false), 500)
    expect(await failure(server.query('select 1'))).toMatchObject({
      code: 'fleet_unreachable',
      data: { host: '127.0.0.1', port, database: 'plans', user: 'kim', sent: false },
    })
    await server.close()
    for (const socket of sockets) socket.destroy()
    silent.close()
  })

  test('to a database that cannot be written says so, and that nothing was done', async () => {
    await using fleet = await createTestFleet(postgres())
    const settings = settingsOf(parseServerUrl(postgres().url(fleet.database), 'test'), false)
    await fleet.owner.query(`alter database ${fleet.database} set default_transaction_read_only = on`)
    const server = fleetServer(settings, 500)
    const claims = serverClaims(server, { fleet: fleet.id, machine: 'm-1', pools: {} })
    const { changes } = await claims.snapshot()
    await expect(claims.acquire(request({ changes }))).rejects.toMatchObject({
      code: 'fleet_unreachable',
      message: expect.stringMatching(/refuses for now: .* read-only transaction; check that the URL names the primary/),
      data: { sent: false },
    })
    await expect(createFleet(settings, 'shop-x')).rejects.toMatchObject({
      code: 'fleet_failed',
      message: expect.stringMatching(/refuses for now: .* read-only transaction; check that the URL names the primary/),
    })
    await fleet.owner.query(`alter database ${fleet.database} reset default_transaction_read_only`)
    await server.close()
    const again = fleet.claimsOf('m-1')
    await again.snapshot()
    expect((await again.acquire(request({ changes }))).status).toBe('acquired')
  })

  test.each([
    'connecting',
    'waiting to try again',
    'running',
  ])('that is %s ends when the server is closed', async what => {
    const contacts: Socket[] = []
    const fake = createServer(socket => {
      socket.on('error', () => {})
      contacts.push(socket)
      if (what !== 'connecting') socket.destroy()
    })
    await new Promise<void>(done => fake.listen(0, '127.0.0.1', done))
    const { port } = fake.address() as { port: number }
    const url =
      what === 'running' ? postgres().url('postgres') : `postgres://kim@127.0.0.1:${port}/plans?sslmode=disable`
    const server = fleetServer(settingsOf(parseServerUrl(url, 'test'), false), 600_000)
    const failed = failure(server.query('select pg_sleep(600)'))
    const watcher = await postgres().connect('postgres')
    const sleeping = () => watcher.query("select pid from pg_stat_activity where query = 'select pg_sleep(600)'")
    const hasBegun = async () =>
      what === 'running'
        ? (await sleeping()).length > 0
        : contacts.length > 3 || (what === 'connecting' && contacts.length > 0)
    await until('the call runs', hasBegun)
    await server.close()
    expect(await failed).toMatchObject({ code: 'fleet_unreachable' })
    expect(await failure(server.query('select 1'))).toMatchObject({ code: 'fleet_unreachable', data: { sent: false } })
    await expect(server.connect()).rejects.toMatchObject({ code: 'fleet_unreachable' })
    for (const { pid } of await sleeping()) await watcher.query('select pg_terminate_backend($1)', [pid])
    watcher.close(1000)
    for (const socket of contacts) socket.destroy()
    fake.close()
  })

  test('is not encrypted by default where the server offers no encryption, and refused where it must be', async () => {
    const connect = (mode: 'prefer' | 'require') =>
      connectPostgres(
        {
          address: { host: '127.0.0.1', port: postgres().port, database: 'postgres', user: 'postgres' },
          ssl: { mode },
          password: undefined,
          usesPasswordFiles: false,
        },
        10_000,
      )
    const connection = await connect('prefer')
    expect(await connection.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).toEqual([{ ssl: false }])
    connection.close(1000)
    await expect(connect('require')).rejects.toThrow(/does not support SSL/)
  })

  test('of a claim notifies listeners, and does so again after a restart', async () => {
    await using fleet = await createTestFleet(postgres())
    const { listenTo } = await import('./listen-to.ts')
    const server = fleetServer(settingsOf(parseServerUrl(postgres().url(fleet.database), 'test'), false))
    let heard = 0
    const stop = listenTo(server, fleet.id, () => heard++)
    const claims = fleet.claimsOf('m-1')
    const waitFor = async (isDone: () => boolean | Promise<boolean>) => {
      while (!(await isDone())) await sleep(20)
    }
    const isListening = async () => {
      const rows = await fleet.owner.query(
        "select 1 from pg_stat_activity where query = 'listen ticketplan' and state = 'idle' and datname = current_database()",
      )
      return rows.length > 0
    }
    await waitFor(isListening)
    const { changes } = await claims.snapshot()
    await claims.acquire(request({ changes }))
    await waitFor(() => heard === 1)
    await fleet.owner.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen ticketplan' and datname = current_database()",
    )
    await waitFor(() => heard === 2) // something may have been missed
    await claims.release('A', { force: true, reason: 'gone' })
    await waitFor(() => heard >= 3)
    stop()
    await server.close()
  })
})
