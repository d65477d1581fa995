import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openPlan } from '../sdk.ts'
import { openStore } from '../store/store.ts'
import { checkAfterFault } from '../test-support/check-after-fault.ts'
import { inParallel, jsonOf, runCli, startPlanChild } from '../test-support/run-cli.ts'
import {
  mountObstacle,
  mountReadOnly,
  mountTmpfs,
  OTHER_USER,
  otherUserObstacle,
} from '../test-support/system-abilities.ts'
import {
  makeNote,
  putTicket,
  readTicketJson,
  runGit,
  type TemporaryRepository,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

function putTickets(repo: TemporaryRepository, count: number): void {
  for (let number = 0; number < count; number++) putTicket(repo.root, `T-${number}`, { decisions: [makeNote('x')] })
}

/** Fills the file system; returns a function that makes room again. */
function fillUp(folder: string): () => void {
  const path = join(folder, 'filler')
  const writeOn = (chunk: number) => {
    for (;;) writeFileSync(path, Buffer.alloc(chunk), { flag: 'a', flush: true })
  }
  for (const chunk of [4096, 1]) expect(() => writeOn(chunk)).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
  expect(lstatSync(path).size).toBeGreaterThan(0)
  return () => rmSync(path)
}

describe('many processes and one index', () => {
  it('a reader never sees a partial index while two others rebuild it', async () => {
    using repo = temporaryRepository()
    const count = 300
    putTickets(repo, count)
    const store = openStore({ root: repo.root })
    const counts = () => store.read(({ queries }) => queries.counts())
    counts()
    const children = [startPlanChild('rebuild', repo.root, '12'), startPlanChild('rebuild', repo.root, '12')]
    let running = children.length
    for (const child of children) void child.ended.then(() => running--)
    let reads = 0
    while (running > 0) {
      expect(counts()).toEqual({ tickets: count, decisions: count, quarantined: 0 })
      reads++
      await new Promise(setImmediate)
    }
    expect(reads).toBeGreaterThan(12)
    for (const child of children) expect(await child.ended, child.lines.join()).toEqual({ status: 0, signal: null })
    store.close()
    checkAfterFault(repo.root, [])
  })

  it('processes that create the databases at the same time end with the same complete ones, without a notice', async () => {
    const rounds = process.env.TICKETPLAN_LONG ? 50 : 4
    for (let round = 0; round < rounds; round++) {
      using repo = temporaryRepository()
      putTickets(repo, 20)
      const signal = join(repo.root, 'go')
      const children = Array.from({ length: 6 }, () => startPlanChild('open-at', repo.root, signal, 'T-1'))
      await Promise.all(children.map(child => child.said(1)))
      writeFileSync(signal, '')
      for (const child of children) {
        await child.said(2)
        expect(JSON.parse(child.lines[1]!)).toEqual({ tickets: 20, created: true, notices: [] })
        expect(await child.ended).toEqual({ status: 0, signal: null })
      }
      expect(readTicketJson(repo.root, 'tickets/T-1.json').decisions).toHaveLength(7)
      checkAfterFault(repo.root, [])
    }
  })

  it('processes that find a damaged index at the same time end with one complete index', async () => {
    using repo = temporaryRepository()
    putTickets(repo, 50)
    openPlan({ root: repo.root })[Symbol.dispose]()
    mkdirSync(repo.databaseDir, { recursive: true })
    writeFileSync(repo.indexPath, Buffer.alloc(8192, 0x55))
    const runs = await inParallel(
      8,
      Array.from({ length: 8 }, () => () => runCli(repo.root, ['sync', '--json'])),
    )
    for (const run of runs) expect(jsonOf(run), run.stderr).toMatchObject({ tickets: 50, quarantined: 0 })
    expect(runs.filter(run => run.stderr.includes('rebuilt from the Ticket files')).length).toBeGreaterThan(0)
    checkAfterFault(repo.root, [])
  })

  it('verify finds nothing wrong while others write', async () => {
    using repo = temporaryRepository()
    putTickets(repo, 20)
    const children = [
      startPlanChild('record-on', repo.root, 'T-1', 'T-2'),
      startPlanChild('record-on', repo.root, 'T-2'),
    ]
    await Promise.all(children.map(child => child.said(1)))
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    for (let round = 0; round < 30; round++) {
      const { ok, problems } = plan.verify()
      expect(ok, JSON.stringify(problems)).toBe(true)
      await new Promise(setImmediate)
    }
    for (const child of children) child.process.kill('SIGKILL')
    await Promise.all(children.map(child => child.ended))
  })
})

describe('an index that cannot be written', () => {
  it.for(['with existing databases', 'without any'])('on a read-only disk, %s, answers come from memory', async (what, {
    skip,
  }) => {
    const obstacle = mountObstacle()
    skip(obstacle !== null, obstacle ?? '')
    using repo = temporaryRepository()
    putTickets(repo, 3)
    if (what !== 'without any') {
      using plan = openPlan({ root: repo.root, actor: 'tester' })
      plan.record({ ticket: 'T-1', kind: 'blocked_by', other: 'T-2' })
    }
    {
      using _readOnly = mountReadOnly(repo.root)
      const shown = await runCli(repo.root, ['show', 'T-1', '--json'])
      expect(jsonOf(shown)).toMatchObject({ ticket: { id: 'T-1' } })
      expect(shown.stderr).toMatch(/^{"note":"the index cannot be written .*into memory"}\n$/)
      const recorded = await runCli(repo.root, ['record', 'T-1', 'note', '--reason', 'x', '--json'])
      expect(recorded.status).toBe(1)
      expect(recorded.stderr).toMatch(/"code":"(io|database)"/)
    }
    checkAfterFault(repo.root, [])
  })

  it('in a repository of another user, answers come from memory', async ({ skip }) => {
    const obstacle = otherUserObstacle()
    skip(obstacle !== null, obstacle ?? '')
    using repo = temporaryRepository()
    putTickets(repo, 3)
    {
      using plan = openPlan({ root: repo.root, actor: 'tester' })
      plan.record({ ticket: 'T-1', kind: 'blocked_by', other: 'T-2' })
    }
    openToAll(repo.root)
    const shown = await runCli(repo.root, ['show', 'T-1', '--json'], { uid: OTHER_USER })
    expect(jsonOf(shown)).toMatchObject({ ticket: { id: 'T-1' }, relations: [{ kind: 'blocked_by', other: 'T-2' }] })
    expect(shown.stderr).toMatch(/^{"note":"the index cannot be written .*into memory"}\n$/)
    const recorded = await runCli(repo.root, ['record', 'T-1', 'note', '--reason', 'x', '--json'], { uid: OTHER_USER })
    expect(recorded.status).toBe(1)
    expect(recorded.stderr).toMatch(/"code":"(io|database)"/)
    checkAfterFault(repo.root, [])
  })

  it('on a full disk, does not prevent the write of a Ticket', async ({ skip }) => {
    const obstacle = mountObstacle()
    skip(obstacle !== null, obstacle ?? '')
    using repo = temporaryRepository()
    using other = temporaryFolder()
    putTickets(repo, 1)
    runGit(repo.root, 'add', '--all')
    runGit(repo.root, 'commit', '--quiet', '--message=all')
    const root = join(other.path, 'linked')
    runGit(repo.root, 'worktree', 'add', '--quiet', '-b', 'side', root)
    // In a linked worktree the index and local.db, which has the lock, are in different folders.
    const indexDir = join(runGit(root, 'rev-parse', '--absolute-git-dir').trim(), 'ticketplan')
    mkdirSync(indexDir)
    using _small = mountTmpfs(indexDir, '1m')
    await runCli(root, ['sync'])
    const makeRoom = fillUp(indexDir)
    const acknowledged: { ticket: string; decision: string }[] = []
    let notices = 0
    for (let number = 0; number < 5; number++) {
      const run = await runCli(root, ['record', 'T-0', 'note', '--reason', 'y'.repeat(15_000), '--json'])
      const { decision } = jsonOf<{ decision: { id: string } }>(run)
      acknowledged.push({ ticket: 'T-0', decision: decision.id })
      if (/note":".*(cannot be written|could not be updated)/.test(run.stderr)) notices++
    }
    expect(notices).toBeGreaterThan(0)
    expect(readTicketJson(root, 'tickets/T-0.json').decisions).toHaveLength(6)
    makeRoom()
    checkAfterFault(root, acknowledged)
  })
})

describe('a file that may not be read', () => {
  it('is quarantined, and the rest is answered', async ({ skip }) => {
    const obstacle = otherUserObstacle()
    skip(obstacle !== null, obstacle ?? '')
    using repo = temporaryRepository()
    putTickets(repo, 2)
    openToAll(repo.root)
    giveTo(repo.root, OTHER_USER)
    chownSync(join(repo.ticketsDir, 'T-1.json'), 0, 0)
    chmodSync(join(repo.ticketsDir, 'T-1.json'), 0o600)
    const queue = await runCli(repo.root, ['queue', '--json'], { uid: OTHER_USER })
    expect(jsonOf(queue)).toMatchObject({ problems: [{ path: 'tickets/T-1.json' }] })
    const verify = await runCli(repo.root, ['verify', '--json'], { uid: OTHER_USER })
    expect(verify).toMatchObject({ status: 4 })
    expect(JSON.parse(verify.stdout).problems).toMatchObject([{ path: 'tickets/T-1.json' }])
    const record = await runCli(repo.root, ['record', 'T-1', 'note', '--reason', 'x', '--json'], { uid: OTHER_USER })
    expect(record.stderr).toContain('"code":"invalid_file"')
    expect(record.stderr).toContain('permission denied')
    const other = await runCli(repo.root, ['record', 'T-0', 'note', '--reason', 'x', '--json'], { uid: OTHER_USER })
    expect(jsonOf(other)).toMatchObject({ created: true })
    // Whoever may read the file gets its Ticket, whichever process used the index before; the other's verify still names it.
    const readable = await runCli(repo.root, ['queue', '--json'])
    expect(jsonOf(readable)).toMatchObject({ problems: [] })
    const again = await runCli(repo.root, ['verify', '--json'], { uid: OTHER_USER })
    expect(JSON.parse(again.stdout).problems).toMatchObject([{ code: 'unreadable', path: 'tickets/T-1.json' }])
    expect(jsonOf(await runCli(repo.root, ['show', 'T-1', '--json']))).toMatchObject({ ticket: { id: 'T-1' } })
    // The files of a folder that may be listed but not entered are reported too.
    putTicket(repo.root, 'T-2', {}, 'closed')
    chmodSync(join(repo.ticketsDir, 'closed'), 0o744)
    const closed = await runCli(repo.root, ['queue', '--json'], { uid: OTHER_USER })
    expect(JSON.parse(closed.stdout).problems).toMatchObject([{ path: 'tickets/closed/T-2.json' }])
    chmodSync(join(repo.ticketsDir, 'closed'), 0o700)
    const hidden = await runCli(repo.root, ['queue', '--json'], { uid: OTHER_USER })
    expect(hidden.status).toBe(1)
    expect(hidden.stderr).toContain('"code":"io"')
    expect(hidden.stderr).not.toContain('index cannot be written')
  })
})

/** Lets every user read the checkout, and only its owner write. */
function openToAll(root: string): void {
  chmodSync(root, 0o755)
  for (const path of readdirSync(root, { recursive: true, withFileTypes: true }))
    chmodSync(join(path.parentPath, path.name), path.isDirectory() ? 0o755 : 0o644)
}

function giveTo(root: string, uid: number): void {
  chownSync(root, uid, uid)
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) chownSync(join(root, path), uid, uid)
}
