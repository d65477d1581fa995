/** Clones that have joined a fleet on a throw-away server: the machines of a test. */

import { findRepository } from '../files/repository.ts'
import { writeJoined } from '../fleet/joined-fleet.ts'
import { parseServerUrl } from '../fleet/server-url.ts'
import type { Ticket } from '../model/ticket.ts'
import { putTicket, type TemporaryRepository, temporaryRepository } from './temporary-repository.ts'

/** What a clone joins: the id of the fleet, and the URL of the server as clients use it. */
export interface JoinableFleet {
  id: string
  url: string
}

/** Creates a repository that has joined as a machine, with queued Tickets. */
export function fleetClone(
  { id, url }: JoinableFleet,
  machine: string,
  tickets: readonly string[] = [],
  fields: Partial<Ticket> = {},
): TemporaryRepository {
  const repository = temporaryRepository()
  joinFleet(repository.root, { id, url }, machine)
  for (const ticket of tickets) putTicket(repository.root, ticket, { state: 'queued', ...fields })
  return repository
}

/** Makes a clone a machine of the fleet. */
export function joinFleet(root: string, { id, url }: JoinableFleet, machine: string): void {
  const { address, parameters } = parseServerUrl(url, 'test')
  writeJoined(findRepository(root), { fleet: id, machine, server: address, parameters })
}
