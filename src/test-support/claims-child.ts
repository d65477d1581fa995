/** A process that accepts, claims, renews, releases and records at random, and prints each call before and after it. */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import type { openPlan as OpenPlan } from '../sdk.ts'
import type { HistoryLine } from './claims-history.ts'
import { randomNumbers } from './random-numbers.ts'
import { PACKAGE_ROOT } from './run-cli.ts'

// The built SDK starts in a fraction of the time.
const { openPlan } = (await import(join(PACKAGE_ROOT, 'dist', 'index.js'))) as { openPlan: typeof OpenPlan }

const [root, name, ...tickets] = process.argv.slice(2) as [string, string, ...string[]]
const random = randomNumbers(Number(name))
const plan = openPlan({ root, actor: 'child', busyTimeoutMs: 600_000 })
const held = new Map<string, number>()
const TTLS = [1, 2, 5]

type Call = Pick<HistoryLine, 'operation' | 'ticket' | 'token' | 'ttlMs'>

const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)
const now = () => Number(process.hrtime.bigint()) / 1e6

function call(given: Call, run: () => { token?: number; ttlMs?: number; decision?: string } | undefined): void {
  const line = { ...given, process: Number(name) }
  say({ ...line, at: now() })
  const result = run()
  say({ ...line, ...result, at: now(), outcome: result ? 'done' : 'refused' })
}

for (;;) {
  const ticket = tickets[random(tickets.length)]!
  const token = held.get(ticket)
  const ttl = TTLS[random(TTLS.length)]!
  if (random(8) === 0) {
    const { decision } = plan.record({ ticket, kind: 'note', reason: `child ${name}` })
    say({ ticket, decision: decision.id })
  } else if (token !== undefined && random(2)) {
    call({ operation: 'renew', ticket, token, ttlMs: ttl * 1000 }, () => {
      const { refused } = plan.renew({ ticket, token, ttl })
      if (refused !== undefined) held.delete(ticket)
      return refused === undefined ? { token, ttlMs: ttl * 1000 } : undefined
    })
  } else if (token !== undefined) {
    call({ operation: 'release', ticket, token }, () => {
      held.delete(ticket)
      return plan.release({ ticket, token }).refused === undefined ? { token } : undefined
    })
  } else if (random(2)) {
    call({ operation: 'acquire', ticket }, () => {
      const { accepted, claim, decision } = plan.accept({ ticket, holder: `child ${name}`, ttl })
      if (!accepted) return undefined
      held.set(ticket, claim!.token!)
      return { token: claim!.token!, ttlMs: ttl * 1000, decision: decision!.id }
    })
  } else {
    call({ operation: 'acquire', ticket }, () => {
      const { claim, refused } = plan.claim({ ticket, holder: `child ${name}`, ttl })
      if (refused !== undefined) return undefined
      held.set(ticket, claim!.token!)
      return { token: claim!.token!, ttlMs: ttl * 1000 }
    })
  }
}
