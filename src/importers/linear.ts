/**
 * Reads issues of Linear from pages of its GraphQL API.
 *
 * Invariant: who blocks an issue is in its `inverseRelations`; an issue without that list retracts no edge.
 */
import * as z from 'zod/mini'
import { lazy } from '../model/lazy.ts'
import { isObject, withoutUndefined } from '../model/objects.ts'
import { LIKE_BLOCKERS, unknownBlockers, unreadReason } from './blocker-names.ts'
import { entriesOf, labelNames, nodesOf, reportErrors, reportMissingPage } from './graphql-pages.ts'
import { type Collector, type Imported, importCollector, quoted } from './import-collector.ts'
import { readDocuments } from './json-documents.ts'
import { queuedBy } from './queued-words.ts'
import type { ReadContext, Source } from './source.ts'
import type { SourceOptionValues } from './source-options.ts'
import { addItems, checkedRecords, type ItemEdge, type PlacedRecord, type WorkItem } from './work-items.ts'

type LinearOptions = ReadContext & Pick<SourceOptionValues, 'queued'>

export const linear: Source = {
  what: 'issues as JSON of its GraphQL API',
  reads: 'file',
  options: ['queued'],
  example: 'ticketplan import linear issues.json --queued Todo',
  read: (path, options) => readLinear(readDocuments(path), options),
}

/** What a record must have; everything else is read where it fits. */
const issueSchema = lazy(() =>
  z.looseObject({
    identifier: z.string(),
    title: z.string(),
    state: z.looseObject({ name: z.string(), type: z.string() }),
  }),
)
type Issue = z.infer<ReturnType<typeof issueSchema>>

/** The categories of states, as Linear types them. */
const STATES: Record<string, string> = {
  triage: 'open',
  backlog: 'open',
  unstarted: 'open',
  started: 'in_progress',
  completed: 'done',
  canceled: 'cancelled',
  duplicate: 'duplicate',
}

/** Returns the issues as Tickets and decisions. */
function readLinear(documents: readonly unknown[], options: LinearOptions): Imported {
  const collector = importCollector({ system: 'linear', name: options.name }, { needsTarget: () => false })
  const records = recordsOf(collector, documents)
  const known = new Set(records.flatMap(({ values }) => (isObject(values) ? values.identifier : [])))
  const items = checkedRecords(collector, issueSchema(), 'identifier', records).map(({ values, source }) =>
    itemOf(collector, values as Issue, source, known, options),
  )
  addItems(collector, items)
  return collector.imported
}

/** Returns the records of pages, of lists, and of single issues. */
function recordsOf(collector: Collector, documents: readonly unknown[]): PlacedRecord[] {
  const pages: unknown[] = []
  const recordsIn = (value: unknown, source: string): PlacedRecord[] => {
    if (Array.isArray(value)) return value.flatMap((entry, at) => recordsIn(entry, `${source}[${at}]`))
    if (!isObject(value) || value.identifier !== undefined) return [{ values: value, source }]
    reportErrors(collector, value, source, 'Linear')
    const data = isObject(value.data) ? value.data : value
    const holder = [data.team, data.project, data.cycle, data.viewer].find(isObject) ?? data
    const connection = holder.issues ?? holder.assignedIssues ?? (nodesOf(value) && value)
    const list = nodesOf(connection)
    if (!list) {
      collector.dropUnread(source, 'no issues: a page needs data.issues.nodes; use the query of docs/import.md')
      return []
    }
    if (isObject(connection)) pages.push(connection)
    return list.nodes.flatMap((entry, at) => recordsIn(entry, `${source}.nodes[${at}]`))
  }
  const records = documents.flatMap((document, at) => recordsIn(document, `document ${at + 1}`))
  reportMissingPage(collector, pages)
  return records
}

