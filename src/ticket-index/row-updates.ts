/**
 * Updates the rows of one Ticket, and writes those alone that differ: a decision more is then a few pages of the database and
 * not one page for each index.
 *
 * Invariant: afterwards the rows equal those of a removal and an insertion. What differs is decided by the rows that the index
 * has, not by what is thought to have changed. No function here opens a transaction or reads a file.
 */
import type { Connection } from '../database/open.ts'
import { type Prepare, statementsOf } from '../database/statements.ts'
import type { ReadTicket } from '../files/ticket-files.ts'
import type { NamedAreas } from '../model/area.ts'
import type { States } from '../model/states.ts'
import { contentValues, type RowValues, rowsOfFile, TICKET_COLUMNS } from './rows.ts'

/** Returns false, and changes nothing, where the path has no Ticket in the index. */
export type RowUpdate = (file: ReadTicket, racy: boolean) => boolean

/** The columns of `file_decisions` that show whether a row differs: `body` has all of a decision. */
type DecisionKey = [id: string, status: string, body: string]
const [ID, STATUS, BODY] = [1, 4, 11]

/** Prepares the update on a connection. */
export function prepareRowUpdate(connection: Connection, states: States, areas: NamedAreas): RowUpdate {
  const statement = statementsOf(connection)
  const findTicket = () =>
    statement<[string, string], RowValues>(`select ${TICKET_COLUMNS} from tickets where id = ? and path = ?`, true)
  const setFile = () =>
    statement(
      'update files set size_bytes = ?, mtime_ms = ?, ctime_ms = ?, inode = ?, racy = ?, hash = ?, canonical = ? where path = ?',
    )
  return (file, racy) => {
    const { id } = file.ticket
    const before = findTicket().get(id, file.path)
    if (before === undefined) return false
    const { ticket, decisions, patterns } = rowsOfFile(file, states, areas)
    const { sizeBytes, mtimeMs, ctimeMs, inode } = file.stat
    const [path, , hash, canonical] = contentValues(file)
    setFile().run(sizeBytes, mtimeMs, ctimeMs, inode, racy ? 1 : 0, hash, canonical, path)
    updateTicket(statement, id, before, ticket!)
    updateDecisions(statement, id, decisions)
    updatePatterns(statement, id, patterns)
    return true
  }
}

/** Sets only the columns that differ: SQLite writes every index of a column that it is given. */
function updateTicket(statement: Prepare, id: string, before: RowValues, after: RowValues): void {
  const columns = TICKET_COLUMNS.split(', ')
  const differing = columns.flatMap((_, at) => (before[at] === after[at] ? [] : [at]))
  if (differing.length === 0) return
  const assignments = differing.map(at => `${columns[at]} = ?`).join(', ')
  statement(`update tickets set ${assignments} where id = ?`).run(...differing.map(at => after[at]), id)
}

function updateDecisions(statement: Prepare, ticketId: string, decisions: readonly RowValues[]): void {
  const list = statement<[string], DecisionKey>(
    'select id, file_status, body from file_decisions where ticket_id = ?',
    true,
  )
  const differing = new Map(list.all(ticketId).map(row => [row[0], row]))
  const added: RowValues[] = []
  for (const row of decisions) {
    const id = row[ID] as string
    const known = differing.get(id)
    if (!known || known[2] !== row[BODY]) {
      added.push(row)
      continue
    }
    differing.delete(id)
    if (known[1] !== row[STATUS])
      statement('update file_decisions set file_status = ? where ticket_id = ? and id = ?').run(
        row[STATUS],
        ticketId,
        id,
      )
  }
  for (const id of differing.keys())
    statement('delete from file_decisions where ticket_id = ? and id = ?').run(ticketId, id)
  for (const row of added) statement('insert into file_decisions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(row)
}

function updatePatterns(statement: Prepare, ticketId: string, patterns: readonly RowValues[]): void {
  const known = statement<[string], RowValues>(
    'select ticket_id, decision_id, pattern, shared from area_patterns where ticket_id = ?',
    true,
  )
  const textOf = (rows: readonly RowValues[]) => JSON.stringify(rows.map(row => JSON.stringify(row)).sort())
  if (textOf(known.all(ticketId)) === textOf(patterns)) return
  statement('delete from area_patterns where ticket_id = ?').run(ticketId)
  for (const pattern of patterns) statement('insert into area_patterns values (?, ?, ?, ?)').run(pattern)
}
