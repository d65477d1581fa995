/** Blockers that a source states in a form or field that its reader does not expect: none frees the Ticket without a word. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'
import type { System } from './sources.ts'

const SITE = 'https://git.example/o/r/issues'
const issue = (number: number, fields: object = {}) => ({
  number,
  title: 't',
  state: 'OPEN',
  labels: ['todo'],
  url: `${SITE}/${number}`,
  ...fields,
})
const linear = (identifier: string, fields: object = {}) => ({
  identifier,
  title: 't',
  state: { name: 'todo', type: 'unstarted' },
  ...fields,
})
const jira = (key: string, fields: object = {}, values: object = {}) => ({
  key,
  fields: { summary: 't', status: { name: 'todo', statusCategory: { key: 'new' } }, issuelinks: [], ...fields },
  ...values,
})
const link = (name: string, inward: string, outward: string, side: 'inwardIssue' | 'outwardIssue') => ({
  issuelinks: [{ type: { name, inward, outward }, [side]: { key: 'E-1' } }],
})
const item = (key: string | number, fields: object = {}) => ({ key, name: 't', status: 'todo', ...fields })
const MAP = ['id=key', 'title=name', 'state=status', 'blocked_by=needs[].key']
const NEEDS = ['id=key', 'title=name', 'state=status', 'blocked_by=needs']
const HOLDS = ['id=key', 'title=name', 'state=status', 'blocks=holds']

interface Case {
  system: System
  records: readonly object[]
  map?: string[]
}
const githubCase = (fields: object): Case => ({ system: 'github', records: [issue(1), issue(2, fields)] })
const linearCase = (fields: object): Case => ({ system: 'linear', records: [linear('E-1'), linear('E-2', fields)] })
const jiraCase = (fields: object, values = {}): Case => ({
  system: 'jira',
  records: [jira('E-1'), jira('E-2', fields, values)],
})
const jsonCase = (fields: object, map = MAP): Case => ({
  system: 'json',
  records: [item('E-1'), item('E-2', fields)],
  map,
})

/** Imports the records; the second one waits for the first. */
function imported({ system, records, map }: Case) {
  const repository = temporaryRepository()
  const plan = checkedPlan(repository.root)
  const path = join(repository.root, '.git', 'source.json')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, JSON.stringify(records))
  const { dropped, warnings } = plan.import({ system, path, queued: ['todo'], map })
  const entry = plan.queue().queue.find(({ ticket }) => /2$/.test(ticket.id))
  plan[Symbol.dispose]()
  repository[Symbol.dispose]()
  return { isFree: entry?.verdict === 'accept', codes: entry?.reasons.map(({ code }) => code), dropped, warnings }
}

test.each([
  githubCase({ depends_on: [{ number: 1 }] }),
  githubCase({ blockedBy: { totalCount: 1 } }),
  githubCase({ blockedBy: '#1' }),
  githubCase({ blockers: ['#1'] }),
  githubCase({ dependencies: [{ number: 1 }] }),
  linearCase({ blockedBy: [{ identifier: 'E-1' }] }),
  linearCase({ inverseRelations: { totalCount: 1 } }),
  linearCase({ inverseRelations: 'E-1' }),
  linearCase({ parentId: 'a0b1' }),
  jiraCase({ blockedBy: ['E-1'] }),
  jiraCase({}, { blocked_by: ['E-1'] }),
  jiraCase({ issuelinks: { 0: {} } }),
  jiraCase({ parent: 'E-9' }),
  jiraCase(link('Bloqueo', 'es bloqueado por', 'bloquea', 'inwardIssue')),
  jiraCase(link('Sequence', 'is preceded by', 'precedes', 'inwardIssue')),
  jiraCase(link('Gate', 'is gated by', 'gates', 'inwardIssue')),
  jiraCase(link('Order', 'must finish before', 'follows', 'outwardIssue')),
  jsonCase({ needs: ['E-1'] }),
  jsonCase({ needs: 'E-1' }),
  jsonCase({ needs: [['E-1']] }),
  jsonCase({ needs: [{ id: 'E-1' }] }),
])('is reported: %j', given => {
  expect(imported(given).dropped).toHaveLength(1)
})

