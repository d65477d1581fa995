/** Every writing command, killed at each of its system calls on the repository, and with each of them failing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { operations } from '../operations/registry.ts'
import { openPlan } from '../sdk.ts'
import { type Acknowledged, checkAfterFault } from '../test-support/check-after-fault.ts'
import { proofCount, proofSeed, reportProof, tally } from '../test-support/proof-numbers.ts'
import { randomNumbers } from '../test-support/random-numbers.ts'
import { errorOf, inParallel, type Run, runCli } from '../test-support/run-cli.ts'
import { injectFault, type TracedCall, traceCli } from '../test-support/strace.ts'
import { straceObstacle } from '../test-support/system-abilities.ts'
import {
  type PreparedCommand,
  prepareCommand,
  type WritingCommand,
  writingCommands,
} from '../test-support/writing-commands.ts'

const AT_ONCE = 3
/** Calls that change or open something: a kill between two others leaves the same disk as one at the next of these. */
const CHANGING = ['openat', 'write', 'pwrite64', 'fsync', 'fdatasync', 'rename', 'link', 'unlink', 'mkdir', 'ftruncate']
const READING = ['read', 'pread64', 'close', 'fcntl', 'lstat', 'stat', 'fstat', 'newfstatat', 'statx', 'getdents64']
const CALLS = [...CHANGING, ...READING, 'readlink', 'access', 'mmap']
const ERRORS = ['EIO', 'ENOSPC', 'EINTR', 'EMFILE', 'EACCES']
/** Commands that git or a second database connection would take part in: what they change is checked by other tests. */
const NOT_HERE = new Set(['merge-driver', 'verify'])

/** What strace does to one call. */
interface Fault {
  call: TracedCall
  fault: string
}

const obstacle = straceObstacle()
const seed = proofSeed()

test('the list has every operation that writes', () => {
  const writing = Object.entries(operations).flatMap(([name, { writes }]) =>
    writes && !NOT_HERE.has(name) ? [name] : [],
  )
  const listed = new Set<string>(writingCommands.map(({ operation }) => operation))
  expect(writing.filter(name => !listed.has(name))).toEqual([])
})

/** Returns the calls that the command makes on the repository when nothing fails. */
async function callsOf(prepared: PreparedCommand): Promise<TracedCall[]> {
  using copy = prepared.attempt()
  const traced = await traceCli(copy.root, prepared.args(copy.root), CALLS, prepared.options(copy.root))
  expect(traced.status, traced.stderr).toBe(0)
  return traced.calls.filter(({ line }) => isOnRepository(line, copy.root))
}

// With -y strace adds the working directory to every relative path: that alone does not make it a call on the repository.
const isOnRepository = (line: string, root: string) => line.replace(/AT_FDCWD<[^>]*>/, '').includes(root)

/** Runs the command with a fault at one call, and checks what must be true after it. Returns what became of the run. */
async function withFault(
  prepared: PreparedCommand,
  { done }: WritingCommand,
  { call, fault }: Fault,
): Promise<Outcome> {
  using copy = prepared.attempt()
  const { root } = copy
  const options = prepared.options(root)
  const run = await injectFault(root, prepared.args(root), call, fault, options)
  const hit = run.calls.find(({ line }) => line.includes('(INJECTED)'))
  const where = `${prepared.operation} with ${fault} at ${call.name} ${call.nth}: ${hit?.line ?? call.line}\n${run.stderr}`
  const isKilled = run.signal === 'SIGKILL' || run.status === 137
  const outcome = outcomeOf(run, isKilled, hit !== undefined)
  try {
    // A fault of what Node opens for itself has Node's own message, and Node aborts where a file cannot be closed.
    const isOurs = hit !== undefined && isOnRepository(hit.line, root) && run.signal !== 'SIGABRT'
    if (!isKilled && isOurs) expectOutcome(run, prepared.operation)
    const acknowledged = [...prepared.acknowledged, ...decisionsOf(run)]
    if (!hasMarkers(root)) checkAfterFault(root, acknowledged)
    checkClaims(root, prepared, run)
    if (done?.isOther) return outcome
    // The same command then works, or says that its work is done.
    const again = await runCli(root, prepared.args(root), options)
    if (again.status !== 0) {
      if (done?.status !== undefined) expect(again.status, again.stderr).toBe(done.status)
      else expect(errorOf(again).code).toBe(done?.code)
    }
    checkAfterFault(root, [...acknowledged, ...decisionsOf(again)])
  } catch (error) {
    throw new Error(where, { cause: error })
  }
  return outcome
}

