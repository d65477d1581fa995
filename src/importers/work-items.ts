/**
 * Adds records of a source to an import, once each reader has brought them into one form: the newest record of each id, its
 * Ticket, and each edge once, whichever of its two records states it.
 *
 * Invariant: an edge is held by the record that waits, with the time of that record, so that it has one id from both sides.
 */
import type * as z from 'zod/mini'
import type { RelationKind } from '../model/decision-kinds.ts'
import { firstIssue } from '../model/first-issue.ts'
import { isTicketId } from '../model/names.ts'
import { isObject, withoutUndefined } from '../model/objects.ts'
import { type Collector, type Imported, quoted } from './import-collector.ts'
import { momentOf } from './source-text.ts'

/** A record of a source in the form that all readers give it. Times are as the source has them. */
export interface WorkItem {
  id: string
  title: string
  /** The state in the source's word. */
  word: string
  /** The state here. */
  state: string
  created: unknown
  updated: unknown
  /** Since when it has its state; absent where the source only has the time of the last update. */
  stateAt?: unknown
  queuedAt?: unknown
  /** True where `updated` is the time of the whole snapshot. */
  isSnapshotTime?: boolean
  /** The place in the source's order, where it is not the time of creation. */
  place?: string | undefined
  /** What else is kept, under "source". */
  rest: Record<string, unknown>
  edges: ItemEdge[]
  /** True where the record has edges that could not be read: none is retracted. */
  isIncomplete: boolean
  /** The kinds of edges that the record does not list: none of these is retracted. */
  unlisted?: readonly ItemEdge['kind'][]
  /** The record as the source has it: two equal ones are no loss. */
  values: unknown
  source: string
}

/** A relation to another record, or a decision about the record itself. */
export interface ItemEdge {
  kind: RelationKind | 'hold' | 'touches'
  other?: string
  reason?: string
  fields?: Record<string, unknown>
  /** True where the record of `other` states it as a relation to this one: X is "related" to this. */
  isInverse?: boolean
}

/** Adds all records: Tickets, then edges. */
export function addItems(collector: Collector, items: readonly WorkItem[]): void {
  const newest = newestItems(collector, items)
  for (const item of newest.values()) addTicket(collector, item)
  const said = new Set<string>()
  for (const item of newest.values())
    for (const edge of item.edges) addEdge(collector, newest, said, directed(item.id, edge, newest), item)
}

/** Returns the record of each id that was updated last. Of two with one time the one with the greater text counts. */
function newestItems({ drop, skip }: Collector, items: readonly WorkItem[]): Map<string, WorkItem> {
  const newest = new Map<string, WorkItem>()
  for (const item of items) {
    const other = newest.get(item.id)
    if (!other) newest.set(item.id, item)
    else {
      const [[timeA, textA], [timeB, textB]] = [rankOf(other), rankOf(item)]
      if (textA === textB) continue
      const [kept, lost] = timeA > timeB || (timeA === timeB && textA > textB) ? [other, item] : [item, other]
      newest.set(item.id, kept)
      if (timeA !== timeB) skip('older record of the same id', `${lost.source}: ${item.id}`)
      else drop(lost.source, `no Ticket: ${kept.source} is another record of ${item.id} with the same time; it counts`)
    }
  }
  return newest
}

function rankOf({ updated, created, values }: WorkItem): [string, string] {
  return [momentOf(updated) ?? momentOf(created) ?? '', textOf(values)]
}

/** Returns the record as text; "" for one that contains itself, as YAML can, or that is nested too deeply. */
function textOf(values: unknown): string {
  try {
    return JSON.stringify(values)
  } catch {
    return ''
  }
}

