/** Real exports of other projects. The expected answers are read from their files without the readers. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { loose } from '../test-support/loose-decision.ts'
import { findSharedData } from '../test-support/shared-data.ts'
import { readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'

const backlogFolder = findSharedData('backlog-2026-08')
const tasksFile = findSharedData('task-master-2026-04.json')

/** Returns the ids of the queued Tickets that nothing blocks. */
function readyIn(plan: ReturnType<typeof checkedPlan>, holds: RegExp): string[] {
  const isFree = ({ code }: { code: string }) => !holds.test(code)
  return plan
    .queue()
    .queue.filter(({ reasons }) => reasons.every(isFree))
    .map(({ ticket }) => ticket.id)
    .sort()
}

test.skipIf(!backlogFolder)('Backlog.md: every task, and ready where all dependencies are done', () => {
  const texts = readdirSync(join(backlogFolder!, 'tasks')).map(name =>
    readFileSync(join(backlogFolder!, 'tasks', name), 'utf8'),
  )
  const line = (text: string, name: string) => new RegExp(`^${name}: *(.*)$`, 'm').exec(text)?.[1]
  const tasks = texts.map(text => ({
    id: line(text, 'id')!,
    isDone: line(text, 'status') === 'Done',
    needs: [...(/^dependencies:\n((?: +- .*\n)+)/m.exec(text)?.[1] ?? '').matchAll(/- (\S+)/g)].map(([, id]) => id!),
    files: [...(/^modified_files:\n((?: +- .*\n)+)/m.exec(text)?.[1] ?? '').matchAll(/- '?([^'\n]+)/g)].map(
      ([, path]) => path!,
    ),
    hasParent: line(text, 'parent_task_id') !== undefined,
  }))
  const numberOf = (id: string) =>
    id
      .replace(/^[A-Za-z]+-/, '')
      .split('.')
      .map(Number)
      .join('.')
  const isMet = (id: string) => tasks.some(task => numberOf(task.id) === numberOf(id) && task.isDone)
  const ready = tasks.filter(({ isDone, needs }) => !isDone && needs.every(isMet))
  using repository = temporaryRepository()
  using plan = checkedPlan(repository.root)
  const options = { system: 'backlog' as const, path: backlogFolder!, queued: ['To Do'], areas: true }
  const report = plan.import(options)
  const edges = tasks.flatMap(({ needs }) => needs).length + tasks.filter(({ hasParent }) => hasParent).length
  const areas = tasks.filter(({ files }) => files.length > 0)
  expect(report).toMatchObject({ tickets: tasks.length, dropped: [], decisions: edges + areas.length })
  expect(readyIn(plan, /block/)).toEqual(ready.map(({ id }) => id).sort())
  for (const { id, files } of areas) {
    const { decisions } = readTicketJson(repository.root, `tickets/${id}.json`)
    const touched = decisions.filter(({ kind }) => kind === 'touches').flatMap(decision => loose(decision).paths ?? [])
    expect(touched).toEqual([...files].sort())
  }
  expect(plan.import(options)).toMatchObject({ written: 0, retracted: 0 })
})

test.skipIf(!tasksFile)('task-master: every task of every tag, and ready where it says so', () => {
  interface Task {
    id: number
    status: string
    dependencies?: (number | string)[]
    subtasks?: Task[]
  }
  const tags = JSON.parse(readFileSync(tasksFile!, 'utf8')) as Record<string, { tasks: Task[] }>
  const states = new Map<string, string>()
  const needs = new Map<string, string[]>()
  for (const [tag, { tasks }] of Object.entries(tags))
    for (const task of tasks) {
      states.set(`${tag}-${task.id}`, task.status)
      needs.set(
        `${tag}-${task.id}`,
        (task.dependencies ?? []).map(id => `${tag}-${id}`),
      )
      for (const part of task.subtasks ?? []) {
        const id = `${tag}-${task.id}.${part.id}`
        states.set(id, part.status)
        const full = (other: number | string) =>
          String(other).includes('.') ? `${tag}-${other}` : `${tag}-${task.id}.${other}`
        needs.set(id, (part.dependencies ?? []).map(full))
      }
    }
  // A subtask is not started before its task is free.
  const parentOf = (id: string) => (/\.\d+$/.test(id) ? id.replace(/\.\d+$/, '') : undefined)
  const isFree = (id: string): boolean =>
    needs.get(id)!.every(other => states.get(other) === 'done') && (parentOf(id) === undefined || isFree(parentOf(id)!))
  const pending = [...states].filter(([, state]) => state === 'pending').map(([id]) => id)
  using repository = temporaryRepository()
  using plan = checkedPlan(repository.root)
  const options = { system: 'task-master' as const, path: tasksFile!, queued: ['pending'] }
  expect(plan.import(options)).toMatchObject({ tickets: states.size, dropped: [] })
  expect(readyIn(plan, /block|parent/)).toEqual(pending.filter(isFree).sort())
  expect(plan.import({ ...options, tag: ['tm-start'] })).toMatchObject({ tickets: 6, written: 0, gone: [] })
  expect(plan.import(options)).toMatchObject({ written: 0, retracted: 0 })
})
