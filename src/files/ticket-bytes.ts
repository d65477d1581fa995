/** Encodes a Ticket that is about to be written, and proves that the bytes can be read again. */
import { decodeTicket, encodeTicket } from '../model/canonical-json.ts'
import { PlanError } from '../model/errors.ts'
import { FORMAT } from '../model/format.ts'
import { Refusal } from '../model/strict-json.ts'
import { LIMITS } from '../model/text.ts'
import type { Ticket } from '../model/ticket.ts'

/** The canonical bytes of a Ticket, and the Ticket that a reader of them finds. */
export interface CheckedBytes {
  bytes: Buffer
  ticket: Ticket
}

/** Returns the canonical bytes of a Ticket, after decoding them again. @throws PlanError as `encodeChecked` does. */
export function checkedBytes(ticket: Ticket, path: string): Buffer {
  return encodeChecked(ticket, path).bytes
}

/** Encodes a Ticket, and decodes the bytes again. @throws PlanError newer_format, limit, invalid_input. */
export function encodeChecked(ticket: Ticket, path: string): CheckedBytes {
  if (ticket.format > FORMAT) {
    throw new PlanError(
      'newer_format',
      `${path} has format ${ticket.format}, but this version of ticketplan writes format ${FORMAT}; update ticketplan to change the file`,
      { path, format: ticket.format },
    )
  }
  if (ticket.decisions.length > LIMITS.decisions) {
    throw new PlanError('limit', `${ticket.id} would hold more than ${LIMITS.decisions} decisions`, {
      limit: 'decisions',
    })
  }
  try {
    const bytes = Buffer.from(encodeTicket(ticket))
    return { bytes, ticket: decodeTicket(bytes, ticket.id).ticket }
  } catch (error) {
    if (error instanceof Refusal && error.code === 'too_large') {
      throw new PlanError('limit', `${path} would be ${error.message}`, { limit: 'fileBytes' })
    }
    if (error instanceof Refusal)
      throw new PlanError('invalid_input', `not written: ${error.message}`, { field: error.message })
    throw error
  }
}
