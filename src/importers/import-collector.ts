/**
 * Collects what an importer reads: Tickets with their fields, decisions, and a report of what could not be mapped.
 *
 * Invariant: the ids of decisions derive from what the source says alone, so a second run, or a run on another clone, returns
 * the same bytes. An unusable time never costs a decision.
 */
import { type Decision, decisionProblem } from '../model/decision.ts'
import type { RelationKind } from '../model/decision-kinds.ts'
import { isTicketId, type TicketId } from '../model/names.ts'
import { storedRelation } from '../model/stored-relation.ts'
import { importedId, type Origin } from './imported-id.ts'
import { oneLineOf, timeOf } from './source-text.ts'

/** A source record, or a part of one, that was not imported, and why. */
export interface Dropped {
  /** The place in the source: a path from its root, with a line where there is one. */
  source: string
  message: string
}

/** A source record, or a part of one, that is not imported by design. */
export interface SkippedRecord {
  /** The place in the source, with the id. */
  source: string
  reason: string
}

/** What a source says about one Ticket. */
export interface ImportedTicket {
  id: TicketId
  fields: {
    title: string
    state: string
    slug?: string | undefined
    created_at?: string | undefined
    state_at?: string | undefined
    queued_at?: string | undefined
    queued_by?: string | undefined
  }
  /** The state in the source's own word. */
  word: string
  /** Its place in the source's order: `queued_at` of one that is queued and has none. */
  placeInQueue?: string | undefined
  /** When the source last changed the record; undefined where it does not say. */
  updatedAt: string | undefined
  /** True where `updatedAt` is the time of the whole snapshot: it is kept only where the record changed. */
  isSnapshotTime?: boolean
  /** What else is kept, under "source" in the Ticket file. */
  rest: Record<string, unknown>
}

/** A decision, the Ticket whose file holds it, and its place in the source. */
export interface ImportedDecision {
  holder: TicketId
  decision: Decision
  source: string
}

export interface Imported {
  origin: Origin
  tickets: ImportedTicket[]
  decisions: ImportedDecision[]
  dropped: Dropped[]
  warnings: string[]
  /** The ids of all records, skipped and unusable ones included: none of them is gone. */
  seen: Set<string>
  /** The Tickets whose records may have more edges than were read: no edge of theirs is retracted. */
  incomplete: Set<string>
  /** The kinds of edges that a record does not list, as `<id> <kind>`: none of these is retracted. */
  unlisted: Set<string>
  /** True for a decision that may be stated by the record of its other Ticket: without that record it is not retracted. */
  needsTarget(decision: Decision): boolean
  /** True for a decision from a part of the records that this import did not read: it is not retracted. */
  isUnread(decision: Decision): boolean
  /** True where decisions are taken with their ids: none is derived again, and none is retracted. */
  isExact: boolean
  /** How many records are no Tickets by design, by reason. */
  skipped: Record<string, number>
  /** Each of these records, or parts of records. */
  skippedRecords: SkippedRecord[]
  /** Why the source may have records that were not read; then none of its Tickets counts as gone. */
  partial: string | undefined
  /** False for a Ticket of a part of the source that this import did not read: it is not gone. */
  isInScope?(source: Record<string, unknown>): boolean
}

/** A relation or another decision as the source has it, not yet checked. */
interface SourceRecord {
  ticket: string
  kind: string
  other?: string
  at: unknown
  /** The time where `at` is unusable: that of the Ticket. */
  ownAt: unknown
  by: unknown
  reason?: unknown
  fields?: Record<string, unknown>
  source: string
}

export interface Collector {
  readonly imported: Imported
  /** Adds a line to the report. */
  drop(source: string, message: string): void
  /** Adds a line to the report for records whose ids are not known: no Ticket counts as gone then. */
  dropUnread(source: string, message: string): void
  /** Counts a record, or a part of one, that is not imported by design. */
  skip(reason: string, source: string): void
  /** Returns the title as one line, the id for an empty one; reports what changed. */
  titleOf(title: string, id: string): string
  /** Adds the record as a decision of the Ticket that holds it; adds a line to the report where it cannot be one. */
  addDecision(record: SourceRecord): void
}

/** The time of a decision whose source has no usable time at all. */
const NO_TIME = '1970-01-01T00:00:00.000Z'

