/** Finds the Tickets that a decision names. */
import { idFromPath, type ReadTicket } from '../files/ticket-files.ts'
import { PlanError } from '../model/errors.ts'
import { idKey, type TicketId } from '../model/names.ts'
import { unknownTicket } from '../store/resolve-name.ts'
import type { Store } from '../store/store.ts'

/**
 * Finds the Ticket of a name. With `future`, a name that could be an id may name a Ticket without a file yet.
 * @throws PlanError unknown_ticket with the nearest names.
 */
export function findTicket(
  store: Store,
  name: string,
  future: boolean,
): { id: TicketId; file: ReadTicket | undefined } {
  const found = store.findFile(name)
  if (found.file) return found
  refuseOtherCase(store, name)
  if (future) return found
  return store.read(({ queries }) => unknownTicket(queries, name, ' (with future (--future), it may have no file yet)'))
}

/** Refuses a name that differs from an id only in case: ids are case-insensitive, so it can never get a file. */
function refuseOtherCase(store: Store, name: string): void {
  const [path] = store.read(({ queries }) => queries.pathsOfKey(idKey(name)))
  if (path === undefined || idFromPath(path) === name) return
  const id = idFromPath(path)
  const message = `no Ticket has the id "${name}"; did you mean ${id}?`
  throw new PlanError('unknown_ticket', message, { ticket: name, similar: [id] })
}
