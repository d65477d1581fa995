import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Claim } from '../claims/claims.ts'
import { connect } from '../database/open.ts'
import type { Decision } from '../model/decision.ts'
import type { Reason } from '../model/reasons.ts'
import { openPlan } from '../sdk.ts'
import { checkAfterFault } from '../test-support/check-after-fault.ts'
import { LONG } from '../test-support/proof-numbers.ts'
import { CLI, inParallel, jsonOf, type Run, runCli } from '../test-support/run-cli.ts'
import { injectFault, type TracedCall, traceCli } from '../test-support/strace.ts'
import { straceObstacle } from '../test-support/system-abilities.ts'
import { putTicket, runGit, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'

const RACERS = 32
const racers = Array.from({ length: RACERS }, (_, number) => number)

interface Accepted {
  accepted: boolean
  claim: Claim | null
  decision: Decision | null
  reasons: Reason[]
}

function acceptArgs(ticket: string, holder: string): string[] {
  return ['accept', ticket, '--holder', holder, '--json']
}

/** Runs all jobs at once. A run that was neither accepted nor refused, for example with "busy", fails the test. */
async function race(jobs: readonly (() => Promise<Run>)[]): Promise<Accepted[]> {
  const runs = await inParallel(jobs.length, jobs)
  return runs.map(run => {
    expect([0, 3], run.stderr).toContain(run.status)
    expect(run.stderr).toBe('')
    const document = jsonOf<Accepted>(run)
    expect(run.status).toBe(document.accepted ? 0 : 3)
    if (!document.accepted) expect(document.decision).toBeNull()
    return document
  })
}

const winnersOf = (documents: Accepted[]) => documents.filter(({ accepted }) => accepted)
const losersOf = (documents: Accepted[]) => documents.filter(({ accepted }) => !accepted)
const holdsOf = ({ reasons }: Accepted) =>
  reasons.filter(({ severity }) => severity === 'hold').map(({ code }) => code as string)

/** Returns the active plans in the files of a checkout. */
function activePlans(root: string): { ticket: string; id: string }[] {
  using plan = openPlan({ root })
  const { rows } = plan.sql("select ticket_id, id from decisions where kind = 'accepted_plan' and status = 'active'")
  return rows.map(([ticket, id]) => ({ ticket: String(ticket), id: String(id) }))
}

/** Checks that every file is valid, that the index equals a rebuild, and that there is exactly one plan for each claim. */
function checkOutcome(roots: string[], documents: Accepted[]): void {
  const winners = winnersOf(documents)
  const plans = roots.flatMap(activePlans)
  expect(plans.map(({ id }) => id).sort()).toEqual(winners.map(({ decision }) => decision!.id).sort())
  for (const root of roots) {
    checkAfterFault(root, [])
    using plan = openPlan({ root })
    expect(plan.verify()).toMatchObject({ ok: true, problems: [] })
    const { claims } = plan.claims()
    expect(claims.map(({ ticket }) => ticket).sort()).toEqual(plans.map(({ ticket }) => ticket).sort())
    expect(claims.map(({ ticket, holder, token, live }) => ({ ticket, holder, token, live }))).toEqual(
      winners
        .map(({ claim }) => ({ ticket: claim!.ticket, holder: claim!.holder, token: claim!.token, live: true }))
        .sort((a, b) => (a.ticket < b.ticket ? -1 : 1)),
    )
  }
}

describe('32 processes accept', () => {
  it('one Ticket: one is accepted, the others get the claim and its holder', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A', { state: 'queued' })
    const documents = await race(racers.map(number => () => runCli(repo.root, acceptArgs('A', `pod-${number}`))))
    expect(winnersOf(documents)).toHaveLength(1)
    const { claim } = winnersOf(documents)[0]!
    for (const loser of losersOf(documents)) {
      expect(holdsOf(loser)).toEqual(['claimed'])
      expect(loser.claim).toMatchObject({ holder: claim!.holder })
      expect(loser.claim).not.toHaveProperty('token')
    }
    checkOutcome([repo.root], documents)
  })

  it('two Tickets in strict conflict: only one is accepted', async () => {
    using repo = temporaryRepository()
    for (const id of ['A', 'B']) putTicket(repo.root, id, { state: 'queued' })
    {
      using plan = openPlan({ root: repo.root, actor: 'tester' })
      plan.record({ ticket: 'B', kind: 'conflicts_with', other: 'A' })
    }
    const jobs = racers.map(number => () => runCli(repo.root, acceptArgs(number % 2 ? 'A' : 'B', `pod-${number}`)))
    const documents = await race(jobs)
    expect(winnersOf(documents)).toHaveLength(1)
    const won = winnersOf(documents)[0]!.claim!.ticket
    for (const [number, document] of documents.entries()) {
      if (document.accepted) continue
      expect(holdsOf(document)).toEqual([(number % 2 ? 'A' : 'B') === won ? 'claimed' : 'conflicts_with'])
    }
    checkOutcome([repo.root], documents)
  })

  it('a Ticket each, with three slots in the pool: three are accepted, the others get pool_full', async () => {
    using repo = temporaryRepository()
    writeFileSync(join(repo.root, 'ticketplan.json'), '{"pools":{"default":3}}')
    for (const number of racers) putTicket(repo.root, `T-${number}`, { state: 'queued' })
    const jobs = racers.map(number => () => runCli(repo.root, acceptArgs(`T-${number}`, `pod-${number}`)))
    const documents = await race(jobs)
    expect(winnersOf(documents)).toHaveLength(3)
    for (const { claim } of winnersOf(documents)) expect(claim!.pool).toBe('default')
    for (const loser of losersOf(documents)) {
      expect(holdsOf(loser)).toEqual(['pool_full'])
      expect(loser.reasons[0]).toMatchObject({ pool: 'default', capacity: 3, taken: 3 })
    }
    const tokens = winnersOf(documents).map(({ claim }) => claim!.token)
    expect(new Set(tokens).size).toBe(3)
    checkOutcome([repo.root], documents)
  })

  it('Tickets that touch overlapping paths, from two worktrees of a clone: only one is accepted', async () => {
    using repo = temporaryRepository()
    using other = temporaryFolder()
    const paths = ['app/**', 'app/menu/list.ts', 'app/*/list.ts', '**/list.ts']
    const ids = paths.map((_, number) => `T-${number}`)
    {
      for (const id of ids) putTicket(repo.root, id, { state: 'queued' })
      using plan = openPlan({ root: repo.root, actor: 'tester' })
      for (const [number, ticket] of ids.entries()) plan.record({ ticket, kind: 'touches', paths: [paths[number]!] })
    }
    runGit(repo.root, 'add', '--all')
    runGit(repo.root, 'commit', '--quiet', '--message=areas')
    const roots = [repo.root, join(other.path, 'two')]
    runGit(repo.root, 'worktree', 'add', '--quiet', '--detach', roots[1]!)
    const documents = await race(
      racers.map(number => () => runCli(roots[number % 2]!, acceptArgs(ids[(number >> 1) % 4]!, `pod-${number}`))),
    )
    expect(winnersOf(documents)).toHaveLength(1)
    for (const loser of losersOf(documents)) expect(['area', 'claimed']).toContain(holdsOf(loser)[0])
    checkOutcome(roots, documents)
  })

  it('one Ticket from two worktrees of a clone: only one is accepted', async () => {
    using repo = temporaryRepository()
    using other = temporaryFolder()
    putTicket(repo.root, 'A', { state: 'queued' })
    runGit(repo.root, 'add', '--all')
    runGit(repo.root, 'commit', '--quiet', '--message=one')
    const roots = [repo.root, join(other.path, 'two')]
    runGit(repo.root, 'worktree', 'add', '--quiet', '--detach', roots[1]!)
    const documents = await race(
      racers.map(number => () => runCli(roots[number % 2]!, acceptArgs('A', `pod-${number}`))),
    )
    expect(winnersOf(documents)).toHaveLength(1)
    for (const loser of losersOf(documents)) expect(holdsOf(loser)).toEqual(['claimed'])
    checkOutcome(roots, documents)
  })
})

