/** A worker of a storm, as a process: accepts, renews and releases at random, and prints what was acknowledged. */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A line that a worker prints once it has an answer. */
export type StormLine =
  | { kind: 'accepted'; ticket: string; token: number; decision: string }
  | { kind: 'renewed' | 'released'; ticket: string; token: number }
  | { kind: 'refused' | 'failed'; why: string }

// The bundle: starting it takes a tenth of what starting the sources takes.
const bundle = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href
const { connectPlan, isPlanError } = (await import(bundle)) as typeof import('../index.ts')
const [root, list] = process.argv.slice(2) as [string, string]
const tickets = list.split(',')
const say = (line: StormLine): void => void writeSync(1, `${JSON.stringify(line)}\n`)
const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!
const ttl = () => 0.4 + Math.random() * 2
const held = new Map<string, number>()
const plan = await connectPlan({ root, actor: 'storm', busyTimeoutMs: 2000 })

for (;;) {
  try {
    const [mine] = [...held].slice(Math.floor(Math.random() * held.size))
    if (mine && Math.random() < 0.6) await keepOrRelease(...mine)
    else await accept()
  } catch (error) {
    if (!isPlanError(error)) throw error
    say({ kind: 'failed', why: error.code })
  }
}

async function accept(): Promise<void> {
  const which = Math.random() < 0.3 ? { next: true } : { ticket: pick(tickets) }
  const { accepted, claim, decision, reasons, refused } = await plan.accept({ ...which, holder: 'pod', ttl: ttl() })
  if (!accepted) return say({ kind: 'refused', why: refused ?? reasons[0]?.code ?? 'none' })
  held.set(claim!.ticket, claim!.token!)
  say({ kind: 'accepted', ticket: claim!.ticket, token: claim!.token!, decision: decision!.id })
}

async function keepOrRelease(ticket: string, token: number): Promise<void> {
  const isRenewal = Math.random() < 0.5
  if (!isRenewal) held.delete(ticket)
  const { refused } = isRenewal
    ? await plan.renew({ ticket, token, ttl: ttl() })
    : await plan.release({ ticket, token })
  if (refused !== undefined) held.delete(ticket)
  say(
    refused === undefined
      ? { kind: isRenewal ? 'renewed' : 'released', ticket, token }
      : { kind: 'refused', why: refused },
  )
}
