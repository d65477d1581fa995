/**
 * Every source as a writer: it turns plain items into the files that the source's own program writes. The shared suite of
 * sources runs over them, so the expected answers come from the items and not from any reader.
 */
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { github, jira, linear } from './service-cases.ts'
import { at, blockedByOthers, created, json, priority, type SourceCase, title } from './source-case.ts'

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
