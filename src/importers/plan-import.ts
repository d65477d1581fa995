/**
 * Plans an import: compares what a source says with the Tickets that are here, and lists the changes of files.
 *
 * Reads every Ticket file that the import may concern, and writes none. A change that one file does not allow is reported and
 * does not end the import.
 */
import { idFromPath } from '../files/ticket-files.ts'
import { count } from '../model/count.ts'
import { anyFields, type Decision, namedTickets } from '../model/decision.ts'
import { PlanError } from '../model/errors.ts'
import { FORMAT } from '../model/format.ts'
import { idKey, type TicketId } from '../model/names.ts'
import { withoutUndefined } from '../model/objects.ts'
import { type Ticket, ticketProblem } from '../model/ticket.ts'
import { otherWithName } from '../store/resolve-name.ts'
import type { Store } from '../store/store.ts'
import type { FileState } from '../ticket-index/file-queries.ts'
import type { IndexQueries } from '../ticket-index/query.ts'
import { isFrom, isOlder, sourceOf } from './follow-fields.ts'
import type { Dropped, Imported, ImportedDecision, ImportedTicket, SkippedRecord } from './import-collector.ts'
import { timeOf } from './source-text.ts'
import { withoutTakenSlugs } from './taken-slugs.ts'

/** What an import changes in one file. */
export interface Change {
  path: string
  id: TicketId
  /** What the source says of the Ticket's fields; null where it says nothing; `gone` where the record is gone. */
  fields: ImportedTicket | null | 'gone'
  decisions: Decision[]
  /** True for a decision that the source would state if it still held. */
  isRetractable(decision: Decision): boolean
}

/** The changes by `idKey`. */
type Changes = Map<string, Change>

/** All that an import would do, and its report. */
export interface ImportPlan {
  imported: Imported
  changes: Change[]
  gone: TicketId[]
  /** Of these, the ones that are cancelled. */
  cancelled: TicketId[]
  dropped: Dropped[]
  warnings: string[]
  skipped: Record<string, number>
  skippedRecords: SkippedRecord[]
  tickets: number
  decisions: number
  /** The Ticket files that the plan was made from. */
  files: FileState[]
}

/** How to treat what a source no longer has, and a source that is older than the last import of it. */
export interface ImportOptions {
  prune: boolean
  older: boolean
}

/** Plans the import. Writes nothing. */
export function planImport(store: Store, imported: Imported, options: ImportOptions): ImportPlan {
  if (options.prune && imported.partial !== undefined) {
    const message = `import: prune (--prune) needs all records, and some could not be read: ${imported.partial}. Export the source again, or leave prune out. Nothing was written`
    throw new PlanError('invalid_input', message, { field: 'prune' })
  }
  return store.read(({ queries }) => {
    const plan: ImportPlan = {
      imported,
      changes: [],
      gone: [],
      cancelled: [],
      dropped: [...imported.dropped],
      warnings: [...imported.warnings],
      skipped: { ...imported.skipped },
      skippedRecords: [...imported.skippedRecords],
      tickets: 0,
      decisions: 0,
      files: queries.fileStates(),
    }
    const present = presentTickets(store, queries)
    const older = olderTickets(imported, present)
    reportOlder(plan, older, options)
    const changes: Changes = new Map()
    const foreign = new Set<string>()
    const isRetractable = older.size > 0 ? () => false : undefined
    const { tickets, dropped } = withoutTakenSlugs(
      imported.tickets.filter(({ id }) => !older.has(id)),
      queries,
    )
    plan.dropped.push(...dropped)
    for (const ticket of tickets) {
      if (isOfOtherSource(present.get(ticket.id), imported)) foreign.add(ticket.id)
      const problem = foreign.has(ticket.id)
        ? foreignMessage(present.get(ticket.id)!)
        : planTicket(store, ticket, changes, queries)
      if (problem) plan.dropped.push({ source: `Ticket ${ticket.id}`, message: problem })
    }
    for (const change of changes.values())
      change.isRetractable = isRetractable ?? (decision => isStillStatable(imported, change, decision))
    plan.tickets = changes.size
    for (const decision of imported.decisions) {
      if (older.has(decision.holder) || foreign.has(decision.holder)) continue
      const problem = planDecision(decision, changes, queries)
      if (problem) plan.dropped.push({ source: decision.source, message: `no decision: ${problem}` })
      else plan.decisions++
    }
    if (older.size === 0) planGone(plan, present, changes, options)
    plan.changes = [...changes.values()]
    return plan
  })
}

/** A Ticket that is here, with its file. */
interface Present {
  path: string
  ticket: Ticket
  isTerminal: boolean
}

/** Reads all Tickets that are here, by id. */
function presentTickets(store: Store, queries: IndexQueries): Map<string, Present> {
  const present = new Map<string, Present>()
  for (const { id, path, phase } of queries.allTickets()) {
    const file = store.findFileAt(path)
    if (file?.readable) present.set(id, { path, ticket: file.ticket, isTerminal: phase === 'terminal' })
  }
  return present
}

/** Returns the ids of the Tickets of which a later record was imported before. */
function olderTickets({ tickets, origin }: Imported, present: ReadonlyMap<string, Present>): Set<string> {
  const older = tickets.filter(record => {
    const ticket = present.get(record.id)?.ticket
    const source = sourceOf(ticket)
    return source !== undefined && isFrom(source, origin) && isOlder(ticket, record)
  })
  return new Set(older.map(({ id }) => id))
}

function isOfOtherSource(present: Present | undefined, { origin }: Imported): boolean {
  const source = sourceOf(present?.ticket)
  return source !== undefined && !isFrom(source, origin)
}

