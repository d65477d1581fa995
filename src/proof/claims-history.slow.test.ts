/**
 * 32 processes over two worktrees accept, claim, renew, release and record at random, while some are killed and some stopped for
 * longer than a lease; what they saw is checked as a history in real time.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { checkAfterFault } from '../test-support/check-after-fault.ts'
import { type HistoryLine, historyProblems } from '../test-support/claims-history.ts'
import { LONG, proofCount, proofSeed, reportProof, tally } from '../test-support/proof-numbers.ts'
import { randomNumbers } from '../test-support/random-numbers.ts'
import { cleanEnvironment } from '../test-support/run-cli.ts'
import { putTicket, runGit, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'

const PROCESSES = LONG ? 32 : 8
const kills = proofCount({ short: 20, long: 10_000 })
const seed = proofSeed()
/** The number of kills before the repository is created again: Ticket files grow with each. */
const KILLS_A_REPOSITORY = 250
const CAPACITY = 6
const TICKETS = Array.from({ length: 12 }, (_, number) => `T-${number}`)
/** Strict conflicts, and areas that overlap. */
const PAIRS = [
  ['T-0', 'T-1'],
  ['T-2', 'T-3'],
  ['T-4', 'T-5'],
  ['T-5', 'T-6'],
] as const

type Line = HistoryLine & { ticket: string; decision?: string }

function prepare(root: string, worktree: string): void {
  writeFileSync(join(root, 'ticketplan.json'), JSON.stringify({ pools: { default: CAPACITY } }))
  for (const id of TICKETS) putTicket(root, id, { state: 'queued' })
  using plan = openPlan({ root, actor: 'tester' })
  plan.record({ ticket: 'T-0', kind: 'conflicts_with', other: 'T-1' })
  plan.record({ ticket: 'T-3', kind: 'conflicts_with', other: 'T-2' })
  const areas = { 'T-4': ['app/**'], 'T-5': ['app/menu.ts', 'lib/*.ts'], 'T-6': ['lib/list.ts'] }
  for (const [ticket, paths] of Object.entries(areas)) plan.record({ ticket, kind: 'touches', paths })
  runGit(root, 'add', '--all')
  runGit(root, 'commit', '--quiet', '--message=start')
  runGit(root, 'worktree', 'add', '--quiet', '--detach', worktree)
}

/** One process, and the complete lines that it printed. */
interface Child {
  process: ChildProcess
  root: string
  lines: Line[]
  ended: Promise<unknown>
  stderr(): string
}

let names = 0
/** The lines of all processes so far. */
let printed = 0

function start(root: string): Child {
  const script = join(import.meta.dirname, '..', 'test-support', 'claims-child.ts')
  const child = spawn(process.execPath, [script, root, String(seed + ++names), ...TICKETS], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: Line[] = []
  let rest = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', text => {
    const parts = (rest + text).split('\n')
    rest = parts.pop()!
    for (const part of parts) lines.push(JSON.parse(part))
    printed += parts.length
  })
  child.stderr!.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  return { process: child, root, lines, ended: once(child, 'close'), stderr: () => stderr }
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Kills the given number of processes over two new worktrees, and checks what all of them saw. Returns their operations. */
async function killOften(kills: number, random: (bound: number) => number, seen: ReturnType<typeof tally>) {
  using repository = temporaryRepository()
  using folder = temporaryFolder()
  const roots = [repository.root, join(folder.path, 'two')] as const
  prepare(...roots)
  const running = Array.from({ length: PROCESSES }, (_, number) => start(roots[number % 2]!))
  const ended: Child[] = []
  for (let kill = 0; kill < kills; kill++) {
    if (random(4) === 0) {
      // Longer than the longest lease, while others go on.
      const { process: stopped } = running[random(PROCESSES)]!
      stopped.kill('SIGSTOP')
      setTimeout(() => stopped.kill('SIGCONT'), 5000 + random(2000))
      seen.add('stopped')
    }
    for (const wanted = printed + 1 + random(30); printed < wanted; ) await pause(1)
    const position = random(PROCESSES)
    const victim = running[position]!
    victim.process.kill('SIGKILL')
    await victim.ended
    ended.push(victim)
    running[position] = start(victim.root)
  }
  for (const child of running) child.process.kill('SIGKILL')
  await Promise.all(running.map(child => child.ended))
  const children = [...ended, ...running]
  for (const child of children) expect(child.stderr()).toBe('')

  const lines = children.flatMap(child => child.lines)
  const history = lines.filter(line => line.operation !== undefined)
  expect(historyProblems(history, { pairs: PAIRS, capacity: CAPACITY })).toEqual([])
  for (const root of roots) {
    const own = children.filter(child => child.root === root).flatMap(child => child.lines)
    const recorded = own.flatMap(({ ticket, decision }) => (decision ? [{ ticket, decision }] : []))
    checkAfterFault(root, recorded)
    seen.add('decisions acknowledged', recorded.length)
  }
  for (const { operation, outcome } of history) if (outcome) seen.add(`${operation} ${outcome}`)
}

test(`${kills} kills of ${PROCESSES} processes leave one holder, no conflict, no crowded pool, and tokens that grow (seed ${seed})`, {
  timeout: 14_400_000,
}, async () => {
  const random = randomNumbers(seed)
  const seen = tally()
  for (let left = kills; left > 0; left -= KILLS_A_REPOSITORY)
    await killOften(Math.min(left, KILLS_A_REPOSITORY), random, seen)
  // Each operation has happened, with each outcome.
  for (const name of ['acquire done', 'acquire refused', 'renew done', 'release done'])
    expect(seen.counts[name], name).toBeGreaterThan(0)
  reportProof({ what: `kills of ${PROCESSES} processes, checked as a history`, count: kills, seed, seen: seen.counts })
})
