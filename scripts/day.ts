/**
 * Plays a day of an orchestrator: 40 Tickets, eight workers as processes, three deaths, one person's hold. Then it lets a check
 * that shares no code with the product judge what the workers wrote down.
 *
 * Exit status 1 if the check finds anything, or if the day does not end in two minutes.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkDay, type DayEvent } from './day-check.ts'
import { dayPlan } from './day-plan.ts'

const WORKERS = 8
const LONGEST_MS = 120_000

const cli = join(import.meta.dirname, '..', 'dist', 'cli.js')
if (!existsSync(cli)) throw new Error('dist/ is missing: run "npm ci" or "npm run build" first')
const folder = mkdtempSync(join(tmpdir(), 'ticketplan-day-'))
const repository = join(folder, 'shop')
const logs = join(folder, 'logs')
for (const path of [repository, logs]) mkdirSync(path)
const workers = new Map<string, ChildProcess>()
const { TICKETPLAN_SESSION: _, ...clean } = process.env
const env = { ...clean, TICKETPLAN_ACTOR: 'orchestrator' }
const startedAt = performance.now()

try {
  await prepare()
  const lastWord = await play()
  report(lastWord)
} finally {
  for (const { pid } of workers.values()) killTree(pid!)
  rmSync(folder, { recursive: true, force: true })
}

function say(text: string): void {
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${text}`)
}

function plan(...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: repository, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`ticketplan ${args.join(' ')} ended with ${status}: ${stderr}`)
}

/** Writes the plan down: one command for each Ticket and each decision. */
async function prepare(): Promise<void> {
  execFileSync('git', ['init', '--quiet', '.'], { cwd: repository })
  plan('init')
  const { tickets, conflicts, blockers, orders, hold } = dayPlan
  for (const { id, title } of tickets) plan('add', id, '--title', title, '--state', 'queued')
  for (const { id, areas } of tickets) {
    for (const { pattern, shared } of areas)
      plan('record', id, 'touches', '--paths', pattern, ...(shared ? ['--shared'] : []))
  }
  const relations = { conflicts_with: conflicts, blocked_by: blockers, after: orders }
  for (const [kind, pairs] of Object.entries(relations)) {
    for (const [one, other] of pairs) plan('record', one, kind, other, '--reason', 'as planned')
  }
  plan('record', hold.ticket, 'hold', '--reason', 'ask me first', '--actor', hold.by)
  say(
    `${tickets.length} Tickets are queued: ${tickets.flatMap(({ areas }) => areas).length} areas, ${conflicts.length} conflicts, ${blockers.length} blockers, ${orders.length} orders; ${hold.by} holds ${hold.ticket}`,
  )
}

/** Starts the workers, kills three, and lifts the hold; returns when every Ticket is done. */
async function play(): Promise<DayEvent[]> {
  for (let n = 1; n <= WORKERS; n++) start(`pod-${n}`)
  say(`${WORKERS} workers start, each with "accept --next" and "keep"`)
  const toDie = new Map(dayPlan.deaths.map(death => [death.ticket, death]))
  let isLifted = false
  let next = WORKERS + 1
  while (performance.now() - startedAt < LONGEST_MS) {
    const events = readLogs()
    for (const { ticket, of } of toDie.values()) {
      const begun = events.find(event => event.ticket === ticket && event.event === 'start')
      if (!begun) continue
      toDie.delete(ticket)
      const worker = workers.get(begun.who)!
      // The run ends here, before anybody can take the Ticket over.
      write('killed', begun.who, ticket)
      killTree(of === 'worker' ? worker.pid! : begun.pid!)
      say(
        of === 'worker'
          ? `${begun.who} dies at ${ticket} with its keeper; pod-${next} takes its place`
          : `the command of ${begun.who} dies at ${ticket}; its worker gives the Ticket back`,
      )
      if (of === 'worker') {
        workers.delete(begun.who)
        start(`pod-${next++}`)
      }
    }
    const done = events.filter(({ event }) => event === 'end').length
    if (!isLifted && done >= dayPlan.tickets.length - 5) {
      isLifted = true
      write('lifted', dayPlan.hold.by, dayPlan.hold.ticket)
      plan('retract', holdIn(dayPlan.hold.ticket), '--actor', dayPlan.hold.by)
      say(`${dayPlan.hold.by} lifts the hold of ${dayPlan.hold.ticket}, the ${done} others so far being done`)
    }
    if ([...states().values()].every(state => state === 'done')) break
    await sleep(25)
  }
  writeFileSync(join(logs, 'over'), '')
  await Promise.all(
    [...workers.values()].map(worker =>
      worker.exitCode === null ? new Promise(resolve => worker.once('exit', resolve)) : undefined,
    ),
  )
  workers.clear()
  say('the day is over')
  return readLogs()
}

/** The id of the hold in a Ticket file. */
function holdIn(ticket: string): string {
  const { decisions } = JSON.parse(readFileSync(join(repository, 'tickets', `${ticket}.json`), 'utf8'))
  return decisions.find(({ kind }: { kind: string }) => kind === 'hold').id
}

function start(name: string): void {
  const hang = dayPlan.deaths.map(({ ticket }) => ticket).join(',')
  const args = [join(import.meta.dirname, 'day-worker.ts'), 'worker', cli, name, logs, hang]
  workers.set(name, spawn(process.execPath, args, { cwd: repository, env, stdio: ['ignore', 'ignore', 'inherit'] }))
}

/** Kills a process and all below it, as a machine that fails does; returns when none of them runs any more. */
function killTree(root: number): void {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
  const tree = [root]
  for (const pid of tree) tree.push(...table.filter(([, parent]) => parent === pid).map(([pid]) => pid!))
  for (const pid of tree) signal(pid, 'SIGKILL')
  while (tree.some(isRunning)) spawnSync('sleep', ['0.01'])
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended by itself.
  }
}

function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z')
}

function write(event: DayEvent['event'], who: string, ticket: string): void {
  const at = Number(process.hrtime.bigint()) / 1e6
  appendFileSync(join(logs, 'day.log'), `${JSON.stringify({ at, who, event, ticket })}\n`)
}

function readLogs(): (DayEvent & { pid?: number })[] {
  return readdirSync(logs)
    .filter(name => name.endsWith('.log'))
    .flatMap(name => readFileSync(join(logs, name), 'utf8').split('\n').slice(0, -1))
    .map(line => JSON.parse(line))
}

/** The states in the Ticket files, read as the JSON that they are. */
function states(): Map<string, string> {
  const files = readdirSync(join(repository, 'tickets')).filter(name => /^D-\d\d\.json$/.test(name))
  return new Map(
    files.map(name => [name.slice(0, -5), JSON.parse(readFileSync(join(repository, 'tickets', name), 'utf8')).state]),
  )
}

function report(events: DayEvent[]): void {
  const { problems, counts } = checkDay(dayPlan, events, states())
  console.log(
    `\nThe workers' own logs say: ${counts.finished} Tickets finished in ${counts.runs} runs, ${counts.deaths} of which died; at most ${counts.mostAtOnce} at once.`,
  )
  console.log(
    `Of ${counts.pairsChecked} pairs of runs ${counts.sideBySide} were side by side, and none of them had overlapping areas or a conflict; blockers, order and hold were kept, and nothing was lost.`.replace(
      /, and none.*/,
      problems.length ? '.' : '$&',
    ),
  )
  for (const problem of problems) console.log(`WRONG: ${problem}`)
  process.exitCode = problems.length > 0 ? 1 : 0
}