function addTicket({ imported, drop, titleOf }: Collector, item: WorkItem): void {
  const { id, source, word, state, rest } = item
  imported.seen.add(id)
  if (!isTicketId(id)) return drop(source, `no Ticket: ${JSON.stringify(id)} cannot be a Ticket's id`)
  if (item.isIncomplete) imported.incomplete.add(id)
  for (const kind of item.unlisted ?? []) imported.unlisted.add(`${id} ${kind}`)
  const time = (name: string, value: unknown) => {
    const iso = momentOf(value)
    if (!iso && value != null) drop(source, `${name} left out: not a time: ${quoted(value)}`)
    return iso
  }
  const created_at = time('the creation time', item.created)
  const updated_at = time('the update time', item.updated)
  const state_at = time('the time of its state', item.stateAt) ?? (item.isSnapshotTime ? undefined : updated_at)
  const queued_at = time('the time of queueing', item.queuedAt)
  const ticket: Imported['tickets'][number] = {
    id,
    fields: { title: titleOf(item.title, id), state, created_at, state_at, queued_at },
    word,
    placeInQueue: item.place ?? created_at,
    updatedAt: updated_at,
    rest: withoutUndefined({ ...rest, updated_at }),
  }
  imported.tickets.push(item.isSnapshotTime ? { ...ticket, isSnapshotTime: true } : ticket)
}

/** An edge with its direction: `from` holds it. */
type DirectedEdge = ItemEdge & { from: string }

function directed(id: string, edge: ItemEdge, items: ReadonlyMap<string, WorkItem>): DirectedEdge {
  const { kind, other } = edge
  if (other === undefined) return { ...edge, from: id }
  if (kind === 'blocks') return { ...edge, kind: 'blocked_by', from: other, other: id }
  if (kind === 'contains') return { ...edge, kind: 'part_of', from: other, other: id }
  if (kind === 'before') return { ...edge, kind: 'after', from: other, other: id }
  return edge.isInverse && items.has(other) ? { ...edge, from: other, other: id } : { ...edge, from: id }
}

function addEdge(
  { skip, addDecision }: Collector,
  items: ReadonlyMap<string, WorkItem>,
  said: Set<string>,
  { from, kind, other, reason, fields }: DirectedEdge,
  { source }: WorkItem,
): void {
  const holder = items.get(from)
  if (!holder) return skip('edge of a record that is not in the export', `${source}: ${from} ${kind} ${other}`)
  const key = JSON.stringify([kind, from, other, reason, fields])
  if (said.has(key)) return
  said.add(key)
  addDecision({
    ticket: from,
    kind,
    ...(other !== undefined && { other }),
    at: momentOf(holder.created),
    ownAt: undefined,
    by: undefined,
    ...(reason && { reason }),
    ...(fields && { fields }),
    source: other === undefined ? source : `${source}: ${from} ${kind} ${other}`,
  })
}

/** A record as the source has it, and its place there. */
export interface PlacedRecord {
  values: unknown
  source: string
}

/**
 * Returns the records that fit the schema. The others are dropped with the reason; one without its id could be any Ticket, so the
 * source then counts as read in part.
 */
export function checkedRecords<T>(
  collector: Collector,
  schema: z.ZodMiniType<T>,
  idField: string,
  records: readonly PlacedRecord[],
): { values: T; source: string }[] {
  return records.flatMap(({ values, source }) => {
    const problem = recordProblem(schema, values)
    if (problem === undefined) return [{ values: values as T, source }]
    const id = isObject(values) ? values[idField] : undefined
    if (typeof id === 'string') collector.imported.seen.add(id)
    else
      collector.imported.partial ??= `${source}: a record without ${/^[aeiou]/.test(idField) ? 'an' : 'a'} ${idField}`
    collector.drop(source, problem)
    return []
  })
}

/** Returns why a record is no Ticket, with what it is; undefined where it fits the schema. */
export function recordProblem(schema: z.ZodMiniType, values: unknown): string | undefined {
  const issue = firstIssue(schema, values)
  return issue ? `no Ticket: ${issue.path.join('.') || 'the record'} ${issue.message}: ${quoted(values)}` : undefined
}
