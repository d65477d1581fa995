/**
 * Reads the tasks of task-master: `tasks.json` with its tags, tasks and subtasks.
 *
 * Numbers are unique in a tag only, so ids begin with the tag: `master-4`, and `master-4.2` for a subtask.
 */
import * as z from 'zod/mini'
import { lazy } from '../model/lazy.ts'
import { isObject, withoutUndefined } from '../model/objects.ts'
import { isoTime } from '../model/text.ts'
import { unknownBlockers, unreadReason } from './blocker-names.ts'
import { type Collector, type Imported, importCollector, quoted } from './import-collector.ts'
import { readDocuments } from './json-documents.ts'
import { folded, queuedBy } from './queued-words.ts'
import type { ReadContext, Source } from './source.ts'
import type { SourceOptionValues } from './source-options.ts'
import { momentOf, refuseSource } from './source-text.ts'
import { addItems, type ItemEdge, recordProblem, type WorkItem } from './work-items.ts'

type TaskMasterOptions = ReadContext & Pick<SourceOptionValues, 'queued' | 'tag'>

export const taskMaster: Source = {
  what: 'tasks.json',
  reads: 'file',
  options: ['queued', 'tag'],
  example: 'ticketplan import task-master .taskmaster/tasks/tasks.json --queued pending',
  read: (path, options) => readTaskMaster(path, readDocuments(path), options),
}

/** What a task or subtask must have; everything else is read where it fits. */
const taskSchema = lazy(() =>
  z.looseObject({
    id: z.union([z.int(), z.string().check(z.regex(/^\d+(?:\.\d+)?$/, 'is no number'))]),
    title: z.string(),
    status: z.optional(z.string()),
  }),
)
type Task = z.infer<ReturnType<typeof taskSchema>>

/** States by their words, folded. */
const STATES: Record<string, string> = {
  pending: 'open',
  deferred: 'open',
  blocked: 'open',
  inprogress: 'in_progress',
  review: 'in_progress',
  done: 'done',
  completed: 'done',
  cancelled: 'cancelled',
  canceled: 'cancelled',
}
/** The tag of a file from before there were tags. */
const FIRST_TAG = 'master'

/** Returns the tasks as Tickets and decisions. @throws PlanError import_source where there are none, or not that tag. */
function readTaskMaster(path: string, documents: readonly unknown[], options: TaskMasterOptions): Imported {
  const collector = importCollector({ system: 'task-master', name: options.name }, { needsTarget: () => false })
  const [document] = documents
  const tags = tagsOf(document)
  if (documents.length !== 1 || tags.size === 0) refuse(path, 'no tags with a list "tasks"; name tasks.json')
  for (const tag of options.tag ?? [])
    if (!tags.has(tag)) refuse(path, `no tag ${quoted(tag)}; it has ${[...tags.keys()].join(', ')}`)
  const items: WorkItem[] = []
  for (const [tag, content] of tags) {
    if (!options.tag || options.tag.includes(tag)) items.push(...itemsOf(collector, tag, content, options))
  }
  if (options.tag) collector.imported.isInScope = ({ tag }) => options.tag!.includes(String(tag))
  addItems(collector, items)
  return collector.imported
}

function refuse(path: string, problem: string): never {
  refuseSource(path, `${path}: ${problem}. Nothing was written`)
}

interface Tag {
  tasks: unknown[]
  metadata: Record<string, unknown>
}

function tagsOf(document: unknown): Map<string, Tag> {
  if (!isObject(document)) return new Map()
  const entries = Array.isArray(document.tasks) ? [[FIRST_TAG, document] as const] : Object.entries(document)
  return new Map(
    entries.flatMap(([tag, content]) =>
      isObject(content) && Array.isArray(content.tasks)
        ? [[tag, { tasks: content.tasks, metadata: isObject(content.metadata) ? content.metadata : {} }] as const]
        : [],
    ),
  )
}

