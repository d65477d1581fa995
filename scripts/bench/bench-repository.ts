/** The repositories that `npm run bench` measures. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTicket } from '../../src/model/canonical-json.ts'
import type { Ticket } from '../../src/model/ticket.ts'

/** Creates a repository with Tickets of 0.8 KB: two relations each, a tenth queued, more than half settled. */
export function makeRepository(path: string, count: number): string {
  mkdirSync(join(path, 'tickets'), { recursive: true })
  spawnSync('git', ['init', '-q', path])
  const id = (n: number) => `T-${String(n).padStart(6, '0')}`
  const ulid = (n: number) => `01JX${String(n).padStart(22, '0')}`
  for (let n = 0; n < count; n++) {
    const at = new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString()
    const reason = 'the record schema has to land before anything can refer to it '.repeat(2).trim()
    const relation = (k: number, kind: string, target: number) => ({
      at,
      by: 'orchestrator',
      id: ulid(n * 2 + k),
      kind,
      reason,
      target: id(target),
    })
    const ticket = {
      created_at: at,
      decisions:
        n < 50
          ? []
          : [
              relation(0, 'blocked_by', n - 1 - (n % 40)),
              relation(1, n % 3 ? 'after' : 'conflicts_with', n - 1 - (n % 49)),
            ],
      format: 1,
      id: id(n),
      queued_at: at,
      queued_by: 'panel',
      slug: `ticket-number-${n}`,
      state: stateOf(n),
      state_at: at,
      title: `A Ticket of the usual length, number ${n}, about the usual things`,
    }
    writeFileSync(join(path, 'tickets', `${ticket.id}.json`), encodeTicket(ticket as unknown as Ticket))
  }
  return path
}

/** A tenth queued, a fifth planned, the rest settled, scattered. */
function stateOf(n: number): string {
  const digit = (Math.imul(n, 2654435761) >>> 16) % 10
  return digit === 0 ? 'queued' : digit < 3 ? 'planning' : 'closed'
}
