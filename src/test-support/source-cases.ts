/**
 * Every source as a writer: it turns plain items into the files that the source's own program writes. The shared suite of
 * sources runs over them, so the expected answers come from the items and not from any reader.
 */
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A piece of work, before it is in the form of any source. */
export interface Item {
  n: number
  title?: string
  state: 'todo' | 'doing' | 'done' | 'dropped'
  blockedBy: number[]
  parent?: number | undefined
  /** The id as the source writes it, in place of the one that follows from `n`. */
  id?: string
  /** True for another record of the same id: in a folder it gets a file of its own. */
  isCopy?: true
  /** The place in the order of creation; `n` where it is not given. */
  made?: number
  /** A day of June 2026. */
  day: number
}

export interface SourceCase {
  system: 'yoi' | 'beads' | 'github' | 'linear' | 'jira' | 'backlog' | 'task-master' | 'claude-tasks' | 'json'
  /** Files by their path below the source; one with the empty path is the source itself. */
  files(items: readonly Item[]): Record<string, string>
  idOf(n: number): string
  options: Record<string, unknown>
  /** What a source says of its own on an abandoned item; null where it has no such state. */
  dropped: string | null
  hasParents: boolean
  /** True where records have times of creation; else their order in the source says which came first. */
  hasCreationTimes: boolean
  /** Which of two records with one id counts; null where an id is the name of a file or folder, so that there is one record of it. */
  ofTwo: 'newer' | 'one' | null
  /** An id that no Ticket can have. */
  badId: string
}

export const at = (day: number) => `2026-06-${String(day).padStart(2, '0')}T08:00:00.000Z`
const title = ({ n, title }: Item) => title ?? `Item ${n}`
/** A day for each record, because some sources have no time of day. */
const created = ({ n, made = n }: Item) => new Date(Date.UTC(1990, 0, 1, 8) + made * 86_400_000).toISOString()
/** The greater the number the higher the priority: against the order of creation. */
const priority = ({ n }: Item) => ['critical', 'high', 'medium', 'low'][3 - (n % 4)]!
const json = (value: unknown) => `${JSON.stringify(value, null, 1)}\n`
const blockedByOthers = (items: readonly Item[], n: number) =>
  items.filter(({ blockedBy }) => blockedBy.includes(n)).map(({ n }) => n)

const STATES = {
  linear: {
    todo: ['Todo', 'unstarted'],
    doing: ['In Review', 'started'],
    done: ['Shipped', 'completed'],
    dropped: ['Canceled', 'canceled'],
  },
  jira: {
    todo: ['Selected', 'new'],
    doing: ['In Arbeit', 'indeterminate'],
    done: ['Fertig', 'done'],
    dropped: ['Fertig', 'done'],
  },
} as const

const front = (fields: Record<string, unknown>) =>
  `---\n${Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join('\n')}\n---\n\n## Description\n`

const yoi: SourceCase = {
  system: 'yoi',
  idOf: n => `Y${n}`,
  options: {},
  dropped: 'cancelled',
  hasParents: false,
  hasCreationTimes: true,
  ofTwo: null,
  badId: 'a b;c',
  files: items =>
    Object.fromEntries(
      items.flatMap(item => [
        [
          `${item.id ?? `Y${item.n}`}/item.md`,
          front({
            title: title(item),
            state: { todo: 'queued', doing: 'inprogress', done: 'done', dropped: 'cancelled' }[item.state],
            created_at: created(item),
            queued_at: item.state === 'todo' ? created(item) : undefined,
            priority: priority(item),
            updated_at: at(item.day),
          }),
        ],
        [
          `${item.id ?? `Y${item.n}`}/artifacts/relations.json`,
          json({
            relations: item.blockedBy.map(n => ({ kind: 'depends_on', target: `Y${n}`, at: created(item) })),
          }),
        ],
      ]),
    ),
}

const beads: SourceCase = {
  system: 'beads',
  idOf: n => `bd-${n}`,
  options: {},
  dropped: null,
  hasParents: true,
  hasCreationTimes: true,
  ofTwo: 'newer',
  badId: '../../a b',
  files: items => ({
    '': items
      .map(item =>
        JSON.stringify({
          id: item.id ?? `bd-${item.n}`,
          title: title(item),
          status: { todo: 'queued', doing: 'in_progress', done: 'closed', dropped: 'closed' }[item.state],
          created_at: created(item),
          updated_at: at(item.day),
          priority: 3 - (item.n % 4),
          dependencies: [
            ...item.blockedBy.map(n => ({ issue_id: `bd-${item.n}`, depends_on_id: `bd-${n}`, type: 'blocks' })),
            ...(item.parent === undefined
              ? []
              : [{ issue_id: `bd-${item.n}`, depends_on_id: `bd-${item.parent}`, type: 'parent-child' }]),
          ],
        }),
      )
      .join('\n'),
  }),
}

