/** Clones that have joined a fleet on a throw-away server: the machines of a test. */

import { findRepository } from '../files/repository.ts'
import { writeJoined } from '../fleet/joined-fleet.ts'
import { parseServerUrl } from '../fleet/server-url.ts'
import type { Ticket } from '../model/ticket.ts'
import type { TestPostgres } from './postgres.ts'
import { putTicket, type TemporaryRepository, temporaryRepository } from './temporary-repository.ts'
import { CLIENT, createTestFleet, type TestFleet } from './test-fleet.ts'

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

/** Runs an action over two machines of a new fleet, whose clones have the queued Tickets A and B, or others. */
export async function withClones(
  postgres: TestPostgres,
  use: (one: string, two: string, fleet: TestFleet) => Promise<void>,
  { tickets = ['A', 'B'], ...fields }: Partial<Ticket> & { tickets?: readonly string[] } = {},
): Promise<void> {
  await using fleet = await createTestFleet(postgres)
  const joinable = { id: fleet.id, url: postgres.url(fleet.database, CLIENT) }
  using one = fleetClone(joinable, 'm-1', tickets, fields)
  using two = fleetClone(joinable, 'm-2', tickets, fields)
  await use(one.root, two.root, fleet)
}

/** Runs an action while the server is stopped. */
export async function whileStopped<T>(postgres: TestPostgres, action: () => Promise<T>): Promise<T> {
  postgres.stop()
  try {
    return await action()
  } finally {
    await postgres.start()
  }
}
