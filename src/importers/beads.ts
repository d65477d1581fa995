/**
 * Reads a beads tracker: one JSON record a line, with its dependencies.
 *
 * A record that cannot be mapped is reported and never ends the import.
 */
import { readFileSync, statSync } from 'node:fs'
import { PlanError } from '../model/errors.ts'
import { isTicketId } from '../model/names.ts'
import { type Collector, type Imported, importCollector, quoted, sourceLines, timeOf } from './import-collector.ts'

type Json = Record<string, unknown>

/** Dependency types that hold a Ticket back; every other type becomes `related`, with the type as its label. */
const BLOCKING = new Set(['blocks', 'blocked-by'])

/** Reads the whole file. @throws PlanError import_source where it cannot be read or contains no record. */
export function readBeads(path: string): Imported {
  const collector = importCollector('beads')
  for (const { number, text } of sourceLines(readSource(path))) {
    const source = `line ${number}`
    const record = parseRecord(text)
    if (typeof record === 'string') collector.drop(source, `no Ticket: ${record}`)
    else {
      addTicket(collector, record, source)
      addDependencies(collector, record, source)
    }
  }
  const { imported } = collector
  if (imported.tickets.length + imported.dropped.length === 0) {
    const message = `${path} contains no record; name a file with one JSON record a line`
    throw new PlanError('import_source', message, { path, place: null })
  }
  return imported
}

function readSource(path: string): Buffer {
  let bytes: Buffer | undefined
  try {
    if (statSync(path).isFile()) bytes = readFileSync(path)
  } catch (error) {
    throw new PlanError('import_source', `${path}: ${(error as Error).message}`, { path, place: null }, error)
  }
  if (bytes) return bytes
  const message = `${path} is not a file; name the file with the records, for example .beads/issues.jsonl`
  throw new PlanError('import_source', message, { path, place: null })
}

/** A record with the fields that every Ticket needs. */
type BeadsRecord = Json & { id: string; title: string; status: string }

/** Parses a line; returns the reason where it is no record. */
function parseRecord(text: string | undefined): BeadsRecord | string {
  if (text === undefined) return 'not valid UTF-8'
  let record: Json | null
  try {
    record = JSON.parse(text)
  } catch (error) {
    return `not JSON: ${(error as Error).message}`
  }
  const { id, title, status } = record ?? {}
  const isRecord = typeof id === 'string' && typeof title === 'string' && typeof status === 'string'
  return isRecord ? (record as BeadsRecord) : 'a record needs id, title and status'
}

function addTicket({ imported, drop }: Collector, record: BeadsRecord, source: string): void {
  const { id } = record
  if (!isTicketId(id)) return drop(source, `no Ticket: ${JSON.stringify(id)} cannot be a Ticket's id`)
  const fields = fieldsOf(record, message => drop(source, message))
  imported.tickets.push({ id, fields, kept: ['queued_at', 'queued_by'] })
}

function addDependencies({ addDecision, drop }: Collector, record: BeadsRecord, source: string): void {
  const { dependencies } = record
  if (dependencies === undefined || dependencies === null) return
  if (!Array.isArray(dependencies)) return drop(source, 'dependencies left out: not a list')
  for (const dependency of dependencies as (Json | null)[]) {
    const { issue_id, depends_on_id, type, created_at, created_by } = dependency ?? {}
    const place = `${source}: ${named(issue_id)} -> ${named(depends_on_id)} (${named(type)})`
    if (typeof issue_id !== 'string' || typeof depends_on_id !== 'string' || typeof type !== 'string') {
      drop(place, 'no decision: a dependency needs issue_id, depends_on_id and type')
      continue
    }
    const isBlocking = BLOCKING.has(type)
    addDecision({
      ticket: issue_id,
      kind: isBlocking ? 'blocked_by' : 'related',
      other: depends_on_id,
      at: created_at ?? record.created_at,
      by: created_by,
      fields: isBlocking ? {} : { label: type },
      record: dependency,
      source: place,
    })
  }
}

function named(value: unknown): string {
  return typeof value === 'string' ? value : quoted(value)
}

function fieldsOf(record: BeadsRecord, drop: (message: string) => void) {
  const { title, status, created_at, assignee, priority, issue_type, labels } = record
  const isTombstone = status === 'tombstone'
  const stateAt = (isTombstone && record.deleted_at) || (status === 'closed' && record.closed_at) || record.updated_at
  const time = (name: string, value: unknown) => {
    if (value === undefined || value === null) return undefined
    const iso = timeOf(value)
    if (!iso) drop(`${name} left out: not a time: ${quoted(value)}`)
    return iso
  }
  const deletion = isTombstone
    ? {
        deleted_at: record.deleted_at,
        deleted_by: record.deleted_by,
        delete_reason: record.delete_reason,
        original_type: record.original_type,
      }
    : {}
  const source = { system: 'beads', assignee, priority, issue_type, labels, ...deletion }
  return {
    title,
    state: isTombstone ? 'cancelled' : status,
    created_at: time('created_at', created_at),
    state_at: time('updated_at', stateAt),
    source: Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== null)),
  }
}
