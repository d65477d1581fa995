/**
 * Parses the lines of a beads export, of any version, into records with their edges as the source states them.
 *
 * A line that is no record is reported. Of several records with one id the newest counts. Says nothing yet of Tickets.
 */
import * as z from 'zod/mini'
import { lazy } from '../model/lazy.ts'
import { nearestNames } from '../model/nearest-names.ts'
import { isObject } from '../model/objects.ts'
import { isEmpty, unknownBlockers } from './blocker-names.ts'
import { type Collector, quoted } from './import-collector.ts'
import { sourceLines, timeOf } from './source-text.ts'
import { recordProblem } from './work-items.ts'

type Json = Record<string, unknown>

/** An edge: the record `from` depends on `to`. */
export interface BeadsEdge {
  from: string
  to: string
  /** In lower case, with "-"; a misspelt one as the type that it is nearest to. */
  type: string
  at: unknown
  by: unknown
  gate: unknown
  source: string
}

export interface BeadsRecord {
  id: string
  title: string
  status: string
  values: Json
  edges: BeadsEdge[]
  /** The fields that may name blockers and could not be read. */
  unread: Set<string>
  source: string
}

/** Fields that list what a record depends on, with the type of an entry that has none of its own. */
const EDGE_FIELDS: Record<string, string> = {
  dependencies: 'blocks',
  deps: 'blocks',
  depends_on: 'blocks',
  blocked_by: 'blocks',
  parent: 'parent-child',
  parent_id: 'parent-child',
}
/** The types with which a text such as "discovered-from:bd-1" can begin. */
const TYPED_TEXT =
  /^(blocks|blocked[-_]by|waits[-_]for|conditional[-_]blocks|parent[-_]child|related|relates[-_]to|discovered[-_]from|duplicates|supersedes|replies[-_]to):(.+)$/

/** The types that hold work back, and those that do not, as its `DependencyType` lists them. */
export const BLOCKING = ['blocks', 'blocked-by', 'waits-for', 'conditional-blocks', 'depends-on']
const HOLDING = [...BLOCKING, 'parent-child']
const HARMLESS = [
  ...['related', 'relates-to', 'discovered-from', 'duplicates', 'supersedes', 'replies-to', 'tracks', 'until'],
  ...['caused-by', 'validates', 'approved-by', 'authored-by', 'assigned-to', 'attests', 'delegated-from'],
]
/** Types that are not known and look like a blocker. */
export const LIKE_BLOCKING = /block|depend|wait|require/

const DEFAULT_STATUS = 'open'

/** What a record must have; everything else is read where it fits. */
const recordSchema = lazy(() =>
  z.looseObject({ id: z.string(), title: z._default(z.string(), ''), status: z.string() }),
)

/** Reads all lines; returns one record for each id, in the order of the file. */
export function parseRecords(collector: Collector, bytes: Buffer, path: string): BeadsRecord[] {
  const records = new Map<string, BeadsRecord>()
  for (const { number, text } of sourceLines(bytes, path)) {
    const source = `line ${number}`
    const values = parseLine(text)
    if (typeof values === 'string') {
      collector.dropUnread(source, `no Ticket: ${values}`)
      continue
    }
    // beads leaves out the state that is its default; a record without a title too is no whole one.
    if (typeof values.title === 'string') values.status ??= DEFAULT_STATUS
    if (typeof values.id === 'string') collector.imported.seen.add(values.id)
    const isMarked = typeof values._type === 'string' && values._type !== 'issue'
    const problem = recordProblem(recordSchema(), values)
    if (problem !== undefined) {
      const isNamed = typeof values.id === 'string'
      if (isMarked) collector.skip(values._type as string, isNamed ? `${source}: ${values.id}` : source)
      else if (isNamed) collector.drop(source, problem)
      else collector.dropUnread(source, problem)
      continue
    }
    const { id, title = '', status } = values as z.input<ReturnType<typeof recordSchema>>
    const record = { id, title, status, values, edges: [], unread: new Set<string>(), source }
    const other = records.get(id)
    records.set(id, other ? newest(collector, other, record) : record)
  }
  for (const record of records.values()) record.edges = edgesOf(collector, record)
  return [...records.values()]
}

function parseLine(text: string | undefined): Json | string {
  if (text === undefined) return 'not valid UTF-8'
  try {
    const value = JSON.parse(text)
    return isObject(value) ? value : 'the record must be an object'
  } catch (error) {
    return `not JSON: ${(error as Error).message}`
  }
}