describe('32 processes accept the next Ticket', () => {
  it('each Ticket goes to exactly one, and the others are told that none is left', async () => {
    using repo = temporaryRepository()
    const ids = Array.from({ length: 20 }, (_, number) => `T-${number}`)
    for (const id of ids) putTicket(repo.root, id, { state: 'queued' })
    {
      using plan = openPlan({ root: repo.root, actor: 'tester' })
      plan.record({ ticket: 'T-0', kind: 'conflicts_with', other: 'T-1' })
      plan.record({ ticket: 'T-2', kind: 'hold', reason: 'ask first' })
    }
    // All of one name: a Ticket that it has is not offered to it again.
    const args = ['accept', '--next', '--holder', 'worker', '--state', 'in_progress', '--json']
    const documents = await race(racers.map(() => () => runCli(repo.root, args)))
    const taken = winnersOf(documents).map(({ claim }) => claim!.ticket)
    expect(new Set(taken).size).toBe(taken.length)
    // All but the Ticket on hold, and one of the two in conflict.
    expect(taken).toHaveLength(18)
    expect(taken).not.toContain('T-2')
    for (const loser of losersOf(documents)) expect(loser).toMatchObject({ held: expect.any(Array), claim: null })
    checkOutcome([repo.root], documents)
  })
})

