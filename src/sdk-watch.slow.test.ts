import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { type ConnectedPlan, connectPlan } from './sdk.ts'
import { fleetClone } from './test-support/fleet-clones.ts'
import { postgresForFile, postgresObstacle } from './test-support/postgres.ts'
import { CLIENT, createTestFleet } from './test-support/test-fleet.ts'

const postgres = postgresForFile()
const PATIENCE = { timeout: 10_000 }

/** Runs a test on a connected plan; `connections` counts its connections, by their last statement. */
async function withPlan(
  use: (
    plan: ConnectedPlan,
    connections: () => Promise<{ all: number; listening: number }>,
    root: string,
  ) => Promise<void>,
): Promise<void> {
  await using fleet = await createTestFleet(postgres())
  using clone = fleetClone({ id: fleet.id, url: postgres().url(fleet.database, CLIENT) }, 'm-1', ['A'])
  await using plan = await connectPlan({ root: clone.root, actor: 'tester' })
  const connections = async () => {
    const rows = await fleet.owner.query(
      'select query from pg_stat_activity where datname = current_database() and usename = $1',
      [CLIENT],
    )
    return { all: rows.length, listening: rows.filter(({ query }) => query === 'listen ticketplan').length }
  }
  await use(plan, connections, clone.root)
}

describe.skipIf(postgresObstacle())('a watch of a connected plan', () => {
  test('listens to the server until it is closed, and another one does not need the first', async () => {
    await withPlan(async (plan, connections) => {
      const listening = async (count: number) =>
        vi.waitFor(async () => expect(await connections()).toMatchObject({ listening: count }), PATIENCE)
      const first = await plan.watch(() => {})
      const second = await plan.watch(() => {})
      await listening(2)
      first.close()
      await listening(1)
      const events: string[] = []
      const third = await plan.watch(({ change }) => events.push(change))
      second.close()
      await listening(1)
      await plan.claim({ ticket: 'A', holder: 'pod' })
      await vi.waitFor(() => expect(events).toContain('claimed'), PATIENCE)
      third.close()
      await listening(0)
    })
  })

  test('leaves no connection where the plan is closed while it starts', async () => {
    await withPlan(async (plan, connections, root) => {
      const starting = plan.watch(() => {})
      const [started] = await Promise.allSettled([starting, plan.close()])
      expect(started).toMatchObject({ status: 'rejected', reason: { code: 'invalid_input' } })
      // By the time that this one listens, one that was left behind would listen too.
      const next = await connectPlan({ root, actor: 'tester' })
      await next.watch(() => {})
      await vi.waitFor(async () => expect((await connections()).listening).toBeGreaterThan(0), PATIENCE)
      await next.close()
      await vi.waitFor(async () => expect(await connections()).toEqual({ all: 0, listening: 0 }), PATIENCE)
    })
  })

  test('asks no server on a closed plan, nor with a listener that is no function', async () => {
    await withPlan(async (plan, connections) => {
      await expect(plan.watch('print' as never)).rejects.toThrow('listener must be a function')
      expect((await connections()).all).toBe(0)
      await plan.close()
      await expect(plan.watch(() => {})).rejects.toThrow('the plan is closed')
      expect((await connections()).all).toBe(0)
    })
  })
})

test.skipIf(postgresObstacle())('a connected plan that is closed while methods run ends when they have', async () => {
  await withPlan(async (first, connections, root) => {
    const closedDuring = async <T>(call: (plan: ConnectedPlan) => Promise<T>): Promise<T> => {
      const plan = await connectPlan({ root, actor: 'tester' })
      const [answer] = await Promise.all([call(plan), plan.close()])
      await vi.waitFor(async () => expect((await connections()).all).toBe(0), PATIENCE)
      expect(openFiles(root)).toEqual([])
      return answer
    }
    await first.close()
    expect(await closedDuring(plan => plan.consult('A'))).toMatchObject({ verdict: 'accept' })
    const { claim } = await closedDuring(plan => plan.accept({ ticket: 'A', holder: 'pod' }))
    const held = { ticket: 'A', token: claim!.token! }
    expect(await closedDuring(plan => plan.renew(held))).toMatchObject({ claim: { live: true } })
    expect(await closedDuring(plan => plan.release(held))).toMatchObject({ claim: { live: false } })
    expect(await closedDuring(plan => plan.claim({ ticket: 'A', holder: 'pod' }))).toMatchObject({
      claim: { live: true },
    })
  })
})

/** Lists the files below a folder that this process has open; none where the system does not say. */
function openFiles(root: string): string[] {
  const folder = '/proc/self/fd'
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap(fd => {
    try {
      return [readlinkSync(join(folder, fd))].filter(path => path.startsWith(root))
    } catch {
      return [] // it was that of this search
    }
  })
}
