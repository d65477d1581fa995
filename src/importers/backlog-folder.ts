/** Reads the files of Backlog.md: which folders there are, and the front matter of each task. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Phase } from '../model/states.ts'
import { frontMatterOf, parseEachField, parseYaml } from './front-matter.ts'
import { type Collector, quoted } from './import-collector.ts'
import { exists, readNames, readText } from './source-folder.ts'
import { checkMarkers, refuseSource } from './source-text.ts'

/** Where tasks are, below the folder of Backlog.md. */
const PARTS = ['tasks', 'completed', 'archive/tasks', 'drafts'] as const
/** The fields that are read: one of them that is damaged is a loss. */
const READ =
  /^(?:id|title|status|assignee|created_date|updated_date|labels|dependencies|parent_task_id|priority|ordinal|type|milestone|modified_files)$/
/** The configuration where it is beside the folder. */
export const ROOT_CONFIG = 'backlog.config.yml'
const CONFIGS = ['config.yml', 'config.yaml', join('..', ROOT_CONFIG)]

export interface Task {
  id: string
  values: Record<string, unknown>
  part: (typeof PARTS)[number]
  /** The fields that could not be read. */
  lost: string[]
  source: string
}

/** Reads all tasks; drafts only where they are asked for. @throws PlanError import_source where there is no folder of tasks. */
export function readTasks(collector: Collector, folder: string, isAll: boolean): Task[] {
  if (!isFolder(join(folder, 'tasks'))) {
    const inside = ['backlog', '.backlog'].map(name => join(folder, name)).find(path => isFolder(join(path, 'tasks')))
    refuseSource(
      folder,
      `${folder} contains no folder "tasks"; name the folder of Backlog.md, for example ${inside ?? 'backlog'}. Nothing was written`,
    )
  }
  const damaged = new Map<string, number>()
  const tasks: Task[] = []
  for (const part of PARTS) {
    if (!isFolder(join(folder, part))) continue
    for (const name of readNames(join(folder, part))) {
      if (!name.endsWith('.md')) continue
      const task = readTask(collector, folder, part, name)
      if (!task) continue
      if (part === 'drafts' && !isAll) {
        collector.imported.seen.add(task.id)
        collector.skip('draft', `${task.source}: ${task.id}`)
      } else tasks.push(task)
      for (const field of task.lost) damaged.set(field, (damaged.get(field) ?? 0) + 1)
    }
  }
  for (const [field, files] of damaged)
    if (!READ.test(field))
      collector.imported.warnings.push(`${field} is not valid YAML in ${files} of the files; it is not imported anyway`)
  return tasks
}

function isFolder(path: string): boolean {
  return exists(path) && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function readTask(collector: Collector, folder: string, part: Task['part'], name: string): Task | undefined {
  const source = `${part}/${name}`
  const text = readText(collector, folder, source, 'no Ticket')
  const lose = (message: string) => {
    collector.imported.partial ??= `${source}: ${message}`
    if (message) collector.drop(source, `no Ticket: ${message}`)
    return undefined
  }
  if (text === undefined) return lose('')
  const front = frontMatterOf(text)
  checkMarkers(front === undefined ? text : `---\n${front}`, join(folder, source))
  if (front === undefined)
    return /^[A-Za-z]+-\d/.test(name) ? lose('it does not begin with YAML front matter between "---" lines') : undefined
  const { values, lost } = fieldsOf(front)
  const id = typeof values.id === 'string' ? values.id.trim() : ''
  if (id === '') return lose('the front matter has no id')
  for (const field of lost)
    if (READ.test(field)) collector.drop(source, `${field} left out: it is not valid YAML, or is there twice`)
  if (typeof values.title !== 'string')
    collector.drop(source, `the title left out: ${values.title === undefined ? 'it has none' : quoted(values.title)}`)
  return { id, values, part, lost, source }
}

function fieldsOf(front: string): ReturnType<typeof parseEachField> {
  try {
    return { values: parseYaml(front), lost: [] }
  } catch {
    return parseEachField(front)
  }
}

/** Returns the states in the order of the configuration; none where there is none. */
export function backlogConfig(collector: Collector, folder: string): string[] {
  const file = CONFIGS.find(name => exists(join(folder, name)))
  const text = file === undefined ? undefined : readText(collector, folder, file, 'no states of the configuration')
  if (file === undefined || text === undefined) return []
  checkMarkers(text, join(folder, file))
  const { values } = fieldsOf(text)
  return Array.isArray(values.statuses) ? values.statuses.filter(status => typeof status === 'string') : []
}

/**
 * Returns the state of a task here: by its word, and for a word of the project by its place in the configuration, where the
 * first state is the open one and the last the final one. A task in the archive is abandoned unless it was done.
 */
export function folderState(
  { part }: Task,
  word: string,
  statuses: readonly string[],
  phaseOf: (state: string) => Phase,
): string {
  const at = statuses.findIndex(status => status.toLowerCase() === word.toLowerCase())
  const known = Object.hasOwn(WORDS, word.toLowerCase()) ? WORDS[word.toLowerCase()] : undefined
  const isLast = at > 0 && at === statuses.length - 1
  const own = known ?? (at === 0 ? 'open' : isLast ? 'done' : phaseOf(word) === 'open' && at > 0 ? 'in_progress' : word)
  if (part === 'completed') return 'done'
  return part === 'archive/tasks' && own !== 'done' ? 'cancelled' : own
}

/** The words of a new project, and common ones. */
const WORDS: Record<string, string> = {
  'to do': 'open',
  todo: 'open',
  draft: 'open',
  backlog: 'open',
  blocked: 'open',
  'in progress': 'in_progress',
  'in review': 'in_progress',
  review: 'in_progress',
  done: 'done',
  completed: 'done',
  closed: 'done',
  cancelled: 'cancelled',
  canceled: 'cancelled',
}