const github: SourceCase = {
  system: 'github',
  idOf: n => `shop-${n}`,
  options: { queued: ['ready'], idPrefix: 'shop' },
  dropped: 'not_planned',
  hasParents: true,
  hasCreationTimes: true,
  ofTwo: 'newer',
  badId: '../../7',
  files: items => {
    const reference = (n: number) => ({
      number: n,
      state: ['done', 'dropped'].includes(items.find(item => item.n === n)?.state ?? '') ? 'CLOSED' : 'OPEN',
      repository: { nameWithOwner: 'northwind/shop' },
    })
    const nodes = items.map(item => ({
      number: item.id ?? item.n,
      title: title(item),
      url: `https://github.com/northwind/shop/issues/${item.n}`,
      state: ['done', 'dropped'].includes(item.state) ? 'CLOSED' : 'OPEN',
      stateReason: item.state === 'dropped' ? 'NOT_PLANNED' : item.state === 'done' ? 'COMPLETED' : null,
      createdAt: created(item),
      updatedAt: at(item.day),
      closedAt: ['done', 'dropped'].includes(item.state) ? at(item.day) : null,
      repository: { nameWithOwner: 'northwind/shop' },
      labels: { nodes: [{ name: priority(item) }, ...(item.state === 'todo' ? [{ name: 'ready' }] : [])] },
      parent: item.parent === undefined ? null : reference(item.parent),
      blockedBy: { totalCount: item.blockedBy.length, nodes: item.blockedBy.map(reference) },
      blocking: { nodes: blockedByOthers(items, item.n).map(reference) },
    }))
    return { '': json({ data: { repository: { issues: { pageInfo: { hasNextPage: false }, nodes } } } }) }
  },
}

const linear: SourceCase = {
  system: 'linear',
  idOf: n => `ENG-${n}`,
  options: { queued: ['Todo'] },
  dropped: 'cancelled',
  hasParents: true,
  hasCreationTimes: true,
  ofTwo: 'newer',
  badId: '../../ENG-7',
  files: items => {
    const page = (some: readonly Item[], hasNextPage: boolean) => ({
      data: {
        issues: {
          pageInfo: { hasNextPage, endCursor: hasNextPage ? 'c1' : null },
          nodes: some.map(item => ({
            identifier: item.id ?? `ENG-${item.n}`,
            title: title(item),
            url: `https://linear.app/northwind/issue/ENG-${item.n}`,
            priority: 1 + (3 - (item.n % 4)),
            priorityLabel: priority(item),
            createdAt: created(item),
            updatedAt: at(item.day),
            completedAt: item.state === 'done' ? at(item.day) : null,
            canceledAt: item.state === 'dropped' ? at(item.day) : null,
            state: { name: STATES.linear[item.state][0], type: STATES.linear[item.state][1] },
            labels: { nodes: [{ name: 'api' }] },
            parent: item.parent === undefined ? null : { identifier: `ENG-${item.parent}` },
            relations: {
              nodes: blockedByOthers(items, item.n).map(n => ({
                type: 'blocks',
                relatedIssue: { identifier: `ENG-${n}` },
              })),
            },
            inverseRelations: {
              nodes: item.blockedBy.map(n => ({ type: 'blocks', issue: { identifier: `ENG-${n}` } })),
            },
          })),
        },
      },
    })
    const half = Math.ceil(items.length / 2)
    return { '': json(page(items.slice(0, half), true)) + json(page(items.slice(half), false)) }
  },
}

const jira: SourceCase = {
  system: 'jira',
  idOf: n => `SHOP-${n}`,
  options: { queued: ['selected'] },
  dropped: 'not_planned',
  hasParents: true,
  hasCreationTimes: true,
  ofTwo: 'newer',
  badId: 'SHOP 7',
  files: items => {
    const type = { name: 'Blocks', inward: 'wird blockiert durch', outward: 'blockiert' }
    const page = (some: readonly Item[], more: object) => ({
      issues: some.map(item => ({
        key: item.id ?? `SHOP-${item.n}`,
        self: `https://northwind.atlassian.net/rest/api/3/issue/${10_000 + item.n}`,
        fields: {
          summary: title(item),
          status: {
            name: STATES.jira[item.state][0],
            statusCategory: { key: STATES.jira[item.state][1], name: 'To Do' },
          },
          resolution: item.state === 'dropped' ? { name: "Won't Do" } : item.state === 'done' ? { name: 'Done' } : null,
          created: created(item).replace('Z', '+0000'),
          updated: at(item.day).replace('Z', '+0000'),
          priority: { name: priority(item) },
          labels: ['api'],
          ...(item.parent !== undefined && { parent: { key: `SHOP-${item.parent}` } }),
          issuelinks: [
            ...item.blockedBy.map(n => ({ type, inwardIssue: { key: `SHOP-${n}` } })),
            ...blockedByOthers(items, item.n).map(n => ({ type, outwardIssue: { key: `SHOP-${n}` } })),
          ],
        },
      })),
      ...more,
    })
    const half = Math.ceil(items.length / 2)
    return { '': json([page(items.slice(0, half), { nextPageToken: 'x' }), page(items.slice(half), { isLast: true })]) }
  },
}

