import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import { openPlan } from '../sdk.ts'
import { openStore } from '../store/store.ts'
import { checkAfterFault } from '../test-support/check-after-fault.ts'
import { decisionsOnDisk, type ReplayedPlan, replayedPlan } from '../test-support/replayed-plan.ts'
import {
  CLI,
  inParallel,
  PACKAGE_ROOT,
  type PlanChild,
  runCli,
  runProgram,
  startCli,
  startPlanChild,
} from '../test-support/run-cli.ts'
import { inotifyObstacle, withoutInotify } from '../test-support/system-abilities.ts'
import {
  makeNote,
  makeTicket,
  putTicket,
  replaceTicket,
  type TemporaryRepository,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { until } from '../test-support/until.ts'

const sorted = (decisions: Record<string, string[] | null>) =>
  JSON.stringify(Object.entries(decisions).sort(([a], [b]) => (a < b ? -1 : 1)))

/** Waits until the events add up to what the files hold. */
async function untilEmitted(root: string, replay: () => ReplayedPlan): Promise<void> {
  await until('all changes are emitted', () => sorted(replay().decisions()) === sorted(decisionsOnDisk(root)))
}

/** Starts `ticketplan watch` in a repository with queued Tickets. */
async function watchedRepository(
  repo: TemporaryRepository,
  ids: string[],
  options: Parameters<typeof startCli>[2] = {},
  args: string[] = [],
) {
  for (const id of ids) putTicket(repo.root, id, { state: 'queued' })
  const child = startCli(repo.root, ['watch', ...args], options)
  const replay = replayLines(repo, child)
  await until('it watches', () => child.stderr().includes('watching'))
  return { child, replay }
}

/** Returns a function that applies the lines so far to the Tickets as they are now. */
function replayLines(repo: TemporaryRepository, child: PlanChild): () => ReplayedPlan {
  using plan = openPlan({ root: repo.root })
  const replay = replayedPlan(plan)
  let applied = 0
  return () => {
    for (const line of child.lines.slice(applied)) replay.apply(JSON.parse(line))
    applied = child.lines.length
    return replay
  }
}

async function stop(child: PlanChild, signal: 'SIGINT' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
  child.process.kill(signal)
  expect(await child.ended).toEqual({ status: 0, signal: null })
}

describe('ticketplan watch', () => {
  it('prints exactly one line for each change, and exits 0 on SIGINT and SIGTERM', async () => {
    for (const [args, signal] of [
      [[], 'SIGINT'],
      [['--json'], 'SIGTERM'],
    ] as const) {
      using repo = temporaryRepository()
      const { child, replay } = await watchedRepository(repo, ['A', 'B'], {}, [...args])
      const message = `watching 2 Tickets in ${repo.ticketsDir}; stop with ctrl-c`
      expect(child.stderr()).toBe(args.length ? `${JSON.stringify({ note: message })}\n` : `${message}\n`)
      await runCli(repo.root, ['record', 'B', 'blocked_by', 'A', '--reason', 'x'])
      await child.said(1)
      expect(JSON.parse(child.lines[0]!)).toMatchObject({
        ticket: 'B',
        path: 'tickets/B.json',
        change: 'changed',
        decisions: [{ kind: 'blocked_by', target: 'A', by: 'tester' }],
        removed: [],
        verdicts: [{ ticket: 'B', from: 'accept', to: 'hold', reasons: [{ code: 'blocked_by', ticket: 'A' }] }],
      })
      await runCli(repo.root, ['accept', 'A', '--holder', 'pod-1'])
      await child.said(3)
      expect(child.lines.slice(1).map(line => JSON.parse(line).change)).toEqual(['changed', 'claimed'])
      await untilEmitted(repo.root, replay)
      await stop(child, signal)
      expect(child.lines).toHaveLength(3)
    }
  })

  it('exits when its reader is gone', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    const command = `"${process.execPath}" "${CLI}" -C "${repo.root}" watch | head -n 1; exit \${PIPESTATUS[0]}`
    const shell = spawn('bash', ['-c', command], { stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    shell.stderr.on('data', text => {
      stderr += text
    })
    const ended = once(shell, 'close')
    await until('it watches', () => stderr.includes('watching'))
    let over = false
    void ended.then(() => {
      over = true
    })
    for (let number = 0; !over; number++) await runCli(repo.root, ['record', 'A', 'note', '--reason', `${number}`])
    expect((await ended)[0]).toBe(0)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('fails without a tickets folder', async () => {
    using repo = temporaryRepository()
    rmSync(repo.ticketsDir, { recursive: true })
    expect(await runCli(repo.root, ['watch'])).toMatchObject({ status: 1, stdout: '' })
  })

  it('reports a full disk under its output, and exits', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    const command = `"${process.execPath}" "${CLI}" -C "${repo.root}" watch > /dev/full`
    const shell = runProgram('bash', ['-c', command])
    let over = false
    void shell.then(() => {
      over = true
    })
    for (let number = 0; !over; number++) await runCli(repo.root, ['record', 'A', 'note', '--reason', `${number}`])
    expect(await shell).toMatchObject({ status: 1, stderr: expect.stringContaining('no space left') })
  })
})

describe('watch survives', () => {
  it('20,000 changes in one burst', async () => {
    using repo = temporaryRepository()
    const write = (number: number, reason: string) =>
      writeFileSync(
        join(repo.ticketsDir, `T-${number}.json`),
        encodeTicket(makeTicket(`T-${number}`, { decisions: [makeNote(reason)] })),
      )
    for (let number = 0; number < 20_000; number++) write(number, 'before')
    const notices: string[] = []
    using plan = openPlan({ root: repo.root, onNotice: notice => notices.push(notice) })
    const replay = replayedPlan(plan)
    let ready = false
    plan.watch(event => {
      if (event.ticket === 'first') ready = true
      replay.apply(event)
    })
    putTicket(repo.root, 'first')
    await until('events arrive', () => ready)
    // In one turn: no event is received in between, and the kernel keeps 16,384 events.
    for (let number = 0; number < 20_000; number++) write(number, 'after')
    const expected = sorted(decisionsOnDisk(repo.root))
    await until('all changes are emitted', () => replay.events.length === 20_001)
    expect(sorted(replay.decisions())).toBe(expected)
    expect(notices).toEqual([])
    plan.close()
    checkAfterFault(repo.root, [])
  })

  it.for([
    ['watches', /no inotify watches are left/],
    ['instances', /no inotify instances or open files are left/],
  ] as const)('inotify used up: no %s left', async ([what, reason], { skip }) => {
    const obstacle = inotifyObstacle()
    skip(obstacle !== null, obstacle ?? '')
    using repo = temporaryRepository()
    const { child, replay } = await watchedRepository(repo, ['A', 'B'], { through: withoutInotify(what) })
    await until('it is reported', () => reason.test(child.stderr()))
    for (let number = 0; number < 3; number++) {
      await runCli(repo.root, ['record', 'A', 'note', '--reason', `${number}`])
      putTicket(repo.root, `N-${number}`, { decisions: [makeNote('x')] }, number ? 'sub' : '')
      await untilEmitted(repo.root, replay)
    }
    await stop(child)
    const warning = /file events are unavailable \(no inotify .*\); scanning all files every second instead/g
    expect(child.stderr().match(warning)).toHaveLength(1)
    checkAfterFault(repo.root, [])
  })

  it('chokidar set to polling by the environment: reported, and replaced by full scans', async () => {
    using repo = temporaryRepository()
    const { child, replay } = await watchedRepository(repo, ['A'], { env: { CHOKIDAR_USEPOLLING: '1' } })
    await until('it is reported', () => child.stderr().includes('CHOKIDAR_USEPOLLING'))
    await runCli(repo.root, ['record', 'A', 'note', '--reason', 'x'])
    await untilEmitted(repo.root, replay)
    await stop(child)
  })

  it('a listener that throws: the error becomes an uncaught exception, and the watch goes on', async () => {
    using repo = temporaryRepository()
    for (const id of ['A', 'B']) putTicket(repo.root, id)
    const child = startPlanChild('throw-in-listener', repo.root)
    await child.said(1)
    for (const id of ['A', 'B']) putTicket(repo.root, id, { title: 'other' })
    await child.said(3)
    putTicket(repo.root, 'A', { title: 'yet another' })
    await child.said(4)
    expect(child.lines.slice(1)).toEqual(['about A', 'about B', 'about A'])
    child.process.kill('SIGKILL')
    await child.ended
  })
})

describe('watch, sync, rebuild and scripts/rebuild.ts', () => {
  it('run at the same time and end with the same correct index', async () => {
    using repo = temporaryRepository()
    const ids = Array.from({ length: 200 }, (_, number) => `T-${number}`)
    const { child: one, replay: replayOne } = await watchedRepository(repo, ids)
    const { child: two, replay: replayTwo } = await watchedRepository(repo, ids)
    const script = () => runProgram(process.execPath, [join(PACKAGE_ROOT, 'scripts', 'rebuild.ts'), repo.root])
    const command = (...args: string[]) => runCli(repo.root, [...args, '--json'])
    for (let round = 0; round < 3; round++) {
      const jobs = Array.from({ length: 6 }, (_, number) => [
        () => command('record', `T-${number}`, 'note', '--reason', `round ${round}`),
        () => command('record', `T-${number}`, 'blocked_by', `T-${number + 10 + round}`),
        () => command(number % 2 ? 'sync' : 'rebuild'),
        async () => {
          for (const id of ids.slice(100, 150))
            replaceTicket(repo.root, id, { decisions: [makeNote(`round ${round}`)] })
          return script()
        },
      ]).flat()
      for (const run of await inParallel(6, jobs)) expect(run, run.stderr).toMatchObject({ status: 0, signal: null })
      await untilEmitted(repo.root, replayOne)
      await untilEmitted(repo.root, replayTwo)
      checkAfterFault(repo.root, [])
    }
    await stop(one)
    await stop(two)
  })

  it.for([
    ['sync'],
    ['rebuild'],
    ['script'],
    ['watch'],
  ])('leave a correct index: after changes on the disk, %s alone', async ([by]) => {
    using repo = temporaryRepository()
    const child = by === 'watch' ? (await watchedRepository(repo, ['A', 'B'])).child : undefined
    if (!child) {
      for (const id of ['A', 'B']) putTicket(repo.root, id)
      await runCli(repo.root, ['sync'])
    }
    putTicket(repo.root, 'A', { decisions: [makeNote('x')] })
    putTicket(repo.root, 'C', {}, 'sub')
    rmSync(join(repo.ticketsDir, 'B.json'))
    if (by === 'script') await runProgram(process.execPath, [join(PACKAGE_ROOT, 'scripts', 'rebuild.ts'), repo.root])
    else if (!child) await runCli(repo.root, [by!])
    else {
      await child.said(3)
      await stop(child)
    }
    const store = openStore({ root: repo.root })
    expect(store.index.findMismatch()).toBeNull() // which does not reconcile first
    store.close()
  })
})
