/** The claims of a server as a store reads them. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { fleetClone } from '../test-support/fleet-clones.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { CLIENT, createTestFleet } from '../test-support/test-fleet.ts'
import { until } from '../test-support/until.ts'
import { openStore } from './store.ts'
import type { StoreFleet } from './store-fleet.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const postgres = postgresForFile()

async function readWeakly(fleet: StoreFleet): Promise<WeakRef<object>> {
  const given = await fleet.read()
  if (!('snapshot' in given)) throw new Error('the claims are not known')
  return new WeakRef(given.snapshot)
}

describe.skipIf(postgresObstacle())('the claims of a store in a fleet', () => {
  test('are not kept when they have been read again, however long the process runs', async () => {
    await using testFleet = await createTestFleet(postgres())
    using clone = fleetClone({ id: testFleet.id, url: postgres().url(testFleet.database, CLIENT) }, 'm-1', ['A'])
    const store = openStore({ root: clone.root, actor: 'tester' }, { waits: true })
    const fleet = store.fleet!
    const first = await readWeakly(fleet)
    expect((await fleet.read()) && (await fleet.read())).toHaveProperty('snapshot')
    await until('the first snapshot is collected', () => {
      collectGarbage()
      return first.deref() === undefined
    })
    await fleet.close()
    store.close()
  })
})
