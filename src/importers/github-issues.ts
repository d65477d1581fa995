/**
 * Finds the issues in what GitHub exports: pages of GraphQL, lists of REST, and `gh issue list --json`. Pure.
 *
 * The three name the same things differently; an issue here has one form. A list that is absent is undefined, which differs from
 * an empty one: what is not listed is not known.
 */
import * as z from 'zod/mini'
import { lazy } from '../model/lazy.ts'
import { isObject } from '../model/objects.ts'
import { unknownBlockers } from './blocker-names.ts'
import { entriesOf, labelNames, reportErrors, reportMissingPage } from './graphql-pages.ts'
import { type Collector, quoted } from './import-collector.ts'
import { recordProblem } from './work-items.ts'

type Json = Record<string, unknown>

/** An issue that another one names. */
export interface IssueReference {
  number: number
  /** `owner/name`; undefined where the export does not say. */
  repository: string | undefined
  isClosed: boolean | undefined
}

export interface GithubIssue extends IssueReference {
  title: string
  /** In lower case: open, or why it is closed. */
  closedAs: string | undefined
  labels: string[]
  body: string | undefined
  values: Json
  blockedBy: IssueReference[] | undefined
  blocking: IssueReference[]
  parent: IssueReference | null | undefined
  subIssues: IssueReference[]
  /** True where a list of the record was cut. */
  isCut: boolean
  /** Fields that look like blockers and are not known. */
  unread: string[]
  source: string
}

/** Returns the issues of all documents, in their order. Reports what is none; counts pull requests. */
export function issuesOf(collector: Collector, documents: readonly unknown[]): GithubIssue[] {
  const issues: GithubIssue[] = []
  const visit = (value: unknown, source: string, depth: number): void => {
    if (Array.isArray(value) && depth < 4)
      for (const [position, entry] of value.entries()) visit(entry, `${source}[${position}]`, depth + 1)
    else if (!isObject(value)) collector.dropUnread(source, `no Ticket: not an issue: ${quoted(value)}`)
    else if (value.data !== undefined || value.errors !== undefined) visitPage(value, source, depth)
    else if (value.pull_request !== undefined || value.__typename === 'PullRequest')
      collector.skip('pull request', `${source} (#${referenceOf(value)?.number ?? '?'})`)
    else {
      const issue = parseIssue(value, source)
      if (typeof issue === 'string') collector.dropUnread(source, issue)
      else issues.push(issue)
    }
  }
  const pages: unknown[] = []
  const visitPage = (page: Json, source: string, depth: number): void => {
    const data = isObject(page.data) ? page.data : {}
    const list = isObject(data.repository) ? data.repository.issues : data.search
    reportErrors(collector, page, source, 'GitHub')
    if (isObject(list) && Array.isArray(list.nodes)) {
      pages.push(list)
      visit(list.nodes, `${source}.nodes`, depth)
    } else
      collector.dropUnread(
        source,
        'no issues: a page needs data.repository.issues.nodes; use the query of docs/import.md',
      )
  }
  for (const [position, document] of documents.entries()) visit(document, `document ${position + 1}`, 0)
  reportMissingPage(collector, pages)
  return issues
}

/** What an issue must have; everything else is read where it fits. */
const issueSchema = lazy(() =>
  z.looseObject({
    title: z.string(),
    state: z.string().check(z.regex(/^(?:open|closed)$/i, 'must be open or closed')),
  }),
)

const KNOWN_LISTS = new Set([
  'blockedBy',
  'blocked_by',
  'blocking',
  'issue_dependencies_summary',
  'issueDependenciesSummary',
])

/** Returns the issue; the reason where the record is none. */
function parseIssue(values: Json, source: string): GithubIssue | string {
  const problem = recordProblem(issueSchema(), values)
  if (problem !== undefined) return problem
  const own = referenceOf(values)
  if (!own) return `no Ticket: number is missing, and no address has one: ${quoted(values)}`
  const { title, state, body } = values as z.infer<ReturnType<typeof issueSchema>>
  const isClosed = state.toLowerCase() === 'closed'
  const reason = values.stateReason ?? values.state_reason
  const dependencies = isObject(values.dependencies) ? values.dependencies : {}
  const blockedBy = listOf(values.blockedBy, values.blocked_by, dependencies.blocked_by, dependencies.blockedBy)
  const blocking = listOf(values.blocking, dependencies.blocking)
  const subIssues = listOf(values.subIssues, values.sub_issues)
  const unread = [
    ...unknownBlockers(values, name => KNOWN_LISTS.has(name) || (name === 'dependencies' && isObject(values[name]))),
    ...unknownBlockers(dependencies, name => KNOWN_LISTS.has(name)),
  ].map(([name]) => name)
  return {
    ...own,
    title,
    isClosed,
    closedAs: isClosed && typeof reason === 'string' ? reason.toLowerCase() : undefined,
    labels: labelNames(values.labels),
    body: typeof body === 'string' ? body : undefined,
    values,
    blockedBy: blockedBy?.issues,
    blocking: blocking?.issues ?? [],
    parent: parentOf(values),
    subIssues: subIssues?.issues ?? [],
    isCut: blockedBy ? blockedBy.isCut : countOf(values) > 0,
    unread,
    source: `${source} (#${own.number})`,
  }
}

/** Returns how many open blockers the summary of REST counts. */
function countOf({ issue_dependencies_summary, issueDependenciesSummary }: Json): number {
  const summary = issue_dependencies_summary ?? issueDependenciesSummary
  return isObject(summary) ? Number(summary.blocked_by ?? summary.blockedBy ?? 0) : 0
}

/** Returns the parent; null for none, undefined where the record does not say. REST has only its address, if there is one. */
function parentOf(values: Json): IssueReference | null | undefined {
  const { parent, parent_issue_url: url } = values
  if (isObject(parent)) return referenceOf(parent) ?? undefined
  if (typeof url === 'string') return referenceOf({ url }) ?? undefined
  return parent === null || url === null || isObject(values.sub_issues_summary) ? null : undefined
}

/** Returns the issues of all lists of one kind; undefined where the record has none. */
function listOf(...values: unknown[]): { issues: IssueReference[]; isCut: boolean } | undefined {
  const lists = values.flatMap(value => entriesOf(value) ?? [])
  if (lists.length === 0) return undefined
  const nodes = lists.flatMap(list => list.nodes)
  const issues = nodes.flatMap(node => (isObject(node) ? (referenceOf(node) ?? []) : []))
  return { issues, isCut: lists.some(({ isCut }) => isCut) || issues.length < nodes.length }
}

const ADDRESS = /([\w.-]+\/[\w.-]+)\/issues\/(\d+)\/?$/

/** Returns what an object says of an issue, by its number and the repository's name or an address; undefined for none. */
function referenceOf(values: Json): IssueReference | undefined {
  const { number, repository, state } = values
  const urls = [values.url, values.html_url].filter(url => typeof url === 'string')
  const address = urls.map(url => ADDRESS.exec(url)).find(found => found !== null)
  const found = number ?? (address ? Number(address[2]) : undefined)
  if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 1) return undefined
  const full = isObject(repository) ? (repository.nameWithOwner ?? repository.full_name) : undefined
  return {
    number: found,
    repository: typeof full === 'string' ? full : address?.[1],
    isClosed: typeof state === 'string' ? state.toLowerCase() === 'closed' : undefined,
  }
}
