/** watch, the MCP server and the page run while Tickets change at random: none grows, loses a change, or is busy when nothing happens. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { openPlan, type Plan } from '../sdk.ts'
import { LONG, proofCount, proofSeed, reportProof } from '../test-support/proof-numbers.ts'
import { randomNumbers } from '../test-support/random-numbers.ts'
import { CLI, cleanEnvironment, type PlanChild, startCli } from '../test-support/run-cli.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { until } from '../test-support/until.ts'

/** Seconds of change. */
const seconds = proofCount({ short: 5, long: 3600 })
const IDLE_SECONDS = LONG ? 120 : 1
const seed = proofSeed()
const TICKETS = Array.from({ length: 200 }, (_, number) => `T-${number}`)
const USER_HZ = 100

/** What a process uses: memory in KiB, open files, and processor time in milliseconds. */
function usageOf({ pid }: ChildProcess): { memory: number; files: number; cpuMs: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    memory: Number(/VmRSS:\s+(\d+)/.exec(status)![1]),
    files: readdirSync(`/proc/${pid}/fd`).length,
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / USER_HZ,
  }
}

/** Changes one Ticket at random; returns the decision that it recorded, if any. */
function change(plan: Plan, random: (bound: number) => number): string | undefined {
  const ticket = TICKETS[random(TICKETS.length)]!
  const kind = random(6)
  if (kind === 0) plan.set({ ticket, state: ['open', 'queued', 'in_progress', 'done'][random(4)]! })
  else if (kind === 1) plan.claim({ ticket, holder: 'pod-1', ttl: 1 })
  else if (kind === 2) {
    const other = TICKETS[random(TICKETS.length)]!
    if (other !== ticket) return plan.record({ ticket, kind: 'blocked_by', other }).decision.id
  } else return plan.record({ ticket, kind: 'note', reason: `note ${random(1000)}` }).decision.id
  return undefined
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

test.skipIf(process.platform !== 'linux')(
  `watch, MCP and the page stay small and current for ${seconds} s of change (seed ${seed})`,
  {
    timeout: (seconds + 600) * 1000,
  },
  async () => {
    const random = randomNumbers(seed)
    using repository = temporaryRepository()
    const { root } = repository
    for (const id of TICKETS) putTicket(root, id, { state: 'queued' })
    using plan = openPlan({ root, actor: 'tester' })
    plan.sync()
    const watch = startCli(root, ['watch'])
    const view = startCli(root, ['view', '--port', '0'])
    const children = { watch: watch.process, view: view.process, mcp: startMcp(root) }
    try {
      await view.said(1)
      await readPage(view)
      // The first change that watch reports shows that it is ready.
      await until('watch is ready', () => {
        plan.record({ ticket: 'T-0', kind: 'note', reason: 'start' })
        return watch.lines.length > 0
      })

      const recorded: string[] = []
      const turn = async (until: number) => {
        for (let number = 0; performance.now() < until; number++) {
          const id = change(plan, random)
          if (id !== undefined) recorded.push(id)
          await pause(random(200))
          if (number % 20 === 0) await readPage(view)
        }
      }
      const start = performance.now()
      await turn(start + seconds * 250)
      const warm = Object.values(children).map(usageOf)
      await turn(start + seconds * 1000)
      const end = Object.values(children).map(usageOf)
      const seen = () => new Set(watch.lines.flatMap(line => line.match(/[0-9A-HJKMNP-TV-Z]{26}/g) ?? []))
      await until('watch has reported every decision', () => {
        const reported = seen()
        return recorded.every(id => reported.has(id))
      })
      await pause(LONG ? 2000 : 500)
      const before = Object.values(children).map(usageOf)
      const from = performance.now()
      await pause(IDLE_SECONDS * 1000)
      const idle = Object.values(children).map((child, number) => {
        return (100 * (usageOf(child).cpuMs - before[number]!.cpuMs)) / (performance.now() - from)
      })

      const names = Object.keys(children)
      for (const [number, name] of names.entries()) {
        expect(end[number]!.files, `open files of ${name}`).toBeLessThanOrEqual(warm[number]!.files + 3)
        expect(end[number]!.memory, `memory of ${name}`).toBeLessThan(warm[number]!.memory * 1.5 + 40 * 1024)
        // A share of time is a figure of the long run only.
        if (LONG) expect(idle[number], `idle processor time of ${name}, %`).toBeLessThanOrEqual(0.5)
      }
      const figures = names.flatMap((name, number) => [
        [`${name}: MiB at the end`, Math.round(end[number]!.memory / 1024)],
        [`${name}: open files`, end[number]!.files],
        [`${name}: idle, thousandths of a core`, Math.round(idle[number]! * 10)],
      ])
      reportProof({
        what: 'seconds of watch, MCP server and page under change',
        count: seconds,
        seed,
        seen: {
          decisions: recorded.length,
          'missed by watch': 0,
          cores: availableParallelism(),
          ...Object.fromEntries(figures),
        },
      })
    } finally {
      for (const child of Object.values(children)) child.kill('SIGKILL')
    }
  },
)

/** Starts an MCP server that has been initialized, and subscribes to the queue. */
function startMcp(root: string): ChildProcess {
  const child = spawn(process.execPath, [CLI, '-C', root, '--actor', 'tester', 'mcp'], {
    env: cleanEnvironment(),
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const client = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  for (const message of [
    { id: 1, method: 'initialize', params: client },
    { method: 'notifications/initialized' },
    { id: 2, method: 'resources/subscribe', params: { uri: 'ticketplan://queue' } },
  ])
    child.stdin!.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  return child
}

/** Reads the document of the page, with the token that the server printed. */
async function readPage({ lines }: PlanChild): Promise<void> {
  const [, origin, token] = /(http:\/\/[^/]+)\/#token=(\S+)/.exec(lines.join('\n'))!
  const response = await fetch(`${origin}/api/overview`, { headers: { Authorization: `Bearer ${token}` } })
  expect(response.status).toBe(200)
  await response.text()
}
