/**
 * Reads the folder of Backlog.md: one Markdown file for each task, with YAML front matter, and its configuration.
 *
 * Invariant: a dependency is found by its number where exactly one task has it, since a project may have changed the prefix of
 * its ids. One that is not found still holds the task, and is reported.
 */
import { join } from 'node:path'
import { globProblem } from '../model/glob.ts'
import { withoutUndefined } from '../model/objects.ts'
import { backlogConfig, folderState, ROOT_CONFIG, readTasks, type Task } from './backlog-folder.ts'
import { isEmpty, LIKE_BLOCKERS, unknownBlockers, unreadReason } from './blocker-names.ts'
import { type Collector, type Imported, importCollector, quoted } from './import-collector.ts'
import { queuedBy } from './queued-words.ts'
import type { ReadContext, Source } from './source.ts'
import type { SourceOptionValues } from './source-options.ts'
import { descriptorOf, refuseSource } from './source-text.ts'
import { addItems, type ItemEdge, type WorkItem } from './work-items.ts'

type BacklogOptions = ReadContext & Pick<SourceOptionValues, 'all' | 'areas' | 'queued'>

export const backlog: Source = {
  what: 'the folder of Backlog.md',
  reads: 'folder',
  options: ['all', 'areas', 'queued'],
  example: "ticketplan import backlog backlog --queued 'To Do' --areas",
  beside: [join('..', ROOT_CONFIG)],
  read: readBacklog,
}

/** Reads the whole folder. @throws PlanError import_source where it has no tasks, or a conflict. */
function readBacklog(path: string, options: BacklogOptions): Imported {
  if (descriptorOf(path) !== undefined) {
    refuseSource(path, `${path} is not a folder; name the folder of Backlog.md. Nothing was written`)
  }
  const collector = importCollector(
    { system: 'backlog', name: options.name },
    { needsTarget: () => false, isUnread: ({ kind }) => kind === 'touches' && !options.areas },
  )
  const tasks = readTasks(collector, path, options.all)
  const find = finder(tasks)
  const statuses = backlogConfig(collector, path)
  addItems(
    collector,
    tasks.map(task => itemOf(collector, { task, statuses, find, options })),
  )
  return collector.imported
}

/** How a dependency names a task: one, several, or none. */
type Find = (reference: string) => string[]

function finder(tasks: readonly Task[]): Find {
  const byId = Map.groupBy(tasks, ({ id }) => id.toLowerCase())
  const byNumber = Map.groupBy(tasks, ({ id }) => numberOf(id))
  return reference => {
    const found = byId.get(reference.toLowerCase()) ?? byNumber.get(numberOf(reference)) ?? []
    return [...new Set(found.map(({ id }) => id))]
  }
}

/** Returns the number of an id, without its prefix and leading zeros: "24.2" of "BACK-24.02". */
function numberOf(id: string): string {
  const number = /(?:^|-)(\d+(?:\.\d+)*)$/.exec(id)?.[1]
  return number === undefined
    ? id.toLowerCase()
    : number
        .split('.')
        .map(part => part.replace(/^0+(?=\d)/, ''))
        .join('.')
}

interface Context {
  task: Task
  statuses: readonly string[]
  find: Find
  options: BacklogOptions
}

