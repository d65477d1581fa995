/** Commands that go on and commands that read, in a fleet of two clones: with the server, without it, and when it is back. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { browserObstacle, launchBrowser, openPage, servePlan } from '../test-support/browser.ts'
import { withClones as onClones, whileStopped } from '../test-support/fleet-clones.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { errorOf, jsonOf, type PlanChild, runCli, startCli } from '../test-support/run-cli.ts'
import { readTicketJson } from '../test-support/temporary-repository.ts'
import type { TestFleet } from '../test-support/test-fleet.ts'
import { until } from '../test-support/until.ts'

const obstacle = postgresObstacle()
const postgres = postgresForFile({ settings: 'fsync = off' })

type Use = (one: string, two: string, fleet: TestFleet) => Promise<void>
const withClones = (use: Use, options?: Parameters<typeof onClones>[2]) => onClones(postgres(), use, options)
const withoutServer = <T>(action: () => Promise<T>) => whileStopped(postgres(), action)

async function take(root: string, ttl: number): Promise<string> {
  const run = await runCli(root, ['claim', 'A', '--holder', 'pod', '--ttl', String(ttl), '--json'])
  return String(jsonOf<{ claim: { token: number } }>(run).claim.token)
}

const forceAway = (root: string) => runCli(root, ['release', 'A', '--force', '--reason', 'the plan has changed'])
const says = (child: PlanChild, text: string) => until(text, () => child.stderr().includes(text))
/** Says when it has started, and, in ms, when it has to end. */
const WORK = "trap 'date +%s%3N; exit 0' TERM; echo ready; while :; do sleep 0.05; done"

async function startKeep(root: string, ttl: number, script: string, ...options: string[]): Promise<PlanChild> {
  const child = startCli(root, ['keep', 'A', '--token', await take(root, ttl), ...options, '--', 'sh', '-c', script])
  await child.said(1)
  return child
}

describe.skipIf(obstacle)('keep in a fleet', () => {
  test('ends its command and exits with 75 where another clone forces the claim away', async () => {
    await withClones(async (one, two) => {
      const child = await startKeep(one, 600, WORK)
      await forceAway(two)
      expect(await child.ended).toEqual({ status: 75, signal: null })
      expect(child.lines).toHaveLength(2)
      expect(child.stderr()).toContain('released by force: the plan has changed; ending the command')
    })
  })

  test('kills a command that stays, so that it does not work beside the next holder', async () => {
    await withClones(async (one, two) => {
      const script = "trap '' TERM; echo $$; while :; do sleep 0.05; done"
      const child = await startKeep(one, 600, script, '--grace', '1s', '--release')
      await forceAway(two)
      const token = await take(two, 600)
      expect(await child.ended).toEqual({ status: 75, signal: null })
      expect(existsSync(`/proc/${child.lines[0]}`)).toBe(false)
      // The claim of the other clone is not released.
      expect((await runCli(two, ['renew', 'A', '--token', token])).status).toBe(0)
    })
  })

  test('has ended its command before the lease is over where the server stays away', async () => {
    await withClones(async (one, two, { database }) => {
      const child = await startKeep(one, 24, WORK, '--grace', '8s')
      await withoutServer(async () => expect(await child.ended).toEqual({ status: 75, signal: null }))
      expect(child.stderr()).toContain('could not be renewed before its end')
      const owner = await postgres().connect(database)
      const [lease] = await owner.query('select extract(epoch from expires_at) * 1000 as until from ticketplan.leases')
      owner.close(1000)
      expect(Number(child.lines[1])).toBeLessThan(Number(lease!.until))
      expect((await runCli(two, ['consult', 'B'])).status).toBe(0)
    })
  })

  test('keeps its command where the server is back in time', async () => {
    await withClones(async (one, two) => {
      const child = await startKeep(one, 45, 'echo ready; exec sleep 100', '--grace', '1s')
      await withoutServer(() => says(child, 'trying again'))
      const listed = async () => {
        const { claims } = jsonOf<{ claims: { renewed_at: string }[] }>(await runCli(two, ['claims', '--json']))
        return claims[0]!.renewed_at
      }
      const before = await listed()
      await until('it is renewed again', async () => (await listed()) > before)
      child.process.kill('SIGTERM')
      expect(await child.ended).toEqual({ status: 143, signal: null })
    })
  })

  test('starts no command while the server is away: 5, and the claim is not lost', async () => {
    await withClones(async one => {
      const args = ['keep', 'A', '--token', await take(one, 600), '--json', '--', 'touch', join(one, 'ran')]
      const run = await withoutServer(() => runCli(one, args))
      expect(run.status).toBe(5)
      expect(JSON.parse(run.stderr.trim().split('\n').at(-1)!)).toEqual({
        ticket: 'A',
        status: 5,
        lost: false,
        released: false,
      })
      expect(existsSync(join(one, 'ran'))).toBe(false)
    })
  })

  test.each([
    [7, 7],
    [0, 1],
  ])('passes the status %i of a command on as %i where the server is away at the end', async (status, expected) => {
    await withClones(async one => {
      const script = `echo ready; while [ ! -e ${one}/enough ]; do sleep 0.05; done; exit ${status}`
      const child = await startKeep(one, 600, script, '--release', '--state', 'done')
      await withoutServer(async () => {
        writeFileSync(join(one, 'enough'), '')
        expect(await child.ended).toEqual({ status: expected, signal: null })
      })
      expect(child.stderr()).toContain('does not answer')
      expect(readTicketJson(one, 'tickets/A.json').state).toBe('queued')
    })
  })
})

