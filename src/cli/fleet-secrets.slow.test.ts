/** Whatever programs a command of a fleet starts: none gets a password but by the variables that the caller gave it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PASSWORD, passwordFleet } from '../test-support/password-fleet.ts'
import { postgresObstacle } from '../test-support/postgres.ts'
import { jsonOf } from '../test-support/run-cli.ts'
import { type StartedProgram, traceStarts } from '../test-support/strace.ts'
import { straceObstacle } from '../test-support/system-abilities.ts'
import { putTicket, temporaryFolder } from '../test-support/temporary-repository.ts'

const WRONG = 'Wrong-Otter-Canoe'
const obstacle = postgresObstacle() ?? straceObstacle()
if (obstacle !== null) process.stderr.write(`the search for passwords in processes is skipped: ${obstacle}\n`)
const { url, repositoryWithFleet } = passwordFleet()

const hasPassword = (text: string) => text.includes(PASSWORD) || text.includes(WRONG)
const nameOf = (entry: string) => entry.split('=', 1)[0]!
const isOf = (program: string) => (started: StartedProgram) => started.args.some(word => word.includes(program))

type Give = (password: string, home: string) => NodeJS.ProcessEnv

const SOURCES: Record<string, { give: Give; variable?: string }> = {
  'the URL': {
    give: password => ({ TICKETPLAN_FLEET_URL: url('plan_client', { password }) }),
    variable: 'TICKETPLAN_FLEET_URL',
  },
  PGPASSWORD: {
    give: password => ({ TICKETPLAN_FLEET_URL: url('plan_client'), PGPASSWORD: password }),
    variable: 'PGPASSWORD',
  },
  '~/.pgpass': {
    give(password, home) {
      writeFileSync(join(home, '.pgpass'), `*:*:*:plan_client:${password}\n`, { mode: 0o600 })
      return { TICKETPLAN_FLEET_URL: url('plan_client') }
    },
  },
}

describe.skipIf(obstacle)('a password of', () => {
  test.each(Object.keys(SOURCES))('%s is in no argument, and in no variable that was not given', async source => {
    using repository = await repositoryWithFleet()
    using home = temporaryFolder()
    const { root } = repository
    putTicket(root, 'A', { state: 'queued' })
    const { give, variable } = SOURCES[source]!
    const starts: StartedProgram[] = []
    const run = async (args: string[], given: NodeJS.ProcessEnv) => {
      const env = { PGPASSWORD: undefined, HOME: home.path, TICKETPLAN_DEBUG: '1', ...given }
      const traced = await traceStarts(root, args, { env })
      expect(traced.stdout + traced.stderr).not.toMatch(new RegExp(`${PASSWORD}|${WRONG}`))
      starts.push(...traced.starts)
      return traced
    }
    const env = give(PASSWORD, home.path)
    expect(await run(['fleet', 'join'], env)).toMatchObject({ status: 0 })
    const claimed = await run(['claim', 'A', '--holder', 'pod', '--json'], env)
    const token = String(jsonOf<{ claim: { token: number } }>(claimed).claim.token)
    const keep = ['keep', 'A', '--token', token, '--', 'true']
    const kept = await run(keep, env)
    for (const args of [['sql', 'select * from claims'], ['doctor'], ['brief', '--hook', 'claude']])
      expect((await run(args, env)).stdout).not.toBe('')

    const wrong = give(WRONG, home.path)
    const away = { ...wrong, TICKETPLAN_FLEET_URL: wrong.TICKETPLAN_FLEET_URL!.replace(/:\d+\//, ':1/') }
    for (const [args, given, status] of [
      [keep, wrong, 1],
      [keep, away, 5],
      [['sql', 'select * from claims'], wrong, 1],
      [['fleet', 'join'], away, 1],
    ] as const)
      expect((await run([...args], given)).status).toBe(status)

    for (const program of ['cli.js', 'git', 'sql-child', 'claim-renewer'])
      expect(starts.filter(isOf(program)), program).not.toEqual([])
    expect(starts.map(({ args }) => args).filter(args => args.some(hasPassword))).toEqual([])
    const named = new Set(starts.flatMap(({ environment }) => environment.filter(hasPassword).map(nameOf)))
    expect([...named]).toEqual(variable === undefined ? [] : [variable])
    // The user's own command has what the caller had, and two variables more.
    const [program] = kept.starts.filter(({ args }) => args.join() === 'true')
    const [caller] = kept.starts.filter(isOf('cli.js'))
    const added = program!.environment.filter(entry => !caller!.environment.includes(entry))
    expect(added).toEqual(['TICKETPLAN_TICKET=A', `TICKETPLAN_TOKEN=${token}`])
  })
})