const backlog: SourceCase = {
  system: 'backlog',
  idOf: n => `BACK-${n}`,
  options: { queued: ['To Do'] },
  dropped: 'cancelled',
  hasParents: true,
  hasCreationTimes: true,
  ofTwo: 'newer',
  badId: 'BACK-7/../../x',
  files: items => ({
    'config.yml': 'project_name: "Shop"\nstatuses: ["To Do", "In Progress", "Done"]\ntask_prefix: "back"\n',
    ...Object.fromEntries(
      items.map(item => [
        `${item.state === 'dropped' ? 'archive/tasks' : 'tasks'}/back-${item.n} - ${item.isCopy ? 'Copy' : 'Item'}.md`,
        front({
          id: item.id ?? `BACK-${item.n}`,
          title: title(item),
          status: { todo: 'To Do', doing: 'In Progress', done: 'Done', dropped: 'To Do' }[item.state],
          created_date: created(item).slice(0, 10),
          updated_date: at(item.day).slice(0, 16).replace('T', ' '),
          labels: ['api'],
          // Ids of before and after a change of the prefix.
          dependencies: item.blockedBy.map(n => (n % 2 ? `BACK-${n}` : `task-${n}`)),
          parent_task_id: item.parent === undefined ? undefined : `BACK-${item.parent}`,
          priority: priority(item),
        }),
      ]),
    ),
  }),
}

const taskMaster: SourceCase = {
  system: 'task-master',
  idOf: n => `master-${n}`,
  options: { queued: ['pending'] },
  dropped: 'cancelled',
  hasParents: false,
  hasCreationTimes: false,
  ofTwo: 'one',
  badId: '../../7',
  files: items => ({
    '': json({
      master: {
        tasks: items.map(item => ({
          id: item.id ?? item.n,
          title: title(item),
          status: { todo: 'pending', doing: 'in-progress', done: 'done', dropped: 'cancelled' }[item.state],
          dependencies: item.blockedBy,
          priority: priority(item),
        })),
        metadata: { created: '2026-05-01T08:00:00.000Z', updated: at(Math.max(1, ...items.map(({ day }) => day))) },
      },
    }),
  }),
}

const claudeTasks: SourceCase = {
  system: 'claude-tasks',
  idOf: n => `list-${n}`,
  options: { queued: ['pending'], idPrefix: 'list' },
  dropped: null,
  hasParents: false,
  hasCreationTimes: false,
  ofTwo: null,
  badId: '7'.repeat(64),
  files: items =>
    Object.fromEntries(
      items.map(item => [
        `${item.id ?? item.n}.json`,
        json({
          id: item.id ?? String(item.n),
          subject: title(item),
          description: '',
          activeForm: 'Doing it',
          status: { todo: 'pending', doing: 'in_progress', done: 'completed', dropped: 'completed' }[item.state],
          blocks: blockedByOthers(items, item.n).map(String),
          blockedBy: item.blockedBy.map(String),
        }),
      ]),
    ),
}

const mapped: SourceCase = {
  system: 'json',
  idOf: n => `R${n}`,
  options: {
    queued: ['todo'],
    map: [
      'id=key',
      'title=name',
      'state=status',
      'created_at=made',
      'updated_at=changed',
      'blocked_by=needs[]',
      'part_of=epic',
      'priority=rank',
    ],
  },
  dropped: 'cancelled',
  hasParents: true,
  hasCreationTimes: true,
  ofTwo: 'newer',
  badId: '../../R7',
  files: items => ({
    '': json(
      items.map(item => ({
        key: item.id ?? `R${item.n}`,
        rank: priority(item),
        name: title(item),
        status: { todo: 'todo', doing: 'doing', done: 'done', dropped: 'cancelled' }[item.state],
        made: created(item),
        changed: at(item.day),
        needs: item.blockedBy.map(n => `R${n}`),
        epic: item.parent === undefined ? null : `R${item.parent}`,
      })),
    ),
  }),
}

export const SOURCE_CASES = [yoi, beads, github, linear, jira, backlog, taskMaster, claudeTasks, mapped]

/** Writes the files of a source again at a path; each with the time of its item, for a source that has no other. */
export function writeFiles(path: string, files: Record<string, string>, day: number): void {
  rmSync(path, { recursive: true, force: true })
  for (const [name, content] of Object.entries(files)) {
    const file = join(path, name)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, content)
    utimesSync(file, new Date(at(day)), new Date(at(day)))
  }
}
