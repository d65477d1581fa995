/** A standby that replicates the server takes over: by streaming replication, synchronous and not. */
import { describe, expect, test } from 'vitest'
import { type ConnectedPlan, connectPlan } from '../sdk.ts'
import { fleetClone } from '../test-support/fleet-clones.ts'
import { postgresObstacle, startPostgres, type TestPostgres } from '../test-support/postgres.ts'
import { startTcpProxy } from '../test-support/tcp-proxy.ts'
import { CLIENT, createTestFleet, type TestFleet } from '../test-support/test-fleet.ts'
import { until } from '../test-support/until.ts'

const TICKETS = ['A', 'B', 'C', 'D']
const SETTINGS = 'fsync = off'

interface Pair {
  primary: TestPostgres
  standby: TestPostgres
  one: ConnectedPlan
  two: ConnectedPlan
  /** Waits until the standby has everything. */
  replicated(): Promise<void>
  /** Kills the primary and leads all clients to the standby, which is promoted. */
  failOver(): Promise<void>
}

/** Two machines that reach the primary by an address which a failover leads to the standby. */
async function withPair(use: (pair: Pair) => Promise<void>): Promise<void> {
  await using primary = await startPostgres({ settings: SETTINGS })
  await using fleet = await createTestFleet(primary)
  // As after many takes: were the time ahead of the tokens, none could come back.
  await fleet.owner.query('update ticketplan.fleets set token = extract(epoch from now())::bigint + 1000')
  await using standby = await startPostgres({ settings: SETTINGS, standbyOf: primary })
  let current = primary
  await using proxy = await startTcpProxy(() => current.port)
  const url = primary.url(fleet.database, CLIENT).replace(`:${primary.port}/`, `:${proxy.port}/`)
  using first = fleetClone({ id: fleet.id, url }, 'm-1', TICKETS)
  using second = fleetClone({ id: fleet.id, url }, 'm-2', TICKETS)
  await using one = await connectPlan({ root: first.root, actor: 'tester' })
  await using two = await connectPlan({ root: second.root, actor: 'tester' })
  await use({
    ...{ primary, standby, one, two },
    replicated: () => until('the standby has everything', () => isReplicated(fleet)),
    async failOver() {
      primary.kill()
      if (!standby.isRunning()) await standby.start()
      standby.promote()
      current = standby
      proxy.cut()
    },
  })
}

async function isReplicated({ owner }: TestFleet): Promise<boolean> {
  const rows = await owner.query('select replay_lsn >= pg_current_wal_lsn() as done from pg_stat_replication')
  return rows.length === 1 && rows[0]!.done === true
}

const take = async (plan: ConnectedPlan, ticket: string) => {
  const { accepted, claim } = await plan.accept({ ticket, holder: 'pod', ttl: 600 })
  expect(accepted).toBe(true)
  return { ticket, token: claim!.token! }
}

describe.skipIf(postgresObstacle())('a failover', () => {
  test('without synchronous replication: lost claims are stale, and no token comes back', async () => {
    await withPair(async ({ standby, one, two, replicated, failOver }) => {
      const kept = await take(one, 'A')
      await replicated()
      standby.stop()
      const lost = [await take(one, 'B'), await take(one, 'C')]
      await one.release(kept) // lost too: the claim is live again
      await failOver()
      expect(await one.renew(kept)).toMatchObject({ claim: { live: true } })
      for (const claim of lost) expect(await one.renew(claim)).toMatchObject({ refused: 'stale_token' })
      // The other machine has seen none of the lost tokens, and gets none of them.
      const again = [await take(two, 'B'), await take(two, 'C'), await take(one, 'D')]
      const tokens = [kept, ...lost, ...again].map(({ token }) => token)
      expect(tokens).toEqual([...tokens].sort((a, b) => a - b))
      expect(new Set(tokens).size).toBe(tokens.length)
      for (const claim of lost) expect(await one.renew(claim)).toMatchObject({ refused: 'stale_token' })
      expect((await one.consult('B')).claim).toMatchObject({ machine: 'm-2' })
    })
  })

  test('with synchronous replication loses nothing that was acknowledged', async () => {
    await withPair(async ({ primary, one, two, replicated, failOver }) => {
      const owner = await primary.connect('postgres')
      await owner.query("alter system set synchronous_standby_names = '*'")
      await owner.query('select pg_reload_conf()')
      await until('replication is synchronous', async () => {
        const [row] = await owner.query('select sync_state from pg_stat_replication')
        return row?.sync_state === 'sync'
      })
      owner.close(1000)
      await replicated()
      const taken = [await take(one, 'A'), await take(two, 'B'), await take(one, 'C')]
      await one.release({ ...taken[2]!, state: 'done' })
      await failOver()
      expect(await one.renew(taken[0]!)).toMatchObject({ claim: { live: true } })
      expect(await two.renew(taken[1]!)).toMatchObject({ claim: { live: true } })
      expect((await two.accept({ ticket: 'A', holder: 'pod' })).reasons).toMatchObject([{ code: 'claimed' }])
      expect((await two.consult('C')).reasons).toMatchObject([{ code: 'behind', state: 'done' }])
      expect((await take(two, 'D')).token).toBeGreaterThan(Math.max(...taken.map(({ token }) => token)))
    })
  })
})
