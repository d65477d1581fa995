/**
 * Plans of unusual shapes for `npm run bench:plans`: each is a list of Tickets with decisions, written as Ticket files. All
 * Tickets are queued, so that every verdict of a plan is computed.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTicket } from '../src/model/canonical-json.ts'
import type { Ticket } from '../src/model/ticket.ts'

const AT = '2026-01-01T00:00:00.000Z'

/** A decision without id, author and time. */
type Said = { kind: string; [field: string]: unknown }

export interface PlanShape {
  what: string
  tickets: number
  /** The decisions of the nth Ticket. */
  decisionsOf(n: number): Said[]
  /** The state of the nth Ticket; queued where absent. */
  stateOf?(n: number): string
}

/** Returns the shapes: first a plan of one Ticket, second the ordinary plan, against which the others are measured. */
export function planShapes(scale: number): PlanShape[] {
  const sized = (count: number) => Math.max(2, Math.round(count * scale))
  // A million relations at scale 1. They shrink faster than the other shapes, so that a small run is short.
  const side = Math.max(2, Math.round(1000 * scale ** 0.75))
  return [
    { what: 'one Ticket', tickets: 1, decisionsOf: () => [] },
    {
      what: 'ordinary: two blockers near by',
      tickets: sized(10_000),
      decisionsOf: n => blockedBy(n - 1 - (n % 40), n - 50 - (n % 9)),
    },
    { what: 'a chain', tickets: sized(10_000), decisionsOf: n => blockedBy(n - 1) },
    {
      what: 'three blockers, the Tickets before',
      tickets: sized(10_000),
      decisionsOf: n => blockedBy(n - 1, n - 2, n - 3),
    },
    {
      what: 'parts of the Ticket before, three blockers before',
      tickets: sized(5000),
      decisionsOf: n => [...partOf(n - 1), ...blockedBy(n - 1, n - 2, n - 3)],
    },
    {
      what: 'parts of the two before, three blockers before',
      tickets: sized(5000),
      decisionsOf: n => [...partOf(n - 1, n - 2), ...blockedBy(n - 1, n - 2, n - 3)],
    },
    {
      what: 'parts in two lines, the top blocked by the bottom of the other',
      tickets: sized(5000),
      decisionsOf: n => [...partOf(n - 2), ...blockedBy(n % 2 ? -1 : 2 * Math.floor(sized(5000) / 2) - 1 - n)],
    },
    {
      what: `${side} in conflict with each of ${side}`,
      tickets: 2 * side,
      decisionsOf: n => (n < side ? conflictsWith(Array.from({ length: side }, (_, m) => side + m)) : []),
    },
    {
      what: `one Ticket with ${sized(8000)} notes`,
      tickets: 2,
      decisionsOf: n => (n === 0 ? Array.from({ length: sized(8000) }, () => ({ kind: 'note' })) : blockedBy(0)),
    },
    { what: 'no relations', tickets: sized(5000), decisionsOf: () => [] },
    {
      what: 'five areas each, a tenth at work',
      tickets: sized(2000),
      stateOf: n => (n % 10 === 9 ? 'in_progress' : 'queued'),
      decisionsOf: n => [{ kind: 'touches', paths: areasOf(n) }],
    },
  ]
}

/** Writes the Ticket files of a plan into `root`; returns how many Tickets and relations it has. A path of an area is a relation. */
export function writePlan(root: string, { tickets, decisionsOf, stateOf }: PlanShape): number {
  mkdirSync(join(root, 'tickets'), { recursive: true })
  let units = tickets
  for (let n = 0, decision = 0; n < tickets; n++) {
    const decisions = decisionsOf(n).map(said => {
      const id = `01JX${String(decision++).padStart(22, '0')}`
      return {
        at: AT,
        by: 'bench',
        id,
        ...(said.kind === 'note' ? { reason: 'a' } : { reason: 'as planned' }),
        ...said,
      }
    })
    for (const { paths } of decisions as { paths?: string[] }[]) units += paths?.length ?? 1
    const ticket = { format: 1, id: `T-${n}`, title: `Ticket ${n}`, state: stateOf?.(n) ?? 'queued', queued_at: AT }
    writeFileSync(join(root, 'tickets', `T-${n}.json`), encodeTicket({ ...ticket, decisions } as unknown as Ticket))
  }
  return units
}

function blockedBy(...others: number[]): Said[] {
  return others.filter(other => other >= 0).map(other => ({ kind: 'blocked_by', target: `T-${other}` }))
}

function partOf(...others: number[]): Said[] {
  return others.filter(other => other >= 0).map(other => ({ kind: 'part_of', target: `T-${other}` }))
}

function conflictsWith(others: number[]): Said[] {
  return others.map(other => ({ kind: 'conflicts_with', target: `T-${other}` }))
}

/** Five globs, which overlap with those of the next Ticket. */
function areasOf(n: number): string[] {
  const part = `p${n >> 1}`
  return [`app/${part}/*.ts`, `app/${part}/**/t.ts`, `docs/${part}.md`, `lib/${part}/`, `${part}?.json`]
}
