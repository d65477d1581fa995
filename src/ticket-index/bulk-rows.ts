/**
 * Adds the rows of many files to empty tables, several rows a statement: each call into SQLite costs as much as a row.
 *
 * Invariant: after `flush` the tables are as if each file had been inserted alone. No function here opens a transaction.
 */
import type { Connection } from '../database/open.ts'
import type { NamedAreas } from '../model/area.ts'
import type { States } from '../model/states.ts'
import type { IndexedFile } from './indexed-file.ts'
import { fileValues, type RowValues, rowsOfFile, TICKET_COLUMNS } from './rows.ts'

export interface BulkRows {
  /** Adds the rows of a file that has none. They may be written later. */
  insert(file: IndexedFile, racy: boolean): void
  /** Writes what has not been written yet. */
  flush(): void
}

const ROWS_PER_STATEMENT = 8

/** Prepares the statements on a connection. */
export function prepareBulkRows(connection: Connection, states: States, areas: NamedAreas): BulkRows {
  const files = prepareTable(connection, 'files', 9)
  const tickets = prepareTable(connection, `tickets (${TICKET_COLUMNS})`, 13)
  const decisions = prepareTable(connection, 'file_decisions', 12)
  const patterns = prepareTable(connection, 'area_patterns', 4)
  const quarantined = prepareTable(connection, 'quarantine', 6)
  return {
    insert(file, racy) {
      const rows = rowsOfFile(file, states, areas)
      files.add(fileValues(file, racy))
      if (rows.ticket) tickets.add(rows.ticket)
      if (rows.quarantine) quarantined.add(rows.quarantine)
      for (const row of rows.decisions) decisions.add(row)
      for (const row of rows.patterns) patterns.add(row)
    },
    flush() {
      for (const table of [files, tickets, decisions, patterns, quarantined]) table.flush()
    },
  }
}

function prepareTable(connection: Connection, table: string, width: number) {
  const row = `(${Array(width).fill('?').join(', ')})`
  const insertOne = connection.prepare(`insert into ${table} values ${row}`)
  const insertMany = connection.prepare(`insert into ${table} values ${Array(ROWS_PER_STATEMENT).fill(row).join(', ')}`)
  let waiting: RowValues = []
  return {
    add(values: RowValues) {
      for (const value of values) waiting.push(value)
      if (waiting.length < width * ROWS_PER_STATEMENT) return
      insertMany.run(waiting)
      waiting = []
    },
    flush() {
      for (let at = 0; at < waiting.length; at += width) insertOne.run(waiting.slice(at, at + width))
      waiting = []
    },
  }
}
