/**
 * Reads issues of a GitHub repository with what blocks them.
 *
 * Invariant: a blocker is never weakened. One in another repository is a hold with its name while it is not closed. A record that
 * does not list its blockers, as those of `gh issue list`, retracts none.
 */
import { isTicketId } from '../model/names.ts'
import { withoutUndefined } from '../model/objects.ts'
import { unreadReason } from './blocker-names.ts'
import { type GithubIssue, type IssueReference, issuesOf } from './github-issues.ts'
import { type Collector, type Imported, importCollector, quoted } from './import-collector.ts'
import { readDocuments } from './json-documents.ts'
import { queuedBy } from './queued-words.ts'
import type { ReadContext, Source } from './source.ts'
import type { SourceOptionValues } from './source-options.ts'
import { refuseSource } from './source-text.ts'
import { addItems, type ItemEdge, type WorkItem } from './work-items.ts'

type GithubOptions = ReadContext & Pick<SourceOptionValues, 'body' | 'idPrefix' | 'queued'>

export const github: Source = {
  what: 'issues as JSON from gh',
  reads: 'file',
  options: ['body', 'idPrefix', 'queued'],
  example: 'ticketplan import github issues.json --queued ready',
  read: (path, options) => readGithub(path, readDocuments(path), options),
}

/** What the records of one repository have in common. */
interface Context {
  collector: Collector
  issues: ReadonlyMap<number, GithubIssue>
  repository: string | undefined
  idOf(number: number): string
  options: GithubOptions
}

/** Returns the issues as Tickets and decisions. @throws PlanError import_source where there is none, or no prefix for ids. */
function readGithub(path: string, documents: readonly unknown[], options: GithubOptions): Imported {
  const origin = { system: 'github', name: options.name }
  const collector = importCollector(origin, {
    needsTarget: () => false,
    isUnread: ({ reason }) => reason === FROM_TEXT && !options.body,
  })
  const all = issuesOf(collector, documents)
  const repository = repositoryOf(all, path)
  const prefix = options.idPrefix ?? repository?.split('/')[1]
  if (prefix === undefined ? all.length > 0 : !isTicketId(`${prefix}-1`))
    refuse(path, `its issues have no usable name of a repository (${quoted(prefix ?? null)}); give --id-prefix`)
  const context: Context = {
    collector,
    issues: new Map(all.map(issue => [issue.number, issue])),
    repository,
    idOf: number => `${prefix}-${number}`,
    options,
  }
  addItems(
    collector,
    all.map(issue => itemOf(context, issue)),
  )
  return collector.imported
}

function refuse(path: string, problem: string): never {
  refuseSource(path, `${path}: ${problem}. Nothing was written`)
}

function repositoryOf(issues: readonly GithubIssue[], path: string): string | undefined {
  // GitHub takes names in any case for the same repository.
  const names = [
    ...new Map(issues.flatMap(({ repository: name }) => (name ? [[name.toLowerCase(), name]] : []))).values(),
  ]
  if (names.length > 1)
    refuse(
      path,
      `it has issues of several repositories (${names.slice(0, 5).join(', ')}); import each with its own --name`,
    )
  return names[0]
}

/** Returns the state in the source's word, with the label that queues the issue or the reason why it is closed, and the one here. */
function stateOf(
  { isClosed, closedAs, labels }: GithubIssue,
  queued: readonly string[] = [],
): Pick<WorkItem, 'word' | 'state'> {
  if (isClosed) {
    const word = closedAs === undefined || closedAs === 'completed' ? 'closed' : `closed (${closedAs})`
    return { word, state: /not_planned|duplicate/.test(word) ? 'not_planned' : 'done' }
  }
  const label = queuedBy(queued, [...labels, 'open'])
  return label === undefined ? { word: 'open', state: 'open' } : { word: `open (${label})`, state: 'queued' }
}

