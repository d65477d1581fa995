/** The fixtures in the shapes that vendors document. The expected answers are read off the files by hand. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { loose } from '../test-support/loose-decision.ts'
import { readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'

const FIXTURES = [
  {
    input: { system: 'yoi', path: 'yoi', mapRoot: '/srv/yoi' },
    states: { K7QX2M: 'done', P3TZ9D: 'queued', W5RB1H: 'queued' },
    edges: [
      'P3TZ9D accepted_plan undefined',
      'P3TZ9D blocked_by K7QX2M',
      'W5RB1H blocked_by P3TZ9D',
      'W5RB1H related K7QX2M (related)',
    ],
    skipped: {},
    source: ['P3TZ9D', { priority: 'P0', state: 'queued', updated_at: '2026-06-01T08:00:00Z' }],
  },
  {
    input: { system: 'beads', path: 'beads/issues.jsonl' },
    states: { 'shop-a1': 'closed', 'shop-b2': 'open', 'shop-b2.1': 'open', 'shop-b2.2': 'open' },
    edges: [
      'shop-b2.1 blocked_by shop-a1',
      'shop-b2.1 part_of shop-b2',
      'shop-b2.2 blocked_by shop-b2.1',
      'shop-b2.2 part_of shop-b2',
    ],
    skipped: { ephemeral: 1 },
    source: ['shop-b2.1', { priority: 2, issue_type: 'feature', labels: ['api'], state: 'open' }],
  },
  {
    input: { system: 'github', path: 'github/gh-issue-list.json', queued: ['ready'] },
    states: { 'shop-2': 'queued', 'shop-4': 'done', 'shop-5': 'not_planned' },
    edges: [],
    skipped: {},
    source: ['shop-2', { number: 2, labels: ['ready'], state: 'open (ready)' }],
  },
  {
    input: { system: 'linear', path: 'linear/pages.txt', queued: ['todo'] },
    states: { 'ENG-1': 'done', 'ENG-2': 'queued', 'ENG-3': 'queued', 'ENG-4': 'duplicate', 'ENG-5': 'in_progress' },
    edges: [
      'ENG-2 blocked_by ENG-1',
      'ENG-2 part_of ENG-5',
      'ENG-2 related ENG-4 (related)',
      'ENG-3 blocked_by ENG-2',
      'ENG-4 related ENG-3 (duplicate)',
    ],
    skipped: { 'closed blocker that is not in the export': 1 },
    source: ['ENG-2', { priority: 'High', labels: ['api'], category: 'unstarted', state: 'Todo', mapped: 'queued' }],
  },
  {
    input: { system: 'jira', path: 'jira/pages.txt', queued: ['Selected for Development'] },
    states: {
      'STORE-1': 'done',
      'STORE-2': 'queued',
      'STORE-3': 'queued',
      'STORE-4': 'not_planned',
      'STORE-5': 'in_progress',
    },
    edges: [
      'STORE-2 blocked_by STORE-1',
      'STORE-2 part_of STORE-5',
      'STORE-3 blocked_by STORE-2',
      'STORE-3 related STORE-4 (Relates)',
    ],
    skipped: { 'closed blocker that is not in the export': 1 },
    source: [
      'STORE-2',
      {
        priority: 'High',
        labels: ['api'],
        url: 'https://northwind.atlassian.net/browse/STORE-2',
        updated_at: '2026-06-01T08:00:00.000Z',
      },
    ],
  },
  {
    input: { system: 'backlog', path: 'backlog', queued: ['To Do'], areas: true },
    states: {
      'BACK-1': 'done',
      'BACK-2': 'queued',
      'BACK-2.01': 'queued',
      'BACK-2.02': 'in_progress',
      'BACK-3': 'cancelled',
    },
    edges: [
      'BACK-2 blocked_by BACK-1',
      'BACK-2 touches src/orders.ts',
      'BACK-2.01 blocked_by BACK-2.02',
      'BACK-2.01 part_of BACK-2',
      'BACK-2.02 part_of BACK-2',
    ],
    skipped: { draft: 1 },
    source: ['BACK-2', { priority: 'high', labels: ['api'], ordinal: 1000, state: 'To Do' }],
  },
  {
    input: { system: 'task-master', path: 'task-master/tasks.json', queued: ['pending'] },
    states: {
      'master-1': 'done',
      'master-2': 'in_progress',
      'master-2.1': 'done',
      'master-2.2': 'queued',
      'master-2.3': 'queued',
      'master-3': 'queued',
      'ops-1': 'queued',
      'ops-2': 'cancelled',
    },
    edges: [
      'master-2 blocked_by master-1',
      'master-2.1 part_of master-2',
      'master-2.2 blocked_by master-2.1',
      'master-2.2 part_of master-2',
      'master-2.3 blocked_by master-2.2',
      'master-2.3 part_of master-2',
      'master-3 blocked_by master-2',
    ],
    skipped: {},
    source: ['master-3', { priority: 'high', tag: 'master', state: 'pending', mapped: 'queued' }],
  },
  {
    input: { system: 'claude-tasks', path: 'claude-tasks/shop', queued: ['pending'] },
    states: { 'shop-1': 'done', 'shop-2': 'in_progress', 'shop-3': 'queued' },
    edges: ['shop-2 blocked_by shop-1', 'shop-3 blocked_by shop-2'],
    skipped: {},
    source: ['shop-2', { owner: 'worker-1', state: 'in_progress' }],
  },
] as const

test.each(FIXTURES)('$input.system: the fixture', ({ input, states, edges, skipped, source: [id, source] }) => {
  using repository = temporaryRepository()
  using plan = checkedPlan(repository.root)
  const path = join(import.meta.dirname, 'fixtures', input.path)
  const run = () => plan.import({ ...input, path } as never)
  expect(run()).toMatchObject({ tickets: Object.keys(states).length, dropped: [], warnings: [], skipped })
  const ticket = (id: string) => readTicketJson(repository.root, `tickets/${id}.json`)
  expect(Object.fromEntries(Object.keys(states).map(id => [id, ticket(id).state]))).toEqual(states)
  const found = Object.keys(states).flatMap(id =>
    ticket(id)
      .decisions.map(loose)
      .map(
        ({ kind, target, label, paths }) => `${id} ${kind} ${target ?? paths?.join(' ')}${label ? ` (${label})` : ''}`,
      ),
  )
  expect(found.sort()).toEqual([...edges])
  expect(ticket(id).source).toMatchObject(source)
  expect(run()).toMatchObject({ written: 0 })
})

test('what blocks and is not known is reported, and never becomes related', () => {
  using repository = temporaryRepository()
  using plan = checkedPlan(repository.root)
  const path = join(repository.root, 'pages.json')
  const type = { name: 'Prerequisite', inward: 'has as a prerequisite', outward: 'is a prerequisite of' }
  const status = { name: 'To Do', statusCategory: { key: 'new' } }
  writeFileSync(
    path,
    JSON.stringify([
      { key: 'A-1', fields: { summary: 'One', status, issuelinks: [{ type, inwardIssue: { key: 'A-2' } }] } },
      { key: 'A-2', fields: { summary: 'Two', status, issuelinks: [] } },
    ]),
  )
  const report = plan.import({ system: 'jira', path })
  expect(report.dropped).toMatchObject([{ message: expect.stringMatching(/"Prerequisite".*looks like a blocker/) }])
  expect(report).toMatchObject({ tickets: 2, decisions: 1 })
  expect(plan.relations({ status: 'all' }).relations).toEqual([])
})
