import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeTicket } from './model/canonical-json.ts'
import { addDecision } from './model/change.ts'
import { openPlan } from './sdk.ts'
import { openStore } from './store/store.ts'
import { checkAfterFault, expectNamedFailure } from './test-support/check-after-fault.ts'
import { errorOf, inParallel, jsonOf, runCli, startPlanChild } from './test-support/run-cli.ts'
import {
  makeNote,
  makeTicket,
  putTicket,
  readTicketJson,
  runGit,
  temporaryFolder,
  temporaryRepository,
} from './test-support/temporary-repository.ts'

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

  it('32 processes record the same relation: it is there once, and all are told of the same decision', async () => {
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

  it('100 processes add Tickets of their own: all are there', async () => {
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

  it('32 processes add one id, in either case: one wins, the others are told that it exists', async () => {
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

  it('writers that write without pause do not keep others out', async () => {
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
  it('stopped: others are told who it is, in time; killed: the next write succeeds', async () => {
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
    // Only Linux tells who holds a lock.
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

  it('in the end lets the command line succeed that waited for it', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    const holder = startPlanChild('hold-lock', repo.root)
    await holder.said(1)
    const waiting = runCli(repo.root, ['record', 'A', 'note', '--reason', 'x', '--json'])
    // The command has come as far as the lock when it has opened its index.
    while (!existsSync(repo.localPath) || !isOpenElsewhere(repo.localPath, holder.process.pid!))
      await new Promise(setImmediate)
    holder.process.kill('SIGKILL')
    expect(jsonOf(await waiting)).toMatchObject({ created: true })
    checkAfterFault(repo.root, [])
  })

  it('local.db deleted while it is held: the next lock is a new one, and writing goes on', async () => {
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

/** Has another process than the one given opened the file? Always true where the system does not tell. */
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

describe('another program that changes a file while it is being changed', () => {
  const stamp = { by: 'tester', nowMs: Date.parse('2026-06-08T12:00:00.000Z'), newId: () => makeNote('').id }

  const others: [string, (path: string, content: string) => void][] = [
    ['an editor that writes into it', (path, content) => writeFileSync(path, content)],
    [
      'an editor that puts another file in its place',
      (path, content) => {
        writeFileSync(`${path}~`, content)
        renameSync(`${path}~`, path)
      },
    ],
  ]
  it.each(others)('%s: both changes survive', (_, replace) => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A', { title: 'old' })
    const store = openStore({ root: repo.root, actor: 'tester' })
    let calls = 0
    const changed = store.locked(() =>
      store.edit(path, ticket => {
        if (++calls === 1) replace(join(repo.root, path), encodeTicket(makeTicket('A', { title: 'by the editor' })))
        return addDecision(ticket, { kind: 'note', reason: 'ours' }, stamp)
      }),
    )
    expect(calls).toBe(2)
    const after = readTicketJson(repo.root, path)
    expect(after).toMatchObject({ title: 'by the editor', decisions: [{ id: changed.decision.id }] })
    store.close()
    checkAfterFault(repo.root, [{ ticket: 'A', decision: changed.decision.id }])
  })

  it('git checks out another branch: its version is the one that the decision is added to', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A', { title: 'on main' })
    runGit(repo.root, 'add', '--all')
    runGit(repo.root, 'commit', '--quiet', '--message=one')
    runGit(repo.root, 'checkout', '--quiet', '-b', 'side')
    const theirs = makeNote('on the side')
    putTicket(repo.root, 'A', { title: 'on the side', decisions: [theirs] })
    runGit(repo.root, 'commit', '--quiet', '--all', '--message=two')
    runGit(repo.root, 'checkout', '--quiet', 'main')
    const store = openStore({ root: repo.root, actor: 'tester' })
    let calls = 0
    const { decision } = store.locked(() =>
      store.edit(path, ticket => {
        if (++calls === 1) runGit(repo.root, 'checkout', '--quiet', 'side')
        return addDecision(ticket, { kind: 'note', reason: 'ours' }, stamp)
      }),
    )
    store.close()
    const after = readTicketJson(repo.root, path)
    expect(after.title).toBe('on the side')
    expect(after.decisions.map(({ id }) => id).sort()).toEqual([theirs.id, decision.id].sort())
    checkAfterFault(repo.root, [])
  })

  it('again and again: the write gives up by name, and leaves the last version of the other', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    const store = openStore({ root: repo.root, actor: 'tester' })
    let calls = 0
    const edit = () =>
      store.edit(path, ticket => {
        writeFileSync(join(repo.root, path), encodeTicket(makeTicket('A', { title: `version ${++calls}` })))
        return addDecision(ticket, { kind: 'note', reason: 'ours' }, stamp)
      })
    expect(() => store.locked(edit)).toThrow(expect.objectContaining({ code: 'contended', data: { path } }))
    expect(readTicketJson(repo.root, path)).toMatchObject({ title: `version ${calls}`, decisions: [] })
    store.close()
    checkAfterFault(repo.root, [])
  })

  it('deletes it: nothing is written in its place', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    const store = openStore({ root: repo.root, actor: 'tester' })
    const edit = () =>
      store.edit(path, ticket => {
        rmSync(join(repo.root, path))
        return addDecision(ticket, { kind: 'note', reason: 'ours' }, stamp)
      })
    expect(() => store.locked(edit)).toThrow(expect.objectContaining({ code: 'unknown_ticket' }))
    expect(existsSync(join(repo.root, path))).toBe(false)
    store.close()
  })

  it('leaves it with conflict markers: that is said, and the markers stay', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    const store = openStore({ root: repo.root, actor: 'tester' })
    const markers = '{\n<<<<<<< ours\n=======\n>>>>>>> theirs\n}\n'
    const edit = () =>
      store.edit(path, ticket => {
        writeFileSync(join(repo.root, path), markers)
        return addDecision(ticket, { kind: 'note', reason: 'ours' }, stamp)
      })
    expect(() => store.locked(edit)).toThrow(
      expect.objectContaining({ code: 'invalid_file', data: expect.objectContaining({ refusal: 'conflict_markers' }) }),
    )
    expect(readFileSync(join(repo.root, path), 'utf8')).toBe(markers)
    store.close()
  })

  it('makes the file that was to be new: it stays', () => {
    using repo = temporaryRepository()
    const store = openStore({ root: repo.root, actor: 'tester' })
    store.locked(() => {
      store.read(() => {})
      putTicket(repo.root, 'A', { title: 'theirs' })
      expect(store.create(makeTicket('A', { title: 'ours' }))).toBe(false)
    })
    expect(readTicketJson(repo.root, 'tickets/A.json').title).toBe('theirs')
    store.close()
    checkAfterFault(repo.root, [])
  })
})

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
