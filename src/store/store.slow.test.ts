import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openPlan } from '../sdk.ts'
import { checkAfterFault, expectNamedFailure } from '../test-support/check-after-fault.ts'
import { errorOf, inParallel, jsonOf, runCli, startPlanChild } from '../test-support/run-cli.ts'
import {
  putTicket,
  readTicketJson,
  runGit,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

const busy = expect.objectContaining({ code: 'busy' })

describe('many writers at once', () => {
  it('32 processes record on one Ticket: nothing is lost', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    const jobs = Array.from(
      { length: 32 },
      (_, number) => () => runCli(repo.root, ['record', 'A', 'note', '--reason', `note ${number}`, '--json']),
    )
    const runs = await inParallel(32, jobs)
    for (const run of runs) expect(run, run.stderr).toMatchObject({ status: 0, stderr: '' })
    const acknowledged = runs.map(run => ({
      ticket: 'A',
      decision: jsonOf<{ decision: { id: string } }>(run).decision.id,
    }))
    const { decisions } = readTicketJson(repo.root, 'tickets/A.json')
    expect(decisions.map(({ reason }) => reason).sort()).toEqual(
      Array.from({ length: 32 }, (_, number) => `note ${number}`).sort(),
    )
    checkAfterFault(repo.root, acknowledged)
  })

  it('32 processes record the same relation: it is recorded once, and all get the same decision', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    putTicket(repo.root, 'B')
    const sides = [
      ['A', 'blocked_by', 'B'],
      ['B', 'blocks', 'A'],
    ]
    const jobs = Array.from(
      { length: 32 },
      (_, number) => () => runCli(repo.root, ['record', ...sides[number % 2]!, '--json']),
    )
    const documents = (await inParallel(16, jobs)).map(run =>
      jsonOf<{ created: boolean; decision: { id: string } }>(run),
    )
    expect(documents.filter(({ created }) => created)).toHaveLength(1)
    expect(new Set(documents.map(({ decision }) => decision.id)).size).toBe(1)
    expect(readTicketJson(repo.root, 'tickets/A.json').decisions).toHaveLength(1)
    checkAfterFault(repo.root, [])
  })

  it('100 processes add Tickets of their own: all exist', async () => {
    using repo = temporaryRepository()
    const ids = Array.from({ length: 100 }, (_, number) => `T-${number}`)
    const runs = await inParallel(
      16,
      ids.map(id => () => runCli(repo.root, ['add', id, '--title', `Ticket ${id}`, '--json'])),
    )
    for (const [number, run] of runs.entries())
      expect(jsonOf(run), run.stderr).toMatchObject({ created: true, ticket: { id: ids[number] } })
    for (const id of ids) expect(readTicketJson(repo.root, `tickets/${id}.json`).title).toBe(`Ticket ${id}`)
    using plan = openPlan({ root: repo.root })
    expect(plan.sync()).toMatchObject({ tickets: 100, quarantined: 0 })
    checkAfterFault(repo.root, [])
  })

  it('32 processes add one id, in upper or lower case: one wins, the others fail with ticket_exists', async () => {
    using repo = temporaryRepository()
    const jobs = Array.from(
      { length: 32 },
      (_, number) => () =>
        runCli(repo.root, ['add', number % 2 ? 'same' : 'SAME', '--title', `by ${number}`, '--json']),
    )
    const runs = await inParallel(16, jobs)
    const winners = runs.filter(run => run.status === 0)
    expect(winners).toHaveLength(1)
    for (const run of runs) if (run.status !== 0) expect(expectNamedFailure(run)).toBe('ticket_exists')
    const { ticket, path } = jsonOf<{ ticket: { title: string }; path: string }>(winners[0]!)
    expect(readTicketJson(repo.root, path).title).toBe(ticket.title)
    checkAfterFault(repo.root, [])
  })

  it('writers that write without a pause do not lock others out', async () => {
    using repo = temporaryRepository()
    for (const id of ['A', 'B', 'C']) putTicket(repo.root, id)
    const children = [startPlanChild('record-on', repo.root, 'A'), startPlanChild('record-on', repo.root, 'B')]
    await Promise.all(children.map(child => child.said(1)))
    using plan = openPlan({ root: repo.root, actor: 'tester', busyTimeoutMs: 10_000 })
    const acknowledged = []
    for (let number = 0; number < 20; number++) {
      const { decision } = plan.record({ ticket: 'C', kind: 'note', reason: `note ${number}` })
      acknowledged.push({ ticket: 'C', decision: decision.id })
      await new Promise(setImmediate)
    }
    for (const child of children) child.process.kill('SIGKILL')
    await Promise.all(children.map(child => child.ended))
    for (const line of children.flatMap(child => child.lines)) {
      const [ticket, decision] = line.split(' ')
      acknowledged.push({ ticket: ticket!, decision: decision! })
    }
    checkAfterFault(repo.root, acknowledged)
  })
})