function foreignMessage({ ticket }: Present): string {
  const { system, name } = sourceOf(ticket)!
  const other = `${String(system)}${name === undefined ? '' : ` ${JSON.stringify(name)}`}`
  return `not changed, with its decisions: it came from another source, ${other}; name (--name) says which source this one is`
}

function reportOlder(plan: ImportPlan, older: ReadonlySet<string>, { older: isAccepted }: ImportOptions): void {
  if (older.size === 0) return
  const ids = [...older]
  if (isAccepted) {
    const reason = 'older than the last import'
    plan.skipped[reason] = ids.length
    plan.skippedRecords.push(...ids.map(id => ({ source: `Ticket ${id}`, reason })))
    const some = ids.slice(0, 5).join(', ')
    plan.warnings.push(
      `the source is older than the last import: ${count(ids.length, 'newer Ticket')} not changed (${some}${ids.length > 5 ? ', …' : ''})`,
    )
    return
  }
  for (const id of ids) {
    const message = 'not changed: a later record was imported before; older (--older) accepts an older source'
    plan.dropped.push({ source: `Ticket ${id}`, message })
  }
}

/** Adds the change for a Ticket; returns why there can be none. */
function planTicket(store: Store, ticket: ImportedTicket, changes: Changes, queries: IndexQueries): string | undefined {
  const { id } = ticket
  const paths = queries.pathsOfKey(idKey(id))
  const other = changes.get(idKey(id))
  const problem = ticketProblem({ ...withoutUndefined(ticket.fields), decisions: [], format: FORMAT, id })
  if (problem) return `no Ticket: ${problem.path.join('.')}: ${problem.message}`
  if (other?.id === id) return 'no Ticket: an earlier record of the source has the same id'
  if (other) return `no Ticket: its id differs from ${other.id} only in case, and many file systems ignore case`
  if (paths.length > 1 || (paths[0] && !paths[0].endsWith(`/${id}.json`))) {
    return `no Ticket: other files have that id: ${paths.join(', ')}`
  }
  const named = paths.length === 0 ? otherWithName(queries, id, id) : undefined
  if (named) return `no Ticket: its id is the ${named.has} of ${named.ticket}; change one of them`
  if (queries.quarantined().some(({ path }) => path === paths[0])) return `not changed: ${unreadable(paths[0]!)}`
  changes.set(idKey(id), { ...emptyChange(paths[0] ?? store.pathOf(id), id), fields: ticket })
  return undefined
}

function emptyChange(path: string, id: TicketId): Change {
  return { path, id, fields: null, decisions: [], isRetractable: () => false }
}

/** Adds a decision to the change of the file that holds it; returns why there can be none. */
function planDecision(
  { holder, decision }: ImportedDecision,
  changes: Changes,
  queries: IndexQueries,
): string | undefined {
  const problems = [holder, ...namedTickets(decision)].map(id => caseProblem(id, changes, queries))
  const problem = problems.find(problem => problem)
  if (problem) {
    // What waits for a Ticket that cannot be named here goes on waiting.
    if (decision.kind === 'blocked_by' && !problems[0]) {
      const { id, by, at } = decision
      changes
        .get(idKey(holder))
        ?.decisions.push({ id, kind: 'hold', by, at, reason: `blocked by ${decision.target}; ${problem}` })
      return `${problem}; a hold instead`
    }
    return problem
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
  return row && emptyChange(row.path, id)
}

export function unreadable(path: string): string {
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

/** True where every record that could state the decision is in the import, and complete. */
function isStillStatable(imported: Imported, { id, fields }: Change, decision: Decision): boolean {
  const { target } = anyFields(decision)
  const isComplete = (ticket: string) => imported.seen.has(ticket) && !imported.incomplete.has(ticket)
  if (fields === null || !isComplete(id) || imported.isUnread(decision)) return false
  if (imported.unlisted.has(`${id} ${decision.kind}`)) return false
  return target === undefined || !imported.needsTarget(decision) || isComplete(target)
}

/**
 * Lists the Tickets of this source whose records are gone; with `prune` they are cancelled. A source that has none of the
 * Tickets that came from it before is another one, and one that is older than a Ticket does not say that it is gone.
 */
function planGone(
  plan: ImportPlan,
  present: ReadonlyMap<string, Present>,
  changes: Changes,
  { prune }: ImportOptions,
): void {
  const { origin, seen, tickets, isInScope = () => true } = plan.imported
  const own = [...present.values()].filter(({ ticket }) => {
    const source = sourceOf(ticket)
    return source !== undefined && isFrom(source, origin) && isInScope(source)
  })
  const newest = tickets.reduce((latest, { updatedAt = '' }) => (updatedAt > latest ? updatedAt : latest), '')
  const absent = own.filter(({ ticket, isTerminal }) => !isTerminal && !seen.has(ticket.id))
  if (absent.length === 0) return
  if (plan.imported.partial !== undefined) {
    const message = `${count(absent.length, 'Ticket')} not in what was read of the source; none counts as gone, because some of it could not be read`
    plan.warnings.push(message)
    return
  }
  if (!own.some(({ ticket }) => seen.has(ticket.id))) {
    const message = `the source has none of the ${count(own.length, 'Ticket')} that were imported from ${origin.system} before: another source? Give each a name (--name)`
    plan.warnings.push(message)
    return
  }
  for (const { ticket, path } of absent) {
    if ((timeOf(sourceOf(ticket)?.updated_at) ?? '') > newest) {
      plan.warnings.push(`Ticket ${ticket.id}: the source is older than its last record, so it does not count as gone`)
      continue
    }
    plan.gone.push(ticket.id)
    if (!prune) continue
    plan.cancelled.push(ticket.id)
    changes.set(idKey(ticket.id), {
      ...(changes.get(idKey(ticket.id)) ?? emptyChange(path, ticket.id)),
      fields: 'gone',
    })
  }
}
