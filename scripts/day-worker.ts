/**
 * A worker of the day, and the command that it runs: two programs of `npm run demo:day`.
 *
 * `worker <cli> <name> <folder>` accepts the first Ticket that may start, runs the command under `keep`, and releases it as
 * done; until a file says that the day is over. `command <name> <folder> <hang>` is the work: it writes down start and end.
 * The first run of a Ticket that is in <hang> never ends by itself. All files are in <folder>.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DayEvent } from './day-check.ts'

/** Seconds until the claim of a dead worker expires. */
const TTL_SECONDS = 8

const [role, ...args] = process.argv.slice(2)
if (role === 'worker') await work(args as [string, string, string, string])
else await command(args as [string, string, string])

async function work([cli, name, folder, hang]: [string, string, string, string]): Promise<void> {
  const ticketplan = async (...args: string[]) => {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    const output: Buffer[] = []
    child.stdout.on('data', chunk => output.push(chunk))
    const [status] = (await once(child, 'close')) as [number | null]
    return { status, text: Buffer.concat(output).toString() }
  }
  while (!existsSync(join(folder, 'over'))) {
    const accepted = await ticketplan('accept', '--next', '--holder', name, '--ttl', String(TTL_SECONDS), '--json')
    if (accepted.status === 3) {
      await sleep(100)
      continue
    }
    if (accepted.status !== 0) throw new Error(`${name}: accept ended with ${accepted.status}`)
    const { ticket, token } = JSON.parse(accepted.text).claim as { ticket: string; token: number }
    const self = import.meta.filename
    const job = [process.execPath, self, 'command', name, folder, hang]
    const { status } = await ticketplan('keep', ticket, '--token', String(token), '--', ...job)
    const ending = status === 0 ? ['--state', 'done'] : []
    if (status !== 75) await ticketplan('release', ticket, '--token', String(token), ...ending)
  }
}

async function command([name, folder, hang]: [string, string, string]): Promise<void> {
  const ticket = process.env.TICKETPLAN_TICKET!
  const write = (event: DayEvent['event']) => {
    const at = Number(process.hrtime.bigint()) / 1e6
    appendFileSync(
      join(folder, `${name}.log`),
      `${JSON.stringify({ at, who: name, event, ticket, pid: process.pid })}\n`,
    )
  }
  const isFirst = !readdirSync(folder).some(
    file => file.endsWith('.log') && readFileSync(join(folder, file), 'utf8').includes(`"${ticket}"`),
  )
  process.once('SIGTERM', () => {
    write('stopped')
    process.exit(143)
  })
  write('start')
  if (isFirst && hang.split(',').includes(ticket)) await sleep(600_000)
  await sleep(400 + (Number(ticket.slice(2)) % 5) * 300)
  write('end')
}
