/**
 * Collects what an importer reads: Tickets with their fields, decisions, and a report of what could not be mapped.
 *
 * Invariant: the ids of decisions derive from the source alone, so a second run, or a run on another clone, returns the same
 * bytes.
 */
import { isUtf8 } from 'node:buffer'
import { type Decision, decisionProblem } from '../model/decision.ts'
import type { RelationKind } from '../model/decision-kinds.ts'
import { derivedId } from '../model/derived-id.ts'
import { isTicketId, type TicketId } from '../model/names.ts'
import { storedRelation } from '../model/stored-relation.ts'
import { isTimestamp } from '../model/text.ts'

/** A source record, or a part of one, that was not imported, and why. */
export interface Dropped {
  /** The place in the source: a path from its root, with a line where there is one. */
  source: string
  message: string
}

/** The fields that follow the source; an import removes one that the source lacks. */
export const SOURCE_FIELDS = ['title', 'state', 'created_at', 'queued_at', 'queued_by', 'state_at', 'source'] as const

export interface ImportedTicket {
  id: TicketId
  fields: Partial<Record<(typeof SOURCE_FIELDS)[number], unknown>> & { title: string; state: string }
  /** Fields that the source system does not have; an import does not change them. */
  kept: readonly (typeof SOURCE_FIELDS)[number][]
}

/** A decision, the Ticket whose file holds it, and its place in the source. */
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

/** A relation or another decision as the source has it, not yet checked. */
export interface SourceRecord {
  ticket: string
  kind: string
  other?: string
  at: unknown
  by: unknown
  reason?: unknown
  fields?: Record<string, unknown>
  /** The record itself. The decision's id derives from it and from the Ticket. */
  record: unknown
  source: string
}

export interface Collector {
  readonly imported: Imported
  /** Adds a line to the report. */
  drop(source: string, message: string): void
  /** Adds the record as a decision of the Ticket that holds it; adds a line to the report where it cannot be one. */
  addDecision(record: SourceRecord): void
}

/** Creates a collector. The ids of decisions also derive from `system`. */
export function importCollector(system: string): Collector {
  const imported: Imported = { tickets: [], decisions: [], dropped: [] }
  const drop = (source: string, message: string) => {
    imported.dropped.push({ source, message })
  }
  const addDecision = (record: SourceRecord) => {
    const { by, reason, source } = record
    const read = readDecision(system, record)
    if (typeof read === 'string') return drop(source, `no decision: ${read}`)
    for (const [name, value] of Object.entries({ author: by, note: reason })) {
      if (value != null && typeof value !== 'string') {
        drop(source, `the ${name} left out: not a string: ${quoted(value)}`)
      }
    }
    imported.decisions.push({ ...read, source })
  }
  return { imported, drop, addDecision }
}

/** Returns the decision of a record and the Ticket that holds it; the reason where the record cannot be one. */
function readDecision(
  system: string,
  { ticket, kind, other, at, by, reason, fields, record }: SourceRecord,
): Omit<ImportedDecision, 'source'> | string {
  const time = timeOf(at)
  if (!time) return `"at" is not a time: ${quoted(at)}`
  if (!isTicketId(ticket)) return `${JSON.stringify(ticket)} cannot be a Ticket's id`
  let stored = { holder: ticket, kind, target: undefined as TicketId | undefined }
  if (other !== undefined) {
    if (!isTicketId(other)) return `${JSON.stringify(other)} cannot be a Ticket's id`
    if (other === ticket) return `a relation of ${ticket} to itself`
    stored = storedRelation(ticket, kind as RelationKind, other)
  }
  const content = recordText([system, ticket, record])
  if (content === undefined) return 'the record is nested too deeply'
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
  return problem ? `${problem.path.join('.')}: ${problem.message}` : { holder: stored.holder, decision }
}

/** Returns the JSON text of a record; undefined where it is nested too deeply for the stack. */
function recordText(content: unknown): string | undefined {
  try {
    return JSON.stringify(content)
  } catch {
    return undefined
  }
}

/** Returns a value of the source for a message, cut to a short text. */
export function quoted(value: unknown): string {
  let text: string
  try {
    text = String(JSON.stringify(value))
  } catch {
    return 'a value that contains itself, or is nested too deeply'
  }
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** Yields the lines that are not empty, each with its number; a line that is not UTF-8 has no text. */
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

/** Converts a time with a time zone to the form of Ticket files; undefined for anything else. */
export function timeOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(?:Z|[+-]\d\d:?\d\d)$/.test(value)) return undefined
  const time = new Date(value)
  // JavaScript reads 30 February as 2 March.
  if (Number.isNaN(time.getTime()) || !isTimestamp(`${value.slice(0, 10)}T00:00:00.000Z`)) return undefined
  const iso = time.toISOString()
  return isTimestamp(iso) ? iso : undefined
}
