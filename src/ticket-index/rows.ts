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

/** The columns of `tickets`, in the order of `FileRows.ticket`. */
export const TICKET_COLUMNS =
  'id, slug, title, state, phase, outcome, state_at, created_at, queued_at, queued_by, changed_at, path, format'

/** The values of one row, in the order of its table's columns. */
export type RowValues = (string | number | null)[]

/** Every row that follows from a file, but for its row in `files`. */
export interface FileRows {
  /** Null for a file in quarantine. */
  ticket: RowValues | null
  quarantine: RowValues | null
  decisions: RowValues[]
  patterns: RowValues[]
}

/** Prepares the statements on a connection. */
export function prepareRowWriter(connection: Connection, states: States, areas: NamedAreas): RowWriter {
  const insertFile = connection.prepare('insert into files values (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertTicket = connection.prepare(
    `insert into tickets (${TICKET_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
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
      const { ticket, quarantine, decisions, patterns } = rowsOfFile(file, states, areas)
      if (ticket) insertTicket.run(ticket)
      if (quarantine) insertQuarantine.run(quarantine)
      for (const decision of decisions) insertDecision.run(decision)
      for (const pattern of patterns) insertPattern.run(pattern)
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

/** Returns the rows that follow from a file: in a rebuild, in an update, and where they are compared. Pure. */
export function rowsOfFile(file: IndexedFile, states: States, areas: NamedAreas): FileRows {
  if (!file.readable) return { ticket: null, quarantine: quarantineValues(file), decisions: [], patterns: [] }
  const { ticket } = file
  const rows: FileRows = {
    ticket: ticketValues(ticket, states, file.path),
    quarantine: null,
    decisions: [],
    patterns: [],
  }
  if (ticket.decisions.length === 0) return rows
  const statuses = fileStatuses(ticket.decisions)
  for (const decision of ticket.decisions) {
    const status = statuses.get(decision.id)!
    rows.decisions.push(decisionValues(ticket.id, decision, status))
    if (decision.kind !== 'touches' || status !== 'active') continue
    for (const { pattern, shared } of patternsOf(decision, areas))
      rows.patterns.push([ticket.id, decision.id, pattern, shared ? 1 : 0])
  }
  return rows
}

/** Returns the row of `files`. */
export function fileValues(file: IndexedFile, racy: boolean): RowValues {
  const { sizeBytes, mtimeMs, ctimeMs, inode } = file.stat
  const [path, key, hash, canonical] = contentValues(file) as [string, string, string, number]
  return [path, key, sizeBytes, mtimeMs, ctimeMs, inode, racy ? 1 : 0, hash, canonical]
}

/** Returns what a row of `files` says of the content: path, id key, hash, and 1 where it is canonical. */
export function contentValues(file: IndexedFile): RowValues {
  const { path, hash } = file
  return [path, pathKey(path), hash, file.readable && file.canonical ? 1 : 0]
}

function quarantineValues({ path, code, message, place, mentions }: QuarantinedFile): RowValues {
  return [path, code, message, place?.line ?? null, place?.column ?? null, JSON.stringify(mentions)]
}

function ticketValues(ticket: Ticket, states: States, path: string): RowValues {
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

function decisionValues(ticketId: string, decision: Decision, status: string): RowValues {
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
