/** A storm over a fleet: machines as separate clones, whose processes, network and server fail at random. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { openPlan } from '../sdk.ts'
import { fleetClone } from './fleet-clones.ts'
import { type HistoryRow, historyFaults } from './fleet-history.ts'
import type { StormLine } from './fleet-stormer.ts'
import { loose } from './loose-decision.ts'
import type { TestPostgres } from './postgres.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
import { readTicketJson } from './temporary-repository.ts'
import { CLIENT, createTestFleet, type TestFleet } from './test-fleet.ts'
import { until } from './until.ts'

export interface StormOptions {
  machines: number
  /** The storm ends when all of these have happened. */
  processKills: number
  serverKills: number
  serverStops: number
  /** The shortest time between two faults. */
  pauseMs: number
  /** SQL that makes a function on the server faulty, for a storm whose oracle must find it. */
  plant?: string
  /** The Tickets. Default: all that follow. */
  tickets?: readonly string[]
}

/** What a storm has done and found. */
export interface StormResult {
  counts: Record<string, number>
  faults: string[]
}

const POOLS = { gpu: 2 }
const TICKETS = Array.from({ length: 24 }, (_, number) => `T-${number}`)
/** The Tickets that are in each other's way, and how: pairs in strict conflict, all in one area, all in a pool of two slots. */
export const IN_THE_WAY = {
  conflict: TICKETS.slice(0, 8),
  area: TICKETS.slice(8, 11),
  slot: TICKETS.slice(11, 16),
}

/** Runs a storm and checks its history. */
export async function runStorm(postgres: TestPostgres, options: StormOptions): Promise<StormResult> {
  await using fleet = await createTestFleet(postgres)
  if (options.plant !== undefined) await fleet.owner.query(options.plant)
  await using proxy = await startTcpProxy(() => postgres.port)
  const url = postgres.url(fleet.database, CLIENT).replace(`:${postgres.port}/`, `:${proxy.port}/`)
  const counts: Record<string, number> = {}
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1
  }
  const { tickets = TICKETS } = options
  const clones = Array.from({ length: options.machines }, (_, number) =>
    stormClone({ id: fleet.id, url }, number, tickets),
  )
  const acknowledged: { machine: number; line: StormLine }[] = []
  const children: ChildProcess[] = []
  const isAwake: boolean[] = []
  let isOver = false
  const start = (machine: number) => {
    const child = spawnStormer(clones[machine]!.root, tickets)
    children[machine] = child
    isAwake[machine] = false
    createInterface({ input: child.stdout! }).on('line', text => {
      const line = JSON.parse(text) as StormLine
      acknowledged.push({ machine, line })
      isAwake[machine] = true
      count('why' in line ? `${line.kind} ${line.why}` : line.kind)
    })
    child.on('close', () => {
      if (!isOver) start(machine)
    })
  }
  try {
    for (const machine of clones.keys()) start(machine)
    const awake = () => [...children.keys()].filter(machine => isAwake[machine])
    await until('every machine works', () => awake().length === options.machines)
    const kill = async () => {
      await until('a machine works', () => awake().length > 0)
      const machine = awake()[Math.floor(Math.random() * awake().length)]!
      isAwake[machine] = false
      children[machine]!.kill('SIGKILL')
    }
    await letFail({ postgres, proxy, children, kill, count, options })
    proxy.mode = 'pass'
    proxy.delayMs = 0
    await sleep(3000)
  } finally {
    isOver = true
    await Promise.all(children.map(ended))
  }
  await restoreOwner(fleet, postgres)
  const rows = await readHistory(postgres, fleet)
  for (const { action } of rows) count(`log ${action}`)
  const faults = [
    ...historyFaults(rows, { pools: POOLS }),
    ...lostAcknowledgements(rows, acknowledged),
    ...missingPlans(clones, acknowledged),
  ]
  for (const clone of clones) clone[Symbol.dispose]()
  return { counts, faults }
}

/** A clone with conflicts and areas, some of which it alone knows. */
function stormClone(fleet: { id: string; url: string }, number: number, tickets: readonly string[]) {
  const clone = fleetClone(fleet, `m-${number}`, tickets)
  writeFileSync(join(clone.root, 'ticketplan.json'), JSON.stringify({ pools: POOLS }))
  using plan = openPlan({ root: clone.root, actor: 'storm' })
  const ours = (ids: readonly string[]) => ids.filter(id => tickets.includes(id))
  for (const [at, id] of ours(IN_THE_WAY.conflict).entries())
    if (at % 2 === 0 && (at / 2) % 3 !== number % 3)
      plan.record({ ticket: id, kind: 'conflicts_with', other: `T-${at + 1}` })
  for (const id of ours(IN_THE_WAY.area)) plan.record({ ticket: id, kind: 'touches', paths: ['app/menu/**'] })
  for (const id of ours(IN_THE_WAY.slot))
    plan.record({ ticket: id, kind: 'waiting_for_capacity', pool: 'gpu', reason: 'needs a card' })
  return clone
}

