/**
 * Ticket files that are written together: checked, written beside their targets, made durable, and only then put in place.
 *
 * Invariant: nothing is replaced before the bytes of all files are durable, and no file that another program has changed since
 * it was read. The caller holds the clone's write lock.
 */
import { lstatSync } from 'node:fs'
import { encodeChecked } from '../files/ticket-bytes.ts'
import type { ReadTicket } from '../files/ticket-files.ts'
import { ticketBatch, type WrittenTicket, type WrittenTickets } from '../files/ticket-writing.ts'
import { checkOutCommand } from '../git/left-out-files.ts'
import { PlanError } from '../model/errors.ts'
import type { Ticket } from '../model/ticket.ts'
import { isLeftOutStat } from '../ticket-index/left-out-file.ts'
import type { Checkout } from './checkout.ts'

/** What is about to be done to a file: what was read (null for nothing), and its new bytes. */
export interface PendingWrite {
  path: string
  before: ReadTicket | null
  after: Buffer
}

export interface EditBatch extends Disposable {
  /**
   * Adds a file: the one that was read, or null for a new one, and its new content.
   * @throws PlanError not_checked_out, newer_format, limit, invalid_input, unsafe_path, io: then the file is not in the batch.
   */
  add(file: ReadTicket | null, path: string, ticket: Ticket): void
  /** Writes all files. Called once. Never throws: its answer has the error. */
  write(): WrittenTickets
}

/** Returns an empty batch. `onWrite` is called before files are replaced, `onWritten` for each that was. */
export function editBatch(
  checkout: Checkout,
  onWrite: (changes: readonly PendingWrite[]) => void,
  onWritten: (file: WrittenTicket) => void,
): EditBatch {
  const files = ticketBatch(checkout.repository, checkout.checkLock)
  const changes: PendingWrite[] = []
  return {
    add(file, path, ticket) {
      checkWritable(checkout, path, file)
      const checked = encodeChecked(ticket, path)
      files.add(path, checked, file)
      changes.push({ path, before: file, after: checked.bytes })
    },
    write() {
      try {
        files.sync()
      } catch (error) {
        return { written: [], changed: [], error }
      }
      onWrite(changes)
      const outcome = files.place()
      outcome.written.forEach(onWritten)
      return outcome
    },
    [Symbol.dispose]: () => files[Symbol.dispose](),
  }
}

/** Fails where git's index has the file, or the tickets folder, and the work tree has not. @throws PlanError not_checked_out. */
export function checkWritable({ repository, index }: Checkout, path: string, file: ReadTicket | null): void {
  const { root, ticketsDir, config } = repository
  const isLeftOut = (!file || isLeftOutStat(file.stat)) && index.findLeftOut(path) !== undefined
  if (!isLeftOut && lstatSync(ticketsDir, { throwIfNoEntry: false })) return
  const missing = isLeftOut ? path : config.ticketsDir
  const message = `${missing}: git has it, but the sparse checkout leaves it out; nothing was written; run "${checkOutCommand(root, missing, isLeftOut)}" and then the command again`
  throw new PlanError('not_checked_out', message, { path: missing })
}