/** Creates a collector. The ids of decisions also derive from the origin. */
export function importCollector(
  origin: Origin,
  { needsTarget, isUnread = () => false }: Pick<Imported, 'needsTarget'> & Partial<Pick<Imported, 'isUnread'>>,
): Collector {
  const imported: Imported = {
    origin,
    tickets: [],
    decisions: [],
    dropped: [],
    warnings: [],
    seen: new Set(),
    incomplete: new Set(),
    unlisted: new Set(),
    needsTarget,
    isUnread,
    isExact: false,
    skipped: {},
    skippedRecords: [],
    partial: undefined,
  }
  const drop = (source: string, message: string) => {
    imported.dropped.push({ source, message })
  }
  return {
    imported,
    drop,
    dropUnread(source, message) {
      imported.partial ??= `${source}: ${message}`
      drop(source, message)
    },
    skip(reason, source) {
      imported.skippedRecords.push({ source, reason })
      imported.skipped[reason] = (imported.skipped[reason] ?? 0) + 1
    },
    titleOf(title, id) {
      const line = oneLineOf(title)
      if (line === '') imported.warnings.push(`Ticket ${id}: its title is empty; the id is the title`)
      else if (line !== title.trim())
        imported.warnings.push(`Ticket ${id}: its title had line breaks or control characters; it is now one line`)
      return line || id
    },
    addDecision(record) {
      const { by, reason, source } = record
      const read = readDecision(origin, record)
      if (typeof read === 'string') {
        imported.incomplete.add(record.ticket)
        const hold = holdInstead(origin, record)
        if (hold) imported.decisions.push({ ...hold, source })
        return drop(source, `no decision: ${read}${hold ? '; a hold instead' : ''}`)
      }
      for (const [name, value] of Object.entries({ author: by, note: reason })) {
        if (value != null && typeof value !== 'string') {
          drop(source, `the ${name} left out: not a string: ${quoted(value)}`)
        }
      }
      imported.decisions.push({ ...read, source })
    },
  }
}

/** Returns the decision of a record and the Ticket that holds it; the reason where the record cannot be one. */
function readDecision(
  origin: Origin,
  { ticket, kind, other, at, ownAt, by, reason, fields }: SourceRecord,
): Omit<ImportedDecision, 'source'> | string {
  if (!isTicketId(ticket)) return `${JSON.stringify(ticket)} cannot be a Ticket's id`
  let stored = { holder: ticket, kind, target: undefined as TicketId | undefined }
  if (other !== undefined) {
    if (!isTicketId(other)) return `${JSON.stringify(other)} cannot be a Ticket's id`
    if (other === ticket) return `a relation of ${ticket} to itself`
    stored = storedRelation(ticket, kind as RelationKind, other)
  }
  // Checked right below, with the fields that its kind has.
  const content = {
    kind: stored.kind,
    by: (typeof by === 'string' && oneLineOf(by)) || origin.system,
    at: usableTime(at) ?? usableTime(ownAt) ?? NO_TIME,
    ...(typeof reason === 'string' && reason && { reason }),
    ...(stored.target && { target: stored.target }),
    ...fields,
  }
  const decision = { id: importedId(origin, stored.holder, content), ...content } as Decision
  const problem = decisionProblem(decision)
  return problem ? `${problem.path.join('.')}: ${problem.message}` : { holder: stored.holder, decision }
}

/** The relations that hold the Ticket of the record, and those that hold the other one, with what a hold says of them. */
const HOLDS: Record<string, string> = {
  blocked_by: 'blocked by',
  after: 'comes after',
  conflicts_with: 'conflicts with',
}
const HOLDS_OTHER: Record<string, string> = {
  blocks: HOLDS.blocked_by!,
  before: HOLDS.after!,
  conflicts_with: HOLDS.conflicts_with!,
}

/** Returns a hold for a relation that cannot be recorded; undefined where it holds nothing that can be a Ticket. */
function holdInstead(origin: Origin, record: SourceRecord): Omit<ImportedDecision, 'source'> | undefined {
  const { ticket, kind, other } = record
  if (other === undefined || other === ticket) return undefined
  const isOwn = HOLDS[kind] !== undefined && isTicketId(ticket)
  const [holder, words, named] = isOwn ? [ticket, HOLDS[kind], other] : [other, HOLDS_OTHER[kind], ticket]
  if (words === undefined) return undefined
  const { at, ownAt, by, source } = record
  const reason = `${words} ${quoted(named)}, which could not be recorded as a relation`
  const read = readDecision(origin, { ticket: holder, kind: 'hold', at, ownAt, by, reason, source })
  return typeof read === 'string' ? undefined : read
}

/** Returns the time where an id can begin with it: from 1970 on. */
function usableTime(value: unknown): string | undefined {
  const time = timeOf(value)
  return time !== undefined && time >= NO_TIME ? time : undefined
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