describe.skipIf(process.platform !== 'linux')('an accept that waits for the lock', () => {
  it('uses the configuration as it is once it has the lock', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A', { state: 'queued' })
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    plan.claim({ ticket: 'A', holder: 'nobody' })
    plan.release({ ticket: 'A', force: true, reason: 'the test makes local.db' })
    const lock = connect(repo.localPath, 'local', 1000)
    lock.exec('begin immediate')
    const child = spawn(process.execPath, [CLI, '-C', repo.root, '--actor', 'tester', ...acceptArgs('A', 'pod-1')])
    const ended = once(child, 'close')
    const opened = () => {
      const folder = `/proc/${child.pid}/fd`
      return readdirSync(folder).some(fd => readlinkOrNothing(join(folder, fd)) === repo.localPath)
    }
    while (!opened()) await new Promise(resolve => setTimeout(resolve, 20))
    writeFileSync(join(repo.root, 'ticketplan.json'), '{"pools":{"default":0}}')
    lock.exec('rollback')
    lock.close()
    expect(await ended).toEqual([3, null])
    expect(plan.consult('A')).toMatchObject({ verdict: 'hold', plan: null, claim: null })
  })
})

/** A descriptor may be closed while it is read. */
function readlinkOrNothing(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

describe('a damaged local.db that many processes find at once', () => {
  it('is set aside once, and one process accepts the Ticket', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A', { state: 'queued' })
    mkdirSync(repo.databaseDir)
    writeFileSync(repo.localPath, 'no database '.repeat(1000))
    const runs = await inParallel(
      RACERS,
      racers.map(number => () => runCli(repo.root, acceptArgs('A', `pod-${number}`))),
    )
    expect(runs.filter(({ status }) => status === 0)).toHaveLength(1)
    expect(runs.filter(({ status }) => status === 3)).toHaveLength(RACERS - 1)
    expect(runs.filter(({ stderr }) => stderr.includes('local.db.damaged-1'))).toHaveLength(1)
    expect(readdirSync(repo.databaseDir).filter(name => name.includes('damaged'))).toEqual(['local.db.damaged-1'])
    checkOutcome(
      [repo.root],
      runs.map(run => jsonOf<Accepted>(run)),
    )
  })
})

/** Calls by which an accept changes or opens something. A kill at any other call leaves the disk as it was at one of these. */
const SYSCALLS = ['write', 'fsync', 'fdatasync', 'rename', 'openat', 'unlink', 'pwrite64', 'ftruncate']

