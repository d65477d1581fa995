/**
 * Reads issues of Jira Cloud from pages of its REST search.
 *
 * Invariant: a link blocks in the direction that its type says. A link type that blocks is never weakened to `related`.
 */
import * as z from 'zod/mini'
import { lazy } from '../model/lazy.ts'
import { isObject, withoutUndefined } from '../model/objects.ts'
import { unknownBlockers, unreadReason } from './blocker-names.ts'
import { type Collector, type Imported, importCollector, quoted } from './import-collector.ts'
import { readDocuments } from './json-documents.ts'
import { queuedBy } from './queued-words.ts'
import type { ReadContext, Source } from './source.ts'
import type { SourceOptionValues } from './source-options.ts'
import { refuseSource } from './source-text.ts'
import { addItems, checkedRecords, type ItemEdge, type PlacedRecord, type WorkItem } from './work-items.ts'

type JiraOptions = ReadContext & Pick<SourceOptionValues, 'queued'>
type Json = Record<string, unknown>

export const jira: Source = {
  what: 'pages of its REST search',
  reads: 'file',
  options: ['queued'],
  example: "ticketplan import jira issues.json --queued 'Selected for Development'",
  read: (path, options) => readJira(path, readDocuments(path), options),
}

/** What a record must have; everything else is read where it fits. */
const issueSchema = lazy(() =>
  z.looseObject({
    key: z.string(),
    fields: z.looseObject({
      summary: z.string(),
      status: z.looseObject({ name: z.string(), statusCategory: z.looseObject({ key: z.string() }) }),
    }),
  }),
)
type Issue = z.infer<ReturnType<typeof issueSchema>>

/** The status categories, by their keys, which are the same in all languages. */
const CATEGORIES: Record<string, string> = {
  undefined: 'open',
  new: 'open',
  indeterminate: 'in_progress',
  done: 'done',
}
/** Resolutions, and states of the category "done", that are no completion. */
const NOT_DONE =
  /cancel|won.?t|not.?planned|reject|declin|duplicate|abandon|obsolete|invalid|cannot reproduce|incomplete|dropped|out of scope|not an? (?:bug|issue)/i

/** Returns the issues as Tickets and decisions. @throws PlanError import_source where Jira answered with an error. */
function readJira(path: string, documents: readonly unknown[], options: JiraOptions): Imported {
  const collector = importCollector({ system: 'jira', name: options.name }, { needsTarget: () => false })
  const records = recordsOf(collector, path, documents)
  const known = new Set(records.flatMap(({ values }) => (isObject(values) ? values.key : [])))
  const items = checkedRecords(collector, issueSchema(), 'key', records).map(({ values, source }) =>
    itemOf(collector, values as Issue, source, known, options),
  )
  addItems(collector, items)
  return collector.imported
}

function recordsOf(collector: Collector, path: string, documents: readonly unknown[]): PlacedRecord[] {
  const pages: Json[] = []
  const recordsIn = (value: unknown, source: string): PlacedRecord[] => {
    if (Array.isArray(value)) return value.flatMap((entry, at) => recordsIn(entry, `${source}[${at}]`))
    if (!isObject(value) || value.key !== undefined) return [{ values: value, source }]
    if (Array.isArray(value.errorMessages) && value.errorMessages.length > 0) {
      refuseSource(
        path,
        `${path}: Jira answered with an error: ${quoted(value.errorMessages[0])}; export it again. Nothing was written`,
      )
    }
    if (!Array.isArray(value.issues)) {
      collector.dropUnread(source, 'no issues: a page of the search needs a list "issues"')
      return []
    }
    pages.push(value)
    return value.issues.flatMap((entry, at) => recordsIn(entry, `${source}.issues[${at}]`))
  }
  const records = documents.flatMap((document, at) => recordsIn(document, `document ${at + 1}`))
  if (pages.length > 0 && pages.every(page => hasNext(page, records.length)))
    collector.dropUnread(`page ${pages.length}`, 'another page follows that is not in the export; export all pages')
  return records
}

/** True where a page says that another one follows: the search by tokens says it of each page, the older one counts. */
function hasNext({ nextPageToken, isLast, total }: Json, records: number): boolean {
  if (typeof total === 'number') return total > records
  return typeof nextPageToken === 'string' || isLast === false
}

function itemOf(
  collector: Collector,
  issue: Issue,
  source: string,
  known: ReadonlySet<unknown>,
  { queued }: JiraOptions,
): WorkItem {
  const { key, fields } = issue
  const { status } = fields
  const place = `${source} (${key})`
  const category = status.statusCategory.key
  const labels = (Array.isArray(fields.labels) ? fields.labels : []).filter(label => typeof label === 'string')
  const name = (value: unknown, field = 'name') =>
    isObject(value) && typeof value[field] === 'string' ? value[field] : undefined
  const resolution = name(fields.resolution)
  const { edges, isIncomplete } = edgesOf(collector, issue, place, known)
  return {
    id: key,
    title: fields.summary,
    word: status.name,
    state: stateOf(collector, key, category, [resolution ?? '', status.name], queued, [status.name, ...labels]),
    created: fields.created,
    updated: fields.updated,
    stateAt: (category === 'done' ? fields.resolutiondate : null) ?? fields.statuscategorychangedate,
    rest: withoutUndefined({
      assignee: name(fields.assignee, 'displayName'),
      category,
      issue_type: name(fields.issuetype),
      labels: labels.length > 0 ? labels : undefined,
      priority: name(fields.priority),
      resolution,
      url: urlOf(issue),
    }),
    edges,
    isIncomplete,
    values: issue,
    source: place,
  }
}