interface WatchLine {
  ticket: string
  change: string
  verdicts: { ticket: string; from: string; to: string; reasons: { code: string }[] }[]
}

describe.skipIf(obstacle)('watch in a fleet', () => {
  test('says which verdicts a claim on another clone changes, and that claims are unknown, not ended', async () => {
    await withClones(
      async (one, two) => {
        using plan = openPlan({ root: two, actor: 'tester' })
        plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
        const child = startCli(two, ['watch'])
        const events = () => child.lines.map(line => JSON.parse(line) as WatchLine)
        const next = async (count: number) => {
          await child.said(count)
          const { ticket, change, verdicts } = events()[count - 1]!
          return [ticket, change, ...verdicts.map(one => [one.ticket, one.to, ...one.reasons.map(({ code }) => code)])]
        }
        await says(child, 'watching 3 Tickets')
        const token = await take(one, 600)
        expect(await next(1)).toEqual(['A', 'claimed', ['A', 'hold', 'claimed'], ['B', 'hold', 'conflicts_with']])
        await withoutServer(async () =>
          expect(await next(2)).toEqual(['C', 'changed', ['C', 'hold', 'claims_unknown']]),
        )
        expect(await next(3)).toEqual(['C', 'changed', ['C', 'accept']])
        await runCli(one, ['release', 'A', '--token', token])
        expect(await next(4)).toEqual(['A', 'unclaimed', ['A', 'accept'], ['B', 'accept']])
        child.process.kill('SIGTERM')
        expect(await child.ended).toEqual({ status: 0, signal: null })
        expect(events().map(({ change }) => change)).toEqual(['claimed', 'changed', 'changed', 'unclaimed'])
      },
      { tickets: ['A', 'B', 'C'] },
    )
  })
})

describe.skipIf(obstacle)('wait in a fleet', () => {
  test('takes no claim for released that is unknown: it goes on, or times out', async () => {
    await withClones(async (one, two) => {
      const token = await take(one, 600)
      const child = startCli(two, ['wait', 'A', '--until', 'released'])
      await says(child, 'waiting until A is not claimed')
      await withoutServer(async () => {
        await says(child, 'the claims are unknown')
        const late = await runCli(two, ['wait', 'A', '--until', 'released', '--timeout', '1'])
        expect([late.status, late.stdout]).toEqual([
          7,
          expect.stringMatching(/^timed out.*\nA .* the claims are unknown$/m),
        ])
      })
      await says(child, 'the claims are known again')
      expect(child.lines).toEqual([])
      await runCli(one, ['release', 'A', '--token', token])
      expect(await child.ended).toEqual({ status: 0, signal: null })
    })
  })
})

interface OverviewDocument {
  claims: object[]
  running: { claimed: boolean | null }[]
  counts: { unclaimed: number }
  attention: { code: string }[]
}

describe.skipIf(obstacle)('the page of view in a fleet', () => {
  test('has the claim of the other machine, and gets an event when the server is away, and when it is back', async () => {
    // Nothing is queued: no verdict changes with the claims.
    await withClones(
      async (one, two) => {
        await take(one, 600)
        const child = startCli(two, ['view', '--port', '0'])
        await child.said(1)
        const { origin, hash } = new URL(child.lines[0]!)
        const headers = { Authorization: `Bearer ${hash.split('=')[1]}` }
        const overview = async () =>
          (await (await fetch(`${origin}/api/overview`, { headers })).json()) as OverviewDocument
        const known = await overview()
        expect(known.claims).toMatchObject([{ ticket: 'A', holder: 'pod', machine: 'm-1', live: true }])
        expect(JSON.stringify(known)).not.toContain('"token"')
        let changes = 0
        const stream = await fetch(`${origin}/api/events`, { headers })
        const reading = (async () => {
          for await (const text of stream.body!.pipeThrough(
            new TextDecoderStream() as never,
          ) as unknown as AsyncIterable<string>)
            if (text.includes('event: changed')) changes++
        })()
        await withoutServer(async () => {
          await until('the page gets an event', () => changes === 1)
          const unknown = await overview()
          expect(unknown).toMatchObject({ claims: [], running: [{ claimed: null }], counts: { unclaimed: 0 } })
          expect(unknown.attention.map(({ code }) => code)).toEqual(['claims_unknown'])
        })
        await until('the page gets an event', () => changes === 2)
        expect(await overview()).toMatchObject({ claims: known.claims, running: [{ claimed: true }], attention: [] })
        child.process.kill('SIGTERM')
        expect(await child.ended).toEqual({ status: 0, signal: null })
        await reading.catch(() => {})
      },
      { tickets: ['A'], state: 'in_progress' },
    )
  })
})