describe('an accept that is killed', () => {
  const obstacle = straceObstacle()

  it.for([
    [undefined, 'plan and claim, neither, or a plan that the next accept supersedes'],
    ['in_progress', 'plan, state and claim, none of them, or plan and state without the claim'],
  ] as const)('at any system call, with state %s, leaves %s', { timeout: 3_600_000 }, async ([state], { skip }) => {
    skip(obstacle !== null, obstacle ?? '')
    using repo = temporaryRepository()
    putTicket(repo.root, 'A', { state: 'queued' })
    putTicket(repo.root, 'B', { state: 'queued' })
    {
      using plan = openPlan({ root: repo.root, actor: 'tester' })
      plan.accept({ ticket: 'B', holder: 'pod-0' }) // so that local.db is no new file
    }
    const args = [...acceptArgs('A', 'pod-1'), ...(state === undefined ? [] : ['--state', state])]
    const copyOf = () => {
      const folder = temporaryFolder()
      const root = join(folder.path, 'copy')
      cpSync(repo.root, root, { recursive: true, preserveTimestamps: true })
      return { root, [Symbol.dispose]: () => folder[Symbol.dispose]() }
    }

    const outcomes = { killed: 0, both: 0, neither: 0, planAlone: 0 }
    const killAt = async (call: TracedCall) => {
      using copy = copyOf()
      const run = await injectFault(copy.root, args, call, 'signal=KILL')
      const where = `${call.name} ${call.nth}`
      const killed = run.signal === 'SIGKILL' || run.status === 137
      if (killed) outcomes.killed++
      else expect(run.status, `${where}: ${run.stderr}`).toBe(0)
      checkAfterFault(copy.root, [])
      const plans = activePlans(copy.root).filter(({ ticket }) => ticket === 'A')
      using plan = openPlan({ root: copy.root, actor: 'tester' })
      const claim = plan.claims().claims.find(({ ticket }) => ticket === 'A')
      expect(plans.length, where).toBeLessThanOrEqual(1)
      if (claim) {
        expect(plans, `${where}: a claim without a plan`).toHaveLength(1)
        outcomes.both++
      } else if (plans.length === 1) outcomes.planAlone++
      else outcomes.neither++
      const expected = state !== undefined && plans.length === 1 ? state : 'queued'
      expect(plan.show('A').ticket.state, where).toBe(expected)
      // A process that printed "accepted" has the claim and the plan.
      if (run.stdout.endsWith('\n')) {
        const printed = JSON.parse(run.stdout) as Accepted
        expect(claim, where).toMatchObject({ token: printed.claim!.token })
        expect(plans[0]!.id, where).toBe(printed.decision!.id)
      }

      if (expected !== 'queued' && !claim) {
        expect(plan.brief().text, where).toMatch(
          /ACTIVE WITHOUT A LIVE CLAIM: 1.*--state queued.*\nA in_progress since/,
        )
        plan.set({ ticket: 'A', state: 'queued' })
      }
      const next = await runCli(copy.root, acceptArgs('A', 'pod-2'))
      const document = jsonOf<Accepted>(next)
      if (claim) expect(holdsOf(document), where).toEqual([...(state === undefined ? [] : ['not_queued']), 'claimed'])
      else {
        expect(document, where).toMatchObject({ accepted: true, claim: { holder: 'pod-2' } })
        expect(activePlans(copy.root).filter(({ ticket }) => ticket === 'A')).toEqual([
          { ticket: 'A', id: document.decision!.id },
        ])
        const kept = plan.show('A').decisions.filter(({ id }) => plans.some(old => old.id === id))
        expect(kept.map(({ status }) => status)).toEqual(plans.map(() => 'superseded'))
      }
      checkAfterFault(copy.root, [])
    }

    using traced = copyOf()
    const run = await traceCli(traced.root, args, SYSCALLS)
    expect(run.status, run.stderr).toBe(0)
    // With -y strace shows the working directory for every relative descriptor; that alone does not make a call one of ours.
    const calls = run.calls.filter(({ line }) => line.replace(/AT_FDCWD<[^>]*>/, '').includes(traced.root))
    const planned = calls.findIndex(({ name, line }) => name === 'rename' && line.includes('A.json'))
    const noted = calls.findIndex(({ name, line }) => name === 'rename' && line.includes('fencing-token'))
    const claimed = calls.findLastIndex(({ line }) => line.includes('local.db-journal'))
    expect([planned, noted, claimed]).not.toContain(-1)
    expect(claimed, 'the claim is committed after the plan is in its file').toBeGreaterThan(planned)
    // Every call from the first on a Ticket to the last on local.db; of the others, which only open and read, a sample.
    const first = Math.min(planned, noted) - 12
    const chosen = LONG
      ? calls
      : calls.filter((_, position) => (position >= first && position <= claimed + 2) || position % 7 === 0)
    await inParallel(
      3,
      chosen.map(call => () => killAt(call)),
    )
    expect(outcomes.killed).toBeGreaterThan(chosen.length * 0.8)
    expect(outcomes.neither).toBeGreaterThan(0)
    expect(outcomes.planAlone).toBeGreaterThan(0)
    expect(outcomes.both).toBeGreaterThan(0)
  })
})