function itemsOf(collector: Collector, tag: string, content: Tag, options: TaskMasterOptions): WorkItem[] {
  const { created, updated } = content.metadata
  const start = Date.parse(momentOf(created) ?? '1970-01-01T00:00:00Z')
  const top = new Set(content.tasks.map(task => (isObject(task) ? String(task.id) : '')))
  const items: WorkItem[] = []
  const add = (value: unknown, source: string, parent: string | undefined, siblings: ReadonlySet<string>) => {
    const problem = recordProblem(taskSchema(), value)
    if (problem !== undefined)
      return isObject(value) && value.id !== undefined ? drop(value.id, source, parent, problem) : lose(source, problem)
    const task = value as Task
    // A subtask may have the number of its parent in its own.
    const number =
      parent === undefined || String(task.id).startsWith(`${parent}.`) ? `${task.id}` : `${parent}.${task.id}`
    const place = isoTime(start + items.length)
    const own = momentOf(task.updatedAt ?? task.updated_at)
    const item = itemOf(
      collector,
      { tag, task, number, parent, siblings, top, source: `${source} (${number})` },
      options,
    )
    items.push({
      ...item,
      created: task.createdAt ?? created,
      place,
      ...(own ? { updated: own } : { updated, isSnapshotTime: true }),
    })
    if (parent !== undefined) return
    const parts = Array.isArray(task.subtasks) ? task.subtasks : []
    const numbers = new Set(parts.map(part => (isObject(part) ? String(part.id) : '')))
    for (const [at, part] of parts.entries()) add(part, `${source}.subtasks[${at}]`, number, numbers)
  }
  const lose = collector.dropUnread
  const drop = (id: unknown, source: string, parent: string | undefined, problem: string) => {
    collector.imported.seen.add(`${tag}-${parent === undefined ? '' : `${parent}.`}${String(id)}`)
    collector.drop(source, problem)
  }
  for (const [at, task] of content.tasks.entries()) add(task, `${tag}.tasks[${at}]`, undefined, top)
  return items
}

/** A task with its place. */
interface Placed {
  tag: string
  task: Task
  number: string
  parent: string | undefined
  /** The numbers that a dependency can name: those of its list. */
  siblings: ReadonlySet<string>
  top: ReadonlySet<string>
  source: string
}

function itemOf(collector: Collector, placed: Placed, { queued }: TaskMasterOptions): WorkItem {
  const { tag, task, number, parent, source } = placed
  const word = task.status ?? 'pending'
  const known = Object.hasOwn(STATES, folded(word)) ? STATES[folded(word)]! : word
  const { edges, isIncomplete } = edgesOf(collector, placed)
  return {
    id: `${tag}-${number}`,
    title: task.title,
    word,
    state: known === 'open' && queuedBy(queued, [word]) !== undefined ? 'queued' : known,
    created: undefined,
    updated: undefined,
    rest: withoutUndefined({
      dependencies: Array.isArray(task.dependencies) && task.dependencies.length > 0 ? task.dependencies : undefined,
      priority: typeof task.priority === 'string' ? task.priority : undefined,
      tag,
    }),
    edges: parent === undefined ? edges : [...edges, { kind: 'part_of', other: `${tag}-${parent}` }],
    isIncomplete,
    values: task,
    source,
  }
}

function edgesOf({ drop }: Collector, placed: Placed): Pick<WorkItem, 'edges' | 'isIncomplete'> {
  const { tag, task, parent, siblings, top, source } = placed
  const edges: ItemEdge[] = []
  const isKnown = (name: string) => name === 'dependencies' && Array.isArray(task.dependencies)
  let isIncomplete = false
  for (const [name, value] of unknownBlockers(task, isKnown)) {
    isIncomplete = true
    edges.push({ kind: 'hold', reason: unreadReason(name) })
    drop(source, `${name} left out: it looks like blockers: ${quoted(value)}`)
  }
  for (const entry of Array.isArray(task.dependencies) ? task.dependencies : []) {
    const text = typeof entry === 'number' || typeof entry === 'string' ? String(entry).trim() : ''
    if (!/^\d+(?:\.\d+)?$/.test(text)) {
      isIncomplete = true
      edges.push({ kind: 'hold', reason: unreadReason('dependencies') })
      drop(source, `no decision: a dependency that is no number: ${quoted(entry)}`)
      continue
    }
    // In a subtask a plain number is a subtask of the same task, and a task only where there is no such subtask.
    const isSibling = parent !== undefined && !text.includes('.') && (siblings.has(text) || !top.has(text))
    edges.push({ kind: 'blocked_by', other: isSibling ? `${tag}-${parent}.${text}` : `${tag}-${text}` })
  }
  return { edges, isIncomplete }
}