function itemOf(collector: Collector, context: Context): WorkItem {
  const { task, statuses, options } = context
  const { id, values, source } = task
  const word = typeof values.status === 'string' ? values.status : (statuses[0] ?? 'open')
  const labels = listOf(values.labels).filter(label => typeof label === 'string')
  const state = folderState(task, word, statuses, options.phaseOf)
  const isQueued = options.phaseOf(state) === 'open' && queuedBy(options.queued, [word, ...labels]) !== undefined
  const { edges, isIncomplete } = edgesOf(collector, context)
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
  const ordinal = Number(text(values.ordinal) ?? Number.NaN)
  const assignees = listOf(values.assignee).filter(name => typeof name === 'string' && name !== '')
  return {
    id,
    title: typeof values.title === 'string' ? values.title : '',
    word,
    state: isQueued ? 'queued' : state,
    created: text(values.created_date),
    updated: text(values.updated_date) ?? text(values.created_date),
    rest: withoutUndefined({
      assignee: assignees.length > 0 ? assignees : undefined,
      folder: task.part === 'tasks' ? undefined : task.part,
      issue_type: text(values.type),
      labels: labels.length > 0 ? labels : undefined,
      milestone: text(values.milestone),
      ordinal: Number.isFinite(ordinal) ? ordinal : undefined,
      priority: text(values.priority),
    }),
    edges,
    isIncomplete,
    values,
    source,
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value == null || value === '' ? [] : [value]
}

function edgesOf(collector: Collector, context: Context): Pick<WorkItem, 'edges' | 'isIncomplete'> {
  const { task, options } = context
  const { values, source } = task
  const { drop } = collector
  const edges: ItemEdge[] = []
  const lost = task.lost.filter(name => LIKE_BLOCKERS.test(name))
  let isIncomplete = lost.length > 0
  for (const name of lost) edges.push({ kind: 'hold', reason: unreadReason(name) })
  for (const [name, value] of unknownBlockers(values, name => name === 'dependencies')) {
    isIncomplete = true
    edges.push({ kind: 'hold', reason: unreadReason(name) })
    drop(source, `${name} left out: it looks like blockers: ${quoted(value)}`)
  }
  for (const entry of listOf(values.dependencies)) {
    // A text can name several: "task-1, task-2".
    const references = typeof entry === 'string' ? entry.split(/[\s,;]+/).filter(Boolean) : []
    for (const reference of references) edges.push(dependency(collector, context, reference))
    if (references.length === 0) {
      isIncomplete = true
      edges.push({ kind: 'hold', reason: unreadReason('dependencies') })
      drop(source, `no decision: a dependency that is no id: ${quoted(entry)}`)
    }
  }
  const parent = values.parent_task_id
  if (typeof parent === 'string' && parent !== '') {
    const found = context.find(parent)
    if (found.length > 1) drop(source, `no decision: its parent ${quoted(parent)} may be any of ${found.join(', ')}`)
    else edges.push({ kind: 'part_of', other: found[0] ?? parent })
  } else if (!isEmpty(parent)) drop(source, `no decision: its parent is no id: ${quoted(parent)}`)
  const paths = options.areas ? pathsOf(collector, task) : []
  if (paths.length > 0) edges.push({ kind: 'touches', fields: { paths } })
  return { edges, isIncomplete }
}

/** Returns the edge to a blocker; a hold where it may be one of several. */
function dependency({ drop, imported }: Collector, { task, find }: Context, reference: string): ItemEdge {
  const found = find(reference)
  if (found.length === 1) return { kind: 'blocked_by', other: found[0]! }
  if (found.length === 0) {
    imported.warnings.push(
      `${task.id} depends on ${quoted(reference)}, which is not in the folder; it waits for that id`,
    )
    return { kind: 'blocked_by', other: reference }
  }
  drop(task.source, `a hold instead of a relation: ${quoted(reference)} may be any of ${found.join(', ')}`)
  return { kind: 'hold', reason: `depends on ${reference}, which may be any of ${found.join(', ')}` }
}

/** Returns the files that a task modifies, as paths of an area. */
function pathsOf({ drop }: Collector, { values, source }: Task): string[] {
  const paths = listOf(values.modified_files).flatMap(entry => {
    const path = typeof entry === 'string' ? entry.trim().replace(/^\.\//, '') : ''
    const problem = path === '' ? 'is empty' : globProblem(path)
    if (problem === null) return [path]
    drop(source, `modified_files: ${quoted(entry)} left out: the path ${problem}`)
    return []
  })
  return [...new Set(paths)].sort()
}
