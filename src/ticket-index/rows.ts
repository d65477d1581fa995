/**
 * Writes one file's content into the index, and removes it.
 *
 * Each statement is SQL text, prepared once: a rebuild runs them for every file. No function here opens a transaction or reads
 * a file.
 */
import type { Connection } from '../database/open.ts'
import { type FileStat, idFromPath, type QuarantinedFile } from '../files/ticket-files.ts'
import { type NamedAreas, patternsOf } from '../model/area.ts'
import { anyFields, type Decision, isStoredRelation } from '../model/decision.ts'
import { fileStatuses } from '../model/decision-status.ts'
import type { States } from '../model/states.ts'
import { changedAt, type Ticket } from '../model/ticket.ts'
import { type IndexedFile, pathKey } from './indexed-file.ts'

/** Writes the rows of one connection. */
export interface RowWriter {
  /** Adds the rows of a file that has none. */
  insert(file: IndexedFile, racy: boolean): void
  /** Removes every row that came from the path. */
  remove(path: string): void
  /** Stores new stat data of a file whose content has not changed. */
  updateStat(path: string, stat: FileStat, racy: boolean): void
}

/** Prepares the statements on a connection. */
export function prepareRowWriter(connection: Connection, states: States, areas: NamedAreas): RowWriter {
  const insertFile = connection.prepare('insert into files values (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertTicket =
    connection.prepare(`insert into tickets (id, slug, title, state, phase, outcome, state_at, created_at, queued_at, queued_by, changed_at, path, format)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const insertDecision = connection.prepare('insert into file_decisions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertPattern = connection.prepare('insert into area_patterns values (?, ?, ?, ?)')
  const insertQuarantine = connection.prepare('insert into quarantine values (?, ?, ?, ?, ?, ?)')
  const deleteFile = connection.prepare('delete from files where path = ?')
  const deleteQuarantine = connection.prepare('delete from quarantine where path = ?')
  const ticketAt = connection.prepare<[string, string]>('select id from tickets where id = ? and path = ?').pluck()
  const deleteTicket = connection.prepare('delete from tickets where id = ?')
  const deletePatterns = connection.prepare('delete from area_patterns where ticket_id = ?')
  const deleteDecisions = connection.prepare('delete from file_decisions where ticket_id = ?')
  const updateFile = connection.prepare(
    'update files set size_bytes = ?, mtime_ms = ?, ctime_ms = ?, inode = ?, racy = ? where path = ?',
  )

  return {
    insert(file, racy) {
      insertFile.run(fileValues(file, racy))
      if (!file.readable) {
        insertQuarantine.run(quarantineValues(file))
        return
      }
      const { ticket } = file
      insertTicket.run(ticketValues(ticket, states, file.path))
      if (ticket.decisions.length === 0) return
      const statuses = fileStatuses(ticket.decisions)
      for (const decision of ticket.decisions) {
        const status = statuses.get(decision.id)!
        insertDecision.run(decisionValues(ticket.id, decision, status))
        if (decision.kind !== 'touches' || status !== 'active') continue
        for (const { pattern, shared } of patternsOf(decision, areas))
          insertPattern.run(ticket.id, decision.id, pattern, shared ? 1 : 0)
      }
    },
    remove(path) {
      deleteFile.run(path)
      deleteQuarantine.run(path)
      const id = ticketAt.get(idFromPath(path), path)
      if (id === undefined) return
      deleteTicket.run(id)
      deleteDecisions.run(id)
      deletePatterns.run(id)
    },
    updateStat(path, { sizeBytes, mtimeMs, ctimeMs, inode }, racy) {
      updateFile.run(sizeBytes, mtimeMs, ctimeMs, inode, racy ? 1 : 0, path)
    },
  }
}

type Values = (string | number | null)[]

function fileValues(file: IndexedFile, racy: boolean): Values {
  const { path, hash, stat } = file
  const isCanonical = file.readable && file.canonical
  const { sizeBytes, mtimeMs, ctimeMs, inode } = stat
  return [path, pathKey(path), sizeBytes, mtimeMs, ctimeMs, inode, racy ? 1 : 0, hash, isCanonical ? 1 : 0]
}

function quarantineValues({ path, code, message, place, mentions }: QuarantinedFile): Values {
  return [path, code, message, place?.line ?? null, place?.column ?? null, JSON.stringify(mentions)]
}

function ticketValues(ticket: Ticket, states: States, path: string): Values {
  return [
    ticket.id,
    ticket.slug ?? null,
    ticket.title,
    ticket.state,
    states.phaseOf(ticket.state),
    states.outcomeOf(ticket.state),
    ticket.state_at ?? null,
    ticket.created_at ?? null,
    ticket.queued_at ?? null,
    ticket.queued_by ?? null,
    changedAt(ticket),
    path,
    ticket.format,
  ]
}

function decisionValues(ticketId: string, decision: Decision, status: string): Values {
  const { pool, plan, advisory } = anyFields(decision)
  return [
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
  ]
}
