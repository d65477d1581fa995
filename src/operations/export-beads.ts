/**
 * Formats Tickets as the JSONL of beads. Pure.
 *
 * What blocks stays blocking: an order (`after`) becomes `blocks` too. What beads has no form for is counted.
 */
import { type AnyFields, anyFields, type Decision } from '../model/decision.ts'
import type { TicketRow } from '../ticket-index/query.ts'

/** A Ticket with its active decisions. */
export interface ExportedTicket {
  row: TicketRow
  decisions: Decision[]
}

const TYPES: Record<string, string> = {
  blocked_by: 'blocks',
  after: 'blocks',
  part_of: 'parent-child',
  related: 'related',
  conflicts_with: 'related',
}
const STATES = { open: 'open', queued: 'open', active: 'in_progress', terminal: 'closed' } as const

/** Returns one record a line, and how many decisions of each kind have no form in it. */
export function beadsText(tickets: readonly ExportedTicket[]): { text: string; lost: Record<string, number> } {
  const lost: Record<string, number> = {}
  const lines = tickets.map(({ row, decisions }) => {
    const holds: AnyFields[] = []
    const dependencies = decisions.flatMap(decision => {
      const { kind, target, at, by } = anyFields(decision)
      const type = Object.hasOwn(TYPES, kind) ? TYPES[kind] : undefined
      if (kind === 'hold') holds.push(anyFields(decision))
      else if (type === undefined || target === undefined) lost[kind] = (lost[kind] ?? 0) + 1
      if (type === undefined || target === undefined) return []
      return [{ issue_id: row.id, depends_on_id: target, type, created_at: at, created_by: by }]
    })
    const deferral = holds.length === 1 ? holds[0]!.not_before : undefined
    if (holds.length > 0 && deferral === undefined) lost.hold = (lost.hold ?? 0) + holds.length
    return JSON.stringify({
      id: row.id,
      title: row.title,
      status: STATES[row.phase],
      created_at: row.created_at ?? undefined,
      updated_at: row.changed_at ?? undefined,
      closed_at: row.phase === 'terminal' ? (row.state_at ?? undefined) : undefined,
      defer_until: deferral,
      dependencies: dependencies.length > 0 ? dependencies : undefined,
    })
  })
  return { text: lines.map(line => `${line}\n`).join(''), lost }
}
