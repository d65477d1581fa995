/**
 * Reads pages of GraphQL: the nodes of a connection, and what says that some are missing. Pure.
 *
 * Invariant: a page with errors, or one after which another page should follow, makes the import partial.
 */
import { isObject } from '../model/objects.ts'
import { type Collector, quoted } from './import-collector.ts'

type Json = Record<string, unknown>

/** The entries of a connection or of a plain list. */
export interface Nodes {
  nodes: unknown[]
  /** True where the list says that it has more entries. */
  isCut: boolean
}

/** Returns the entries; undefined where there is no list, which differs from an empty one. */
export function nodesOf(value: unknown): Nodes | undefined {
  const nodes = isObject(value)
    ? (value.nodes ??
      (Array.isArray(value.edges) ? value.edges.map(edge => (isObject(edge) ? edge.node : edge)) : null))
    : value
  if (!Array.isArray(nodes)) return undefined
  const { totalCount, pageInfo } = isObject(value) ? value : ({} as Json)
  const hasMore = isObject(pageInfo) && pageInfo.hasNextPage === true
  return { nodes, isCut: hasMore || Number(totalCount ?? 0) > nodes.length }
}

/**
 * Returns the entries of a list that a record has, which is cut where the value is no list: a count alone, or a text. Undefined
 * where the record does not have it.
 */
export function entriesOf(value: unknown): Nodes | undefined {
  if (value == null) return undefined
  return nodesOf(value) ?? { nodes: [], isCut: !(isObject(value) && value.totalCount === 0) }
}

/** Reports the errors of a page: the records that they cost are not known. */
export function reportErrors({ dropUnread }: Collector, page: Json, source: string, vendor: string): void {
  if (!Array.isArray(page.errors) || page.errors.length === 0) return
  const [error] = page.errors as unknown[]
  const message = isObject(error) && typeof error.message === 'string' ? quoted(error.message) : quoted(error)
  dropUnread(source, `${vendor} answered with an error: ${message}; records may be missing`)
}

/** Returns the cursor that a page ends with, where it says that another page follows. */
function nextCursor(connection: unknown): unknown {
  if (!isObject(connection) || !isObject(connection.pageInfo)) return undefined
  const { hasNextPage, endCursor } = connection.pageInfo
  return hasNextPage === true ? (endCursor ?? true) : undefined
}

/** Reports that a last page is missing: as many pages say that another one follows as there are pages. */
export function reportMissingPage({ dropUnread }: Collector, connections: readonly unknown[]): void {
  if (connections.length === 0 || connections.some(connection => nextCursor(connection) === undefined)) return
  dropUnread(
    `page ${connections.length}`,
    'another page follows that is not in the export; export all pages, for example with --paginate',
  )
}

/** Returns the names of labels, given as texts, as objects with a name, or as a connection of these. */
export function labelNames(value: unknown): string[] {
  const entries = nodesOf(value)?.nodes ?? []
  const names = entries.map(entry => (isObject(entry) ? entry.name : entry))
  return names.filter(name => typeof name === 'string')
}
