/**
 * What is known about a file that cannot be read as a Ticket: the Tickets that it may be in conflict with, and the error of a
 * command that needs it.
 *
 * Invariant: the file is never changed. Its conflicts are over-estimated, never missed.
 */
import { type Place, PlanError, type RefusalCode } from '../model/errors.ts'

/** Means "any Ticket" among the mentions of a file whose text could not be read at all. */
export const ANY_TICKET = '*'

/** Lists the Tickets that an unreadable file may be in conflict with: every target in a text that has a `conflicts_with`. */
export function conflictMentions(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/\\u00([0-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  if (!text.includes('conflicts_with')) return []
  const targets = [...text.matchAll(/"target"\s*:\s*"([A-Za-z0-9._-]{1,64})"/g)].map(match => match[1]!)
  return [...new Set(targets)].sort()
}

/** Throws the error of a command that needs a quarantined file. @throws PlanError invalid_file. */
export function refuseFile(file: { path: string; code: RefusalCode; message: string; place: Place | null }): never {
  const place = file.place ? `:${file.place.line}:${file.place.column}` : ''
  const advice =
    file.code === 'conflict_markers' || file.code === 'not_fetched' ? '' : '; fix it by hand or restore it with git'
  throw new PlanError('invalid_file', `${file.path}${place}: ${file.message}; the file is unchanged${advice}`, {
    path: file.path,
    refusal: file.code,
    place: file.place,
  })
}
