/**
 * Reads JSON of any program by a map of its fields, and what `ticketplan export json` writes.
 *
 * Of an export every decision is taken as it is, with its id, so that a round trip gives the same decisions.
 */
import { type Decision, decisionProblem } from '../model/decision.ts'
import { PlanError } from '../model/errors.ts'
import { isTicketId } from '../model/names.ts'
import { isObject, withoutUndefined } from '../model/objects.ts'
import { isHarmless, LIKE_BLOCKERS } from './blocker-names.ts'
import { type FieldMap, hasField, parseFieldMap, valuesAt } from './field-map.ts'
import { type Collector, type Imported, importCollector, quoted } from './import-collector.ts'
import { readDocuments } from './json-documents.ts'
import type { ReadContext, Source } from './source.ts'
import type { SourceOptionValues } from './source-options.ts'
import { momentOf } from './source-text.ts'

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
export function readJson(path: string, documents: () => unknown[], options: JsonOptions): Imported {
  const map = options.map && parseFieldMap(options.map)
  const queued = new Set(options.queued?.map(fold))
  const collector = importCollector(
    { system: 'json', name: options.name },
    {
      needsTarget: () => true,
      stateOf: word => (queued.has(fold(word)) ? 'queued' : word),
    },
  )
  const all = documents()
  if (map) readMapped(collector, map, recordsOf(all, map, path))
  else if (all.length === 1 && isExport(all[0])) readExport(collector, all[0])
  else {
    const message = `${path} is no export of ticketplan; say which fields are which with --map, for example id=key,title=summary. Nothing was written`
    throw new PlanError('import_source', message, { path, place: null })
  }
  return collector.imported
}

function fold(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, '')
}

function recordsOf(documents: readonly unknown[], { records: at }: FieldMap, path: string): unknown[] {
  const records = documents.flatMap(document => (at === undefined ? document : valuesAt(document, at)))
  if (records.length > 0 || documents.every(document => Array.isArray(document))) return records
  const message = `${path} has no list at "${at}"; correct records=… in --map. Nothing was written`
  throw new PlanError('import_source', message, { path, place: null })
}

interface Mapped {
  id: string
  values: unknown
  updated: string | undefined
  source: string
}

function readMapped(collector: Collector, map: FieldMap, records: readonly unknown[]): void {
  const newest = new Map<string, Mapped>()
  for (const [position, values] of records.entries()) {
    const source = `record ${position + 1}`
    const id = textAt(values, map.fields.id)
    if (id === undefined) collector.drop(source, `no Ticket: no text or number at ${map.fields.id}`)
    else {
      const record = { id, values, updated: timeAt(values, map.fields.updated_at), source }
      const other = newest.get(id)
      newest.set(id, other ? newer(collector, other, record) : record)
    }
  }
  for (const record of newest.values()) addMapped(collector, map, record)
}

function newer({ drop, skip }: Collector, a: Mapped, b: Mapped): Mapped {
  const [textA, textB] = [a, b].map(({ values }) => JSON.stringify(values)) as [string, string]
  if (textA === textB) return a
  const [timeA, timeB] = [a.updated ?? '', b.updated ?? '']
  const [kept, lost] = timeA > timeB || (timeA === timeB && textA > textB) ? [a, b] : [b, a]
  if (timeA !== timeB) skip('older record of the same id')
  else drop(lost.source, `no Ticket: ${kept.source} is another record of ${a.id} with the same update time; it counts`)
  return kept
}

function textAt(values: unknown, path: string | undefined): string | undefined {
  const [value] = path === undefined ? [] : valuesAt(values, path)
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value.trim() : undefined
}

function timeAt(values: unknown, path: string | undefined): string | undefined {
  return path === undefined ? undefined : momentOf(valuesAt(values, path)[0])
}