describe('an accept that cannot free a lock after its commit', () => {
  const obstacle = straceObstacle()

  it('is accepted, with plan and claim', { timeout: 600_000 }, async ({ skip }) => {
    skip(obstacle !== null, obstacle ?? '')
    using repo = temporaryRepository()
    for (const id of ['A', 'B']) putTicket(repo.root, id, { state: 'queued' })
    using first = openPlan({ root: repo.root, actor: 'tester' })
    first.accept({ ticket: 'B', holder: 'pod-0' }) // so that local.db is no new file
    const copyOf = () => {
      const folder = temporaryFolder()
      const root = join(folder.path, 'copy')
      cpSync(repo.root, root, { recursive: true, preserveTimestamps: true })
      return { root, [Symbol.dispose]: () => folder[Symbol.dispose]() }
    }
    const failAt = async (call: TracedCall) => {
      using copy = copyOf()
      const run = await injectFault(copy.root, acceptArgs('A', 'pod-1'), call, 'error=EIO')
      expect(
        run.calls.some(({ line }) => line.includes('(INJECTED)')),
        call.line,
      ).toBe(true)
      expect(run.status, `${call.line}: ${run.stderr}`).toBe(0)
      const { claim, decision } = jsonOf<Accepted>(run)
      using plan = openPlan({ root: copy.root, actor: 'tester' })
      expect(plan.claims().claims).toContainEqual(
        expect.objectContaining({ ticket: 'A', token: claim!.token, live: true }),
      )
      expect(activePlans(copy.root)).toContainEqual({ ticket: 'A', id: decision!.id })
      plan.release({ ticket: 'A', token: claim!.token! })
      checkAfterFault(copy.root, [])
    }
    using traced = copyOf()
    const { calls } = await traceCli(traced.root, acceptArgs('A', 'pod-1'), ['fcntl', 'unlink'])
    const committed = calls.findLastIndex(({ line }) => line.startsWith('unlink') && line.includes('local.db-journal'))
    const unlocks = calls
      .slice(committed + 1)
      .filter(({ name, line }) => name === 'fcntl' && /(?:local\.db|write-lock)>, F_SETLK/.test(line))
    expect(unlocks.length).toBeGreaterThanOrEqual(4)
    await inParallel(
      3,
      unlocks.map(call => () => failAt(call)),
    )
  })
})