describe('a process that holds the lock', () => {
  it('and is stopped is named by others at their timeout; once it is killed the next write succeeds', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    const holder = startPlanChild('hold-lock', repo.root)
    await holder.said(1)
    holder.process.kill('SIGSTOP')
    using plan = openPlan({ root: repo.root, actor: 'tester', busyTimeoutMs: 500 })
    const writes = [
      () => plan.record({ ticket: 'A', kind: 'note', reason: 'x' }),
      () => plan.add({ id: 'B', title: 'x' }),
      () => plan.set({ ticket: 'A', title: 'x' }),
    ]
    for (const write of writes) {
      const startedAt = performance.now()
      expect(write).toThrow(busy)
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(500)
    }
    // Only Linux shows who holds a lock.
    if (existsSync('/proc/locks')) {
      expect(writes[0]).toThrow(
        expect.objectContaining({
          message: expect.stringMatching(/^busy: .*plan-child\.ts hold-lock/),
          data: expect.objectContaining({ holder: expect.stringContaining(`process ${holder.process.pid} `) }),
        }),
      )
    }
    expect(plan.show('A').ticket.title).toBe('Ticket A') // reading needs no lock
    expect(existsSync(join(repo.ticketsDir, 'B.json'))).toBe(false)
    holder.process.kill('SIGKILL')
    await holder.ended
    expect(plan.record({ ticket: 'A', kind: 'note', reason: 'x' }).created).toBe(true)
    checkAfterFault(repo.root, [])
  })

  it('and ends lets a waiting command succeed', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    const holder = startPlanChild('hold-lock', repo.root)
    await holder.said(1)
    const waiting = runCli(repo.root, ['record', 'A', 'note', '--reason', 'x', '--json'])
    // Once the command has opened the file of the lock, it waits for the lock.
    const lock = join(repo.databaseDir, 'write-lock')
    while (!existsSync(lock) || !isOpenElsewhere(lock, holder.process.pid!)) await new Promise(setImmediate)
    holder.process.kill('SIGKILL')
    expect(jsonOf(await waiting)).toMatchObject({ created: true })
    checkAfterFault(repo.root, [])
  })

  it('of a local.db that is deleted does not keep others from writing with a new one', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    using plan = openPlan({ root: repo.root, actor: 'tester', busyTimeoutMs: 500 })
    plan.record({ ticket: 'A', kind: 'note', reason: 'one' })
    for (const suffix of ['', '-wal', '-shm']) rmSync(repo.localPath + suffix, { force: true })
    plan.record({ ticket: 'A', kind: 'note', reason: 'two' })
    const run = await runCli(repo.root, ['record', 'A', 'note', '--reason', 'three', '--json'])
    expect(jsonOf(run)).toMatchObject({ created: true })
    expect(readTicketJson(repo.root, 'tickets/A.json').decisions).toHaveLength(3)
    checkAfterFault(repo.root, [])
  })
})

/** True where a process other than the given one has opened the file, and where the system does not show it. */
function isOpenElsewhere(path: string, pid: number): boolean {
  if (!existsSync('/proc/self/fd')) return true
  try {
    const found = execFileSync('sh', ['-c', 'ls -l /proc/[0-9]*/fd 2>/dev/null | grep -F -- "$0" || true', path])
    const openings = found.toString().split('\n').filter(Boolean).length
    const own = execFileSync('sh', ['-c', `ls -l /proc/${pid}/fd | grep -F -- "$0" || true`, path])
    return openings > own.toString().split('\n').filter(Boolean).length
  } catch {
    return false
  }
}

describe('worktrees of one clone', () => {
  it('write at the same time, each to its own files', async () => {
    using repo = temporaryRepository()
    using other = temporaryFolder()
    putTicket(repo.root, 'A')
    runGit(repo.root, 'add', '--all')
    runGit(repo.root, 'commit', '--quiet', '--message=one')
    const roots = [repo.root, join(other.path, 'two'), join(other.path, 'three')]
    for (const root of roots.slice(1)) runGit(repo.root, 'worktree', 'add', '--quiet', '--detach', root)
    const jobs = Array.from(
      { length: 24 },
      (_, number) => () => runCli(roots[number % 3]!, ['record', 'A', 'note', '--reason', `${number}`, '--json']),
    )
    const runs = await inParallel(12, jobs)
    for (const [place, root] of roots.entries()) {
      const mine = runs.filter((_, number) => number % 3 === place)
      const acknowledged = mine.map(run => ({
        ticket: 'A',
        decision: jsonOf<{ decision: { id: string } }>(run).decision.id,
      }))
      expect(readTicketJson(root, 'tickets/A.json').decisions).toHaveLength(8)
      checkAfterFault(root, acknowledged)
    }
  })
})

describe('failures of the command line', () => {
  it('name their cause with --json and leave standard output alone', async () => {
    using repo = temporaryRepository()
    writeFileSync(join(repo.ticketsDir, 'A.json'), '{"format":1,')
    const run = await runCli(repo.root, ['record', 'A', 'note', '--reason', 'x', '--json'])
    expect(run).toMatchObject({ status: 1, stdout: '' })
    expect(errorOf(run)).toMatchObject({
      code: 'invalid_file',
      path: 'tickets/A.json',
      refusal: 'syntax',
      place: { line: 1, column: 13 },
    })
  })
})
