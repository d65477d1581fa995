/** What another machine does between the snapshot of an accept and its reservation, one step after the other: nothing is timed. */
import { describe, expect, test } from 'vitest'
import { FLEET_SCHEMA_VERSION } from '../fleet/migrations.ts'
import { connectPlan } from '../sdk.ts'
import { type FleetMachines, withMachines } from '../test-support/fleet-machines.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { putTicket } from '../test-support/temporary-repository.ts'
import { CLIENT, setClock, stopClock } from '../test-support/test-fleet.ts'

const postgres = postgresForFile({ settings: 'fsync = off' })
const NOON = Date.parse('2026-06-08T12:00:00.000Z')
const RESERVING = 'ticketplan.acquire('

/** Runs an action before the next request with a text reaches the server. */
function before(proxy: FleetMachines['proxy'], text: string, action: () => Promise<unknown>): void {
  proxy.onRequest = async request => {
    if (!request.includes(text)) return
    proxy.onRequest = () => {}
    await action()
  }
}

/** Renews within a transaction that is open until the returned function is called. */
async function renewLater({ fleet }: FleetMachines, ticket: string, token: number): Promise<() => Promise<void>> {
  const session = await postgres().connect(fleet.database, CLIENT)
  await session.query('begin')
  const [row] = await session.query('select ticketplan.renew($1, $2::jsonb) as answer', [
    fleet.id,
    JSON.stringify({ version: FLEET_SCHEMA_VERSION, ticket, token }),
  ])
  expect(row!.answer).toMatchObject({ status: 'kept' })
  return async () => {
    await session.query('commit')
    session.close(1000)
  }
}

/** What keeps two Tickets apart, on both machines. */
const APART: Record<string, (plan: FleetMachines['one'], id: 'A' | 'B') => Promise<unknown>> = {
  conflicts_with: (plan, id) => plan.record({ ticket: id, kind: 'conflicts_with', other: id === 'A' ? 'B' : 'A' }),
  area: (plan, id) => plan.record({ ticket: id, kind: 'touches', paths: ['app/**'] }),
}

describe.skipIf(postgresObstacle())('a lease that a snapshot has as expired', () => {
  test.each(Object.keys(APART))('and whose renewal commits a moment later still holds back (%s)', async code => {
    await withMachines(postgres(), async machines => {
      const { fleet, proxy, one, two, log } = machines
      await stopClock(fleet.owner, NOON)
      for (const plan of [one, two]) for (const id of ['A', 'B'] as const) await APART[code]!(plan, id)
      const { claim } = await two.accept({ ticket: 'B', holder: 'pod-2', ttl: 60 })
      await setClock(fleet.owner, NOON + 59_999)
      const commit = await renewLater(machines, 'B', claim!.token!)
      await setClock(fleet.owner, NOON + 60_000)
      before(proxy, RESERVING, commit)
      const { accepted, reasons } = await one.accept({ ticket: 'A', holder: 'pod-1' })
      expect([accepted, reasons]).toEqual([false, [expect.objectContaining({ code, ticket: 'B' })]])
      expect((await log()).filter(({ ticket }) => ticket === 'A')).toEqual([])
    })
  })

  test('still has its slot', async () => {
    await withMachines(postgres(), async machines => {
      const { fleet, proxy, one, two } = machines
      await stopClock(fleet.owner, NOON)
      const { writeFileSync } = process.getBuiltinModule('node:fs')
      for (const { root } of [one, two]) writeFileSync(`${root}/ticketplan.json`, '{ "pools": { "gpu": 1 } }')
      await using first = await connectPlan({ root: one.root, actor: 'tester' })
      await using second = await connectPlan({ root: two.root, actor: 'tester' })
      const { claim } = await second.accept({ ticket: 'B', holder: 'pod-2', pool: 'gpu', ttl: 60 })
      await setClock(fleet.owner, NOON + 59_999)
      const commit = await renewLater(machines, 'B', claim!.token!)
      await setClock(fleet.owner, NOON + 60_000)
      before(proxy, RESERVING, commit)
      const { accepted, reasons } = await first.accept({ ticket: 'A', holder: 'pod-1', pool: 'gpu' })
      expect([accepted, reasons]).toMatchObject([false, [{ code: 'pool_full' }]])
    })
  })

  test('is no obstacle where nobody has renewed it', async () => {
    await withMachines(postgres(), async ({ fleet, one, two }) => {
      await stopClock(fleet.owner, NOON)
      for (const plan of [one, two]) for (const id of ['A', 'B'] as const) await APART.conflicts_with!(plan, id)
      await two.accept({ ticket: 'B', holder: 'pod-2', ttl: 60 })
      await setClock(fleet.owner, NOON + 60_000)
      expect(await one.accept({ ticket: 'A', holder: 'pod-1' })).toMatchObject({ accepted: true })
    })
  })
})