/** Returns the record with the later update; of two with the same time the one with the greater text. Reports a loss. */
function newest(collector: Collector, a: BeadsRecord, b: BeadsRecord): BeadsRecord {
  const [textA, textB] = [sortedText(a.values), sortedText(b.values)]
  if (textA === textB) return a
  const [timeA, timeB] = [timeOf(a.values.updated_at) ?? '', timeOf(b.values.updated_at) ?? '']
  const isA = timeA === timeB ? textA > textB : timeA > timeB
  const [kept, lost] = isA ? [a, b] : [b, a]
  if (timeA !== timeB) collector.skip('older record of the same id', `${lost.source}: ${lost.id}`)
  else {
    const message = `no Ticket: ${kept.source} has another record of ${a.id} with the same update time; it counts`
    collector.drop(lost.source, message)
  }
  return kept
}

/** Returns a text that does not depend on the order of keys. A value that is nested too deeply compares by its keys. */
function sortedText(values: Json): string {
  const names = Object.keys(values).sort()
  try {
    return JSON.stringify(names.map(name => [name, values[name]]))
  } catch {
    return JSON.stringify(names)
  }
}

function edgesOf(collector: Collector, record: BeadsRecord): BeadsEdge[] {
  const { id, values, source } = record
  const edges: BeadsEdge[] = []
  const incomplete = (field: string, place: string, message: string) => {
    record.unread.add(field)
    collector.imported.incomplete.add(id)
    collector.drop(place, message)
  }
  for (const [field, value] of unknownBlockers(values, name => Object.hasOwn(EDGE_FIELDS, name))) {
    const message = `${field} left out: it looks like blockers, and this version does not know it: ${quoted(value)}`
    incomplete(field, source, message)
  }
  for (const [field, type] of Object.entries(EDGE_FIELDS)) {
    const value = values[field]
    if (isEmpty(value)) continue
    const entries = Array.isArray(value) ? value : typeof value === 'string' || isObject(value) ? [value] : undefined
    if (!entries) incomplete(field, source, `${field} left out: not a list`)
    for (const entry of entries ?? []) {
      const edge = edgeOf(record, entry, type)
      if (typeof edge === 'string') {
        incomplete(field, edge, 'no decision: a dependency needs issue_id, depends_on_id and type')
        continue
      }
      const meant = misspeltType(edge.type)
      edges.push(meant === undefined ? edge : { ...edge, type: meant })
      if (meant === undefined) continue
      collector.imported.incomplete.add(id)
      collector.drop(edge.source, `the type "${edge.type}" is not known: read as ${meant}`)
    }
  }
  if (edges.length === 0 && Number(values.dependency_count) > 0)
    incomplete(
      'dependencies',
      source,
      `its dependencies are missing: the record counts ${values.dependency_count} and lists none`,
    )
  return edges
}

/** Returns the edge of an entry; its place in the source where it is none. */
function edgeOf({ id, values, source }: BeadsRecord, entry: unknown, defaultType: string): BeadsEdge | string {
  const typed = typeof entry === 'string' ? TYPED_TEXT.exec(entry.trim()) : null
  const given: Json = typed
    ? { to: typed[2], type: typed[1] }
    : typeof entry === 'string'
      ? { to: entry.trim() }
      : isObject(entry)
        ? entry
        : {}
  const from = given.issue_id ?? id
  const to = given.depends_on_id ?? given.to ?? given.depends_on ?? given.id ?? given.target
  const type = given.type || given.dependency_type || given.dep_type || defaultType
  const place = `${source}: ${named(given.issue_id ?? (to === undefined ? undefined : id))} -> ${named(to)} (${named(given.type ?? (to === undefined ? undefined : type))})`
  if (typeof from !== 'string' || typeof to !== 'string' || to === '' || typeof type !== 'string') return place
  return {
    from,
    to,
    type: type
      .trim()
      .toLowerCase()
      .replace(/[\s_]+/g, '-'),
    at: given.created_at ?? values.created_at,
    by: given.created_by,
    gate: gateOf(given.metadata),
    source: place,
  }
}

/** Returns the type that holds work back and that an unknown type is a misspelling of. */
function misspeltType(type: string): string | undefined {
  if (HOLDING.includes(type) || HARMLESS.includes(type) || LIKE_BLOCKING.test(type)) return undefined
  const [nearest = ''] = nearestNames(type, [...HOLDING, ...HARMLESS])
  return HOLDING.includes(nearest) && Math.abs(nearest.length - type.length) <= 1 ? nearest : undefined
}

/** True for a flag that is set; some exporters write 1 or a text. */
export function isSet(flag: unknown): boolean {
  return flag === true || flag === 1 || flag === 'true' || flag === '1'
}

/** Returns the gate of a waits-for edge, which some versions keep in a JSON text. */
function gateOf(metadata: unknown): unknown {
  if (isObject(metadata)) return metadata.gate
  try {
    return typeof metadata === 'string' ? JSON.parse(metadata)?.gate : undefined
  } catch {
    return undefined
  }
}

function named(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '?' : quoted(value)
}
