/**
 * Maps the fields of any JSON record to those of a Ticket: `id=key,title=fields.summary,blocked_by=deps[].id`. Pure.
 *
 * A path names a field, with dots into objects; `[]` after a name takes each entry of a list.
 */
import { PlanError } from '../model/errors.ts'
import { isObject } from '../model/objects.ts'

const RELATIONS = [
  'blocked_by',
  'blocks',
  'part_of',
  'contains',
  'after',
  'before',
  'conflicts_with',
  'related',
] as const
const PLAIN = ['id', 'title', 'state', 'created_at', 'updated_at', 'queued_at', 'priority', 'labels', 'url'] as const
/** What a map may name; `records` is where the list of records is, from the top of the document. */
const NAMES: readonly string[] = ['records', ...PLAIN, ...RELATIONS]
const PATH = /^[^.[\]]+(?:\[\])?(?:\.[^.[\]]+(?:\[\])?)*$/

type MappedRelation = (typeof RELATIONS)[number]

/** A path of fields, with the relations that it states. */
export interface FieldMap {
  records: string | undefined
  fields: Partial<Record<(typeof PLAIN)[number], string>>
  relations: { kind: MappedRelation; path: string }[]
}

/** Parses the entries of a map. @throws PlanError invalid_input that says what is wrong with which entry. */
export function parseFieldMap(entries: readonly string[]): FieldMap {
  const map: FieldMap = { records: undefined, fields: {}, relations: [] }
  const seen = new Set<string>()
  for (const entry of entries) {
    const [name = '', path = ''] = splitOnce(entry.trim())
    if (!NAMES.includes(name)) refuse(entry, `"${name}" is no field of a Ticket; one of ${NAMES.join(', ')}`)
    if (!PATH.test(path)) refuse(entry, 'write field=path, with a path such as deps[].id')
    const isRelation = (RELATIONS as readonly string[]).includes(name)
    if (seen.has(name) && !isRelation) refuse(entry, `${name} is mapped twice`)
    seen.add(name)
    if (isRelation) map.relations.push({ kind: name as MappedRelation, path })
    else if (name === 'records') map.records = path
    else map.fields[name as (typeof PLAIN)[number]] = path
  }
  for (const name of ['id', 'title'] as const)
    if (!seen.has(name)) refuse(entries.join(','), `it needs ${name}, for example ${name}=${name}`)
  return map
}

function splitOnce(entry: string): string[] {
  const at = entry.indexOf('=')
  return at === -1 ? [entry] : [entry.slice(0, at), entry.slice(at + 1)]
}

function refuse(entry: string, problem: string): never {
  throw new PlanError('invalid_input', `import: map ${JSON.stringify(entry)}: ${problem}`, { field: 'map' })
}

/** Returns all values at a path, in order; none where a field is absent or null. A list without `[]` counts as its entries too. */
export function valuesAt(value: unknown, path: string): unknown[] {
  let values = [value]
  for (const step of path.split('.')) {
    const name = step.replace(/\[\]$/, '')
    values = values
      .map(value => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined))
      .flatMap(value => (Array.isArray(value) ? (value as unknown[]) : [value]))
      .filter(value => value !== undefined && value !== null)
  }
  return values
}

/**
 * Returns what a path leads to and cannot enter: an entry of a list without the next field, or a value that is no object. An
 * object without the field states nothing.
 */
export function unreachedAt(value: unknown, path: string): unknown[] {
  const unreached: unknown[] = []
  let values = [{ value, isEntry: false }]
  for (const step of path.split('.')) {
    const name = step.replace(/\[\]$/, '')
    values = values.flatMap(({ value, isEntry }) => {
      const next = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
      if (next === undefined && (isEntry || !isObject(value))) unreached.push(value)
      const nested = Array.isArray(next) ? (next as unknown[]) : [next]
      return nested.flatMap(value => (value == null || value === '' ? [] : { value, isEntry: Array.isArray(next) }))
    })
  }
  return unreached
}

/** True where the record has the first field of a path, whatever it holds. */
export function hasField(value: unknown, path: string): boolean {
  return isObject(value) && Object.hasOwn(value, path.split(/[.[]/)[0]!)
}
