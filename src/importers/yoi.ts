/**
 * Reads a folder of yoi Tickets: `<id>/item.md` with YAML front matter, and below `artifacts/` plan records and relations.
 *
 * A record that cannot be mapped is reported and never ends the import. Nothing local to one machine is imported.
 */
import { join } from 'node:path'
import * as z from 'zod/mini'
import { localKeyProblem } from '../model/decision.ts'
import { lazy } from '../model/lazy.ts'
import { isRelativePath, isTicketId } from '../model/names.ts'
import { isObject, withoutUndefined } from '../model/objects.ts'
import { LIKE_BLOCKERS } from './blocker-names.ts'
import { frontMatterOf, parseYaml } from './front-matter.ts'
import { type Collector, type Imported, importCollector, quoted } from './import-collector.ts'
import { relationOfKind } from './relation-words.ts'
import type { ReadContext, Source } from './source.ts'
import { exists, readBytes, readNames, readText } from './source-folder.ts'
import type { SourceOptionValues } from './source-options.ts'
import { checkMarkers, descriptorOf, refuseSource, sourceLines, timeOf } from './source-text.ts'
import { recordProblem } from './work-items.ts'
import { holdUnread, readFields, readRelations, type YoiTicket } from './yoi-relations.ts'

const PLAN = 'orchestration-plan.jsonl'
/** The kinds of plan records that are no relations. */
const PLAN_KINDS: Record<string, string> = {
  waiting_capacity_note: 'waiting_for_capacity',
  accepted_plan: 'accepted_plan',
}

/** The fields of a plan that are imported. */
const PLAN_FIELDS = ['summary', 'branch', 'role_plan', 'pool', 'worktree']

type Json = Record<string, unknown>

type YoiOptions = ReadContext & Pick<SourceOptionValues, 'mapRoot'>

export const yoi: Source = {
  what: 'a folder of <id>/item.md',
  reads: 'folder',
  options: ['mapRoot'],
  example: 'ticketplan import yoi ../yoi/.yoi/tickets --map-root /srv/yoi --dry-run',
  read: readYoi,
}

/** Reads the whole folder. @throws PlanError import_source where it contains no yoi Tickets, or a conflict. */
function readYoi(folder: string, { name, mapRoot, phaseOf }: YoiOptions): Imported {
  if (descriptorOf(folder) !== undefined) {
    refuseSource(folder, `${folder} is not a folder; name the folder whose subfolders are the Tickets`)
  }
  const names = readNames(folder)
  const collector = importCollector({ system: 'yoi', name }, { needsTarget: ({ kind }) => kind !== 'related' })
  const withItem = new Set(names.filter(name => exists(join(folder, name, 'item.md'))))
  if (withItem.size === 0) {
    refuseSource(folder, `${folder} contains no <id>/item.md; name the folder whose subfolders are the Tickets`)
  }
  const isKnown = (id: string) => withItem.has(id)
  for (const id of names) {
    if (withItem.has(id)) collector.imported.seen.add(id)
    const lost = collector.imported.dropped.length
    if (withItem.has(id)) readItem(collector, folder, id, { phaseOf, isKnown })
    else if (exists(join(folder, id, 'artifacts'))) collector.drop(id, 'no Ticket: it has artifacts and no item.md')
    else continue
    const read = collector.imported.tickets.findLast(ticket => ticket.id === id)
    const ticket = {
      id,
      ownAt: read?.fields.created_at,
      isRead: read !== undefined,
      isKnown,
      unread: new Set<string>(),
    }
    readPlan(collector, folder, ticket, mapRoot)
    readRelations(collector, folder, ticket)
    if (collector.imported.dropped.length > lost) collector.imported.incomplete.add(id)
  }
  return collector.imported
}

/** What the front matter must have; everything else is read where it fits. */
const itemSchema = lazy(() => z.looseObject({ title: z.string(), state: z.string() }))
type ItemValues = z.infer<ReturnType<typeof itemSchema>>

function readItem(
  collector: Collector,
  folder: string,
  id: string,
  { phaseOf, isKnown }: Pick<ReadContext, 'phaseOf'> & Pick<YoiTicket, 'isKnown'>,
): void {
  const { imported, drop, titleOf } = collector
  const source = `${id}/item.md`
  if (!isTicketId(id)) return drop(source, `no Ticket: ${JSON.stringify(id)} cannot be a Ticket's id`)
  const text = readText(collector, folder, source, 'no Ticket')
  if (text === undefined) return
  const front = frontMatterOf(text)
  // The body may show markers as an example, and "=======" below a heading.
  checkMarkers(front === undefined ? text : `---\n${front}`, join(folder, source))
  if (front === undefined)
    return drop(source, 'no Ticket: it does not begin with YAML front matter between "---" lines')
  let values: Json
  try {
    values = parseYaml(front)
  } catch (error) {
    return drop(source, `no Ticket: the front matter is not YAML: ${(error as Error).message.split('\n')[0]}`)
  }
  const present = Object.fromEntries(Object.entries(values).filter(([, value]) => value != null))
  const problem = recordProblem(itemSchema(), present)
  if (problem !== undefined) return drop(source, problem)
  const { title, state, created_at, queued_at, queued_by, ...others } = present as ItemValues
  const time = (name: string, value: unknown) => {
    if (value == null) return undefined
    const iso = timeOf(value)
    if (!iso) drop(source, `${name} left out: not a time: ${quoted(value)}`)
    return iso
  }
  const queuedAt = time('queued_at', queued_at)
  if (queued_by != null && typeof queued_by !== 'string') drop(source, 'queued_by left out: it is not a text')
  for (let local = localKeyProblem(others); local; local = localKeyProblem(others)) {
    const key = local.path[0]!
    drop(source, `${key} left out: it ${local.message}`)
    delete others[key]
  }
  const updatedAt = time('updated_at', values.updated_at)
  const createdAt = time('created_at', created_at)
  const ticket = { id, ownAt: createdAt, isRead: true, isKnown, unread: new Set<string>() }
  for (const name of readFields(collector, source, ticket, others)) delete others[name]
  imported.tickets.push({
    id,
    fields: withoutUndefined({
      title: titleOf(title, id),
      state,
      created_at: createdAt,
      queued_at: queuedAt,
      queued_by: typeof queued_by === 'string' ? queued_by : undefined,
      state_at: phaseOf(state) === 'queued' ? queuedAt : updatedAt,
    }),
    word: state,
    updatedAt,
    rest: others,
  })
}

