/**
 * Finds the file of a Ticket and writes it: read, changed by a pure function, checked, written durably, entered in the index.
 *
 * Invariant: a change that another program makes in between is read again, never overwritten. The caller holds the clone's write
 * lock.
 */
import { relative, sep } from 'node:path'
import { refuseFile } from '../files/quarantine.ts'
import type { Repository } from '../files/repository.ts'
import { findTicketFile, type QuarantinedFile, type ReadTicket } from '../files/ticket-files.ts'
import { removeTicketFile, type WrittenTicket, writeTicketFile } from '../files/ticket-writing.ts'
import { PlanError } from '../model/errors.ts'
import { idKey, isTicketId, type TicketId } from '../model/names.ts'
import type { Ticket } from '../model/ticket.ts'
import type { IndexQueries } from '../ticket-index/query.ts'
import type { Checkout } from './checkout.ts'
import { checkWritable, type EditBatch, editBatch, type PendingWrite } from './edit-batch.ts'
import { resolveName, unknownTicket } from './resolve-name.ts'

/** How often a write is attempted while other programs keep changing the same file. */
const ATTEMPTS = 20

export interface TicketEditor {
  /** Reads the file of the Ticket with the id or slug; the file is undefined where a valid id has none. */
  findFile(name: string): { id: TicketId; file: ReadTicket | undefined }
  /** Reads the file at a path, which may be in git's index only; undefined where there is none. */
  findFileAt(path: string): ReadTicket | QuarantinedFile | undefined
  /** Reads the file of a Ticket that must exist. @throws PlanError unknown_ticket. */
  getFile(name: string): ReadTicket
  /**
   * Changes one Ticket file: reads it, calls `change` for the new Ticket, writes it durably. Writes nothing where `change`
   * returns the same Ticket. `read` is the file where it has just been read. Called under the write lock.
   * @throws PlanError unknown_ticket, invalid_file, not_checked_out, contended, io.
   */
  edit<T extends { ticket: Ticket }>(path: string, change: (ticket: Ticket) => T, read?: ReadTicket): T
  /** Writes a new Ticket file; false where the path is taken. Called under the write lock. @throws PlanError not_checked_out. */
  create(ticket: Ticket): boolean
  /**
   * Replaces the file that was read, or creates it for null; false where it has changed. Called under the write lock.
   * @throws PlanError not_checked_out where git's index has the file and the work tree has not.
   */
  overwrite(file: ReadTicket | null, path: string, ticket: Ticket): boolean
  /** Starts a batch of files that are written as `overwrite` does, together. Used and disposed under one hold of the write lock. */
  batch(): EditBatch
  /**
   * Gives the file that was read other bytes, which are those of a Ticket, or removes it for null; false where it has changed.
   * Not noted for `undo`. Called under the write lock. @throws PlanError not_checked_out.
   */
  restore(file: ReadTicket, bytes: Buffer | null): boolean
  /** Enters written files in the index. */
  indexWritten(paths: readonly string[]): void
  /** Returns the path of a new Ticket's file, from the root. */
  pathOf(id: TicketId): string
}

/**
 * Returns the editor of a checkout. `readRows` runs an action over rows that are equal to the files; `onWrite` is called
 * before files are replaced, and `onWritten` after they were.
 */
