/** Serves the resources: one document for each Ticket, the queue, and the brief. Each read computes the document again. */
import { type ReadResourceResult, type Resource, ResourceNotFoundError } from '@modelcontextprotocol/server'
import { isPlanError } from '../model/errors.ts'
import { brief } from '../operations/brief.ts'
import { parseInput } from '../operations/operation.ts'
import { queue } from '../operations/queue.ts'
import { show } from '../operations/show.ts'
import type { Store } from '../store/store.ts'
import { resourceText } from './answer.ts'
import { DEFAULT_BOUNDS, type Remedies, TOOL_REMEDIES } from './bounded.ts'

const SCHEME = 'ticketplan://'
export const QUEUE_URI = `${SCHEME}queue`
export const BRIEF_URI = `${SCHEME}brief`
export const TICKET_TEMPLATE = `${SCHEME}ticket/{id}`
const TICKET = /^ticketplan:\/\/ticket\/([^/?#]+)$/

/** Tickets on a page of the list, and entries of the queue. */
const PAGE = 50

function ticketUri(id: string): string {
  return `${SCHEME}ticket/${encodeURIComponent(id)}`
}

/**
 * Lists the queue, the brief, and the Tickets in play in the order of their ids, page by page. It has no titles of Tickets: a
 * list of resources has no place for the label.
 */
export function listResources(
  store: Store,
  cursor: string | undefined,
): { resources: Resource[]; nextCursor?: string } {
  const inPlay = inPlayIds(store).filter(id => cursor === undefined || id > cursor)
  const page = inPlay.slice(0, PAGE)
  const fixed: Resource[] = [
    { uri: QUEUE_URI, name: 'queue', description: 'Queued Tickets with verdicts', mimeType: 'application/json' },
    { uri: BRIEF_URI, name: 'brief', description: 'What matters now, in 1,000 tokens', mimeType: 'text/plain' },
  ]
  return {
    resources: [
      ...(cursor === undefined ? fixed : []),
      ...page.map(id => ({ uri: ticketUri(id), name: id, mimeType: 'application/json' })),
    ],
    ...(inPlay.length > PAGE && { nextCursor: page.at(-1)! }),
  }
}

/** Returns the ids of the Tickets in play (queued, active or claimed), sorted. */
export function inPlayIds(store: Store): string[] {
  return store.read(({ queries, claims }) => {
    const live = claims.all(false).filter(({ live }) => live)
    const ids = [...queries.queued(), ...queries.active()].map(({ id }) => id)
    return [...new Set([...ids, ...live.map(({ ticket }) => ticket)])].sort()
  })
}

/** The most Tickets that one change can affect. */
const MAX_AFFECTED = 1000

/**
 * Returns the URIs of Tickets that changed and of those that relations lead to, over any number of steps: the verdict on one
 * depends on the others. A Ticket with a slug has two URIs.
 */
export function affectedUris(store: Store, changed: readonly string[]): string[] {
  return store.read(({ queries }) => {
    const ids = new Set(changed)
    for (const id of ids) {
      if (ids.size >= MAX_AFFECTED) break
      for (const { other_id } of queries.relations({ ticket: id })) ids.add(other_id)
    }
    return [...ids].flatMap(id => [id, queries.ticket(id)?.slug ?? []].flat().map(ticketUri))
  })
}

/** Returns the document of a URI. @throws ResourceNotFoundError if the URI names nothing here. */
export function readResource(store: Store, uri: string): ReadResourceResult {
  if (uri.length > 500) throw new ResourceNotFoundError(`${uri.slice(0, 500)}…`)
  if (uri === QUEUE_URI) return json(uri, queueText(store))
  if (uri === BRIEF_URI)
    return { contents: [{ uri, mimeType: 'text/plain', text: brief.run(store, parseInput(brief, {})).text }] }
  const name = TICKET.exec(uri)?.[1]
  if (name === undefined) throw new ResourceNotFoundError(uri)
  try {
    const document = show.run(store, parseInput(show, { ticket: decoded(name) }))
    return json(uri, resourceText(document, TICKET_BOUNDS, TICKET_REMEDIES))
  } catch (error) {
    if (isPlanError(error, 'unknown_ticket') || isPlanError(error, 'invalid_input'))
      throw new ResourceNotFoundError(uri, error.message)
    throw error
  }
}

/** A resource of a Ticket has all of an ordinary one. */
const TICKET_BOUNDS = { entries: 500, problems: 50, nested: 100, characters: 16 * 1024, keys: 500, cells: 0 }
const TICKET_REMEDIES: Remedies = {
  entries: 'query and sql return the others',
  nested: 'sql returns it, in parts with substr(): see the column body of decisions',
}

/** Returns the start of the queue as JSON, with what was left out. */
export function queueText(store: Store): string {
  const remedies = { entries: 'the tool queue returns more', nested: TOOL_REMEDIES.nested }
  return resourceText(queue.run(store, {}), { ...DEFAULT_BOUNDS, entries: PAGE }, remedies)
}

function json(uri: string, text: string): ReadResourceResult {
  return { contents: [{ uri, mimeType: 'application/json', text }] }
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
