/**
 * Reads JSON of any program by a map of its fields, and what `ticketplan export json` writes.
 *
 * Of an export every decision is taken as it is, with its id, so that a round trip gives the same decisions.
 */
import * as z from 'zod/mini'
import { type Decision, decisionProblem } from '../model/decision.ts'
import { lazy } from '../model/lazy.ts'
import { isTicketId, type TicketId } from '../model/names.ts'
import { isObject, withoutUndefined } from '../model/objects.ts'
import { unknownBlockers, unreadReason } from './blocker-names.ts'
import { type FieldMap, hasField, parseFieldMap, unreachedAt, valuesAt } from './field-map.ts'
import { type Collector, type Imported, importCollector, quoted } from './import-collector.ts'
import { readDocuments } from './json-documents.ts'
import { queuedBy } from './queued-words.ts'
import type { ReadContext, Source } from './source.ts'
import type { SourceOptionValues } from './source-options.ts'
import { refuseSource, timeOf } from './source-text.ts'
import { addItems, checkedRecords, type ItemEdge, type WorkItem } from './work-items.ts'

type JsonOptions = ReadContext & Pick<SourceOptionValues, 'map' | 'queued'>
type Json = Record<string, unknown>

export const json: Source = {
  what: 'JSON records with --map, or from "ticketplan export json"',
  reads: 'file',
  options: ['map', 'queued'],
  example: "ticketplan import json items.json --map 'id=key,title=name,blocked_by=deps[]'",
  read: (path, options) => readJson(path, () => readDocuments(path), options),
}

/** Returns the records as Tickets and decisions. @throws PlanError import_source, invalid_input for a map that cannot be used. */
function readJson(path: string, documents: () => unknown[], options: JsonOptions): Imported {
  const map = options.map && parseFieldMap(options.map)
  const collector = importCollector({ system: 'json', name: options.name }, { needsTarget: () => true })
  const all = documents()
  if (map) readMapped(collector, map, recordsOf(all, map, path), options.queued)
  else if (all.length === 1 && isExport(all[0])) readExport(collector, all[0])
  else {
    refuseSource(
      path,
      `${path} is no export of ticketplan; say which fields are which with --map, for example id=key,title=summary. Nothing was written`,
    )
  }
  return collector.imported
}

function recordsOf(documents: readonly unknown[], { records: at }: FieldMap, path: string): unknown[] {
  const records = documents.flatMap(document => (at === undefined ? document : valuesAt(document, at)))
  if (records.length > 0 || documents.every(document => Array.isArray(document))) return records
  refuseSource(path, `${path} has no list at "${at}"; correct records=… in --map. Nothing was written`)
}

function readMapped(collector: Collector, map: FieldMap, records: readonly unknown[], queued: Queued): void {
  const items: WorkItem[] = []
  for (const [position, values] of records.entries()) {
    const source = `record ${position + 1}`
    const id = idOf(valuesAt(values, map.fields.id!)[0])
    if (id === undefined) collector.dropUnread(source, `no Ticket: no text or exact number at ${map.fields.id}`)
    else items.push(itemOf(collector, map, queued, { id, values, source }))
  }
  addItems(collector, items)
}

/** The words that count as queued. */
type Queued = readonly string[] | undefined

function textAt(values: unknown, path: string | undefined): string | undefined {
  const [value] = path === undefined ? [] : valuesAt(values, path)
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value.trim() : undefined
}

/** Returns an id; undefined for none, and for a number that JSON has not kept as it was written. */
function idOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined
  return typeof value === 'string' ? value.trim() : undefined
}

interface MappedRecord {
  id: string
  values: unknown
  source: string
}

function itemOf(collector: Collector, map: FieldMap, queued: Queued, record: MappedRecord): WorkItem {
  const { id, values, source } = record
  const { fields } = map
  const first = (path: string | undefined) => (path === undefined ? undefined : valuesAt(values, path)[0])
  const word = textAt(values, fields.state) ?? 'open'
  const labels = fields.labels === undefined ? [] : valuesAt(values, fields.labels)
  const edges = edgesOf(collector, map, record)
  return {
    id,
    title: textAt(values, fields.title) ?? '',
    word,
    state:
      queuedBy(queued, [word, ...labels.filter(label => typeof label === 'string')]) === undefined ? word : 'queued',
    created: first(fields.created_at),
    updated: first(fields.updated_at),
    queuedAt: first(fields.queued_at),
    rest: withoutUndefined({
      labels: labels.length > 0 ? labels : undefined,
      priority: first(fields.priority),
      url: textAt(values, fields.url),
    }),
    ...edges,
    values,
    source,
  }
}