describe.skipIf(postgresObstacle())('a release', () => {
  test('is asked for where the Ticket is not settled, and where its file has just arrived', async () => {
    await withMachines(postgres(), async ({ proxy, one, two }) => {
      const behind = { verdict: 'hold', reasons: [{ code: 'behind', state: 'done' }] }
      putTicket(two.root, 'C', { state: 'queued' })
      for (const id of ['A', 'C']) {
        const { claim } = await two.accept({ ticket: id, holder: 'pod-2' })
        await two.release({ ticket: id, token: claim!.token!, state: 'done' })
      }
      await one.set({ ticket: 'B', state: 'done' })
      await one.list()
      const asked: unknown[] = []
      proxy.onRequest = text => {
        const list = /"releases_of":(\[[^\]]*\])/.exec(text)
        if (list) asked.push(JSON.parse(list[1]!))
      }
      expect(await one.consult('A')).toMatchObject(behind)
      putTicket(one.root, 'C', { state: 'queued' })
      expect(await one.consult('C')).toMatchObject(behind)
      expect(await one.consult('C')).toMatchObject(behind)
      expect(asked).toEqual([['A'], ['A'], ['A', 'C'], ['A', 'C']])
      putTicket(one.root, 'D', { state: 'queued' })
      expect(await one.accept({ ticket: 'D', holder: 'pod-1' })).toMatchObject({ accepted: true })
      expect(asked.slice(4)).toEqual([
        ['A', 'C'],
        ['A', 'C', 'D'],
        ['A', 'C', 'D'],
      ])
    })
  })
})

describe.skipIf(postgresObstacle())('between snapshot and reservation', () => {
  test('a Ticket that was taken and released as done holds the accept: it is behind', async () => {
    await withMachines(postgres(), async ({ proxy, one, two, log }) => {
      before(proxy, RESERVING, async () => {
        const { claim } = await two.accept({ ticket: 'A', holder: 'pod-2' })
        await two.release({ ticket: 'A', token: claim!.token!, state: 'done' })
      })
      const { accepted, reasons } = await one.accept({ ticket: 'A', holder: 'pod-1' })
      expect([accepted, reasons]).toMatchObject([false, [{ code: 'behind', state: 'done' }]])
      expect((await log()).filter(({ action }) => action === 'acquired')).toHaveLength(1)
    })
  })

  test('a Ticket that was claimed before, and then released as done, holds too', async () => {
    await withMachines(postgres(), async machines => {
      const { fleet, proxy, one, two } = machines
      await stopClock(fleet.owner, NOON)
      const { claim } = await two.accept({ ticket: 'A', holder: 'pod-2', ttl: 60 })
      await setClock(fleet.owner, NOON + 59_999)
      const commit = await renewLater(machines, 'A', claim!.token!)
      await setClock(fleet.owner, NOON + 60_000)
      before(proxy, RESERVING, async () => {
        await commit()
        await two.release({ ticket: 'A', token: claim!.token!, state: 'done' })
      })
      const { accepted, reasons } = await one.accept({ ticket: 'A', holder: 'pod-1' })
      expect([accepted, reasons]).toMatchObject([false, [{ code: 'behind', state: 'done' }]])
    })
  })
})
