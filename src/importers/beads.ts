/** Reads a beads tracker: one JSON record a line, with its dependencies. */
import { readFileSync, statSync } from 'node:fs'
import { PlanError } from '../model/errors.ts'
import { isTicketId } from '../model/names.ts'
import { type Imported, importCollector, quoted, sourceLines, timeOf } from './import-collector.ts'

type Json = Record<string, unknown>

/** Dependency types that hold a Ticket back; every other one becomes `related`, with the type as label. */
const BLOCKING = new Set(['blocks', 'blocked-by'])

/** Everything in the file. @throws PlanError import_source where it cannot be read or holds no record. */
export function readBeads(path: string): Imported {
  let bytes: Buffer | undefined
  try {
    if (statSync(path).isFile()) bytes = readFileSync(path)
  } catch (error) {
    throw new PlanError('import_source', `${path}: ${(error as Error).message}`, { path, place: null }, error)
  }
  if (!bytes) throw new PlanError('import_source', `${path} is not a file`, { path, place: null })
  const { imported, drop, addDecision } = importCollector('beads')
  for (const { number, text } of sourceLines(bytes)) {
    const source = `line ${number}`
    if (text === undefined) {
      drop(source, 'no Ticket: not valid UTF-8')
      continue
    }
    let record: Json
    try {
      record = JSON.parse(text)
    } catch (error) {
      drop(source, `no Ticket: not JSON: ${(error as Error).message}`)
      continue
    }
    const { id, title, status } = record ?? {}
    if (typeof id !== 'string' || typeof title !== 'string' || typeof status !== 'string') {
      drop(source, 'no Ticket: a record needs id, title and status')
      continue
    }
    if (!isTicketId(id)) drop(source, `no Ticket: ${JSON.stringify(id)} cannot be a Ticket's id`)
    else
      imported.tickets.push({
        id,
        fields: fieldsOf(record, message => drop(source, message)),
        kept: ['queued_at', 'queued_by'],
      })
    if (record.dependencies != null && !Array.isArray(record.dependencies))
      drop(source, 'dependencies left out: not a list')
    for (const edge of Array.isArray(record.dependencies) ? (record.dependencies as Json[]) : []) {
      const { issue_id, depends_on_id, type, created_at, created_by } = edge ?? {}
      const edgeSource = `${source}: ${named(issue_id)} -> ${named(depends_on_id)} (${named(type)})`
      if (typeof issue_id !== 'string' || typeof depends_on_id !== 'string' || typeof type !== 'string') {
        drop(edgeSource, 'no decision: a dependency needs issue_id, depends_on_id and type')
        continue
      }
      const blocking = BLOCKING.has(type)
      addDecision({
        ticket: issue_id,
        kind: blocking ? 'blocked_by' : 'related',
        other: depends_on_id,
        at: created_at ?? record.created_at,
        by: created_by,
        fields: blocking ? {} : { label: type },
        record: edge,
        source: edgeSource,
      })
    }
  }
  if (imported.tickets.length + imported.dropped.length === 0) {
    throw new PlanError('import_source', `${path} holds no record`, { path, place: null })
  }
  return imported
}

function named(value: unknown): string {
  return typeof value === 'string' ? value : quoted(value)
}

function fieldsOf(record: Json, drop: (message: string) => void) {
  const { title, status, created_at, assignee, priority, issue_type, labels } = record
  const tombstone = status === 'tombstone'
  const stateAt = (tombstone && record.deleted_at) || (status === 'closed' && record.closed_at) || record.updated_at
  const time = (name: string, value: unknown) => {
    if (value === undefined || value === null) return undefined
    const iso = timeOf(value)
    if (!iso) drop(`${name} left out: not a time: ${quoted(value)}`)
    return iso
  }
  const deletion = tombstone
    ? {
        deleted_at: record.deleted_at,
        deleted_by: record.deleted_by,
        delete_reason: record.delete_reason,
        original_type: record.original_type,
      }
    : {}
  const source = { system: 'beads', assignee, priority, issue_type, labels, ...deletion }
  return {
    title: title as string,
    state: tombstone ? 'cancelled' : (status as string),
    created_at: time('created_at', created_at),
    state_at: time('updated_at', stateAt),
    source: Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== null)),
  }
}