function stateOf(
  { imported }: Collector,
  key: string,
  category: string,
  endings: readonly string[],
  queued: readonly string[] | undefined,
  words: readonly string[],
): string {
  const state = Object.hasOwn(CATEGORIES, category) ? CATEGORIES[category]! : undefined
  if (state === undefined)
    imported.warnings.push(`${key}: the category of its state, ${quoted(category)}, is not known; it counts as open`)
  if (state === 'done') return endings.some(word => NOT_DONE.test(word)) ? 'not_planned' : 'done'
  return state !== 'in_progress' && queuedBy(queued, words) !== undefined ? 'queued' : (state ?? 'open')
}

/** Returns the address that a browser opens, from that of the record. */
function urlOf({ key, self }: Issue): string | undefined {
  const site = typeof self === 'string' ? /^https?:\/\/[^/]+/.exec(self)?.[0] : undefined
  return site === undefined ? undefined : `${site}/browse/${key}`
}

function edgesOf(
  collector: Collector,
  issue: Issue,
  source: string,
  known: ReadonlySet<unknown>,
): Pick<WorkItem, 'edges' | 'isIncomplete'> {
  const { drop } = collector
  const { fields } = issue
  const links = Array.isArray(fields.issuelinks) ? fields.issuelinks : undefined
  const edges: ItemEdge[] = []
  const unread = [...unknownBlockers(issue, () => false), ...unknownBlockers(fields, () => false)]
  let isIncomplete = links === undefined || unread.length > 0
  if (fields.issuelinks != null && !links) drop(source, `issuelinks left out: no list: ${quoted(fields.issuelinks)}`)
  const hold = (place: string) => edges.push({ kind: 'hold', reason: unreadReason(place) })
  if (fields.issuelinks != null && !links) hold('issuelinks')
  for (const [name, value] of unread) {
    hold(name)
    drop(source, `${name} left out: it looks like blockers: ${quoted(value)}`)
  }
  for (const link of links ?? []) {
    const edge = edgeOf(collector, link, source, known)
    if (typeof edge === 'string') {
      isIncomplete = true
      hold('issuelinks')
      drop(source, `no decision: ${edge}`)
    } else edges.push(...edge)
  }
  const parent = isObject(fields.parent) ? fields.parent.key : fields.parent
  if (typeof parent === 'string' && (isObject(fields.parent) || known.has(parent)))
    edges.push({ kind: 'part_of', other: parent })
  else if (fields.parent != null) drop(source, `no decision: its parent has no key: ${quoted(fields.parent)}`)
  for (const part of Array.isArray(fields.subtasks) ? fields.subtasks : [])
    if (isObject(part) && typeof part.key === 'string') edges.push({ kind: 'contains', other: part.key })
  return { edges, isIncomplete }
}

/** Phrases of links, from the issue that has the link to the other one. */
const WAITS = /\b(?:(?:is |be )?blocked by|depends (?:up)?on|requires|waits? (?:for|on)|needs|done after)\b/i
const HOLDS =
  /\b(?:blocks|(?:is )?(?:depended (?:up)?on by|a dependency of|required by|needed by|awaited by)|done before)\b/i

/** Words of links that hold nothing. */
const HARMLESS =
  /relat|duplicat|clon|caus|split|test|mention|incident|problem|defect|fix|implement|document|review|refer|discover|parent|child|contain|part of|creat/i
/** Words of links that may hold an issue, in the languages that share a root with English. */
const LIKE_BLOCKING =
  /blo[ck]|bloq|depend|dépend|requir|prereq|pr[eé]c[eéè]d|predecess|\bgate|\bfollow|\bafter\b|\bbefore\b|\bfirst\b|\bwait/i

/** Returns the edges of a link; the reason where it cannot be read. */
function edgeOf(
  { skip, imported }: Collector,
  link: unknown,
  source: string,
  known: ReadonlySet<unknown>,
): ItemEdge[] | string {
  const { type, inwardIssue, outwardIssue }: Json = isObject(link) ? link : {}
  const isInward = isObject(inwardIssue)
  const other = isInward ? inwardIssue : outwardIssue
  if (!isObject(type) || !isObject(other) || typeof other.key !== 'string')
    return `a link needs type and the key of its issue: ${quoted(link)}`
  const name = String(type.name ?? '')
  const phrase = String((isInward ? type.inward : type.outward) ?? '')
  const [isWaiting, isHolding] = [WAITS.test(phrase), HOLDS.test(phrase)]
  // The phrase says the direction; where it is in another language, the name of the type and the side do.
  const isBlocks = !isWaiting && !isHolding && /^block(?:s|er|ing)?$/i.test(name)
  if (isWaiting || (isBlocks && isInward)) {
    if (!known.has(other.key) && isDone(other)) {
      skip('closed blocker that is not in the export', `${source}: blocked_by ${other.key}`)
      return []
    }
    return [{ kind: 'blocked_by', other: other.key }]
  }
  if (isBlocks || isHolding) return [{ kind: 'blocks', other: other.key }]
  if (LIKE_BLOCKING.test(`${name} ${phrase}`))
    return `a link ${quoted(name)} (${quoted(phrase)}) to ${other.key} looks like a blocker and is not known`
  if (!HARMLESS.test(`${name} ${phrase}`)) {
    const warning = `links of the type ${quoted(name)} (${quoted(phrase)}) are imported as related, which holds nothing`
    if (!imported.warnings.includes(warning)) imported.warnings.push(warning)
  }
  return [{ kind: 'related', other: other.key, fields: { label: name || phrase || 'link' }, isInverse: isInward }]
}

function isDone({ fields }: Json): boolean {
  const status = isObject(fields) && isObject(fields.status) ? fields.status : {}
  return isObject(status.statusCategory) && status.statusCategory.key === 'done'
}
