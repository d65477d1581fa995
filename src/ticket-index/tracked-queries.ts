/**
 * Queries that record which Tickets an answer depends on, so that only the files of these Tickets need to be checked.
 *
 * A query that is not listed here depends on everything: then a full scan is needed. Rows stay in a cache until any process
 * changes a row. Limitation: files that are not indexed yet cannot be tracked, such as a new file that names one of the Tickets.
 */
import { idKey, isTicketId } from '../model/names.ts'
import type { FileRow, IndexQueries } from './query.ts'
import { isUnchanged, type StatData } from './stat-data.ts'

/** The tracked form of the queries, for one answer at a time. */
export interface TrackedQueries {
  readonly queries: IndexQueries
  /** Starts an answer over the rows of that version. */
  begin(version: string): void
  /** Returns the paths of files on which the answer depends and that may differ from their rows; null where there are too many. */
  findChanged(): string[] | null
}

/** With more files to check, a full scan is as fast. */
const MAX_FILES = 200
/** The size of each query's cache, in answers. */
const MAX_CACHED = 20_000

/** What an answer depends on. */
interface Dependencies {
  ids: Set<string>
  paths: string[]
  everything: boolean
}

/** Tracks the queries over the files of one checkout. `findStat` returns the stat data at a path. */
export function trackQueries(
  queries: IndexQueries,
  ticketsDir: string,
  findStat: (path: string) => StatData | undefined,
): TrackedQueries {
  const dependencies: Dependencies = { ids: new Set(), paths: [], everything: false }
  const caches: Map<string, unknown>[] = []
  const cached = <T>(query: (name: string) => T): ((name: string) => T) => {
    const cache = new Map<string, T>()
    caches.push(cache)
    return name => {
      let answer = cache.get(name)
      if (answer === undefined) {
        answer = query(name)
        if (cache.size >= MAX_CACHED) cache.clear()
        cache.set(name, answer)
      }
      return answer
    }
  }
  const filesOfKey = cached(queries.filesOfKey)
  let version = ''

  return {
    queries: { ...dependingOnAll(queries, dependencies), ...dependingOnFew(queries, dependencies, cached) },
    begin(current) {
      if (current !== version) for (const cache of caches) cache.clear()
      version = current
      dependencies.ids = new Set()
      dependencies.paths = []
      dependencies.everything = false
    },
    findChanged() {
      const { ids, paths, everything } = dependencies
      if (everything || ids.size + paths.length > MAX_FILES) return null
      const changed = new Set<string>()
      const check = (row: FileRow) => {
        const stat = findStat(row[0])
        if (!stat || !isUnchanged(row, stat)) changed.add(row[0])
      }
      for (const id of ids) {
        const rows = filesOfKey(idKey(id))
        rows.forEach(check)
        const path = `${ticketsDir}/${id}.json` // the path of a new file
        if (rows.length === 0 && isTicketId(id) && findStat(path)) changed.add(path)
      }
      for (const path of paths) {
        const row = queries.fileAt(path)
        if (row) check(row)
      }
      return [...changed]
    },
  }
}

/** Returns the queries in a form that makes the answer depend on everything. */
function dependingOnAll(queries: IndexQueries, dependencies: Dependencies): IndexQueries {
  const entries = Object.entries(queries).map(([name, query]) => [
    name,
    (...parameters: unknown[]) => {
      dependencies.everything = true
      return (query as (...parameters: unknown[]) => unknown)(...parameters)
    },
  ])
  return Object.fromEntries(entries) as IndexQueries
}

/** Returns the queries that depend on few Tickets, in a form that records these. */
function dependingOnFew(
  queries: IndexQueries,
  dependencies: Dependencies,
  cached: <T>(query: (name: string) => T) => (name: string) => T,
): Partial<IndexQueries> {
  const ticket = cached(queries.ticket)
  const activeDecisions = cached(queries.activeDecisions)
  const incomingConflicts = cached(queries.incomingConflicts)
  const quarantined = cached(queries.quarantined)

  return {
    ticket(id) {
      dependencies.ids.add(id)
      return ticket(id)
    },
    activeDecisions(id) {
      dependencies.ids.add(id)
      return activeDecisions(id)
    },
    incomingConflicts(id) {
      const rows = incomingConflicts(id)
      for (const { other } of rows) dependencies.ids.add(other)
      return rows
    },
    openStates: queries.openStates,
    areasOfActive(states) {
      const rows = queries.areasOfActive(states)
      for (const { ticket_id } of rows) dependencies.ids.add(ticket_id)
      return rows
    },
    quarantined() {
      const rows = quarantined('')
      for (const { path } of rows) dependencies.paths.push(path)
      return rows
    },
    ticketsBySlug(slug) {
      const rows = queries.ticketsBySlug(slug)
      for (const { id } of rows) dependencies.ids.add(id)
      return rows
    },
    pathsOfKey(key) {
      dependencies.ids.add(key)
      return queries.pathsOfKey(key)
    },
    decisionsOf(id) {
      dependencies.ids.add(id)
      for (const target of queries.targetsOf(id)) dependencies.ids.add(target) // its phase is part of a decision's status
      return queries.decisionsOf(id)
    },
    relations(filter) {
      const rows = queries.relations(filter)
      if (filter.ticket === undefined) dependencies.everything = true
      else dependencies.ids.add(filter.ticket)
      for (const { ticket_id, other_id } of rows) dependencies.ids.add(ticket_id).add(other_id)
      return rows
    },
  }
}