function spawnStormer(root: string, tickets: readonly string[]): ChildProcess {
  const program = join(import.meta.dirname, 'fleet-stormer.ts')
  return spawn(process.execPath, [program, root, tickets.join(',')], { stdio: ['ignore', 'pipe', 'inherit'] })
}

interface Weather {
  postgres: TestPostgres
  proxy: TcpProxy
  children: readonly ChildProcess[]
  /** Kills a process that has had an answer. */
  kill(): Promise<void>
  count(what: string): void
  options: StormOptions
}

/** Lets everything fail that the options name, in a random order. */
async function letFail({ postgres, proxy, children, kill, count, options }: Weather): Promise<void> {
  const random = (below: number) => Math.floor(Math.random() * below)
  const pauses = async () => sleep(options.pauseMs * (0.5 + Math.random()))
  const faults: (() => Promise<void> | void)[] = [
    ...Array.from({ length: options.processKills }, () => async () => {
      await kill()
      count('fault: process killed')
    }),
    ...Array.from({ length: options.serverKills }, () => async () => {
      postgres.kill()
      count('fault: server killed')
      await postgres.start()
    }),
    ...Array.from({ length: options.serverStops }, () => async () => {
      postgres.signal('SIGSTOP')
      count('fault: server stopped')
      await sleep(500 + random(2000))
      postgres.signal('SIGCONT')
    }),
    ...Array.from({ length: options.serverStops * 2 }, () => () => {
      proxy.cut()
      count('fault: connections cut')
    }),
    ...Array.from({ length: options.serverStops }, () => async () => {
      proxy.mode = Math.random() < 0.5 ? 'silent' : 'refuse'
      count(`fault: network ${proxy.mode}`)
      await sleep(500 + random(1500))
      proxy.mode = 'pass'
      proxy.cut()
    }),
    ...Array.from({ length: options.serverStops }, () => async () => {
      proxy.delayMs = 50 + random(200)
      count('fault: network slow')
      await sleep(1000)
      proxy.delayMs = 0
    }),
    ...Array.from({ length: options.serverStops * 2 }, () => async () => {
      const child = children[random(children.length)]!
      child.kill('SIGSTOP')
      count('fault: process asleep')
      await sleep(1500 + random(2000)) // past the end of its leases
      child.kill('SIGCONT')
    }),
  ]
  for (let left = faults.length; left > 0; left--) {
    const [fault] = faults.splice(random(left), 1)
    await fault!()
    await pauses()
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const isEnded = new Promise(resolve => child.once('close', resolve))
  child.kill('SIGKILL')
  await isEnded
}

/** The connection of the owner died with the server. */
async function restoreOwner(fleet: TestFleet, postgres: TestPostgres): Promise<void> {
  fleet.owner.destroy()
  fleet.owner = await postgres.connect(fleet.database)
}

async function readHistory(_: TestPostgres, { owner, id }: TestFleet): Promise<HistoryRow[]> {
  const rows = await owner.query(
    `select sequence, extract(epoch from at) * 1000 as at, action, ticket, machine, token, pool, area, conflicts,
       extract(epoch from expires_at) * 1000 as expires from ticketplan.claim_log where fleet = $1 order by sequence`,
    [id],
  )
  const numbers = ['sequence', 'at', 'token', 'expires']
  return rows.map(row => {
    const entries = Object.entries(row).map(([key, value]) => [key, numbers.includes(key) ? Number(value) : value])
    return Object.fromEntries(entries) as HistoryRow
  })
}

/** Every answer to a worker has to be in the log. */
function lostAcknowledgements(
  rows: readonly HistoryRow[],
  acknowledged: readonly { machine: number; line: StormLine }[],
): string[] {
  const actions = { accepted: ['acquired', 'taken_over'], renewed: ['renewed'], released: ['released'] }
  const known = new Set(rows.map(({ action, ticket, machine, token }) => `${action} ${ticket} ${machine} ${token}`))
  return acknowledged.flatMap(({ machine, line }) => {
    if ('why' in line) return []
    const { kind, ticket, token } = line
    const isKnown = actions[kind].some(action => known.has(`${action} ${ticket} m-${machine} ${token}`))
    return isKnown ? [] : [`${kind} ${ticket} ${token} of machine ${machine} is not in the log`]
  })
}

/** Every accept that was acknowledged has its plan in the file, and nobody has taken it back. */
function missingPlans(
  clones: readonly { root: string }[],
  acknowledged: readonly { machine: number; line: StormLine }[],
): string[] {
  return acknowledged.flatMap(({ machine, line }) => {
    if (line.kind !== 'accepted') return []
    const { decisions } = readTicketJson(clones[machine]!.root, `tickets/${line.ticket}.json`)
    const isThere = decisions.some(({ id, kind }) => id === line.decision && kind === 'accepted_plan')
    const isBack = decisions.map(loose).some(({ retracts }) => retracts === line.decision)
    return isThere && !isBack ? [] : [`${line.ticket} ${line.token} of machine ${machine} has no plan`]
  })
}
