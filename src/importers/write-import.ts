/** What an import means for the Ticket files, planned and then written in chunks. */

import { checkedBytes } from '../files/ticket-bytes.ts'
import { findTicketFile, idFromPath, type ReadTicket } from '../files/ticket-files.ts'
import { encodeTicket } from '../model/canonical-json.ts'
import { anyFields, type Decision } from '../model/decision.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { FORMAT } from '../model/format.ts'
import { idKey, type TicketId } from '../model/names.ts'
import { withoutUndefined } from '../model/objects.ts'
import { byId } from '../model/order.ts'
import { type Ticket, ticketProblem } from '../model/ticket.ts'
import type { Store } from '../store/store.ts'
import type { IndexQueries } from '../ticket-index/query.ts'
import { type Dropped, type Imported, type ImportedTicket, SOURCE_FIELDS } from './import-collector.ts'

/** So many files are written under one hold of the write lock, so that others come in between. */
const CHUNK = 100
/** Other programs that change a file again and again get this many chances before it is left alone. */
const ATTEMPTS = 20

/** What an import did, or with `dryRun` would do. */
export interface WrittenImport {
  tickets: number
  decisions: number
  written: number
  dropped: Dropped[]
}

/** Plans and writes an import; with `dryRun` nothing is written. */
export function writeImport(store: Store, imported: Imported, dryRun: boolean): WrittenImport {
  const plan = planImport(store, imported)
  let written = 0
  for (let start = 0; start < plan.changes.length; start += CHUNK) {
    const chunk = plan.changes.slice(start, start + CHUNK)
    written += dryRun ? checkAll(store, chunk, plan) : store.locked(() => writeAll(store, chunk, plan))
    store.progress?.(Math.min(start + CHUNK, plan.changes.length), plan.changes.length)
  }
  return { tickets: plan.tickets, decisions: plan.decisions, written, dropped: plan.dropped }
}

/** What an import means for one file. */
interface Change {
  path: string
  id: TicketId
  fields: ImportedTicket | null
  decisions: Decision[]
}

/** What an import would do, and what it reports. */
interface ImportPlan {
  changes: Change[]
  dropped: Dropped[]
  tickets: number
  decisions: number
}

function planImport(store: Store, { tickets, decisions, dropped }: Imported): ImportPlan {
  const changes = new Map<string, Change>()
  const report: Dropped[] = [...dropped]
  const result: ImportPlan = { changes: [], dropped: report, tickets: 0, decisions: 0 }
  store.read(({ queries }) => {
    for (const ticket of tickets) {
      const { id } = ticket
      const known = queries.pathsOfKey(idKey(id))
      const source = `Ticket ${id}`
      const other = changes.get(idKey(id))
      const problem = ticketProblem({ ...withoutUndefined(ticket.fields), decisions: [], format: FORMAT, id })
      if (problem) report.push({ source, message: `no Ticket: ${problem.path.join('.')}: ${problem.message}` })
      else if (other)
        report.push({
          source,
          message: `no Ticket: its id and ${other.id} are the same file where case does not count`,
        })
      else if (known.length > 1 || (known[0] && !known[0].endsWith(`/${id}.json`))) {
        report.push({ source, message: `no Ticket: files with that id are in its way: ${known.join(', ')}` })
      } else if (queries.quarantined().some(({ path }) => path === known[0])) {
        report.push({ source, message: `not changed: ${known[0]} cannot be read; "ticketplan verify" says why` })
      } else {
        changes.set(idKey(id), { path: known[0] ?? store.pathOf(id), id, fields: ticket, decisions: [] })
        result.tickets++
      }
    }
    for (const { holder, decision, source } of decisions) {
      const { target, until = [] } = anyFields(decision)
      const twin = [holder, target, ...until]
        .map(id => id !== undefined && twinOf(id, changes, queries))
        .find(message => message)
      if (twin) {
        report.push({ source, message: `no decision: ${twin}` })
        continue
      }
      const places = placesOf(holder, decision, queries)
      const place = places.find(({ id }) => {
        const row = queries.ticket(id)
        if (row && !changes.has(idKey(id))) changes.set(idKey(id), { path: row.path, id, fields: null, decisions: [] })
        return changes.has(idKey(id))
      })
      if (place) {
        changes.get(idKey(place.id))!.decisions.push(place.decision)
        result.decisions++
      } else {
        const message = `no decision: ${holder} would keep "${decision.kind} ${target ?? ''}", and it is neither in the source nor here`
        report.push({ source, message })
      }
    }
  })
  result.changes = [...changes.values()]
  return result
}

