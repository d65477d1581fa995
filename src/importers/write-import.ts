/**
 * Writes an import into the Ticket files: plans all changes first, then writes them in chunks.
 *
 * A change that one file does not allow is reported and does not end the import. A file that a change does not alter is not
 * written.
 */

import { checkedBytes } from '../files/ticket-bytes.ts'
import { idFromPath, type ReadTicket } from '../files/ticket-files.ts'
import { encodeTicket } from '../model/canonical-json.ts'
import { count } from '../model/count.ts'
import { anyFields, type Decision } from '../model/decision.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { FORMAT } from '../model/format.ts'
import { idKey, type TicketId } from '../model/names.ts'
import { withoutUndefined } from '../model/objects.ts'
import { byId } from '../model/order.ts'
import { type Ticket, ticketProblem } from '../model/ticket.ts'
import { otherWithName } from '../store/resolve-name.ts'
import type { Store } from '../store/store.ts'
import type { IndexQueries } from '../ticket-index/query.ts'
import {
  type Dropped,
  type Imported,
  type ImportedDecision,
  type ImportedTicket,
  SOURCE_FIELDS,
} from './import-collector.ts'

/** The number of files that are written under one hold of the write lock, so that other commands can run in between. */
const CHUNK = 100
/** How often a file that other programs change meanwhile is read again. */
const ATTEMPTS = 20

/** What an import did, or with `dryRun` would do. */
export interface WrittenImport {
  tickets: number
  decisions: number
  written: number
  dropped: Dropped[]
}

/** Plans and writes an import; with `dryRun` it writes nothing. */
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

/** What an import changes in one file. */
interface Change {
  path: string
  id: TicketId
  fields: ImportedTicket | null
  decisions: Decision[]
}

/** The changes by `idKey`. */
type Changes = Map<string, Change>

/** All that an import would do, and its report. */
interface ImportPlan {
  changes: Change[]
  dropped: Dropped[]
  tickets: number
  decisions: number
}

function planImport(store: Store, { tickets, decisions, dropped }: Imported): ImportPlan {
  return store.read(({ queries }) => {
    const changes: Changes = new Map()
    const report = [...dropped]
    for (const ticket of tickets) {
      const problem = planTicket(store, ticket, changes, queries)
      if (problem) report.push({ source: `Ticket ${ticket.id}`, message: problem })
    }
    const planned = { tickets: changes.size, decisions: 0 }
    for (const decision of decisions) {
      const problem = planDecision(decision, changes, queries)
      if (problem) report.push({ source: decision.source, message: `no decision: ${problem}` })
      else planned.decisions++
    }
    return { changes: [...changes.values()], dropped: report, ...planned }
  })
}

/** Adds the change for a Ticket; returns why there can be none. */
function planTicket(store: Store, ticket: ImportedTicket, changes: Changes, queries: IndexQueries): string | undefined {
  const { id } = ticket
  const paths = queries.pathsOfKey(idKey(id))
  const other = changes.get(idKey(id))
  const problem = ticketProblem({ ...withoutUndefined(ticket.fields), decisions: [], format: FORMAT, id })
  if (problem) return `no Ticket: ${problem.path.join('.')}: ${problem.message}`
  if (other?.id === id) return 'no Ticket: the source has another one with this id'
  if (other) return `no Ticket: its id differs from ${other.id} only in case, and many file systems ignore case`
  if (paths.length > 1 || (paths[0] && !paths[0].endsWith(`/${id}.json`))) {
    return `no Ticket: other files have that id: ${paths.join(', ')}`
  }
  const named = paths.length === 0 ? otherWithName(queries, id, id) : undefined
  if (named) return `no Ticket: its id is the ${named.has} of ${named.ticket}; change one of them`
  if (queries.quarantined().some(({ path }) => path === paths[0])) return `not changed: ${unreadable(paths[0]!)}`
  changes.set(idKey(id), { path: paths[0] ?? store.pathOf(id), id, fields: ticket, decisions: [] })
  return undefined
}