test.each([
  githubCase({ depends_on: [{ number: 1 }] }),
  githubCase({ blockedBy: { totalCount: 1 } }),
  linearCase({ blockedBy: [{ identifier: 'E-1' }] }),
  linearCase({ inverseRelations: { totalCount: 1 } }),
  linearCase({ inverseRelations: { nodes: [{ type: 'depends_on', issue: { identifier: 'E-1' } }] } }),
  jiraCase({ blockedBy: ['E-1'] }),
  jiraCase({ issuelinks: { 0: {} } }),
  jiraCase(link('Gate', 'is gated by', 'gates', 'inwardIssue')),
  jsonCase({ needs: [], blockers: ['E-1'] }),
  jsonCase({ needs: ['E-1'] }),
  jsonCase({ needs: [{ id: 'E-1' }] }, NEEDS),
  jsonCase({ needs: { 'E-1': true } }, NEEDS),
  jsonCase({ needs: [['E-1']] }, NEEDS),
  jsonCase({ needs: 'E 1' }, NEEDS),
  jsonCase({ needs: 'E 1' }, [...NEEDS.slice(0, -1), 'after=needs']),
])('is reported and holds the Ticket: %j', given => {
  expect(imported(given)).toMatchObject({ isFree: false, codes: ['on_hold'], dropped: [expect.anything()] })
})

test('a hold for blockers that could not be read ends once they can be, or once it is retracted by hand', () => {
  using repository = temporaryRepository()
  using plan = checkedPlan(repository.root)
  const path = join(repository.root, 'source.json')
  const follow = (needs: unknown) => {
    writeFileSync(path, JSON.stringify([item('E-1', { needs: [] }), item('E-2', { needs })]))
    plan.import({ system: 'json', path, queued: ['todo'], map: NEEDS })
    return plan.consult({ ticket: 'E-2' }).reasons.map(({ code }) => code)
  }
  expect(follow([{ id: 'E-1' }])).toEqual(['on_hold'])
  expect(follow(['E-1'])).toEqual(['blocked_by'])
  expect(follow([{ id: 'E-1' }, 'E-1'])).toEqual(['blocked_by', 'on_hold'])
  const hold = plan.show('E-2').decisions.find(({ kind, status }) => kind === 'hold' && status === 'active')!
  plan.retract({ decision: hold.id, reason: 'it is none' })
  expect(follow([{ id: 'E-1' }, 'E-1'])).toEqual(['blocked_by'])
})

test('a relation that is too large to be recorded is a hold', () => {
  const needs = [{ key: 'E-1' }, { key: 'x'.repeat(20_000) }]
  expect(imported(jsonCase({ needs }))).toMatchObject({ isFree: false, codes: ['blocked_by', 'on_hold'] })
})

test('what only the other Ticket waits for holds that one, where this one has an id that no Ticket can have', () => {
  const given: Case = { system: 'json', records: [item('E 1', { holds: ['E-2'] }), item('E-2')], map: HOLDS }
  expect(imported(given)).toMatchObject({ isFree: false, codes: ['on_hold'] })
})

test.each([
  githubCase({ blockedBy: [], blocked_by: [issue(1)] }),
  githubCase({ dependencies: { blockedBy: [issue(1)] } }),
  jiraCase(link('Blocker', 'blocks', 'is blocked by', 'outwardIssue')),
  jiraCase(link('Blocks', 'wird blockiert von', 'blockiert', 'inwardIssue')),
  jsonCase({ needs: [{ key: 'E-1' }] }),
])('is read: %j', given => {
  expect(imported(given)).toMatchObject({ isFree: false, codes: ['blocked_by'], dropped: [] })
})

test.each([
  githubCase({ blockedBy: { totalCount: 0 } }),
  githubCase({ blockedBy: null }),
  linearCase({ parentId: null }),
  jiraCase(link('Relates', 'relates to', 'relates to', 'inwardIssue')),
  jsonCase({ needs: [] }),
  jsonCase({ needs: null }),
  jsonCase({ needs: [null] }),
  jsonCase({ needs: {} }, ['id=key', 'title=name', 'state=status', 'blocked_by=needs.list[].key']),
])('is none: %j', given => {
  expect(imported(given)).toMatchObject({ isFree: true, dropped: [], warnings: [] })
})

test('a parent that a text names is read where it is an issue of the export', () => {
  for (const given of [linearCase({ parentId: 'E-1' }), jiraCase({ parent: 'E-1' })])
    expect(imported(given)).toMatchObject({ dropped: [] })
})