/** Says that a Ticket has the id but for case; undefined where none has. */
function twinOf(id: string, changes: ReadonlyMap<string, Change>, queries: IndexQueries): string | undefined {
  const known = changes.get(idKey(id))?.id
  const ids = known === undefined ? queries.pathsOfKey(idKey(id)).map(idFromPath) : [known]
  return ids.length === 0 || ids.includes(id) ? undefined : `${id} differs from ${ids[0]} only in case`
}

/** The files that can keep the decision, the best one first. */
function placesOf(holder: TicketId, decision: Decision, queries: IndexQueries): { id: TicketId; decision: Decision }[] {
  const own = { id: holder, decision }
  if (decision.kind !== 'conflicts_with') return [own]
  // A conflict reads the same from both sides: the other file keeps it where this one is not there, and has it for good then.
  const other = { id: decision.target as TicketId, decision: { ...decision, target: holder } }
  const keepers = queries.holdersOf(decision.id)
  return keepers.includes(other.id) && !keepers.includes(holder) ? [other, own] : [own, other]
}

/** How many files would be written. */
function checkAll(store: Store, changes: Change[], plan: ImportPlan): number {
  return changes.filter(change =>
    orReport(change, plan, () => {
      const prepared = prepare(store, change)
      if (prepared) checkedBytes(prepared.ticket, change.path)
      return prepared !== null
    }),
  ).length
}

function writeAll(store: Store, changes: Change[], plan: ImportPlan): number {
  const written = changes.filter(change =>
    orReport(change, plan, () => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const prepared = prepare(store, change)
        if (!prepared) return false
        if (store.overwrite(prepared.file, change.path, prepared.ticket)) return true
      }
      const message = `${change.path} is being changed by another program again and again`
      throw new PlanError('contended', message, { path: change.path })
    }),
  )
  store.noteWritten(written.map(({ path }) => path))
  return written.length
}

/** What stands in the way of one file, for the report; every other error ends the import. */
const REPORTED = ['contended', 'invalid_file', 'invalid_input', 'limit', 'newer_format', 'unknown_ticket'] as const

/** What the action says; false, and a line in the report, where the change cannot be made. */
function orReport({ id, fields, decisions }: Change, plan: ImportPlan, action: () => boolean): boolean {
  try {
    return action()
  } catch (error) {
    // A RangeError is a value that is nested too deeply to be encoded, or that contains itself.
    if (!(error instanceof RangeError) && !REPORTED.some(code => isPlanError(error, code))) throw error
    if (fields) plan.tickets--
    plan.decisions -= decisions.length
    const lost = decisions.length ? ` (with ${decisions.length} decisions)` : ''
    plan.dropped.push({ source: `Ticket ${id}`, message: `not changed${lost}: ${(error as Error).message}` })
    return false
  }
}

/**
 * The Ticket to write, and the file that it replaces; null where the file says all of it already.
 * @throws PlanError invalid_file, unknown_ticket.
 */
function prepare(
  store: Store,
  { path, id, fields, decisions }: Change,
): { file: ReadTicket | null; ticket: Ticket } | null {
  const file = findTicketFile(store.repository.root, path) ?? null
  if (file && !file.readable) {
    const message = `${path} cannot be read; "ticketplan verify" says why`
    throw new PlanError('invalid_file', message, { path, refusal: file.code, place: file.place })
  }
  if (!file && !fields) throw new PlanError('unknown_ticket', `${path} is gone`, { ticket: id, similar: [] })
  const ticket: Ticket = file ? { ...file.ticket } : { decisions: [], format: FORMAT, id, state: '', title: '' }
  for (const key of fields ? SOURCE_FIELDS : []) {
    const value = fields!.fields[key]
    if (value !== undefined) Object.assign(ticket, { [key]: value })
    else if (!fields!.kept.includes(key)) delete ticket[key]
  }
  const known = new Set(ticket.decisions.map(decision => decision.id))
  const added = new Map(decisions.filter(decision => !known.has(decision.id)).map(decision => [decision.id, decision]))
  ticket.decisions = [...ticket.decisions, ...added.values()].sort(byId)
  if (file && ticketProblem(ticket) === null && encodeTicket(ticket) === encodeTicket(file.ticket)) return null
  return { file, ticket }
}