describe('a release with a state that is killed', () => {
  const obstacle = straceObstacle()

  it('at any system call leaves both, neither, or the state with the claim', { timeout: 3_600_000 }, async ({
    skip,
  }) => {
    skip(obstacle !== null, obstacle ?? '')
    using repo = temporaryRepository()
    putTicket(repo.root, 'A', { state: 'queued' })
    using first = openPlan({ root: repo.root, actor: 'tester' })
    const token = first.accept({ ticket: 'A', holder: 'pod-1', state: 'in_progress' }).claim!.token!
    const args = ['release', 'A', '--token', String(token), '--state', 'done', '--json']
    const copyOf = () => {
      const folder = temporaryFolder()
      const root = join(folder.path, 'copy')
      cpSync(repo.root, root, { recursive: true, preserveTimestamps: true })
      return { root, [Symbol.dispose]: () => folder[Symbol.dispose]() }
    }
    const outcomes = { both: 0, neither: 0, stateAlone: 0 }
    const killAt = async (call: TracedCall) => {
      using copy = copyOf()
      const where = `${call.name} ${call.nth}`
      const run = await injectFault(copy.root, args, call, 'signal=KILL')
      checkAfterFault(copy.root, [])
      using plan = openPlan({ root: copy.root, actor: 'tester' })
      const { state } = plan.show('A').ticket
      const isReleased = plan.claims().claims.length === 0
      expect(['in_progress', 'done'], where).toContain(state)
      if (isReleased) expect(state, `${where}: released without the state`).toBe('done')
      if (run.stdout.endsWith('\n')) expect({ isReleased, state }, where).toEqual({ isReleased: true, state: 'done' })
      outcomes[isReleased ? 'both' : state === 'done' ? 'stateAlone' : 'neither']++
      // The same command again finishes it, where it has not been finished.
      const again = await runCli(copy.root, args)
      expect(again.status, where).toBe(isReleased ? 3 : 0)
      expect(plan.show('A').ticket.state).toBe('done')
      expect(plan.claims().claims).toEqual([])
    }
    using traced = copyOf()
    const { calls } = await traceCli(traced.root, args, SYSCALLS)
    const own = calls.filter(({ line }) => line.replace(/AT_FDCWD<[^>]*>/, '').includes(traced.root))
    const written = own.findIndex(({ name, line }) => name === 'rename' && line.includes('A.json'))
    expect(written).not.toBe(-1)
    const chosen = own.filter((_, position) => LONG || position >= written - 6 || position % 9 === 0)
    await inParallel(
      3,
      chosen.map(call => () => killAt(call)),
    )
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(0)
  })
})

describe('many processes for a while', () => {
  it('never hold one Ticket or one slot together when they claim and release at random', async () => {
    using repo = temporaryRepository()
    writeFileSync(join(repo.root, 'ticketplan.json'), '{"pools":{"default":2}}')
    const ids = ['A', 'B', 'C', 'D']
    for (const id of ids) putTicket(repo.root, id, { state: 'queued' })
    {
      using plan = openPlan({ root: repo.root, actor: 'tester' })
      plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
    }
    let taken = 0
    const worker = async (number: number) => {
      for (let turn = 0; turn < 3; turn++) {
        const ticket = ids[(number + turn) % ids.length]!
        const run = await runCli(repo.root, ['claim', ticket, '--holder', `pod-${number}`, '--json'])
        expect([0, 3], run.stderr).toContain(run.status)
        if (run.status === 3) continue
        taken++
        const { token } = jsonOf<{ claim: Claim }>(run).claim
        const freed = await runCli(repo.root, ['release', ticket, '--token', String(token), '--json'])
        expect(freed.status, freed.stdout + freed.stderr).toBe(0)
      }
    }
    await inParallel(
      RACERS,
      racers.map(number => () => worker(number)),
    )
    using plan = openPlan({ root: repo.root })
    expect(plan.claims().claims).toEqual([])
    const log = readLog(repo.localPath)
    expect(taken).toBeGreaterThan(0)
    expect(log.filter(({ action }) => action === 'acquired')).toHaveLength(taken)
    const held = new Map<string, number>()
    let newest = 0
    for (const { action, ticket_id, token } of log) {
      if (action === 'released') {
        expect(held.get(ticket_id)).toBe(token)
        held.delete(ticket_id)
        continue
      }
      expect(action).toBe('acquired')
      expect(held.has(ticket_id)).toBe(false)
      expect(token).toBeGreaterThan(newest)
      newest = token
      held.set(ticket_id, token)
      expect(held.size).toBeLessThanOrEqual(2)
      expect(held.has('A') && held.has('B')).toBe(false)
    }
    checkAfterFault(repo.root, [])
  })
})

function readLog(path: string): { action: string; ticket_id: string; token: number }[] {
  const connection = connect(path, 'local', 1000)
  try {
    return connection
      .prepare<[], { action: string; ticket_id: string; token: number }>('select * from claim_log order by sequence')
      .all()
  } finally {
    connection.close()
  }
}
