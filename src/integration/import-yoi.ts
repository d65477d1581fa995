/** Reads a folder of yoi Tickets: `<id>/item.md` with YAML front matter, and under `artifacts/` plan records and relations. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { isRelativePath } from '../model/decision.ts'
import { PlanError } from '../model/errors.ts'
import type { Phase } from '../model/phase.ts'
import { isTicketId } from '../model/ticket-id.ts'
import { type Imported, importCollector, isoTime } from './imported.ts'

const PLAN_KINDS: Record<string, string> = {
  after: 'after',
  before: 'before',
  blocked_by: 'blocked_by',
  blocks: 'blocks',
  conflicts_with: 'conflicts_with',
  do_not_parallelize: 'conflicts_with',
  waiting_capacity_note: 'waiting_for_capacity',
  accepted_plan: 'accepted_plan',
}
const RELATION_KINDS: Record<string, { kind: string; label?: string }> = {
  depends_on: { kind: 'blocked_by' },
  blocks: { kind: 'blocks' },
  related: { kind: 'related', label: 'related' },
  supersedes: { kind: 'related', label: 'supersedes' },
  duplicate_of: { kind: 'related', label: 'duplicate_of' },
}

type Collector = ReturnType<typeof importCollector>
type Json = Record<string, unknown>

/**
 * Everything in the folder. `mapRoot` is the absolute path that plan worktrees are made relative to.
 * @throws PlanError import_source where the folder is not one of yoi's.
 */
export function readYoi(folder: string, mapRoot: string | undefined, phaseOf: (state: string) => Phase): Imported {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new PlanError('import_source', `${folder}: no such folder`, { path: folder, place: null })
  }
  const collector = importCollector('yoi')
  const ids = readdirSync(folder)
    .filter(name => existsSync(join(folder, name, 'item.md')))
    .sort()
  if (ids.length === 0) {
    const message = `${folder} holds no <id>/item.md: name the folder whose subfolders are the Tickets`
    throw new PlanError('import_source', message, { path: folder, place: null })
  }
  for (const id of ids) {
    readItem(collector, folder, id, phaseOf)
    readPlan(collector, folder, id, mapRoot)
    readRelations(collector, folder, id)
  }
  return collector.imported
}

function readItem({ imported, drop }: Collector, folder: string, id: string, phaseOf: (state: string) => Phase): void {
  const source = `${id}/item.md`
  if (!isTicketId(id)) return drop(source, `no Ticket: ${JSON.stringify(id)} cannot be a Ticket's id`)
  const text = readFileSync(join(folder, source), 'utf8')
  const front = /^---\r?\n([\s\S]*?)\r?\n---(?:\r?\n|$)/.exec(text)?.[1]
  if (front === undefined)
    return drop(source, 'no Ticket: it does not begin with YAML front matter between "---" lines')
  let values: Json
  try {
    values = parseYaml(front)
  } catch (error) {
    return drop(source, `no Ticket: the front matter is not YAML: ${(error as Error).message.split('\n')[0]}`)
  }
  const { title, state, created_at, queued_at, queued_by, ...rest } = values
  if (title == null || state == null)
    return drop(source, `no Ticket: the front matter has no ${title == null ? 'title' : 'state'}`)
  const time = (name: string, value: unknown) => {
    if (value == null) return undefined
    const iso = isoTime(value)
    if (!iso) drop(source, `${name} left out: not a time: ${JSON.stringify(value)}`)
    return iso
  }
  const queuedAt = time('queued_at', queued_at)
  const others = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null && value !== undefined))
  imported.tickets.push({
    id,
    fields: {
      title: String(title),
      state: String(state),
      created_at: time('created_at', created_at),
      queued_at: queuedAt,
      queued_by: queued_by == null ? undefined : String(queued_by),
      state_at: phaseOf(String(state)) === 'queued' ? queuedAt : time('updated_at', rest.updated_at),
      source: { ...others, system: 'yoi' },
    },
    kept: [],
  })
}

function parseYaml(text: string): Json {
  // Loaded when an import asks for it: nothing else needs YAML.
  const { parse } = createRequire(import.meta.url)('yaml') as typeof import('yaml')
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is not a mapping')
  return value
}

function readPlan({ addDecision, drop }: Collector, folder: string, id: string, mapRoot: string | undefined): void {
  const file = `${id}/artifacts/orchestration-plan.jsonl`
  if (!existsSync(join(folder, file))) return
  for (const [position, line] of readFileSync(join(folder, file), 'utf8').split('\n').entries()) {
    if (!line.trim()) continue
    const source = `${file}:${position + 1}`
    const record = parseRecord(line)
    if (!record) {
      drop(source, 'no decision: not a JSON object')
      continue
    }
    const kind = PLAN_KINDS[String(record.kind)]
    const { ticket_id, related_ticket: other, note, author, at } = record
    if (!kind) drop(source, `no decision: unknown kind ${JSON.stringify(record.kind)}`)
    else if (ticket_id !== undefined && ticket_id !== id)
      drop(source, `no decision: the record names another Ticket, ${JSON.stringify(ticket_id)}`)
    else if (kind === 'accepted_plan') {
      const plan = mapPlan(record.accepted_plan, mapRoot, message => drop(source, message))
      if (!plan) drop(source, 'no decision: the record has no plan')
      else addDecision({ ticket: id, kind, at, by: author, reason: note, fields: { plan }, record, source })
    } else if (kind === 'waiting_for_capacity')
      addDecision({ ticket: id, kind, at, by: author, reason: note, record, source })
    else if (typeof other !== 'string') drop(source, `no decision: "${record.kind}" without a related_ticket`)
    else addDecision({ ticket: id, kind, other, at, by: author, reason: note, record, source })
  }
}

function mapPlan(value: unknown, mapRoot: string | undefined, drop: (message: string) => void): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { worktree, ...rest } = value as Json
  const plan = Object.fromEntries(Object.entries(rest).filter(([, field]) => field !== null && field !== ''))
  plan.summary ??= ''
  if (typeof worktree !== 'string' || worktree === '') return plan
  const relative = relativeTo(worktree, mapRoot)
  if (relative !== undefined) plan.worktree = relative
  else {
    const hint =
      mapRoot === undefined
        ? '; --map-root makes those below a folder relative to it'
        : ` and does not lie below ${mapRoot}`
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

function readRelations({ addDecision, drop }: Collector, folder: string, id: string): void {
  const file = `${id}/artifacts/relations.json`
  if (!existsSync(join(folder, file))) return
  const relations = parseRecord(readFileSync(join(folder, file), 'utf8'))?.relations
  if (!Array.isArray(relations)) return drop(file, 'no relations: not a JSON object with a list "relations"')
  for (const [position, record] of relations.entries()) {
    const source = `${file}: relation ${position + 1}`
    const known = RELATION_KINDS[String(record?.kind)]
    if (!known) drop(source, `no decision: unknown kind ${JSON.stringify(record?.kind)}`)
    else if (record.ticket_id !== undefined && record.ticket_id !== id)
      drop(source, `no decision: the record names another Ticket, ${JSON.stringify(record.ticket_id)}`)
    else if (typeof record.target !== 'string') drop(source, 'no decision: the relation has no target')
    else {
      const fields = known.label === undefined ? {} : { label: known.label }
      addDecision({
        ticket: id,
        kind: known.kind,
        other: record.target,
        at: record.at,
        by: record.author,
        reason: record.note,
        fields,
        record,
        source,
      })
    }
  }
}

function parseRecord(text: string): Json | undefined {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined // the caller reports the place
  }
}