function readPlan(collector: Collector, folder: string, ticket: YoiTicket, mapRoot: string | undefined): void {
  const { addDecision, drop } = collector
  const { id, ownAt } = ticket
  const file = `${id}/artifacts/${PLAN}`
  if (!exists(join(folder, file))) return
  const lose = (source: string, problem: string) => {
    drop(source, `no decision: ${problem}`)
    holdUnread(collector, ticket, PLAN)
  }
  const bytes = readBytes(collector, folder, file, 'no decisions')
  if (bytes === undefined) holdUnread(collector, ticket, PLAN)
  for (const { number, text } of sourceLines(bytes ?? Buffer.alloc(0), join(folder, file))) {
    const source = `${file}:${number}`
    const record = text === undefined ? undefined : parseRecord(text)
    if (!record) {
      lose(source, `not ${text === undefined ? 'valid UTF-8' : 'a JSON object'}`)
      continue
    }
    const kind = planKind(record.kind)
    const { ticket_id, related_ticket: other, note, author, at } = record
    if (!kind) {
      const problem = `unknown kind ${quoted(record.kind)}`
      if (typeof record.kind === 'string' && !LIKE_BLOCKERS.test(record.kind)) drop(source, `no decision: ${problem}`)
      else lose(source, problem)
    } else if (ticket_id !== undefined && ticket_id !== id)
      lose(source, `the record names another Ticket, ${quoted(ticket_id)}`)
    else if (kind === 'accepted_plan') {
      const plan = mapPlan(record.accepted_plan, mapRoot, message => drop(source, message))
      if (!plan) drop(source, 'no decision: the record has no plan')
      else addDecision({ ticket: id, kind, at, ownAt, by: author, reason: note, fields: { plan }, source })
    } else if (kind === 'waiting_for_capacity') {
      if (other != null && typeof other !== 'string') drop(source, 'related_ticket left out: not a string')
      else if (other === id) drop(source, 'related_ticket left out: a Ticket cannot wait for itself')
      const fields = typeof other === 'string' && other !== '' && other !== id ? { until: [other] } : {}
      addDecision({ ticket: id, kind, at, ownAt, by: author, reason: note, fields, source })
    } else if (typeof other !== 'string') lose(source, `"${record.kind}" without a related_ticket`)
    else addDecision({ ticket: id, kind, other, at, ownAt, by: author, reason: note, source })
  }
}

function mapPlan(value: unknown, mapRoot: string | undefined, drop: (message: string) => void): Json | undefined {
  if (!isObject(value)) return undefined
  const kept: Record<string, string> = {}
  for (const [key, field] of Object.entries(value)) {
    if (!PLAN_FIELDS.includes(key)) drop(`the plan's ${key} left out: a plan has no such field`)
    else if (typeof field === 'string') kept[key] = field
    else if (field !== null) drop(`the plan's ${key} left out: not a string`)
  }
  const { summary = '', worktree, ...rest } = kept
  const plan: Json = { summary, ...Object.fromEntries(Object.entries(rest).filter(([, field]) => field !== '')) }
  if (!worktree) return plan
  const relative = relativeTo(worktree, mapRoot)
  if (relative !== undefined) plan.worktree = relative
  else {
    const hint =
      mapRoot === undefined
        ? '; mapRoot (--map-root) makes those below a folder relative to it'
        : ` and is not below ${mapRoot}`
    drop(`the plan's worktree left out: ${worktree} is absolute${hint}`)
  }
  return plan
}

function relativeTo(path: string, root: string | undefined): string | undefined {
  if (isRelativePath(path)) return path
  const base = root?.replace(/\/+$/, '')
  if (base === undefined) return undefined
  if (path === base) return '.'
  const rest = path.startsWith(`${base}/`) ? path.slice(base.length + 1) : ''
  return isRelativePath(rest) ? rest : undefined
}

/** Returns the kind of a plan record here: its own name for it, or a relation by any of its words, but for what only relates. */
function planKind(kind: unknown): string | undefined {
  if (typeof kind === 'string' && Object.hasOwn(PLAN_KINDS, kind)) return PLAN_KINDS[kind]
  const word = relationOfKind(kind)
  return word?.label === undefined ? word?.kind : undefined
}

function parseRecord(text: string): Json | undefined {
  try {
    const value = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined // the caller reports the place
  }
}
