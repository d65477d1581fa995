/**
 * A store whose edits are collected and written at the end: each file once, after all of them were checked.
 *
 * Invariant: what an edit sees is the file with the earlier edits of the batch. Nothing is written before `write`. Lives within
 * one hold of the write lock.
 */
import { checkedBytes } from '../files/ticket-bytes.ts'
import type { ReadTicket } from '../files/ticket-files.ts'
import { count } from '../model/count.ts'
import { anyFields } from '../model/decision.ts'
import { fileStatuses } from '../model/decision-status.ts'
import { PlanError } from '../model/errors.ts'
import type { Facts, RelationFact } from '../model/facts.ts'
import { idKey, isTicketId, type TicketId } from '../model/names.ts'
import { compareText } from '../model/order.ts'
import type { Ticket } from '../model/ticket.ts'
import { resolveName, unknownTicket } from '../store/resolve-name.ts'
import type { Store, View } from '../store/store.ts'

type Change = (ticket: Ticket) => { ticket: Ticket }

/** One file of the batch: as it was read, as it will be written, and the edits in between. */
interface Pending {
  file: ReadTicket
  ticket: Ticket
  changes: Change[]
}

export interface DecisionBatch {
  /** The store that operations use; its edits are collected. */
  store: Store
  /** The files that would be changed, with what is wrong with each; undefined where it can be written. */
  problems(): Map<string, PlanError | undefined>
  /** Writes the files, but for those left out; returns their paths. @throws PlanError; a note says what was written before. */
  write(leftOut?: ReadonlySet<string>): string[]
}

/** Returns an empty batch. Called under the write lock. */
export function decisionBatch(store: Store): DecisionBatch {
  store.read(() => {}) // the rows are equal to the files from here on
  const pending = new Map<string, Pending>()
  const byId = new Map<string, Pending>()
  const found = new Map<string, { id: TicketId; file: ReadTicket | undefined }>()

  const remember = (file: ReadTicket): Pending => {
    const known = pending.get(file.path)
    if (known) return known
    const added: Pending = { file, ticket: file.ticket, changes: [] }
    pending.set(file.path, added)
    byId.set(file.ticket.id, added)
    return added
  }
  const findFile = (name: string) => {
    let known = found.get(name)
    if (!known) {
      known = findOnce(store, name)
      found.set(name, known)
    }
    const { id, file } = known
    return { id, file: file && { ...file, ticket: remember(file).ticket } }
  }
  const view = (given: View): View => ({ ...given, facts: withPending(given.facts, id => byId.get(id)?.ticket) })
  const collecting: Partial<Store> = {
    locked: action => action(),
    noting: (_, action) => action(),
    read: action => store.peek(given => action(view(given))),
    peek: action => store.peek(given => action(view(given))),
    findFile,
    getFile: name => {
      const { id, file } = findFile(name)
      return file ?? store.peek(({ queries }) => unknownTicket(queries, id))
    },
    edit(path, change) {
      const entry = pending.get(path)!
      const changed = change(entry.ticket)
      if (changed.ticket !== entry.ticket) {
        entry.ticket = changed.ticket
        entry.changes.push(change)
      }
      return changed
    },
  }
  const changed = () => [...pending].filter(([, { changes }]) => changes.length > 0)
  return {
    store: Object.assign(Object.create(store), collecting) as Store,
    problems: () => new Map(changed().map(([path, { ticket }]) => [path, problemOf(ticket, path)])),
    write: leftOut => writeAll(store, new Map(changed().filter(([path]) => !leftOut?.has(path)))),
  }
}

/** Finds a Ticket by the rows: an unknown name costs no scan of the files. */
function findOnce(store: Store, name: string): { id: TicketId; file: ReadTicket | undefined } {
  const id = store.peek(({ queries }) => {
    if (!isTicketId(name)) return resolveName(queries, name).id
    if (queries.pathsOfKey(idKey(name)).length > 0) return name
    return queries.ticketsBySlug(name).length === 0 ? undefined : resolveName(queries, name).id
  })
  return id === undefined ? { id: name as TicketId, file: undefined } : store.findFile(id)
}

function problemOf(ticket: Ticket, path: string): PlanError | undefined {
  try {
    checkedBytes(ticket, path)
    return undefined
  } catch (error) {
    if (error instanceof PlanError) return error
    throw error
  }
}

/** How many files are made durable together. */
const MOST_TOGETHER = 200

/** Writes the files, many at a time. */
function writeAll(store: Store, files: ReadonlyMap<string, Pending>): string[] {
  const written: string[] = []
  const pending = [...files.values()]
  try {
    for (let done = 0; done < pending.length; done += MOST_TOGETHER)
      writeTogether(store, pending.slice(done, done + MOST_TOGETHER), written)
  } catch (error) {
    if (written.length === 0 || !(error instanceof PlanError)) throw error
    const message = `${error.message}; ${count(written.length, 'file')} of ${files.size} were written before that: ${written.join(', ')}`
    throw new PlanError(error.code, message, { ...error.data, written }, error)
  }
  return written
}

/** Writes files together; each that another program has changed meanwhile is edited again. Adds the paths to `written`. */
function writeTogether(store: Store, files: readonly Pending[], written: string[]): void {
  using batch = store.batch()
  for (const { file, ticket } of files) batch.add(file, file.path, ticket)
  const outcome = batch.write()
  const paths = outcome.written.map(({ path }) => path)
  written.push(...paths)
  store.indexWritten(paths)
  if (outcome.error) throw outcome.error
  for (const { file, changes } of files.filter(({ file }) => outcome.changed.includes(file.path))) {
    store.edit(file.path, now => ({ ticket: changes.reduce((ticket, change) => change(ticket).ticket, now) }))
    written.push(file.path)
  }
}

/** Returns the facts with the parents and the order that the pending Tickets say. */
function withPending(facts: Facts, pendingOf: (id: string) => Ticket | undefined): Facts {
  const relations = (id: string, kind: string, stored: () => RelationFact[]): RelationFact[] => {
    const ticket = pendingOf(id)
    return ticket ? relationsIn(ticket, kind) : stored()
  }
  return {
    ...facts,
    parents: id => relations(id, 'part_of', () => facts.parents(id)),
    waitsFor: (id, kind) => relations(id, kind, () => facts.waitsFor(id, kind)),
  }
}

/** Returns the active relations of a kind in a file, in the order of the other Tickets' ids. */
function relationsIn(ticket: Ticket, kind: string): RelationFact[] {
  const statuses = fileStatuses(ticket.decisions)
  const byOther = new Map<string, string[]>()
  for (const decision of ticket.decisions) {
    const { target } = anyFields(decision)
    if (decision.kind !== kind || target === undefined || statuses.get(decision.id) !== 'active') continue
    byOther.set(target, [...(byOther.get(target) ?? []), decision.id])
  }
  return [...byOther].map(([other, decisions]) => ({ other, decisions })).sort((a, b) => compareText(a.other, b.other))
}
