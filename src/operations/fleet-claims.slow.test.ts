import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'
import { checkedConnectedPlan, testClock } from '../test-support/checked-plan.ts'
import { fleetClone } from '../test-support/fleet-clones.ts'
import { testPlans } from '../test-support/plans-suite.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { CLIENT, createTestFleet, setClock, stopClock } from '../test-support/test-fleet.ts'

const obstacle = postgresObstacle()
const postgres = postgresForFile()

describe.skipIf(obstacle)('where a server has the claims', () => {
  testPlans('the claims of a fleet', async (use, pools) => {
    await using fleet = await createTestFleet(postgres())
    using repository = fleetClone({ id: fleet.id, url: postgres().url(fleet.database, CLIENT) }, 'm-1', [
      'A',
      'B',
      'C',
      'D',
    ])
    const { root } = repository
    if (pools) writeFileSync(join(root, 'ticketplan.json'), JSON.stringify({ pools }))
    const clock = testClock()
    await stopClock(fleet.owner, clock.nowMs)
    const tick = () => setClock(fleet.owner, clock.nowMs)
    await using plan = await checkedConnectedPlan(root, clock, tick)
    await use({ plan, root, clock, again: () => checkedConnectedPlan(root, clock, tick), machine: { machine: 'm-1' } })
  })
})
