/**
 * Reads issues of a GitHub repository with what blocks them.
 *
 * Invariant: a blocker is never weakened. One in another repository is a hold with its name while it is not closed. A record that
 * does not list its blockers, as those of `gh issue list`, retracts none.
 */
import { PlanError } from '../model/errors.ts'
import { isTicketId } from '../model/names.ts'
import { withoutUndefined } from '../model/objects.ts'
import { type GithubIssue, type IssueReference, issuesOf } from './github-issues.ts'
import { type Collector, type Imported, importCollector, quoted } from './import-collector.ts'
import { readDocuments } from './json-documents.ts'
import type { ReadContext, Source } from './source.ts'
import type { SourceOptionValues } from './source-options.ts'
import { timeOf } from './source-text.ts'

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
export function readGithub(path: string, documents: readonly unknown[], options: GithubOptions): Imported {
  const origin = { system: 'github', name: options.name }
  const collector = importCollector(origin, {
    needsTarget: () => false,
    stateOf,
    isUnread: ({ reason }) => reason === FROM_TEXT && !options.body,
  })
  const all = issuesOf(collector, documents)
  const repository = repositoryOf(all, path)
  const prefix = options.idPrefix ?? repository?.split('/')[1]
  if (prefix === undefined ? all.length > 0 : !isTicketId(`${prefix}-1`))
    refuse(path, `its issues have no usable name of a repository (${quoted(prefix ?? null)}); give --id-prefix`)
  const context: Context = {
    collector,
    issues: newestIssues(collector, all),
    repository,
    idOf: number => `${prefix}-${number}`,
    options,
  }
  for (const issue of context.issues.values()) addTicket(context, issue)
  addEdges(context)
  return collector.imported
}

function refuse(path: string, problem: string): never {
  throw new PlanError('import_source', `${path}: ${problem}. Nothing was written`, { path, place: null })
}

function repositoryOf(issues: readonly GithubIssue[], path: string): string | undefined {
  const names = [...new Set(issues.flatMap(({ repository }) => repository ?? []))]
  if (names.length > 1)
    refuse(
      path,
      `it has issues of several repositories (${names.slice(0, 5).join(', ')}); import each with its own --name`,
    )
  return names[0]
}

/** Returns the issue of each number that was updated last. Of two with one time the one with the greater text counts. */
function newestIssues({ drop, skip }: Collector, all: readonly GithubIssue[]): Map<number, GithubIssue> {
  const issues = new Map<number, GithubIssue>()
  for (const issue of all) {
    const other = issues.get(issue.number)
    if (!other) issues.set(issue.number, issue)
    else {
      const [[timeA, textA], [timeB, textB]] = [rankOf(other), rankOf(issue)]
      if (textA === textB) continue
      const [kept, lost] = timeA > timeB || (timeA === timeB && textA > textB) ? [other, issue] : [issue, other]
      issues.set(issue.number, kept)
      if (timeA !== timeB) skip('older record of the same id')
      else drop(lost.source, `no Ticket: ${kept.source} is another record with the same update time; it counts`)
    }
  }
  return issues
}

function rankOf({ values }: GithubIssue): [string, string] {
  return [timeOf(values.updatedAt ?? values.updated_at) ?? '', JSON.stringify(Object.entries(values).sort())]
}

/** Returns the canonical state of a word as `wordOf` makes it. */
function stateOf(word: string): string {
  if (word.startsWith('open')) return word === 'open' ? 'open' : 'queued'
  return /not_planned|duplicate/.test(word) ? 'not_planned' : 'done'
}

/** Returns the state in one word, with the label that queues the issue, or the reason why it is closed. */
function wordOf({ isClosed, closedAs, labels }: GithubIssue, queued: readonly string[] = []): string {
  if (isClosed) return closedAs === undefined || closedAs === 'completed' ? 'closed' : `closed (${closedAs})`
  const names = queued.map(name => name.replace(/^label:/, '').toLowerCase())
  const label =
    labels.find(label => names.includes(label.toLowerCase())) ?? (names.includes('open') ? 'open' : undefined)
  return label === undefined ? 'open' : `open (${label})`
}