function addMapped(collector: Collector, map: FieldMap, { id, values, updated, source }: Mapped): void {
  const { imported, drop, titleOf } = collector
  const { fields } = map
  imported.seen.add(id)
  if (!isTicketId(id)) return drop(source, `no Ticket: ${JSON.stringify(id)} cannot be a Ticket's id`)
  const word = textAt(values, fields.state) ?? 'open'
  const state = imported.stateOf(word)
  const created_at = timeAt(values, fields.created_at)
  for (const name of ['created_at', 'updated_at', 'queued_at'] as const) {
    const path = fields[name]
    const [value] = path === undefined ? [] : valuesAt(values, path)
    if (value !== undefined && momentOf(value) === undefined)
      drop(source, `${name} left out: not a time: ${quoted(value)}`)
  }
  const labels = fields.labels === undefined ? [] : valuesAt(values, fields.labels)
  const queued_at = timeAt(values, fields.queued_at)
  imported.tickets.push({
    id,
    fields: { title: titleOf(textAt(values, fields.title) ?? '', id), state, created_at, state_at: updated, queued_at },
    word,
    placeInQueue: created_at,
    updatedAt: updated,
    rest: withoutUndefined({
      labels: labels.length > 0 ? labels : undefined,
      priority: fields.priority === undefined ? undefined : valuesAt(values, fields.priority)[0],
      updated_at: updated,
      url: textAt(values, fields.url),
    }),
  })
  addRelations(collector, map, { id, values, updated, source }, created_at)
}

function addRelations(collector: Collector, map: FieldMap, record: Mapped, at: string | undefined): void {
  const { id, values, source } = record
  const { imported, drop, addDecision } = collector
  const mapped = new Set(map.relations.map(({ path }) => path.split(/[.[]/)[0]))
  for (const [name, value] of Object.entries(isObject(values) ? values : {})) {
    if (mapped.has(name) || !LIKE_BLOCKERS.test(name) || isHarmless(name, value)) continue
    imported.incomplete.add(id)
    drop(source, `${name} left out: it looks like blockers; name it in --map, for example blocked_by=${name}[]`)
  }
  for (const { kind, path } of map.relations) {
    if (!hasField(values, path)) imported.incomplete.add(id)
    for (const other of valuesAt(values, path)) {
      if (typeof other === 'string' || typeof other === 'number')
        addDecision({ ticket: id, kind, other: String(other).trim(), at, ownAt: at, by: undefined, source })
      else {
        imported.incomplete.add(id)
        drop(source, `no decision: ${path} is no id: ${quoted(other)}; name the field, for example ${path}.id`)
      }
    }
  }
}

function isExport(document: unknown): document is { tickets: unknown[] } {
  return isObject(document) && Array.isArray(document.tickets) && Array.isArray(document.relations)
}

function readExport(collector: Collector, { tickets }: { tickets: unknown[] }): void {
  const { imported, drop, titleOf } = collector
  imported.isExact = true
  for (const [position, value] of tickets.entries()) {
    const source = `Ticket ${position + 1}`
    const { id, title, state, slug, created_at, state_at, queued_at, queued_by, decisions }: Json = isObject(value)
      ? value
      : {}
    if (typeof id !== 'string' || !isTicketId(id) || typeof title !== 'string' || typeof state !== 'string') {
      drop(source, 'no Ticket: it needs id, title and state')
      continue
    }
    const text = (field: unknown) => (typeof field === 'string' ? field : undefined)
    imported.seen.add(id)
    imported.tickets.push({
      id,
      fields: withoutUndefined({
        title: titleOf(title, id),
        state,
        slug: text(slug),
        created_at: text(created_at),
        state_at: text(state_at),
        queued_at: text(queued_at),
        queued_by: text(queued_by),
      }) as Imported['tickets'][number]['fields'],
      word: state,
      updatedAt: text(state_at),
      rest: withoutUndefined({ updated_at: text(state_at) }),
    })
    for (const entry of Array.isArray(decisions) ? decisions : []) {
      const { status: _, ...decision }: Json = isObject(entry) ? entry : {}
      const problem = decisionProblem(decision)
      if (problem) drop(`${source} (${id})`, `no decision: ${problem.path.join('.')}: ${problem.message}`)
      else imported.decisions.push({ holder: id, decision: decision as unknown as Decision, source })
    }
  }
}
