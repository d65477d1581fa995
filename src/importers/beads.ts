/**
 * Reads a beads tracker: one JSON record a line, with its dependencies, from a file or from standard input.
 *
 * A record that cannot be mapped is reported and never ends the import. Records that are no work of the project (ephemeral
 * ones, memories) are skipped and counted.
 */
import { isTicketId } from '../model/names.ts'
import { withoutUndefined } from '../model/objects.ts'
import { addDecisions, beadsGraph, isDerived } from './beads-decisions.ts'
import { type BeadsRecord, isSet, parseRecords } from './beads-records.ts'
import { isEmpty } from './blocker-names.ts'
import { type Collector, type Imported, importCollector, quoted } from './import-collector.ts'
import type { Source } from './source.ts'
import { readSource, refuseSource, timeOf } from './source-text.ts'

interface BeadsOptions {
  name?: string | undefined
  /** True where skipped records are imported too. */
  all: boolean
}

export const beads: Source = {
  what: 'a JSONL file',
  reads: 'file',
  needsQueuedState: true,
  options: ['all'],
  example: 'ticketplan import beads .beads/issues.jsonl',
  read: readBeads,
}

/** Reads the whole file. @throws PlanError import_source where it cannot be read or contains no record. */
function readBeads(path: string, { name, all }: BeadsOptions): Imported {
  const collector = importCollector({ system: 'beads', name }, { needsTarget: isDerived })
  const records = parseRecords(collector, readSource(path), path)
  const { imported, drop } = collector
  if (records.length + imported.dropped.length + Object.keys(imported.skipped).length === 0) {
    refuseSource(path, `${path} contains no record; name a file with one JSON record a line`)
  }
  const skipped = new Set<string>()
  for (const record of records) {
    const reason = all ? undefined : skipReason(record)
    if (reason === undefined) continue
    skipped.add(record.id)
    collector.skip(reason, `${record.source}: ${record.id}`)
  }
  const graph = beadsGraph(records, skipped)
  for (const record of records) {
    if (skipped.has(record.id)) continue
    if (!isTicketId(record.id)) {
      drop(record.source, `no Ticket: ${JSON.stringify(record.id)} cannot be a Ticket's id`)
      continue
    }
    addTicket(collector, record)
    addDecisions(collector, graph, record)
  }
  return imported
}

/** Returns why a record is no Ticket by design; undefined for one that is. */
function skipReason({ values }: BeadsRecord): string | undefined {
  const { _type, ephemeral, wisp } = values
  if (typeof _type === 'string' && _type !== 'issue') return _type
  return isSet(ephemeral) || !isEmpty(wisp) ? 'ephemeral' : undefined
}

function stateOf(status: string): string {
  return status === 'tombstone' ? 'cancelled' : status
}

function addTicket({ imported, drop, titleOf }: Collector, record: BeadsRecord): void {
  const { id, status, values, source } = record
  const time = (name: string, value: unknown) => {
    if (value === undefined || value === null) return undefined
    const iso = timeOf(value)
    if (!iso) drop(source, `${name} left out: not a time: ${quoted(value)}`)
    return iso
  }
  const isTombstone = status === 'tombstone'
  const stateAt = (isTombstone && values.deleted_at) || (status === 'closed' && values.closed_at) || values.updated_at
  const state = stateOf(status)
  const created_at = time('created_at', values.created_at)
  const { assignee, priority, issue_type, labels, updated_at } = values
  const { deleted_at, deleted_by, delete_reason, original_type } = isTombstone ? values : {}
  const rest = {
    assignee,
    priority,
    issue_type,
    labels,
    updated_at,
    deleted_at,
    deleted_by,
    delete_reason,
    original_type,
  }
  imported.tickets.push({
    id: id as Imported['tickets'][number]['id'],
    fields: withoutUndefined({
      title: titleOf(record.title, id),
      state,
      created_at,
      state_at: time('updated_at', stateAt),
    }),
    word: status,
    placeInQueue: created_at,
    updatedAt: timeOf(updated_at),
    rest: Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined && value !== null)),
  })
}