/** Adds a decision to the change of the file that holds it; returns why there can be none. */
function planDecision(
  { holder, decision }: ImportedDecision,
  changes: Changes,
  queries: IndexQueries,
): string | undefined {
  const { target, until = [] } = anyFields(decision)
  for (const id of [holder, target, ...until]) {
    const problem = id === undefined ? undefined : caseProblem(id, changes, queries)
    if (problem) return problem
  }
  for (const place of placesOf(holder, decision, queries)) {
    const change = changes.get(idKey(place.id)) ?? changeOfExisting(place.id, queries)
    if (!change) continue
    changes.set(idKey(place.id), change)
    change.decisions.push(place.decision)
    return undefined
  }
  return `the Ticket that would hold it, ${holder}, is neither in the source nor in this repository`
}

function changeOfExisting(id: TicketId, queries: IndexQueries): Change | undefined {
  const row = queries.ticket(id)
  return row && { path: row.path, id, fields: null, decisions: [] }
}

function unreadable(path: string): string {
  return `${path} cannot be read; run "ticketplan verify" for the reason`
}

/** Returns a message where a Ticket has the same id in another case. */
function caseProblem(id: string, changes: Changes, queries: IndexQueries): string | undefined {
  const known = changes.get(idKey(id))?.id
  const ids = known === undefined ? queries.pathsOfKey(idKey(id)).map(idFromPath) : [known]
  return ids.length === 0 || ids.includes(id) ? undefined : `${id} differs from ${ids[0]} only in case`
}

/** Returns the files that can hold the decision, the preferred one first. */
function placesOf(holder: TicketId, decision: Decision, queries: IndexQueries): { id: TicketId; decision: Decision }[] {
  const own = { id: holder, decision }
  if (decision.kind !== 'conflicts_with') return [own]
  // A conflict is symmetric: where this file does not exist the other one holds it, and then keeps it.
  const other = { id: decision.target as TicketId, decision: { ...decision, target: holder } }
  const keepers = queries.holdersOf(decision.id)
  return keepers.includes(other.id) && !keepers.includes(holder) ? [other, own] : [own, other]
}

/** Returns the number of files that would be written. */
function checkAll(store: Store, changes: Change[], plan: ImportPlan): number {
  return changes.filter(change =>
    orReport(change, plan, () => {
      const prepared = prepare(store, change)
      if (prepared) checkedBytes(prepared.ticket, change.path)
      return prepared !== null
    }),
  ).length
}

/** Writes the files; returns their number. Called under the write lock. */
function writeAll(store: Store, changes: Change[], plan: ImportPlan): number {
  const written = changes.filter(change =>
    orReport(change, plan, () => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const prepared = prepare(store, change)
        if (!prepared) return false
        if (store.overwrite(prepared.file, change.path, prepared.ticket)) return true
      }
      const message = `another program keeps changing ${change.path}; run the import again`
      throw new PlanError('contended', message, { path: change.path })
    }),
  )
  store.indexWritten(written.map(({ path }) => path))
  return written.length
}

/** The errors of one file that are reported. Any other error ends the import. */
const REPORTED = [
  'contended',
  'invalid_file',
  'invalid_input',
  'limit',
  'newer_format',
  'not_checked_out',
  'unknown_ticket',
] as const

/** Returns the result of the action; false, and a line in the report, where the change is not possible. */
function orReport({ id, fields, decisions }: Change, plan: ImportPlan, action: () => boolean): boolean {
  try {
    return action()
  } catch (error) {
    // A RangeError is a value that is nested too deeply to be encoded, or that contains itself.
    if (!(error instanceof RangeError) && !REPORTED.some(code => isPlanError(error, code))) throw error
    if (fields) plan.tickets--
    plan.decisions -= decisions.length
    const lost = decisions.length ? ` (with ${count(decisions.length, 'decision')})` : ''
    plan.dropped.push({ source: `Ticket ${id}`, message: `not changed${lost}: ${(error as Error).message}` })
    return false
  }
}

/**
 * Returns the Ticket to write and the file that it replaces; null where the file has all of it already.
 * @throws PlanError invalid_file, unknown_ticket.
 */
function prepare(
  store: Store,
  { path, id, fields, decisions }: Change,
): { file: ReadTicket | null; ticket: Ticket } | null {
  const file = store.findFileAt(path) ?? null
  if (file && !file.readable) {
    throw new PlanError('invalid_file', unreadable(path), { path, refusal: file.code, place: file.place })
  }
  if (!file && !fields) {
    const message = `${path} was deleted during the import; run the import again`
    throw new PlanError('unknown_ticket', message, { ticket: id, similar: [] })
  }
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
