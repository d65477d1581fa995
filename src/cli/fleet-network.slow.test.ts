/** Commands of a machine in a network of its own, whose cable to the server is pulled: nothing answers, and nothing refuses. */
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { fleetClone } from '../test-support/fleet-clones.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { CLI } from '../test-support/run-cli.ts'
import { networkObstacle } from '../test-support/system-abilities.ts'
import { CLIENT, createTestFleet } from '../test-support/test-fleet.ts'

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
    run(root: string, ...args: string[]) {
      const startedAt = performance.now()
      const command = ['netns', 'exec', name, process.execPath, CLI, '-C', root, ...args, '--json']
      const { status, stdout, stderr } = spawnSync('ip', command, { encoding: 'utf8' })
      return {
        status,
        ms: performance.now() - startedAt,
        text: stdout + stderr,
        document: stdout && JSON.parse(stdout),
      }
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
    const accepted = run('accept', 'A', '--holder', 'pod')
    expect(accepted).toMatchObject({ status: 0, document: { accepted: true } })
    const token = String((accepted.document as { claim: { token: number } }).claim.token)
    network.pull()
    const refused = run('accept', 'B', '--holder', 'pod')
    expect(refused).toMatchObject({ status: 1, text: expect.stringContaining('"fleet_unreachable"') })
    expect(run('renew', 'A', '--token', token)).toMatchObject({ status: 5 })
    expect(run('consult', 'B')).toMatchObject({ status: 3, document: { reasons: [{ code: 'claims_unknown' }] } })
    expect(run('record', 'B', 'note', '--reason', 'still works')).toMatchObject({ status: 0 })
    network.plug()
    expect(run('renew', 'A', '--token', token)).toMatchObject({ status: 0, document: { claim: { live: true } } })
    expect(run('accept', 'B', '--holder', 'pod')).toMatchObject({ status: 0 })
    const log = await fleet.owner.query("select 1 from ticketplan.claim_log where action = 'acquired'")
    expect(log).toHaveLength(2)
  })
})