function itemOf(context: Context, issue: GithubIssue): WorkItem {
  const { collector, idOf, options } = context
  const { values, labels, source } = issue
  if (issue.isCut) collector.drop(source, 'not all of its blockers are listed; use the query of docs/import.md')
  for (const name of issue.unread) collector.drop(source, `${name} left out: it looks like blockers`)
  const url = values.html_url ?? values.url
  return {
    id: idOf(issue.number),
    title: issue.title,
    ...stateOf(issue, options.queued),
    created: values.createdAt ?? values.created_at,
    updated: values.updatedAt ?? values.updated_at,
    stateAt: issue.isClosed ? (values.closedAt ?? values.closed_at) : undefined,
    rest: withoutUndefined({
      labels: labels.length > 0 ? labels : undefined,
      number: issue.number,
      url: typeof url === 'string' ? url : undefined,
    }),
    edges: edgesOf(context, issue),
    isIncomplete: issue.isCut || issue.unread.length > 0,
    unlisted: [
      ...(issue.blockedBy === undefined ? (['blocked_by', 'hold'] as const) : []),
      ...(issue.parent === undefined ? (['part_of'] as const) : []),
    ],
    values: Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)),
    source,
  }
}

/** The reason of an edge that only the text of an issue states. */
const FROM_TEXT = 'stated in the text of the issue'
const IN_TEXT =
  /\bblocked by:?\s+((?:[\w.-]+\/[\w.-]+)?#\d+(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+)(?:[\w.-]+\/[\w.-]+)?#\d+)*)/gi

function edgesOf(imports: Context, issue: GithubIssue): ItemEdge[] {
  const context = { ...imports, source: issue.source }
  const listed = (issue.blockedBy ?? []).map(({ number, repository }) => `${repository}#${number}`)
  const inText = context.options.body ? blockersInText(issue.body ?? '') : []
  const unread = [...issue.unread, ...(issue.isCut ? ['blockedBy'] : [])]
  return [
    ...unread.map((name): ItemEdge => ({ kind: 'hold', reason: unreadReason(name) })),
    ...(issue.blockedBy ?? []).flatMap(blocker => edgeTo(context, 'blocked_by', blocker)),
    ...issue.blocking.flatMap(blocked => edgeTo(context, 'blocks', blocked)),
    ...(issue.parent ? edgeTo(context, 'part_of', issue.parent) : []),
    ...issue.subIssues.flatMap(part => edgeTo(context, 'contains', part)),
    ...inText
      .filter(({ number, repository = issue.repository }) => !listed.includes(`${repository}#${number}`))
      .flatMap(blocker => edgeTo(context, 'blocked_by', blocker, FROM_TEXT)),
  ]
}

function blockersInText(text: string): IssueReference[] {
  const lists = [...text.matchAll(IN_TEXT)].map(([, list]) => list!)
  return lists.flatMap(list =>
    [...list.matchAll(/([\w.-]+\/[\w.-]+)?#(\d+)/g)].map(([, repository, number]) => ({
      number: Number(number),
      repository,
      isClosed: undefined,
    })),
  )
}

/** Returns the edge; none where it says nothing about this repository, or where its blocker is closed and not a Ticket. */
function edgeTo(
  { collector, issues, repository, idOf, source }: Context & { source: string },
  kind: 'blocked_by' | 'blocks' | 'part_of' | 'contains',
  to: IssueReference,
  reason?: string,
): ItemEdge[] {
  const skipped = (why: string) => {
    collector.skip(why, `${source}: ${kind} ${to.repository ?? ''}#${to.number}`)
    return []
  }
  if (to.repository !== undefined && to.repository.toLowerCase() !== repository?.toLowerCase()) {
    if (kind !== 'blocked_by') return skipped('edge of an issue in another repository')
    if (to.isClosed) return skipped('closed blocker in another repository')
    return [{ kind: 'hold', reason: `blocked by ${to.repository}#${to.number}` }]
  }
  if (kind === 'blocked_by' && to.isClosed && !issues.has(to.number))
    return skipped('closed blocker that is not in the export')
  return [{ kind, other: idOf(to.number), ...(reason && { reason }) }]
}