function addTicket({ collector, idOf, options }: Context, issue: GithubIssue): void {
  const { imported, drop, titleOf } = collector
  const { values, labels, source } = issue
  const id = idOf(issue.number)
  if (!isTicketId(id)) return drop(source, `no Ticket: ${JSON.stringify(id)} cannot be a Ticket's id`)
  imported.seen.add(id)
  if (issue.blockedBy === undefined || issue.parent === undefined || issue.isCut) imported.incomplete.add(id)
  if (issue.isCut) drop(source, 'not all of its blockers are listed; use the query of docs/import.md')
  const time = (name: string, value: unknown) => {
    const iso = timeOf(value)
    if (!iso && value != null) drop(source, `${name} left out: not a time: ${quoted(value)}`)
    return iso
  }
  const created_at = time('the creation time', values.createdAt ?? values.created_at)
  const updated_at = time('the update time', values.updatedAt ?? values.updated_at)
  const closed_at = issue.isClosed ? time('the closing time', values.closedAt ?? values.closed_at) : undefined
  const word = wordOf(issue, options.queued)
  const url = values.html_url ?? values.url
  imported.tickets.push({
    id: id as Imported['tickets'][number]['id'],
    fields: { title: titleOf(issue.title, id), state: stateOf(word), created_at, state_at: closed_at ?? updated_at },
    word,
    placeInQueue: created_at,
    updatedAt: updated_at,
    rest: withoutUndefined({
      labels: labels.length > 0 ? labels : undefined,
      number: issue.number,
      updated_at,
      url: typeof url === 'string' ? url : undefined,
    }),
  })
}

/** The reason of an edge that only the text of an issue states. */
const FROM_TEXT = 'stated in the text of the issue'
const IN_TEXT =
  /\bblocked by:?\s+((?:[\w.-]+\/[\w.-]+)?#\d+(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+)(?:[\w.-]+\/[\w.-]+)?#\d+)*)/gi

/** Adds each edge once, whichever of its two issues states it. */
function addEdges(context: Context): void {
  const { issues, options, collector } = context
  const said = new Set<string>()
  const add = (kind: 'blocked_by' | 'part_of', from: IssueReference, to: IssueReference, reason?: string) => {
    const issue = issues.get(from.number)
    if (!issue || isElsewhere(context, from)) return collector.skip('edge of an issue that is not in the export')
    const key = `${kind} ${from.number} ${isElsewhere(context, to) ? to.repository : ''}#${to.number}`
    if (said.has(key)) return
    said.add(key)
    addEdge(context, kind, issue, to, reason)
  }
  for (const issue of issues.values()) {
    for (const blocker of issue.blockedBy ?? []) add('blocked_by', issue, blocker)
    for (const blocked of issue.blocking) add('blocked_by', blocked, issue)
    if (issue.parent) add('part_of', issue, issue.parent)
    for (const part of issue.subIssues) add('part_of', part, issue)
  }
  if (!options.body) return
  for (const issue of issues.values())
    for (const blocker of blockersInText(issue.body ?? '')) add('blocked_by', issue, blocker, FROM_TEXT)
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

/** True for an issue of another repository. One without a repository is of this one. */
function isElsewhere({ repository }: Context, reference: IssueReference): boolean {
  return reference.repository !== undefined && reference.repository.toLowerCase() !== repository?.toLowerCase()
}

function addEdge(
  context: Context,
  kind: 'blocked_by' | 'part_of',
  issue: GithubIssue,
  to: IssueReference,
  reason: string | undefined,
): void {
  const { collector, issues, idOf } = context
  const created = issue.values.createdAt ?? issue.values.created_at
  const own = { ticket: idOf(issue.number), at: created, ownAt: created, by: undefined, source: issue.source }
  if (isElsewhere(context, to)) {
    if (kind === 'part_of') collector.skip('parent in another repository')
    else if (to.isClosed) collector.skip('closed blocker in another repository')
    else collector.addDecision({ ...own, kind: 'hold', reason: `blocked by ${to.repository}#${to.number}` })
    return
  }
  if (kind === 'blocked_by' && to.isClosed && !issues.has(to.number)) {
    return collector.skip('closed blocker that is not in the export')
  }
  collector.addDecision({ ...own, kind, other: idOf(to.number), ...(reason && { reason }) })
}