/** The relations that hold the Ticket of the record itself. */
const HOLDING: ReadonlySet<ItemEdge['kind']> = new Set(['blocked_by', 'after', 'conflicts_with'])

function edgesOf(
  { drop }: Collector,
  map: FieldMap,
  { values, source }: MappedRecord,
): Pick<WorkItem, 'edges' | 'isIncomplete' | 'unlisted'> {
  const mapped = new Set(map.relations.map(({ path }) => path.split(/[.[]/)[0]))
  const edges: ItemEdge[] = []
  const unlisted: ItemEdge['kind'][] = []
  let isIncomplete = false
  const lose = (holds: boolean, place: string, problem: string) => {
    isIncomplete = true
    if (holds) edges.push({ kind: 'hold', reason: unreadReason(place) })
    drop(source, problem)
  }
  for (const [name] of unknownBlockers(isObject(values) ? values : {}, name => mapped.has(name)))
    lose(true, name, `${name} left out: it looks like blockers; name it in --map, for example blocked_by=${name}[]`)
  for (const { kind, path } of map.relations) {
    if (!hasField(values, path)) {
      // What holds the other Ticket is stored there, so it depends on this record being complete.
      if (kind === 'blocks' || kind === 'contains' || kind === 'before') isIncomplete = true
      else unlisted.push(kind)
    }
    const holds = HOLDING.has(kind)
    for (const other of valuesAt(values, path)) {
      const id = idOf(other)
      if (id !== undefined) edges.push({ kind, other: id })
      else lose(holds, path, `no decision: ${path} is no id: ${quoted(other)}; name the field, for example ${path}.id`)
    }
    for (const entry of unreachedAt(values, path))
      lose(holds, path, `no decision: nothing at ${path} in ${quoted(entry)}; correct the path in --map`)
  }
  return { edges, isIncomplete, unlisted }
}

function isExport(document: unknown): document is { tickets: unknown[] } {
  return isObject(document) && Array.isArray(document.tickets) && Array.isArray(document.relations)
}

/** What a Ticket of an export must have; everything else is read where it fits. */
const exportedSchema = lazy(() =>
  z.looseObject({
    id: z.custom<TicketId>(value => typeof value === 'string' && isTicketId(value), "cannot be a Ticket's id"),
    title: z.string(),
    state: z.string(),
  }),
)

function readExport(collector: Collector, { tickets }: { tickets: unknown[] }): void {
  const { imported, drop, titleOf } = collector
  imported.isExact = true
  const records = tickets.map((values, position) => ({ values, source: `Ticket ${position + 1}` }))
  for (const { values, source } of checkedRecords(collector, exportedSchema(), 'id', records)) {
    const { id, title, state, slug, created_at, state_at, queued_at, queued_by, decisions } = values
    const text = (field: unknown) => (typeof field === 'string' ? field : undefined)
    const time = (name: string, value: unknown) => {
      const time = timeOf(value)
      if (time === undefined && value != null)
        drop(`${source} (${id})`, `${name} left out: not a time: ${quoted(value)}`)
      return time
    }
    imported.seen.add(id)
    imported.tickets.push({
      id,
      fields: withoutUndefined({
        title: titleOf(title, id),
        state,
        slug: text(slug),
        created_at: time('created_at', created_at),
        state_at: time('state_at', state_at),
        queued_at: time('queued_at', queued_at),
        queued_by: text(queued_by),
      }) as Imported['tickets'][number]['fields'],
      word: state,
      updatedAt: timeOf(state_at),
      rest: withoutUndefined({ updated_at: timeOf(state_at) }),
    })
    for (const entry of Array.isArray(decisions) ? decisions : []) {
      const { status: _, ...decision }: Json = isObject(entry) ? entry : {}
      const problem = decisionProblem(decision)
      if (problem) drop(`${source} (${id})`, `no decision: ${problem.path.join('.')}: ${problem.message}`)
      else imported.decisions.push({ holder: id, decision: decision as unknown as Decision, source })
    }
  }
}