const noBrowser = browserObstacle()
if (noBrowser) console.warn(`the page without the server of a fleet is not tested: ${noBrowser}`)

test.skipIf(obstacle ?? noBrowser)('the page draws no claim as missing that is unknown', async () => {
  await withClones(
    async one => {
      await withoutServer(async () => {
        await using plan = await servePlan(one)
        const browser = await launchBrowser()
        try {
          await using open = await openPage(browser, plan.url)
          const text = await open.page.locator('main').innerText()
          expect(text).toContain('Running; the claims are unknown')
          expect(text).toContain('the claims are unknown: the server of the fleet')
          expect(text).not.toMatch(/without a claim|Nobody works/)
        } finally {
          await browser.close()
        }
      })
    },
    { tickets: ['A'], state: 'in_progress' },
  )
})

const SQL = 'select ticket_id, holder, live from claims'
const COMMANDS = {
  brief: ['brief'],
  hook: ['brief', '--hook', 'claude'],
  worker: ['brief', '--hook', 'claude'],
  top: ['top', '--once'],
  sql: ['sql', SQL, '--json'],
  count: ['sql', 'select count(*) from tickets', '--csv'],
  doctor: ['doctor'],
  html: ['export', 'html'],
}

async function runAll(root: string) {
  const stdinPath = join(root, '.git', 'input')
  writeFileSync(stdinPath, '{"hook_event_name":"SubagentStart"}')
  const runs = Object.entries(COMMANDS).map(async ([name, args]) => {
    return [name, await runCli(root, args, name === 'worker' ? { stdinPath } : {})] as const
  })
  return Object.fromEntries(await Promise.all(runs)) as Record<
    keyof typeof COMMANDS,
    Awaited<ReturnType<typeof runCli>>
  >
}

describe.skipIf(obstacle)('top, brief, sql and doctor in a fleet', () => {
  test('show the claim of another clone; without the server no claim counts as none', async () => {
    await withClones(async (one, two, { id }) => {
      const accepted = await runCli(one, ['accept', 'A', '--holder', 'pod', '--state', 'in_progress'])
      expect(accepted.status).toBe(0)
      const known = await runAll(two)
      expect(known.brief.stdout).toMatch(/^A held by pod until /m)
      expect(known.top.stdout).toMatch(/^A +pod /m)
      expect(jsonOf(known.sql)).toMatchObject({ rows: [['A', 'pod', 1]] })
      expect(known.doctor.stdout).toMatch(new RegExp(`^ok +fleet +${id} on 127.0.0.1.*as clone m-2`, 'm'))
      const unknown = await withoutServer(() => runAll(one))
      expect(unknown.brief.stdout).toContain('! The claims are unknown')
      expect(unknown.brief.stdout).not.toMatch(/No claims|WITHOUT A LIVE CLAIM/)
      expect(unknown.brief.stdout).toContain('hold B "Ticket B": the claims are unknown')
      expect(unknown.hook.stdout).toContain('The claims are unknown')
      expect(known.worker.stdout).not.toContain('no brief')
      expect(unknown.worker.stdout).toContain('there is no brief: the server of the fleet')
      expect(unknown.top.stdout).toMatch(/^A +claim unknown /m)
      expect(unknown.top.stdout).toMatch(/^! +the claims are unknown: .*/m)
      expect(unknown.top.stdout).not.toMatch(/without a claim|nothing wrong/)
      expect([unknown.sql.status, unknown.sql.stdout]).toEqual([1, ''])
      expect(errorOf(unknown.sql).code).toBe('fleet_unreachable')
      expect([unknown.count.status, unknown.count.stdout]).toEqual([0, 'count(*)\n2\n'])
      expect(unknown.doctor.stdout).toMatch(/^ok +fleet .*"ticketplan fleet status" asks the server$/m)
      // An export is for others: it does not say where the server is.
      expect(unknown.html.stdout).toContain('claims_unknown')
      expect(unknown.html.stdout).not.toContain('plan_client')
    })
  })
})