export function ticketEditor(
  checkout: Checkout,
  readRows: <T>(action: (queries: IndexQueries) => T) => T,
  onWritten: () => void = () => {},
  onWrite: (changes: readonly PendingWrite[]) => void = () => {},
): TicketEditor {
  /** What this process has written, until the index has it. */
  const written = new Map<string, WrittenTicket>()
  const editor: TicketEditor = {
    pathOf: id => pathOf(checkout.repository, id),
    findFile: name => findFile(checkout, readRows, name, editor.findFileAt),
    findFileAt: path => findTicketFile(checkout.repository.root, path) ?? checkout.index.findLeftOut(path),
    getFile(name) {
      const { id, file } = editor.findFile(name)
      return file ?? readRows(queries => unknownTicket(queries, id))
    },
    edit(path, change, read) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const file = attempt === 0 && read ? read : editor.findFileAt(path)
        if (!file)
          throw new PlanError('unknown_ticket', `${path} does not exist any more`, { ticket: path, similar: [] })
        if (!file.readable) refuseFile(file)
        const changed = change(file.ticket)
        if (changed.ticket === file.ticket) return changed
        if (editor.overwrite(file, path, changed.ticket)) {
          editor.indexWritten([path])
          return changed
        }
      }
      const message = `${path}: another program keeps changing the file; nothing was written; run the command again when it has finished`
      throw new PlanError('contended', message, { path })
    },
    create(ticket) {
      const path = editor.pathOf(ticket.id)
      if (!editor.overwrite(null, path, ticket)) return false
      editor.indexWritten([path])
      return true
    },
    overwrite(file, path, ticket) {
      using batch = editor.batch()
      batch.add(file, path, ticket)
      const { written, error } = batch.write()
      if (error) throw error
      return written.length > 0
    },
    batch: () =>
      editBatch(checkout, onWrite, file => {
        written.set(file.path, file)
      }),
    restore(file, bytes) {
      const { repository, checkLock } = checkout
      checkWritable(checkout, file.path, file)
      if (bytes === null) return removeTicketFile(repository, file.path, file, checkLock)
      return writeTicketFile(repository, file.path, bytes, file, checkLock) === 'replaced'
    },
    indexWritten(paths) {
      checkout.index.update(paths, written)
      written.clear()
      if (paths.length > 0) onWritten()
    },
  }
  return editor
}

function pathOf({ root, ticketsDir }: Repository, id: TicketId): string {
  return `${relative(root, ticketsDir).split(sep).join('/')}/${id}.json`
}

function findFile(
  checkout: Checkout,
  readRows: <T>(action: (queries: IndexQueries) => T) => T,
  name: string,
  findFileAt: TicketEditor['findFileAt'],
): { id: TicketId; file: ReadTicket | undefined } {
  if (!checkout.isLocked) checkout.refreshAndCheck()
  if (isTicketId(name)) {
    // The file itself has the current content; the index only shows at which other paths the id may be.
    const paths = checkout.index.peek(queries => queries.pathsOfKey(idKey(name)))
    const file = readById(checkout.repository, name, paths, findFileAt)
    if (file) return { id: name, file }
  }
  const { id, paths } = readRows(queries => {
    const byKey = isTicketId(name) ? queries.pathsOfKey(idKey(name)) : []
    if (byKey.length > 0 || (isTicketId(name) && queries.ticketsBySlug(name).length === 0))
      return { id: name as TicketId, paths: byKey }
    const { id, row } = resolveName(queries, name)
    return { id, paths: row ? [row.path] : [] }
  })
  return { id, file: readById(checkout.repository, id, paths, findFileAt) }
}

/** Reads the one file with the id. @throws PlanError invalid_file where it, or another file with the id, cannot be used. */
function readById(
  repository: Repository,
  id: TicketId,
  paths: readonly string[],
  findFileAt: TicketEditor['findFileAt'],
): ReadTicket | undefined {
  const files = [...new Set([pathOf(repository, id), ...paths])]
    .map(findFileAt)
    .filter((file): file is ReadTicket | QuarantinedFile => file !== undefined)
  if (files.length > 1) {
    const all = files.map(({ path }) => path).join(', ')
    const message = `${all}: more than one file has the id ${id} (ids are case-insensitive); "ticketplan verify" says how to join them`
    throw new PlanError('invalid_file', message, { path: files[0]!.path, refusal: 'duplicate_id', place: null })
  }
  const file = files[0]
  if (file && !file.readable) refuseFile(file)
  return file?.ticket.id === id ? file : undefined
}