function itemOf(
  collector: Collector,
  issue: Issue,
  source: string,
  known: ReadonlySet<unknown>,
  { queued }: LinearOptions,
): WorkItem {
  const { identifier, title, state } = issue
  const place = `${source} (${identifier})`
  const labels = labelNames(issue.labels)
  const category = Object.hasOwn(STATES, state.type) ? STATES[state.type]! : undefined
  if (category === undefined)
    collector.imported.warnings.push(`${identifier}: the type of its state, ${quoted(state.type)}, is not known; open`)
  const isQueued = (category ?? 'open') === 'open' && queuedBy(queued, [state.name, ...labels]) !== undefined
  const edges = edgesOf(collector, issue, place, known)
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  return {
    id: identifier,
    title,
    word: state.name,
    state: isQueued ? 'queued' : (category ?? 'open'),
    created: issue.createdAt,
    updated: issue.updatedAt,
    stateAt: issue.completedAt ?? issue.canceledAt ?? (state.type === 'started' ? issue.startedAt : undefined),
    rest: withoutUndefined({
      assignee: isObject(issue.assignee) ? text(issue.assignee.name ?? issue.assignee.displayName) : undefined,
      category: state.type,
      labels: labels.length > 0 ? labels : undefined,
      priority: text(issue.priorityLabel) ?? (typeof issue.priority === 'number' ? issue.priority : undefined),
      url: text(issue.url),
    }),
    ...edges,
    values: issue,
    source: place,
  }
}

function edgesOf(
  collector: Collector,
  issue: Issue,
  source: string,
  known: ReadonlySet<unknown>,
): Pick<WorkItem, 'edges' | 'isIncomplete' | 'unlisted'> {
  const { drop } = collector
  const edges: ItemEdge[] = []
  const incoming = entriesOf(issue.inverseRelations)
  const outgoing = entriesOf(issue.relations)
  let isIncomplete = incoming?.isCut ?? false
  const hold = (place: string) => edges.push({ kind: 'hold', reason: unreadReason(place) })
  if (incoming?.isCut) hold('inverseRelations')
  if (incoming?.isCut) drop(source, 'not all of its blockers are listed; use the query of docs/import.md')
  for (const [name, value] of unknownBlockers(issue, () => false)) {
    isIncomplete = true
    hold(name)
    drop(source, `${name} left out: it looks like blockers: ${quoted(value)}`)
  }
  const add = (entry: unknown, isInverse: boolean) => {
    const record = isObject(entry) ? entry : {}
    const other = isInverse ? (record.issue ?? record.relatedIssue) : (record.relatedIssue ?? record.issue)
    if (typeof record.type !== 'string' || !isObject(other) || typeof other.identifier !== 'string') {
      isIncomplete = true
      hold(isInverse ? 'inverseRelations' : 'relations')
      drop(source, `no decision: a relation needs type and the identifier of its issue: ${quoted(entry)}`)
    } else if (record.type !== 'blocks' && LIKE_BLOCKERS.test(record.type)) {
      isIncomplete = true
      hold(isInverse ? 'inverseRelations' : 'relations')
      drop(source, `no decision: a relation of type ${quoted(record.type)} looks like a blocker and is not known`)
    } else edges.push(...relation(collector, { source, type: record.type, isInverse }, other, known))
  }
  for (const entry of incoming?.nodes ?? []) add(entry, true)
  for (const entry of outgoing?.nodes ?? []) add(entry, false)
  const parent = issue.parent ?? issue.parentId
  const identifier = isObject(parent) ? parent.identifier : parent
  if (typeof identifier === 'string' && (isObject(parent) || known.has(identifier)))
    edges.push({ kind: 'part_of', other: identifier })
  else if (parent != null) drop(source, `no decision: its parent has no identifier: ${quoted(parent)}`)
  for (const child of nodesOf(issue.children)?.nodes ?? [])
    if (isObject(child) && typeof child.identifier === 'string')
      edges.push({ kind: 'contains', other: child.identifier })
  const unlisted: ItemEdge['kind'][] = [
    ...(incoming ? [] : (['blocked_by'] as const)),
    ...(outgoing && !outgoing.isCut ? [] : (['related'] as const)),
    ...(issue.parent === undefined && issue.parentId === undefined ? (['part_of'] as const) : []),
  ]
  return { edges, isIncomplete, unlisted }
}

/** Returns the edge of a relation: with `isInverse` the other issue is its subject. */
function relation(
  { skip }: Collector,
  { source, type, isInverse }: { source: string; type: string; isInverse: boolean },
  other: Record<string, unknown>,
  known: ReadonlySet<unknown>,
): ItemEdge[] {
  const id = other.identifier as string
  if (type === 'blocks') {
    const isSettled = isObject(other.state) && ['completed', 'canceled'].includes(String(other.state.type))
    if (isInverse && isSettled && !known.has(id)) {
      skip('closed blocker that is not in the export', `${source}: blocked_by ${id}`)
      return []
    }
    return [{ kind: isInverse ? 'blocked_by' : 'blocks', other: id }]
  }
  return [{ kind: 'related', other: id, fields: { label: type }, isInverse }]
}
