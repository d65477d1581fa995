/**
 * Compares the rows of an index with the Ticket files, one file at a time: what a rebuild would write is computed, not written.
 *
 * Each row that a file must have is looked up by its key. Where all of them are there and no table has another, the tables
 * are equal. Stat data are left out. Never changes a row.
 */
import type { Connection } from '../database/open.ts'
import { statementsOf } from '../database/statements.ts'
import { idFromPath } from '../files/ticket-files.ts'
import type { NamedAreas } from '../model/area.ts'
import type { States } from '../model/states.ts'
import type { CheckoutFiles } from './checkout-files.ts'
import { groupByKey, type IndexedFile, pathKey, quarantineDuplicate } from './indexed-file.ts'
import { contentValues, type RowValues, rowsOfFile, TICKET_COLUMNS } from './rows.ts'

/**
 * Returns true where the rows equal those that a rebuild would write.
 * @param onUnreadable called for a file that this process may not read, before its rows are compared.
 * @throws PlanError io.
 */
export function equalsRebuild(
  connection: Connection,
  files: CheckoutFiles,
  states: States,
  areas: NamedAreas,
  onUnreadable: (path: string) => void,
): boolean {
  const hasRows = prepareComparison(connection, states, areas)
  files.refresh()
  const listed = files.listNames().map(name => files.prefix + name)
  const groups = groupByKey(listed)
  files.prefetch(listed)
  for (const path of listed) {
    const reading = files.read(path)
    if (!reading) continue
    if (!reading.file.readable && reading.file.code === 'unreadable') onUnreadable(path)
    if (!hasRows.of(quarantineDuplicate(reading.file, groups.get(pathKey(path))))) return false
  }
  return hasRows.noOthers()
}

/** Prepares the comparison: `of` compares the rows of one file, `noOthers` says after all files that there are no more. */
function prepareComparison(connection: Connection, states: States, areas: NamedAreas) {
  const statement = statementsOf(connection)
  const rowsAt = (sql: string) => {
    const prepared = statement<[string], RowValues>(sql, true)
    return (key: string) => prepared.all(key)
  }
  const tables = {
    files: rowsAt('select path, id_key, hash, canonical from files where path = ?'),
    tickets: rowsAt(`select ${TICKET_COLUMNS} from tickets where id = ?`),
    file_decisions: rowsAt('select * from file_decisions where ticket_id = ?'),
    area_patterns: rowsAt('select * from area_patterns where ticket_id = ?'),
    quarantine: rowsAt('select * from quarantine where path = ?'),
  }
  type Table = keyof typeof tables
  const counts: Record<Table, number> = { files: 0, tickets: 0, file_decisions: 0, area_patterns: 0, quarantine: 0 }
  const has = (table: Table, key: string, expected: readonly RowValues[]) => {
    counts[table] += expected.length
    return areEqual(tables[table](key), expected)
  }
  return {
    of(file: IndexedFile): boolean {
      const { ticket, quarantine, decisions, patterns } = rowsOfFile(file, states, areas)
      if (!has('files', file.path, [contentValues(file)])) return false
      if (!has('quarantine', file.path, quarantine ? [quarantine] : [])) return false
      if (!ticket) return true
      const id = idFromPath(file.path)
      return has('tickets', id, [ticket]) && has('file_decisions', id, decisions) && has('area_patterns', id, patterns)
    },
    noOthers: () =>
      Object.entries(counts).every(([table, count]) => {
        const found = statement<[], { count: number }>(`select count(*) as count from ${table}`).get()!
        return found.count === count
      }),
  }
}

/** True where two lists have the same rows, in any order. */
function areEqual(rows: readonly RowValues[], expected: readonly RowValues[]): boolean {
  if (rows.length !== expected.length) return false
  if (rows.length === 1) return isSameRow(rows[0]!, expected[0]!)
  const texts = (list: readonly RowValues[]) => list.map(row => JSON.stringify(row)).sort()
  const others = texts(expected)
  return texts(rows).every((text, position) => text === others[position])
}

function isSameRow(row: RowValues, other: RowValues): boolean {
  return row.length === other.length && row.every((value, position) => value === other[position])
}
