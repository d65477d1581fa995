/**
 * What every importer makes of its source: Tickets with their fields and decisions, and a report of what it could not map.
 *
 * Ids of decisions derive from the source alone, so a second run, or a run on another clone, gives the same bytes.
 */
import { isUtf8 } from 'node:buffer'
import { type Decision, decisionProblem } from '../model/decision.ts'
import type { RelationKind } from '../model/decision-kinds.ts'
import { derivedId } from '../model/derived-id.ts'
import { isTicketId, type TicketId } from '../model/names.ts'
import { storedRelation } from '../model/stored-relation.ts'
import { isTimestamp } from '../model/text.ts'

/** A source record that did not become what it says, and why. */
export interface Dropped {
  /** Where in the source: a file from its root, with a line where there is one. */
  source: string
  message: string
}

/** The fields that follow the source; one that the source does not have is removed. */
export const SOURCE_FIELDS = ['title', 'state', 'created_at', 'queued_at', 'queued_by', 'state_at', 'source'] as const

export interface ImportedTicket {
  id: TicketId
  fields: Partial<Record<(typeof SOURCE_FIELDS)[number], unknown>> & { title: string; state: string }
  /** Fields that the source system does not have, and that are left as they are. */
  kept: readonly (typeof SOURCE_FIELDS)[number][]
}

/** A decision, the Ticket whose file keeps it, and where in the source it came from. */
export interface ImportedDecision {
  holder: TicketId
  decision: Decision
  source: string
}

export interface Imported {
  tickets: ImportedTicket[]
  decisions: ImportedDecision[]
  dropped: Dropped[]
}

/** A relation or other decision as a source record says it, before it is checked. */
export interface SourceRecord {
  ticket: string
  kind: string
  other?: string
  at: unknown
  by: unknown
  reason?: unknown
  fields?: Record<string, unknown>
  /** The record itself: with the Ticket, all that the decision's id derives from. */
  record: unknown
  source: string
}

/** Collects decisions and reports. `system` is part of what decision ids derive from. */
export function importCollector(system: string) {
  const imported: Imported = { tickets: [], decisions: [], dropped: [] }
  const drop = (source: string, message: string) => {
    imported.dropped.push({ source, message })
  }
  return {
    imported,
    drop,
    /** The record as a decision of the Ticket that keeps it, or a line in the report. */
    addDecision({ ticket, kind, other, at, by, reason, fields, record, source }: SourceRecord) {
      const time = timeOf(at)
      if (!time) return drop(source, `no decision: "at" is not a time: ${quoted(at)}`)
      if (!isTicketId(ticket)) return drop(source, `no decision: ${JSON.stringify(ticket)} cannot be a Ticket's id`)
      let stored = { holder: ticket, kind, target: undefined as TicketId | undefined }
      if (other !== undefined) {
        if (!isTicketId(other)) return drop(source, `no decision: ${JSON.stringify(other)} cannot be a Ticket's id`)
        if (other === ticket) return drop(source, `no decision: a relation of ${ticket} to itself`)
        stored = storedRelation(ticket, kind as RelationKind, other)
      }
      const content = recordText([system, ticket, record])
      if (content === undefined) return drop(source, 'no decision: the record is nested too deeply')
      // Checked right below, with the fields that its kind has.
      const decision = {
        id: derivedId(time, content),
        kind: stored.kind,
        by: typeof by === 'string' && by ? by : system,
        at: time,
        ...(typeof reason === 'string' && reason && { reason }),
        ...(stored.target && { target: stored.target }),
        ...fields,
      } as Decision
      const problem = decisionProblem(decision)
      if (problem) return drop(source, `no decision: ${problem.path.join('.')}: ${problem.message}`)
      for (const [name, value] of Object.entries({ author: by, note: reason })) {
        if (value != null && typeof value !== 'string')
          drop(source, `the ${name} left out: not a string: ${quoted(value)}`)
      }
      imported.decisions.push({ holder: stored.holder, decision, source })
    },
  }
}

/** Undefined where the record is so deep that the stack does not hold it. */
function recordText(content: unknown): string | undefined {
  try {
    return JSON.stringify(content)
  } catch {
    return undefined
  }
}

/** A value of the source in a message: short, whatever it is. */
export function quoted(value: unknown): string {
  let text: string
  try {
    text = String(JSON.stringify(value))
  } catch {
    return 'a value that contains itself, or is nested too deeply'
  }
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** The lines that are not empty, each with its number; one that is not UTF-8 has no text. */
export function* sourceLines(bytes: Buffer): Generator<{ number: number; text: string | undefined }> {
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const newline = bytes.indexOf(10, start)
    const end = newline === -1 ? bytes.length : newline
    const line = bytes.subarray(start, end)
    const text = isUtf8(line) ? line.toString('utf8') : undefined
    if (text === undefined || text.trim()) yield { number, text }
    start = end + 1
  }
}

/** A time in any form that names one moment, in the form of Ticket files; undefined where it is none. */
export function timeOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(?:Z|[+-]\d\d:?\d\d)$/.test(value)) return undefined
  const time = new Date(value)
  // JavaScript takes 30 February for 2 March.
  if (Number.isNaN(time.getTime()) || !isTimestamp(`${value.slice(0, 10)}T00:00:00.000Z`)) return undefined
  const iso = time.toISOString()
  return isTimestamp(iso) ? iso : undefined
}