test('a link of Jira that is not known is imported as related, with a warning', () => {
  const { isFree, warnings } = imported(jiraCase(link('Zusammen', 'gehört zu', 'gehört zu', 'inwardIssue')))
  expect(isFree).toBe(true)
  expect(warnings).toEqual([expect.stringContaining('imported as related, which holds nothing')])
})

test('a number that JSON has changed is no id', () => {
  const { dropped } = imported({ system: 'json', records: [item('E-1'), item(2 ** 53)], map: MAP })
  expect(dropped).toMatchObject([{ message: expect.stringContaining('no text or exact number') }])
})

test('one repository in two spellings is one', () => {
  const records = [issue(1), { ...issue(2), url: SITE.replace('o/r', 'O/R').concat('/2') }]
  expect(imported({ system: 'github', records })).toMatchObject({ isFree: true, dropped: [] })
})

test('a blocker that differs from a Ticket only in case holds, and is reported', () => {
  const given = jsonCase({ needs: [{ key: 'e-1' }] })
  expect(imported(given)).toMatchObject({
    isFree: false,
    codes: ['on_hold'],
    dropped: [{ message: expect.stringContaining('a hold instead') }],
  })
})

test('a slug that another Ticket has is left out and reported', () => {
  using repository = temporaryRepository()
  using plan = checkedPlan(repository.root)
  const ticket = (id: string, slug?: string) => ({ id, title: id, state: 'queued', slug, decisions: [] })
  const path = join(repository.root, 'export.json')
  const tickets = [ticket('Q1', 'same'), ticket('Q2', 'same'), ticket('Q3', 'q4'), ticket('q4')]
  writeFileSync(path, JSON.stringify({ tickets, relations: [] }))
  const { dropped } = plan.import({ system: 'json', path })
  expect(dropped.map(({ message }) => message)).toEqual([
    'its slug same left out: it is the slug of Q1',
    'its slug q4 left out: it is the id of q4',
  ])
  expect(plan.verify().ok).toBe(true)
  expect(plan.show('same').ticket.id).toBe('Q1')
})

test('an unusable time of an export costs neither the Ticket nor its edges', () => {
  using repository = temporaryRepository()
  using plan = checkedPlan(repository.root)
  const path = join(repository.root, 'export.json')
  const tickets = [
    { id: 'A', title: 'A', state: 'queued', queued_at: 'nonsense', decisions: [] },
    { id: 'A', title: 'Again', state: 'queued', decisions: [] },
  ]
  writeFileSync(path, JSON.stringify({ tickets, relations: [] }))
  const { dropped, tickets: count } = plan.import({ system: 'json', path })
  expect(count).toBe(1)
  expect(dropped.map(({ message }) => message)).toEqual([
    'queued_at left out: not a time: "nonsense"',
    'no Ticket: an earlier record of the source has the same id',
  ])
})

test.each<[System, string, Record<string, string>]>([
  [
    'task-master',
    'tasks.json',
    { 'tasks.json': JSON.stringify({ master: { tasks: [{ id: 1, title: 't', status: 'pending', blockers: [2] }] } }) },
  ],
  [
    'task-master',
    'tasks.json',
    {
      'tasks.json': JSON.stringify({
        master: { tasks: [{ id: 1, title: 't', status: 'pending', dependencies: ['x'] }] },
      }),
    },
  ],
  ['claude-tasks', 'list', { 'list/1.json': JSON.stringify({ subject: 't', status: 'pending', blockers: ['2'] }) }],
  [
    'backlog',
    'backlog',
    { 'backlog/tasks/task-1 - t.md': '---\nid: task-1\ntitle: t\nstatus: todo\nblockers: [task-2]\n---\n' },
  ],
  [
    'backlog',
    'backlog',
    { 'backlog/tasks/task-1 - t.md': '---\nid: task-1\ntitle: t\nstatus: todo\ndependencies: [{}]\n---\n' },
  ],
])('%s: what cannot be read of %s is reported and holds: %j', (system, path, files) => {
  using repository = temporaryRepository()
  using plan = checkedPlan(repository.root)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository.root, '.git', name)), { recursive: true })
    writeFileSync(join(repository.root, '.git', name), text)
  }
  const { dropped } = plan.import({ system, path: join(repository.root, '.git', path), queued: ['todo', 'pending'] })
  expect(dropped).toHaveLength(1)
  expect(plan.queue().queue.map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([['on_hold']])
})
