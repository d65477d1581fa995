/** Folders of Backlog.md: the numbers of ids, and where a task lies. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importTickets } from '../operations/import.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { loose } from '../test-support/loose-decision.ts'
import { writeFiles } from '../test-support/source-cases.ts'
import { readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'

const task = (id: string, fields: Record<string, unknown> = {}) => {
  const all = { id, title: id, status: 'To Do', created_date: '2026-06-01', ...fields }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  return `---\n${lines.join('\n')}\n---\n`
}

function folder(files: Record<string, string>) {
  const repository = temporaryRepository()
  const path = join(repository.root, '.git', 'backlog')
  const plan = checkedPlan(repository.root)
  writeFiles(path, files, 1)
  return {
    plan,
    write: (files: Record<string, string>) => writeFiles(path, files, 1),
    run: () => plan.import({ system: 'backlog', path, queued: ['To Do'] }),
    ticket: (id: string) => readTicketJson(repository.root, `tickets/${id}.json`),
    verdict: (id: string) => plan.queue().queue.find(({ ticket }) => ticket.id === id)?.verdict,
    [Symbol.dispose]() {
      plan[Symbol.dispose]()
      repository[Symbol.dispose]()
    },
  }
}

test('a number that several tasks have is a hold and exit status 4, until it is one of them', () => {
  const files = (dependency: string, day: number) => ({
    'tasks/back-1 - One.md': task('BACK-1'),
    'tasks/shop-1 - Other.md': task('SHOP-1', { status: 'Done' }),
    'tasks/back-2 - Two.md': task('BACK-2', { dependencies: [dependency], updated_date: `2026-06-0${day}` }),
  })
  using shop = folder(files('task-1', 1))
  const report = shop.run()
  const reason = 'depends on task-1, which may be any of BACK-1, SHOP-1'
  expect(report).toMatchObject({ tickets: 3, decisions: 1 })
  expect(report.dropped).toEqual([
    {
      source: 'tasks/back-2 - Two.md',
      message: 'a hold instead of a relation: "task-1" may be any of BACK-1, SHOP-1',
    },
  ])
  expect(importTickets.exitStatus?.(report)).toBe(4)
  expect(shop.ticket('BACK-2').decisions.map(loose)).toMatchObject([{ kind: 'hold', reason }])
  expect(shop.verdict('BACK-2')).toBe('hold')
  expect(shop.run()).toMatchObject({ written: 0, dropped: report.dropped })
  // The id of one of them, in another case.
  shop.write(files('shop-1', 2))
  const named = shop.run()
  expect(named).toMatchObject({ retracted: 1, dropped: [] })
  expect(importTickets.exitStatus?.(named)).toBe(0)
  expect(shop.verdict('BACK-2')).toBe('accept')
})

test('a task in completed/ is done, whatever its status, and holds nothing', () => {
  using shop = folder({
    'tasks/back-2 - Two.md': task('BACK-2', { dependencies: ['BACK-1'] }),
    'completed/back-1 - One.md': task('BACK-1', { status: 'In Progress' }),
  })
  expect(shop.run()).toMatchObject({ tickets: 2, dropped: [], warnings: [] })
  expect(shop.ticket('BACK-1')).toMatchObject({ state: 'done', source: { folder: 'completed', state: 'In Progress' } })
  expect(shop.verdict('BACK-2')).toBe('accept')
  // A task that moves into the folder is the same one.
  shop.write({
    'tasks/back-3 - Three.md': task('BACK-3', { dependencies: ['BACK-2'] }),
    'completed/back-1 - One.md': task('BACK-1', { status: 'In Progress' }),
    'completed/back-2 - Two.md': task('BACK-2', { dependencies: ['BACK-1'], updated_date: '2026-06-02' }),
  })
  expect(shop.run()).toMatchObject({ created: 1, changed: 1, gone: [], dropped: [] })
  expect(shop.ticket('BACK-2').state).toBe('done')
  expect(shop.verdict('BACK-3')).toBe('accept')
})

test.each([
  ['a text of several ids', 'dependencies: task-1, task-2'],
  ['a text on two lines', 'dependencies:\n  task-1\n  task-2'],
])('%s names each of them', (_, dependencies) => {
  using shop = folder({
    'tasks/task-1 - One.md': task('TASK-1'),
    'tasks/task-2 - Two.md': task('TASK-2', { status: 'Done' }),
    'tasks/task-3 - Three.md': task('TASK-3').replace('\n---\n', `\n${dependencies}\n---\n`),
  })
  expect(shop.run()).toMatchObject({ decisions: 2, dropped: [] })
  expect(shop.verdict('TASK-3')).toBe('hold')
})

test.each(['dependencies: [task-1]\ndependencies: []', 'parent_task_id: [task-1]'])('is reported: %j', lines => {
  using shop = folder({
    'tasks/task-1 - One.md': task('TASK-1'),
    'tasks/task-3 - Three.md': task('TASK-3').replace('\n---\n', `\n${lines}\n---\n`),
  })
  expect(shop.run().dropped).toHaveLength(1)
})
