import { describe, expect, test } from 'vitest'
import { connectPlan, openPlan } from '../sdk.ts'
import { fleetClone } from '../test-support/fleet-clones.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { readTicketJson } from '../test-support/temporary-repository.ts'
import { CLIENT, createTestFleet } from '../test-support/test-fleet.ts'

const obstacle = postgresObstacle()
const postgres = postgresForFile()

describe.skipIf(obstacle)('two machines', () => {
  test('one accepts a Ticket, the other is refused, whatever the holders are called', async () => {
    await using fleet = await createTestFleet(postgres())
    const joinable = { id: fleet.id, url: postgres().url(fleet.database, CLIENT) }
    using one = fleetClone(joinable, 'm-1', ['A', 'B'])
    using two = fleetClone(joinable, 'm-2', ['A', 'B'])
    await using a = await connectPlan({ root: one.root, actor: 'tester' })
    await using b = await connectPlan({ root: two.root, actor: 'tester' })
    const accepted = await a.accept({ ticket: 'A', holder: 'pod-1' })
    expect(accepted).toMatchObject({ accepted: true, claim: { ticket: 'A', machine: 'm-1', live: true } })
    expect(readTicketJson(one.root, 'tickets/A.json').decisions).toMatchObject([{ kind: 'accepted_plan' }])
    const refused = await b.accept({ ticket: 'A', holder: 'pod-1' })
    expect(refused).toMatchObject({ accepted: false, decision: null, reasons: [{ code: 'claimed', machine: 'm-1' }] })
    expect(readTicketJson(two.root, 'tickets/A.json').decisions).toEqual([])
    expect(() => openPlan({ root: one.root }).consult('A')).toThrow(/connectPlan/)
  })
})
