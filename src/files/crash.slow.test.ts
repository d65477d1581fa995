import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type Acknowledged,
  checkAfterFault,
  checkFiles,
  expectNamedFailure,
} from '../test-support/check-after-fault.ts'
import {
  AT_ONCE,
  acknowledgement,
  addScenario,
  batchScenario,
  callsOf,
  importScenario,
  LONG,
  putSource,
  recordScenario,
  template,
} from '../test-support/fault-scenarios.ts'
import { inParallel, type PlanChild, runCli, startCli, startPlanChild } from '../test-support/run-cli.ts'
import { injectFault, type TracedCall } from '../test-support/strace.ts'
import { straceObstacle } from '../test-support/system-abilities.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

function acknowledgedBy(child: PlanChild): Acknowledged[] {
  return child.lines.map(line => {
    const [ticket, decision] = line.split(' ')
    return { ticket: ticket!, decision: decision! }
  })
}

describe('kill -9', () => {
  it.for(['record-on', 'record-all-on'])('of writers (%s) at random moments loses nothing that was acknowledged', {
    timeout: 900_000,
  }, async task => {
    using repo = temporaryRepository()
    const ids = ['A', 'B', 'C', 'D', 'E', 'F']
    for (const id of ids) putTicket(repo.root, id)
    const acknowledged: Acknowledged[] = []
    const start = () => startPlanChild(task, repo.root, ...ids)
    const children = [start(), start(), start()]
    for (let kills = 0; kills < (LONG ? 400 : 24); kills++) {
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
    expect(acknowledged.length).toBeGreaterThan(24)
    checkAfterFault(repo.root, acknowledged)
  })

  it('of an import at random moments leaves whole Tickets, and the next import finishes it', {
    timeout: 600_000,
  }, async () => {
    const records = 500
    for (let kills = 0; kills < (LONG ? 100 : 5); kills++) {
      using repo = temporaryRepository()
      putSource(repo.root, records)
      const child = startCli(repo.root, importScenario.args)
      // New and temporary files alike: the batch that is killed is not a complete one.
      const files = Math.floor(Math.random() * records)
      while (readdirSync(repo.ticketsDir).length < files && child.process.exitCode === null)
        await new Promise(setImmediate)
      child.process.kill('SIGKILL')
      await child.ended
      checkAfterFault(repo.root, [])
      const again = await runCli(repo.root, importScenario.args)
      expect(again, again.stderr).toMatchObject({ status: 0 })
      const listed = readdirSync(repo.ticketsDir).filter(name => name.endsWith('.json'))
      expect(listed).toHaveLength(records)
      checkAfterFault(repo.root, acknowledgement(again))
    }
  })

  it('of a process that rebuilds the index leaves the old index or the new one', { timeout: 600_000 }, async () => {
    using repo = temporaryRepository()
    for (let number = 0; number < 200; number++) putTicket(repo.root, `T-${number}`)
    for (let kills = 0; kills < (LONG ? 100 : 5); kills++) {
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
    { scenario: batchScenario, withDatabases: true },
    { scenario: importScenario, withDatabases: true },
  ])('of $scenario.name, with existing databases: $withDatabases', { timeout: 3_600_000 }, async (given, { skip }) => {
    skip(obstacle !== null, obstacle ?? '')
    using prepared = template(given.scenario, given.withDatabases)
    const { args, calls: wantedCalls } = given.scenario
    const calls = await callsOf(prepared, args, SYSCALLS)
    // The calls include the write itself, not only what happens around it.
    for (const wanted of wantedCalls)
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
