/**
 * Reads a task list of Claude Code: a folder with one JSON file for each task.
 *
 * A file may be half written, because an agent is working: it is reported, and its Ticket stays as it is.
 */
import { statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import * as z from 'zod/mini'
import { firstIssue } from '../model/first-issue.ts'
import { lazy } from '../model/lazy.ts'
import { isObject, withoutUndefined } from '../model/objects.ts'
import { isoTime } from '../model/text.ts'
import { unknownBlockers, unreadReason } from './blocker-names.ts'
import { type Collector, type Imported, importCollector, quoted } from './import-collector.ts'
import { queuedBy } from './queued-words.ts'
import type { ReadContext, Source } from './source.ts'
import { readNames, readText } from './source-folder.ts'
import type { SourceOptionValues } from './source-options.ts'
import { checkMarkers, descriptorOf, refuseSource } from './source-text.ts'
import { addItems, type ItemEdge, type WorkItem } from './work-items.ts'

type ClaudeOptions = ReadContext & Pick<SourceOptionValues, 'idPrefix' | 'queued'>

export const claudeTasks: Source = {
  what: 'a folder of <n>.json',
  reads: 'folder',
  options: ['idPrefix', 'queued'],
  example: 'ticketplan import claude-tasks ~/.claude/tasks/shop --queued pending',
  read: readClaudeTasks,
}

const FILE = /^(\d+)\.json$/
/** The last moment that a Ticket file can hold, in milliseconds: the name of a file may be a greater number. */
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z')
const UUID = /^([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const STATES: Record<string, string> = {
  pending: 'open',
  in_progress: 'in_progress',
  completed: 'done',
  deleted: 'cancelled',
}

/** What a task must have; everything else is read where it fits. */
const taskSchema = lazy(() =>
  z.looseObject({
    subject: z.string(),
    status: z.string(),
    blocks: z.optional(z.array(z.union([z.string(), z.int()]))),
    blockedBy: z.optional(z.array(z.union([z.string(), z.int()]))),
  }),
)
type Task = z.infer<ReturnType<typeof taskSchema>>

/** Reads the whole folder. @throws PlanError import_source where it has no tasks, or a conflict. */
function readClaudeTasks(path: string, options: ClaudeOptions): Imported {
  const names = descriptorOf(path) === undefined ? readNames(path) : []
  const files = names.filter(name => FILE.test(name)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
  if (files.length === 0) {
    refuseSource(
      path,
      `${path} contains no <n>.json; name the folder of one task list, for example ~/.claude/tasks/shop. Nothing was written`,
    )
  }
  const folderName = basename(resolve(path))
  const prefix = options.idPrefix ?? UUID.exec(folderName)?.[1] ?? folderName
  const collector = importCollector({ system: 'claude-tasks', name: options.name }, { needsTarget: () => false })
  const numbers = new Set(files.map(file => FILE.exec(file)![1]!))
  addItems(
    collector,
    files.flatMap(file => readTask(collector, { path, file, prefix, numbers }, options)),
  )
  return collector.imported
}

interface Place {
  path: string
  file: string
  prefix: string
  numbers: ReadonlySet<string>
}

function readTask(collector: Collector, place: Place, options: ClaudeOptions): WorkItem[] {
  const { path, file, prefix } = place
  const number = FILE.exec(file)![1]!
  collector.imported.seen.add(`${prefix}-${number}`)
  const text = readText(collector, path, file, 'no Ticket')
  if (text === undefined) return []
  checkMarkers(text, join(path, file))
  const values = parse(text)
  const issue = values === undefined ? undefined : firstIssue(taskSchema(), values)
  if (values === undefined || issue) {
    const problem = issue ? `${issue.path.join('.')} ${issue.message}: ${quoted(values)}` : 'it is not valid JSON'
    collector.drop(file, `no Ticket: ${problem}`)
    return []
  }
  return [itemOf(collector, values as Task, number, place, options)]
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the caller reports the file
  }
}

function itemOf(
  { drop, skip }: Collector,
  task: Task,
  number: string,
  { path, file, prefix, numbers }: Place,
  { queued }: ClaudeOptions,
): WorkItem {
  const { status, owner, metadata } = task
  const state = Object.hasOwn(STATES, status) ? STATES[status]! : status
  const unread: ItemEdge[] = []
  for (const [name, value] of unknownBlockers(task, name => name === 'blocks' || name === 'blockedBy')) {
    unread.push({ kind: 'hold', reason: unreadReason(name) })
    drop(file, `${name} left out: it looks like blockers: ${quoted(value)}`)
  }
  const edges = (['blockedBy', 'blocks'] as const).flatMap((name): ItemEdge[] =>
    (task[name] ?? []).flatMap(other => {
      const kind = name === 'blocks' ? 'blocks' : 'blocked_by'
      if (numbers.has(String(other))) return [{ kind, other: `${prefix}-${other}` }]
      // A task that was deleted holds nothing: Claude Code counts only the tasks that are there.
      skip('edge of a task that is not in the folder', `${file}: ${kind} ${other}`)
      return []
    }),
  )
  return {
    id: `${prefix}-${number}`,
    title: task.subject,
    word: status,
    state: state === 'open' && queuedBy(queued, [status]) !== undefined ? 'queued' : state,
    created: undefined,
    updated: isoTime(Math.floor(statSync(join(path, file)).mtimeMs)),
    isSnapshotTime: true,
    place: isoTime(Math.min(Number(number), LAST_MOMENT)),
    rest: withoutUndefined({
      blockedBy: task.blockedBy?.length ? task.blockedBy : undefined,
      metadata: isObject(metadata) && Object.keys(metadata).length > 0 ? metadata : undefined,
      owner: typeof owner === 'string' && owner !== '' ? owner : undefined,
    }),
    edges: [...edges, ...unread],
    isIncomplete: unread.length > 0,
    values: task,
    source: file,
  }
}
