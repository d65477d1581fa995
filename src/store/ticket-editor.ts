/**
 * Finds the one file of a Ticket and writes it: read, changed by a pure function, checked, written durably, noted in the index.
 *
 * What another program changed in between is read again, never overwritten. All of it runs under the clone's write lock, which
 * is the caller's.
 */
import { relative, sep } from 'node:path'
import { refuseFile } from '../files/quarantine.ts'
import { checkTicketsDir, type Repository } from '../files/repository.ts'
import { checkedBytes } from '../files/ticket-bytes.ts'
import { findTicketFile, type QuarantinedFile, type ReadTicket } from '../files/ticket-files.ts'
import { writeTicketFile } from '../files/ticket-writing.ts'
import { PlanError } from '../model/errors.ts'
import { idKey, isTicketId, type TicketId } from '../model/names.ts'
import type { Ticket } from '../model/ticket.ts'
import type { IndexQueries } from '../ticket-index/query.ts'
import type { TicketIndex } from '../ticket-index/ticket-index.ts'
import { resolveName, unknownTicket } from './resolve-name.ts'

/** Other programs that change the same file again and again get this many chances before the write gives up. */
const ATTEMPTS = 20

export interface TicketEditor {
  /** The Ticket file that a name stands for, read from the disk; undefined where a valid id has no file. */
  findFile(name: string): { id: TicketId; file: ReadTicket | undefined }
  /** The same, for a Ticket that must be there. */
  getFile(name: string): ReadTicket
  /**
   * Changes one Ticket file: reads it, asks `change` for the new Ticket, writes it durably. Called under the write lock. Where
   * `change` gives the same Ticket back nothing is written.
   */
  edit<T extends { ticket: Ticket }>(path: string, change: (ticket: Ticket) => T): T
  /** Writes a new Ticket file. Called under the write lock. False where the path is taken. */
  create(ticket: Ticket): boolean
  /** Writes a Ticket over the file that was read, in canonical form. Called under the write lock. False where it has changed. */
  overwrite(file: ReadTicket | null, path: string, ticket: Ticket): boolean
  /** Notes written files in the index. */
  noteWritten(paths: readonly string[]): void
  /** The path of a new Ticket's file, from the root. */
  pathOf(id: TicketId): string
}

/** What an editor works on; repository and index may be other ones after a change of the configuration. */
export interface EditedPlaces {
  repository(): Repository
  index(): TicketIndex
  /** Runs the action over what all files hold now. */
  read<T>(action: (queries: IndexQueries) => T): T
}

export function ticketEditor({ repository, index, read }: EditedPlaces): TicketEditor {
  const pathOf = (id: TicketId) => {
    const { root, ticketsDir } = repository()
    return `${relative(root, ticketsDir).split(sep).join('/')}/${id}.json`
  }

  /** The one file that bears the id, read; a file in its way is refused. */
  const readById = (id: TicketId, paths: readonly string[]): ReadTicket | undefined => {
    const files = [...new Set([pathOf(id), ...paths])]
      .map(path => findTicketFile(repository().root, path))
      .filter((file): file is ReadTicket | QuarantinedFile => file !== undefined)
    if (files.length > 1) {
      const all = files.map(({ path }) => path).join(', ')
      const message = `the id ${id} stands in more than one file, where case does not count: ${all}; keep one of them`
      throw new PlanError('invalid_file', message, { path: files[0]!.path, refusal: 'duplicate_id', place: null })
    }
    const file = files[0]
    if (file && !file.readable) refuseFile(file)
    return file?.ticket.id === id ? file : undefined
  }

  const editor: TicketEditor = {
    pathOf,
    findFile(name) {
      checkTicketsDir(repository())
      if (isTicketId(name)) {
        // The file itself says what is true now; the index is only asked where else the id may stand.
        const paths = index().peek(queries => queries.pathsOfKey(idKey(name)))
        const file = readById(name, paths)
        if (file) return { id: name, file }
      }
      const { id, paths } = read(queries => {
        const byKey = isTicketId(name) ? queries.pathsOfKey(idKey(name)) : []
        if (byKey.length > 0 || (isTicketId(name) && queries.ticketsBySlug(name).length === 0))
          return { id: name as TicketId, paths: byKey }
        const { id, row } = resolveName(queries, name)
        return { id, paths: row ? [row.path] : [] }
      })
      return { id, file: readById(id, paths) }
    },
    getFile(name) {
      const { id, file } = editor.findFile(name)
      return file ?? read(queries => unknownTicket(queries, id))
    },
    edit(path, change) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const file = findTicketFile(repository().root, path)
        if (!file) throw new PlanError('unknown_ticket', `${path} is gone`, { ticket: path, similar: [] })
        if (!file.readable) refuseFile(file)
        const changed = change(file.ticket)
        if (changed.ticket === file.ticket) return changed
        if (editor.overwrite(file, path, changed.ticket)) {
          editor.noteWritten([path])
          return changed
        }
      }
      const message = `${path} is being changed by another program again and again: nothing was written`
      throw new PlanError('contended', message, { path })
    },
    create(ticket) {
      const path = pathOf(ticket.id)
      if (!editor.overwrite(null, path, ticket)) return false
      editor.noteWritten([path])
      return true
    },
    overwrite: (file, path, ticket) =>
      writeTicketFile(repository(), path, checkedBytes(ticket, path), file) === 'replaced',
    noteWritten: paths => index().update(paths),
  }
  return editor
}
