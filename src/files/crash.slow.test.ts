import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openPlan } from '../sdk.ts'
import {
  type Acknowledged,
  checkAfterFault,
  checkFiles,
  expectNamedFailure,
} from '../test-support/check-after-fault.ts'
import { inParallel, jsonOf, type PlanChild, type Run, runCli, startPlanChild } from '../test-support/run-cli.ts'
import { injectFault, type TracedCall, traceCli } from '../test-support/strace.ts'
import { mountObstacle, mountTmpfs, straceObstacle } from '../test-support/system-abilities.ts'
import {
  putTicket,
  readTicketJson,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { isTempName } from './atomic-write.ts'

const LONG = Boolean(process.env.TICKETPLAN_LONG)
const AT_ONCE = 3

function acknowledgedBy(child: PlanChild): Acknowledged[] {
  return child.lines.map(line => {
    const [ticket, decision] = line.split(' ')
    return { ticket: ticket!, decision: decision! }
  })
}

/** Returns the decision that a run with `--json` acknowledged, if any. */
function acknowledgement({ stdout }: Run): Acknowledged[] {
  if (!stdout.endsWith('\n')) return []
  const { ticket, decision } = JSON.parse(stdout) as { ticket: string; decision?: { id: string } }
  return decision ? [{ ticket, decision: decision.id }] : []
}

function tempFiles(folder: string): string[] {
  return readdirSync(folder).filter(isTempName)
}

describe('kill -9', () => {
  it('of writers at random moments loses nothing that was acknowledged', { timeout: 900_000 }, async () => {
    using repo = temporaryRepository()
    const ids = ['A', 'B', 'C', 'D', 'E', 'F']
    for (const id of ids) putTicket(repo.root, id)
    const acknowledged: Acknowledged[] = []
    const start = () => startPlanChild('record-on', repo.root, ...ids)
    const children = [start(), start(), start()]
    for (let kills = 0; kills < (LONG ? 400 : 42); kills++) {
      const victim = children[kills % children.length]!
      await victim.said(1 + Math.floor(Math.random() * 4))
      // Kill at a random point between two acknowledgements.
      for (let turns = Math.random() * 30; turns > 0; turns--) await new Promise(setImmediate)
      victim.process.kill('SIGKILL')
      expect(await victim.ended).toMatchObject({ signal: 'SIGKILL' })
      acknowledged.push(...acknowledgedBy(victim))
      children[kills % children.length] = start()
      checkFiles(repo.root, [...acknowledged, ...children.flatMap(acknowledgedBy)])
    }
    for (const child of children) child.process.kill('SIGKILL')
    await Promise.all(children.map(child => child.ended))
    acknowledged.push(...children.flatMap(acknowledgedBy))
    expect(acknowledged.length).toBeGreaterThan(42)
    checkAfterFault(repo.root, acknowledged)
  })

  it('of a process that rebuilds the index leaves the old index or the new one', { timeout: 600_000 }, async () => {
    using repo = temporaryRepository()
    for (let number = 0; number < 200; number++) putTicket(repo.root, `T-${number}`)
    for (let kills = 0; kills < (LONG ? 100 : 8); kills++) {
      const child = startPlanChild('rebuild', repo.root, '1000')
      await child.said(1)
      for (let turns = Math.random() * 300; turns > 0; turns--) await new Promise(setImmediate)
      child.process.kill('SIGKILL')
      await child.ended
      checkAfterFault(repo.root, [])
    }
  })
})

/** The calls that change or open something. A kill between two of them leaves the same disk as a kill at the next one. */
const SYSCALLS = ['write', 'fsync', 'rename', 'link', 'openat', 'unlink', 'pwrite64', 'ftruncate', 'mkdir']

interface Scenario {
  name: string
  args: string[]
  /** Creates the files that the command finds. */
  prepare(root: string): void
  /** Records decisions that must be present after every fault, and returns them. */
  before: (plan: ReturnType<typeof openPlan>) => Acknowledged[]
}

const recordScenario: Scenario = {
  name: 'record',
  args: ['record', 'A', 'note', '--reason', 'x', '--json'],
  prepare(root) {
    putTicket(root, 'A')
    putTicket(root, 'B')
  },
  before: plan =>
    ['A', 'B'].map(ticket => ({
      ticket,
      decision: plan.record({ ticket, kind: 'note', reason: 'before' }).decision.id,
    })),
}

const addScenario: Scenario = {
  name: 'add',
  args: ['add', 'NEW', '--title', 'x', '--json'],
  prepare: recordScenario.prepare,
  before: recordScenario.before,
}

/** Creates the repository before the fault, with or without databases; each attempt works on a copy. */
function template(scenario: Scenario, withDatabases: boolean) {
  const repo = temporaryRepository()
  scenario.prepare(repo.root)
  let acknowledged: Acknowledged[] = []
  {
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    acknowledged = scenario.before(plan)
  }
  if (!withDatabases) rmSync(repo.databaseDir, { recursive: true })
  const attempt = () => {
    const folder = temporaryFolder()
    const root = join(folder.path, 'copy')
    cpSync(repo.root, root, { recursive: true, preserveTimestamps: true })
    return { root, [Symbol.dispose]: () => folder[Symbol.dispose]() }
  }
  return { acknowledged, attempt, [Symbol.dispose]: () => repo[Symbol.dispose]() }
}

/** Returns the calls of these names that the command makes on the repository when nothing fails. */
async function callsOf(prepared: ReturnType<typeof template>, args: string[], names: string[]): Promise<TracedCall[]> {
  using copy = prepared.attempt()
  const traced = await traceCli(copy.root, args, names)
  expect(traced.status, traced.stderr).toBe(0)
  // With -y strace adds the working directory to every relative path: that alone does not make it a call on the repository.
  return traced.calls.filter(({ line }) => line.replace(/AT_FDCWD<[^>]*>/, '').includes(copy.root))
}

/** Kills a run at one call, and checks everything. True where the run got as far as that call. */
async function killAt(
  prepared: ReturnType<typeof template>,
  args: string[],
  call: Pick<TracedCall, 'name' | 'nth'>,
): Promise<boolean> {
  using copy = prepared.attempt()
  const run = await injectFault(copy.root, args, call, 'signal=KILL')
  const killed = run.signal === 'SIGKILL' || run.status === 137
  const where = `${call.name} ${call.nth}`
  if (!killed) expect(run.status, `${where}: ${run.stderr}`).toBe(0)
  checkAfterFault(copy.root, [...prepared.acknowledged, ...acknowledgement(run)])
  // The same command then succeeds, whatever the killed run left behind.
  const again = await runCli(copy.root, args)
  const exists = args[0] === 'add' && again.status === 1
  if (exists) expect(expectNamedFailure(again), where).toBe('ticket_exists')
  else expect(again.status, `${where}: ${again.stderr}`).toBe(0)
  checkAfterFault(copy.root, [...prepared.acknowledged, ...acknowledgement(run), ...acknowledgement(again)])
  return killed
}

describe('kill at each system call', () => {
  const obstacle = straceObstacle()

  it.for([
    { scenario: recordScenario, withDatabases: true },
    { scenario: recordScenario, withDatabases: false },
    { scenario: addScenario, withDatabases: true },
  ])('of $scenario.name, with existing databases: $withDatabases', { timeout: 3_600_000 }, async (given, { skip }) => {
    skip(obstacle !== null, obstacle ?? '')
    using prepared = template(given.scenario, given.withDatabases)
    const { args } = given.scenario
    const calls = await callsOf(prepared, args, SYSCALLS)
    // The calls include the write itself, not only what happens around it.
    for (const wanted of given.scenario.name === 'add' ? ['link', 'fsync', 'unlink'] : ['rename', 'fsync'])
      expect(
        calls.some(({ name }) => name === wanted),
        wanted,
      ).toBe(true)
    const chosen = sample(calls)
    let killed = 0
    if (LONG) {
      for (const name of SYSCALLS) {
        const atOnce = 8
        for (let nth = 1, alive = true; alive; nth += atOnce) {
          const jobs = Array.from(
            { length: atOnce },
            (_, step) => () => killAt(prepared, args, { name, nth: nth + step }),
          )
          const outcomes = await inParallel(AT_ONCE, jobs)
          killed += outcomes.filter(Boolean).length
          alive = outcomes.at(-1)!
        }
      }
    } else {
      const outcomes = await inParallel(
        AT_ONCE,
        chosen.map(call => () => killAt(prepared, args, call)),
      )
      killed = outcomes.filter(Boolean).length
    }
    expect(killed).toBeGreaterThan(chosen.length * 0.8)
    expect(killed).toBeGreaterThan(10)
  })
})

/** Returns all calls on Tickets and, of the many calls on the databases (SQLite's crash safety), every second one and the last. */
function sample(calls: TracedCall[]): TracedCall[] {
  const isAboutTickets = ({ line }: TracedCall) => line.includes('/tickets')
  const rest = calls.filter(call => !isAboutTickets(call))
  return [
    ...calls.filter(isAboutTickets),
    ...rest.filter((_, position) => position % 2 === 0 || position === rest.length - 1),
  ]
}

describe('a system call that fails', () => {
  const obstacle = straceObstacle()
  const { args } = recordScenario

  /** Runs the command with a fault at the first call of that name on a matching file, then `check`. */
  async function withFault(
    [name, file, fault]: [name: string, file: RegExp, fault: string],
    check: (run: Run, root: string, acknowledged: Acknowledged[]) => void | Promise<void>,
  ): Promise<void> {
    using prepared = template(recordScenario, true)
    for (let attempt = 0; attempt < 10; attempt++) {
      const call = (await callsOf(prepared, args, [name])).find(({ line }) => file.test(line))
      if (!call) throw new Error(`no ${name} of ${file}`)
      using copy = prepared.attempt()
      const run = await injectFault(copy.root, args, call, fault)
      const hit = run.calls.find(({ line }) => line.includes('(INJECTED)'))
      if (!hit || !file.test(hit.line)) continue // what Node does on its own may shift the count of calls by one
      await check(run, copy.root, prepared.acknowledged)
      return
    }
    throw new Error(`the fault never met ${name} of ${file}`)
  }

  const cases = ['openat', 'write', 'fsync', 'close', 'rename'].flatMap(name =>
    ['EIO', 'ENOSPC'].map(error => ({ name, error })),
  )
  it.for(cases)('$error from $name of the temporary file leaves the old bytes and is reported', async (given, {
    skip,
  }) => {
    skip(obstacle !== null, obstacle ?? '')
    const { name, error } = given
    await withFault([name, /\.A\.json\.[0-9a-f]{12}\.tmp/, `error=${error}`], async (run, root, acknowledged) => {
      expect(expectNamedFailure(run)).toBe('io')
      expect(run.stderr).toContain(`"syscallCode":"${error}"`)
      expect(run.stdout).toBe('')
      const { decisions } = readTicketJson(root, 'tickets/A.json')
      expect(decisions).toHaveLength(1)
      expect(tempFiles(join(root, 'tickets'))).toEqual([])
      checkAfterFault(root, acknowledged)
      expect(jsonOf(await runCli(root, args))).toMatchObject({ created: true })
    })
  })

  it.for([
    'EIO',
    'ENOSPC',
  ])('%s from fsync of the folder: the write is not acknowledged, and the file is complete', async (error, {
    skip,
  }) => {
    skip(obstacle !== null, obstacle ?? '')
    await withFault(['fsync', /\/tickets>/, `error=${error}`], (run, root, acknowledged) => {
      expect(expectNamedFailure(run)).toBe('io')
      expect(run.stdout).toBe('')
      checkAfterFault(root, acknowledged)
    })
  })

  it('a short write that reports success is detected', async ({ skip }) => {
    skip(obstacle !== null, obstacle ?? '')
    await withFault(['write', /\.A\.json\./, 'retval=10'], (run, root, acknowledged) => {
      expect(expectNamedFailure(run)).toBe('io')
      expect(readTicketJson(root, 'tickets/A.json').decisions).toHaveLength(1)
      expect(tempFiles(join(root, 'tickets'))).toEqual([])
      checkAfterFault(root, acknowledged)
    })
  })

  it.for(['EIO', 'ENOSPC'])('%s from pwrite64 to the index: the Ticket is written, with a notice', async (error, {
    skip,
  }) => {
    skip(obstacle !== null, obstacle ?? '')
    await withFault(['pwrite64', /index\.db-wal/, `error=${error}`], (run, root, acknowledged) => {
      expect(jsonOf(run)).toMatchObject({ created: true })
      expect(run.stderr).toMatch(/^{"note":".*index/)
      checkAfterFault(root, [...acknowledged, ...acknowledgement(run)])
    })
  })

  it('EPERM from link, as on file systems without hard links: a rename takes its place', async ({ skip }) => {
    skip(obstacle !== null, obstacle ?? '')
    using prepared = template(addScenario, true)
    using copy = prepared.attempt()
    const run = await injectFault(copy.root, addScenario.args, { name: 'link', nth: 1 }, 'error=EPERM')
    expect(run.calls.find(({ line }) => line.includes('(INJECTED)'))?.line).toContain('NEW.json')
    expect(jsonOf(run)).toMatchObject({ created: true })
    expect(tempFiles(join(copy.root, 'tickets'))).toEqual([])
    checkAfterFault(copy.root, prepared.acknowledged)
  })
})

describe('a disk that is full', () => {
  it('fails the write with a named error, leaves the old bytes, and works again when there is space', async ({
    skip,
  }) => {
    const obstacle = mountObstacle()
    skip(obstacle !== null, obstacle ?? '')
    using repo = temporaryRepository()
    using _small = mountTmpfs(repo.ticketsDir, '256k')
    putTicket(repo.root, 'A')
    const acknowledged: Acknowledged[] = []
    const record = () => runCli(repo.root, ['record', 'A', 'note', '--reason', 'y'.repeat(9000), '--json'])
    const filler = join(repo.ticketsDir, 'filler')
    writeFileSync(filler, Buffer.alloc(100 * 1024))
    let failures = 0
    for (let number = 0; failures < 3 && number < 40; number++) {
      const before = readFileSync(join(repo.ticketsDir, 'A.json'), 'utf8')
      const run = await record()
      if (run.status === 0) acknowledged.push(...acknowledgement(run))
      else {
        failures++
        expect(expectNamedFailure(run)).toBe('io')
        expect(run.stderr).toContain('no space left on the disk')
        expect(readFileSync(join(repo.ticketsDir, 'A.json'), 'utf8')).toBe(before)
        expect(tempFiles(repo.ticketsDir)).toEqual([])
      }
      checkFiles(repo.root, acknowledged)
    }
    expect(failures).toBe(3)
    const added = await runCli(repo.root, ['add', 'B', '--title', 'z'.repeat(1000), '--json'])
    if (added.status !== 0) expect(expectNamedFailure(added)).toBe('io')
    rmSync(filler)
    const run = await record()
    expect(jsonOf(run)).toMatchObject({ created: true })
    checkAfterFault(repo.root, [...acknowledged, ...acknowledgement(run)])
  })
})

describe('too many open files', () => {
  it('is a named error, or does no harm, at every limit', { timeout: 600_000 }, async () => {
    using prepared = template(recordScenario, true)
    const limits = Array.from({ length: LONG ? 40 : 14 }, (_, step) => 8 + step * (LONG ? 1 : 3))
    let named = 0
    let worked = 0
    const tryLimit = async (limit: number) => {
      using copy = prepared.attempt()
      const through = ['sh', '-c', `ulimit -n ${limit} && exec "$0" "$@"`]
      const run = await runCli(copy.root, recordScenario.args, { through })
      if (run.status === 0) worked++
      else {
        // Below some limit Node itself cannot start, and prints its own error.
        expect(run.status !== 0 || run.signal !== null).toBe(true)
        expect(run.stdout).toBe('')
        if (run.stderr.includes('{"error"')) {
          named++
          expect(['io', 'database'], run.stderr).toContain(expectNamedFailure(run))
        }
      }
      expect(existsSync(join(copy.root, 'tickets/A.json'))).toBe(true)
      checkAfterFault(copy.root, [...prepared.acknowledged, ...acknowledgement(run)])
      if (run.status === 0) expect(readTicketJson(copy.root, 'tickets/A.json').decisions).toHaveLength(2)
    }
    await inParallel(
      AT_ONCE,
      limits.map(limit => () => tryLimit(limit)),
    )
    expect(worked).toBeGreaterThan(0)
    expect(named + worked).toBeGreaterThan(1)
  })
})
