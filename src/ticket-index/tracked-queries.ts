/**
 * Queries for answers that rest on few Tickets: they take note of these, so that only their files need to be looked at.
 *
 * A query that is not known here to rest on few Tickets rests on everything: then all files are due. What was read stays in
 * memory until a row changes, whoever changes it. What cannot be noted is what is not there: a file that nobody has read yet
 * and that would add something about one of these Tickets.
 */
import { idKey, isTicketId } from '../model/names.ts'
import type { FileRow, IndexQueries } from './query.ts'
import { findStat, isSame } from './reconcile.ts'

/** One answer's queries. */
export interface NotingQueries {
  readonly queries: IndexQueries
  /** Begins an answer over the rows of that version. */
  begin(version: string): void
  /**
   * Looks at the files that the answer rests on: those that may differ from their rows. Null where the answer rests on too many.
   */
  findChanged(): string[] | null
}

/** With more files to look at, looking at all is as good. */
const FEW = 200
/** So many Tickets' rows are kept in memory, of each kind. */
const KEPT = 20_000

/** The noting form of the queries over the files of one checkout. */
export function notingQueries(queries: IndexQueries, root: string, ticketsDir: string): NotingQueries {
  let version = ''
  let ids = new Set<string>()
  let paths: string[] = []
  let everything = false
  const kept: Map<string, unknown>[] = []
  /** The same query, whose answers stay in memory. */
  const keeping = <T>(query: (name: string) => T): ((name: string) => T) => {
    const known = new Map<string, T>()
    kept.push(known)
    return name => {
      let answer = known.get(name)
      if (answer === undefined) {
        answer = query(name)
        if (known.size >= KEPT) known.clear()
        known.set(name, answer)
      }
      return answer
    }
  }
  const restingOnAll = Object.entries(queries).map(([name, query]) => [
    name,
    (...parameters: unknown[]) => {
      everything = true
      return (query as (...parameters: unknown[]) => unknown)(...parameters)
    },
  ])
  const ticket = keeping(queries.ticket)
  const activeDecisions = keeping(queries.activeDecisions)
  const incomingConflicts = keeping(queries.incomingConflicts)
  const quarantined = keeping(queries.quarantined)
  const filesOfKey = keeping(queries.filesOfKey)

  const restingOnFew: Partial<IndexQueries> = {
    ticket(id) {
      ids.add(id)
      return ticket(id)
    },
    activeDecisions(id) {
      ids.add(id)
      return activeDecisions(id)
    },
    incomingConflicts(id) {
      const rows = incomingConflicts(id)
      for (const { other } of rows) ids.add(other)
      return rows
    },
    quarantined() {
      const rows = quarantined('')
      for (const { path } of rows) paths.push(path)
      return rows
    },
    ticketsBySlug(slug) {
      const rows = queries.ticketsBySlug(slug)
      for (const { id } of rows) ids.add(id)
      return rows
    },
    pathsOfKey(key) {
      ids.add(key)
      return queries.pathsOfKey(key)
    },
    decisionsOf(id) {
      ids.add(id)
      for (const target of queries.targetsOf(id)) ids.add(target) // its phase is part of a decision's status
      return queries.decisionsOf(id)
    },
    relations(filter) {
      const rows = queries.relations(filter)
      if (filter.ticket === undefined) everything = true
      else ids.add(filter.ticket)
      for (const { ticket_id, other_id } of rows) ids.add(ticket_id).add(other_id)
      return rows
    },
  }
  return {
    queries: { ...(Object.fromEntries(restingOnAll) as IndexQueries), ...restingOnFew },
    begin(now) {
      if (now !== version) for (const known of kept) known.clear()
      version = now
      ids = new Set()
      paths = []
      everything = false
    },
    findChanged() {
      if (everything || ids.size + paths.length > FEW) return null
      const changed = new Set<string>()
      const compare = (row: FileRow) => {
        const stat = findStat(`${root}/${row[0]}`)
        if (!stat || !isSame(row, stat)) changed.add(row[0])
      }
      for (const id of ids) {
        const rows = filesOfKey(idKey(id))
        rows.forEach(compare)
        const path = `${ticketsDir}/${id}.json` // where a new one would be
        if (rows.length === 0 && isTicketId(id) && findStat(`${root}/${path}`)) changed.add(path)
      }
      for (const path of paths) {
        const row = queries.fileAt(path)
        if (row) compare(row)
      }
      return [...changed]
    },
  }
}
