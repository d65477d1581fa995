/**
 * A file as the index holds it: a Ticket, or a file in quarantine.
 *
 * Of files whose ids are equal, ignoring case, none can be trusted to be the Ticket: all of them go into quarantine. Pure.
 */
import { basename } from 'node:path'
import { idFromPath, type QuarantinedFile, type ReadTicket } from '../files/ticket-files.ts'
import { shellArgument } from '../git/shell-word.ts'
import { idKey, isTicketFileName } from '../model/names.ts'
import { compareText } from '../model/order.ts'

/** A file as the index holds it: read as a Ticket, or quarantined. */
export type IndexedFile = ReadTicket | QuarantinedFile

/** A file that was just read. */
export interface Reading {
  file: IndexedFile
  /** True where the stat data do not show that the reading still holds: the file was too young, or this process may not read it. */
  racy: boolean
}

/** Returns the key that files with the same id share. A link whose name is no Ticket's has a key of its own. */
export function pathKey(path: string): string {
  return isTicketFileName(path) ? idKey(idFromPath(path)) : `/${path}`
}

/** Returns the paths by key, in the order that they came in. */
export function groupByKey(paths: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const path of paths) {
    const key = pathKey(path)
    const group = groups.get(key)
    if (group) group.push(path)
    else groups.set(key, [path])
  }
  return groups
}

/** Says how the files become one, or get two ids; the merge driver keeps all decisions of both. */
function duplicateMessage(path: string, others: readonly string[]): string {
  const used = `the id is used by another file too (ids are case-insensitive): ${others.join(', ')}`
  const [kept, joined] = [path, others[0]!].sort((a, b) => a.length - b.length || compareText(a, b))
  if (basename(kept!) !== basename(joined!)) return `${used}; rename one of the files, and the "id" in it`
  const [first, second] = [shellArgument(kept!), shellArgument(joined!)]
  const command = `ticketplan merge-driver /dev/null ${first} ${second} ${first} && rm ${second}`
  return `${used}; to join them without losing a decision, run at the root: ${command}`
}

/** Returns the file; in quarantine where it is readable and its group has another path too. */
export function quarantineDuplicate(file: IndexedFile, group: readonly string[] = []): IndexedFile {
  const others = group.filter(path => path !== file.path)
  if (!file.readable || others.length === 0) return file
  const conflicts = file.ticket.decisions.filter(decision => decision.kind === 'conflicts_with')
  return {
    readable: false,
    path: file.path,
    code: 'duplicate_id',
    message: duplicateMessage(file.path, others.sort()),
    place: null,
    mentions: conflicts.map(decision => decision.target!).sort(),
    hash: file.hash,
    stat: file.stat,
  } satisfies QuarantinedFile
}
