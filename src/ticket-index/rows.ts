/**
 * Ticket files as rows: the statements that put one file's content into the index and take it out.
 *
 * Written as SQL text, prepared once: these run for every file of a rebuild.
 */
import type { Connection } from '../database/open.ts'
import type { FileStat, QuarantinedFile, ReadTicket } from '../files/ticket-files.ts'
import { idFromPath } from '../files/ticket-files.ts'
import { anyFields, type Decision, isStoredRelation } from '../model/decision.ts'
import { fileStatuses } from '../model/decision-status.ts'
import { idKey } from '../model/names.ts'
import type { Phase } from '../model/phase.ts'
import { changedAt, type Ticket } from '../model/ticket.ts'

/** What a file is in the index: read as a Ticket, or quarantined. */
export type IndexedFile = ReadTicket | QuarantinedFile

/** The statements over one connection. None opens a transaction. */
export interface RowWriter {
  /** Adds the rows of a file that has none. */
  insert(file: IndexedFile, racy: boolean): void
  /** Removes every row that came from the path. */
  remove(path: string): void
  /** Takes note of new stat data of a file whose content is what it was. */
  touch(path: string, stat: FileStat, racy: boolean): void
}

/** The key that files in each other's way share; a link that is no Ticket's name stands alone. */
export function pathKey(path: string): string {
  return path.endsWith('.json') ? idKey(idFromPath(path)) : `/${path}`
}

export function prepareRowWriter(connection: Connection, phaseOf: (state: string) => Phase): RowWriter {
  const insertFile = connection.prepare('insert into files values (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertTicket = connection.prepare('insert into tickets values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertDecision = connection.prepare('insert into file_decisions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertQuarantine = connection.prepare('insert into quarantine values (?, ?, ?, ?, ?, ?)')
  const deleteFile = connection.prepare('delete from files where path = ?')
  const deleteQuarantine = connection.prepare('delete from quarantine where path = ?')
  const ticketAt = connection.prepare<[string, string]>('select id from tickets where id = ? and path = ?').pluck()
  const deleteTicket = connection.prepare('delete from tickets where id = ?')
  const deleteDecisions = connection.prepare('delete from file_decisions where ticket_id = ?')
  const touchFile = connection.prepare(
    'update files set size_bytes = ?, mtime_ms = ?, ctime_ms = ?, inode = ?, racy = ? where path = ?',
  )

  const addTicket = (ticket: Ticket, path: string) => {
    insertTicket.run(
      ticket.id,
      ticket.slug ?? null,
      ticket.title,
      ticket.state,
      phaseOf(ticket.state),
      ticket.state_at ?? null,
      ticket.created_at ?? null,
      ticket.queued_at ?? null,
      ticket.queued_by ?? null,
      changedAt(ticket),
      path,
      ticket.format,
    )
    if (ticket.decisions.length === 0) return
    const statuses = fileStatuses(ticket.decisions)
    for (const decision of ticket.decisions) addDecision(ticket.id, decision, statuses.get(decision.id)!)
  }
  const addDecision = (ticketId: string, decision: Decision, status: string) => {
    const { pool, plan, advisory } = anyFields(decision)
    insertDecision.run(
      ticketId,
      decision.id,
      decision.kind,
      isStoredRelation(decision) ? decision.target : null,
      status,
      decision.by,
      decision.at,
      decision.reason ?? null,
      (typeof pool === 'string' ? pool : plan?.pool) ?? null,
      decision.supersedes ? JSON.stringify(decision.supersedes) : null,
      advisory === true ? 1 : 0,
      JSON.stringify(decision),
    )
  }

  return {
    insert(file, racy) {
      const { path, stat } = file
      const canonical = file.readable && file.canonical ? 1 : 0
      const { sizeBytes, mtimeMs, ctimeMs, inode } = stat
      insertFile.run(path, pathKey(path), sizeBytes, mtimeMs, ctimeMs, inode, racy ? 1 : 0, file.hash, canonical)
      if (file.readable) addTicket(file.ticket, path)
      else {
        const { code, message, place, mentions } = file
        insertQuarantine.run(path, code, message, place?.line ?? null, place?.column ?? null, JSON.stringify(mentions))
      }
    },
    remove(path) {
      deleteFile.run(path)
      deleteQuarantine.run(path)
      const id = ticketAt.get(idFromPath(path), path)
      if (id === undefined) return
      deleteTicket.run(id)
      deleteDecisions.run(id)
    },
    touch(path, { sizeBytes, mtimeMs, ctimeMs, inode }, racy) {
      touchFile.run(sizeBytes, mtimeMs, ctimeMs, inode, racy ? 1 : 0, path)
    },
  }
}
