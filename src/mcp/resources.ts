/** The resources: one document a Ticket, the queue, and the digest. They are read anew each time. */
import { type ReadResourceResult, type Resource, ResourceNotFoundError } from '@modelcontextprotocol/server'
import { isPlanError } from '../model/errors.ts'
import { brief } from '../operations/brief.ts'
import { parseInput } from '../operations/operation.ts'
import { queue } from '../operations/queue.ts'
import { show } from '../operations/show.ts'
import type { Store } from '../store/store.ts'
import { bounded, labelled } from './answer.ts'

const SCHEME = 'ticketplan://'
export const QUEUE_URI = `${SCHEME}queue`
export const BRIEF_URI = `${SCHEME}brief`
export const TICKET_TEMPLATE = `${SCHEME}ticket/{id}`
const TICKET = /^ticketplan:\/\/ticket\/([^/?#]+)$/

/** So many Tickets a page of the list, so many entries of the queue. */
const PAGE = 50

function ticketUri(id: string): string {
  return `${SCHEME}ticket/${encodeURIComponent(id)}`
}

/**
 * The queue, the digest, and the Tickets that are queued, active or claimed, in the order of their ids, page by page. Ticket
 * titles stay out: a list of resources has no place for a label.
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

/** The ids of the Tickets that are queued, active or claimed, in their order. */
export function inPlayIds(store: Store): string[] {
  return store.read(({ queries, claims }) => {
    const live = claims.all(false).filter(({ live }) => live)
    const ids = [...queries.queued(), ...queries.active()].map(({ id }) => id)
    return [...new Set([...ids, ...live.map(({ ticket }) => ticket)])].sort()
  })
}

/** So many Tickets are named after one change. */
const MAX_AFFECTED = 1000

/**
 * The resources of Tickets that changed and of those that a relation leads to, near or far: what one waits for shows in the
 * verdict on the other. Under both names where a Ticket has two.
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

/** @throws ResourceNotFoundError where the URI names nothing here. */
export function readResource(store: Store, uri: string): ReadResourceResult {
  if (uri.length > 500) throw new ResourceNotFoundError(`${uri.slice(0, 500)}…`)
  if (uri === QUEUE_URI) return json(uri, queueDocument(store))
  if (uri === BRIEF_URI)
    return { contents: [{ uri, mimeType: 'text/plain', text: brief.run(store, parseInput(brief, {})).text }] }
  const name = TICKET.exec(uri)?.[1]
  if (name === undefined) throw new ResourceNotFoundError(uri)
  try {
    return json(uri, show.run(store, parseInput(show, { ticket: decoded(name) })))
  } catch (error) {
    if (isPlanError(error, 'unknown_ticket') || isPlanError(error, 'invalid_input'))
      throw new ResourceNotFoundError(uri, error.message)
    throw error
  }
}

/** The start of the queue, with what is left out of it. */
export function queueDocument(store: Store): object {
  return bounded(queue.run(store, {}), PAGE)
}

function json(uri: string, document: object): ReadResourceResult {
  return { contents: [{ uri, mimeType: 'application/json', text: labelled(document) }] }
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