type Outcome = 'killed' | 'not reached' | 'aborted by Node' | 'worked' | 'failed'

/** What became of a run; two runs of a program do not always make the same calls. */
function outcomeOf(run: Run, isKilled: boolean, isHit: boolean): Outcome {
  if (isKilled) return 'killed'
  if (!isHit) return 'not reached'
  if (run.signal) return 'aborted by Node'
  return run.status === 0 ? 'worked' : 'failed'
}

/** True for a merge that still waits: its file is as git left it. */
function hasMarkers(root: string): boolean {
  return readFileSync(join(root, 'tickets', 'A.json'), 'utf8').includes('<<<<<<<')
}

/** A failure names its cause: an internal error, a stack or silence is none. */
function expectOutcome(run: Run, operation: string): void {
  expect(run.signal).toBe(null)
  if (run.status === 0) return
  // resolve prints which files it could not resolve, and why.
  if (operation === 'resolve' && run.status === 4) return expect(run.stdout).toContain('"unresolved":[{')
  expect(run.status).toBe(1)
  // import prints which records it dropped, and why.
  if (operation === 'import' && run.stdout !== '') return expect(run.stdout).toContain('"dropped":[{')
  expect(run.stdout).toBe('')
  const { code, message } = errorOf(run)
  expect(code, message).not.toBe('internal')
}

function decisionsOf(run: Run): Acknowledged[] {
  if (run.status !== 0 || !run.stdout.endsWith('\n')) return []
  const document = JSON.parse(run.stdout)
  if (Array.isArray(document.decisions))
    return document.decisions.map((each: { ticket: string; decision: { id: string } }) => ({
      ticket: each.ticket,
      decision: each.decision.id,
    }))
  return document.decision?.id
    ? [{ ticket: document.ticket ?? document.claim.ticket, decision: document.decision.id }]
    : []
}

/** A confirmed claim exists, and a claim of accept has its plan. */
function checkClaims(root: string, { operation }: PreparedCommand, run: Run): void {
  using plan = openPlan({ root })
  const { claims } = plan.claims()
  const hasWorked = run.status === 0
  if (hasWorked && ['accept', 'claim', 'renew'].includes(operation))
    expect(claims.map(({ ticket }) => ticket)).toEqual(['A'])
  if (hasWorked && operation === 'release') expect(claims).toEqual([])
  if (operation !== 'accept' || claims.length === 0) return
  const { rows } = plan.sql(
    "select 1 from decisions where ticket_id = 'A' and kind = 'accepted_plan' and status = 'active'",
  )
  expect(rows).toHaveLength(1)
}

/** Returns as many of the list as wanted, at random, and all where it is shorter. */
function sample<T>(list: readonly T[], wanted: number, random: (bound: number) => number): T[] {
  const rest = [...list]
  const chosen: T[] = []
  while (chosen.length < wanted && rest.length > 0) chosen.push(...rest.splice(random(rest.length), 1))
  return chosen
}

/** Defines a test of each command with some of the faults that its calls may have, and with all of them in the long form. */
function testFaults(what: string, short: number, faultsOf: (call: TracedCall) => string[]): void {
  describe.skipIf(obstacle !== null)(`${what} (seed ${seed})`, () => {
    test.for(writingCommands.map(command => [command.operation, command] as const))('%s keeps every promise', {
      timeout: 14_400_000,
    }, async ([operation, command]) => {
      const random = randomNumbers(seed)
      const seen = tally()
      using prepared = prepareCommand(command)
      const calls = await callsOf(prepared)
      expect(calls.length).toBeGreaterThan(10)
      const faults: Fault[] = calls.flatMap(call => faultsOf(call).map(fault => ({ call, fault })))
      const chosen = sample(faults, proofCount({ short, long: faults.length }), random)
      const jobs = chosen.map(fault => async () => seen.add(await withFault(prepared, command, fault)))
      await inParallel(AT_ONCE, jobs)
      // Faults that never happen would prove nothing.
      expect(seen.counts['not reached'] ?? 0).toBeLessThanOrEqual(chosen.length / 2)
      reportProof({
        what: `${operation}: ${what} (of ${faults.length})`,
        count: chosen.length,
        seed,
        seen: seen.counts,
      })
    })
  })
}

testFaults('kills at its calls', 1, ({ name }) => (CHANGING.includes(name) ? ['signal=KILL'] : []))
testFaults('errors of its calls', 2, () => ERRORS.map(error => `error=${error}`))
