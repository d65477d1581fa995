/** Commands of a machine in a network of its own, whose cable to the server is pulled: nothing answers, and nothing refuses. */
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { fleetClone } from '../test-support/fleet-clones.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { CLI, runProgram } from '../test-support/run-cli.ts'
import { networkObstacle } from '../test-support/system-abilities.ts'
import { CLIENT, createTestFleet } from '../test-support/test-fleet.ts'
import { until } from '../test-support/until.ts'

const SERVER = '198.51.100.1'
const MACHINE = '198.51.100.2'
const postgres = postgresForFile({
  hba: `local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all ${MACHINE}/32 trust\n`,
  settings: `fsync = off\nlisten_addresses = '*'`,
})

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`)
}

/** Connects a new network to this machine; `pull` and `plug` are done at this end, which the other one does not see. */
function connectNetwork() {
  const name = `tp${process.pid}`
  const [here, there] = [`${name}h`, `${name}t`]
  ip('netns', 'add', name)
  ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name)
  ip('addr', 'add', `${SERVER}/30`, 'dev', here)
  ip('-n', name, 'addr', 'add', `${MACHINE}/30`, 'dev', there)
  ip('link', 'set', here, 'up')
  ip('-n', name, 'link', 'set', there, 'up')
  return {
    pull: () => ip('link', 'set', here, 'down'),
    plug: () => ip('link', 'set', here, 'up'),
    async run(root: string, ...args: string[]) {
      const command = ['netns', 'exec', name, process.execPath, CLI, '-C', root, ...args, '--json']
      const { status, stdout, stderr } = await runProgram('ip', command)
      return { status, text: stdout + stderr, document: stdout && JSON.parse(stdout) }
    },
    [Symbol.dispose]: () => ip('netns', 'delete', name),
  }
}

const obstacle = postgresObstacle() ?? networkObstacle()
if (obstacle !== null) process.stderr.write(`the test of a network that is cut is skipped: ${obstacle}\n`)

describe.skipIf(obstacle)('a machine whose network is cut', () => {
  test('accepts nothing, keeps writing, and finds its claim when the network is back', async () => {
    await using fleet = await createTestFleet(postgres())
    using network = connectNetwork()
    const url = postgres().url(fleet.database, CLIENT).replace('127.0.0.1', SERVER)
    using clone = fleetClone({ id: fleet.id, url }, 'm-1', ['A', 'B'])
    const run = (...args: string[]) => network.run(clone.root, ...args)
    const accepted = await run('accept', 'A', '--holder', 'pod')
    expect(accepted).toMatchObject({ status: 0, document: { accepted: true } })
    const token = String((accepted.document as { claim: { token: number } }).claim.token)
    network.pull()
    const refused = await run('accept', 'B', '--holder', 'pod')
    expect(refused).toMatchObject({ status: 1, text: expect.stringContaining('"fleet_unreachable"') })
    expect(await run('renew', 'A', '--token', token)).toMatchObject({ status: 5 })
    expect(await run('consult', 'B')).toMatchObject({ status: 3, document: { reasons: [{ code: 'claims_unknown' }] } })
    expect(await run('record', 'B', 'note', '--reason', 'still works')).toMatchObject({ status: 0 })
    network.plug()
    expect(await run('renew', 'A', '--token', token)).toMatchObject({ status: 0, document: { claim: { live: true } } })
    expect(await run('accept', 'B', '--holder', 'pod')).toMatchObject({ status: 0 })
    const log = await fleet.owner.query("select 1 from ticketplan.claim_log where action = 'acquired'")
    expect(log).toHaveLength(2)
  })

  test('whose claim is being taken gets it later, by the same command', async () => {
    await using fleet = await createTestFleet(postgres())
    using network = connectNetwork()
    const url = postgres().url(fleet.database, CLIENT).replace('127.0.0.1', SERVER)
    using clone = fleetClone({ id: fleet.id, url }, 'm-1', ['A'])
    const accept = () => network.run(clone.root, 'accept', 'A', '--holder', 'pod')
    await fleet.owner.query('begin; lock table ticketplan.leases in share mode') // the claims can be read, and none taken
    const cut = accept()
    const isWaiting = async () =>
      (await fleet.owner.query("select from pg_locks where not granted and relation = 'ticketplan.leases'::regclass"))
        .length > 0
    await until('the server waits for the lock', isWaiting)
    network.pull()
    await fleet.owner.query('commit') // the server takes the claim, and its answer is lost
    const leases = () => fleet.owner.query('select ticket, token from ticketplan.leases')
    await until('the claim is taken', async () => (await leases()).length > 0)
    const [taken] = await leases()
    const text = expect.stringMatching(/nothing was written; the claim may hold A until/)
    expect(await cut).toMatchObject({ status: 1, text })
    network.plug()
    expect(await accept()).toMatchObject({ status: 0, document: { claim: { token: Number(taken!.token) } } })
    expect(await leases()).toHaveLength(1)
  })
})
