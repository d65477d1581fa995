/**
 * Compares the Ticket files with what a listener knows of them.
 *
 * The comparison does not use the index's own changes, because another process may have reconciled the index first. What is
 * known is one short entry for each file; bodies of decisions are read for changed files only. Changes no state: the caller
 * keeps the returned entries once their changes count as emitted.
 */
import { idFromPath } from '../files/ticket-files.ts'
import type { Decision } from '../model/decision.ts'
import { isTicketFileName } from '../model/names.ts'
import { compareText } from '../model/order.ts'
import type { DecisionRow, IndexQueries } from '../ticket-index/query.ts'

/** How one Ticket's file differs from what is known. */
export interface TicketChange {
  /** The id in the file's name; null for a link whose name is no Ticket's. */
  ticket: string | null
  path: string
  change: 'added' | 'changed' | 'removed' | 'quarantined'
  /** Added decisions, as stored, oldest first. */
  decisions: Decision[]
  /** The ids of removed decisions. */
  removed: string[]
}

/** What is known of a file. */
interface KnownFile {
  hash: string
  /** The code of its refusal; null where it is readable. */
  refusal: string | null
  /** The ids of its decisions, separated by spaces; of an unreadable file, those that it had before. */
  decisions: string
}

/** What is known of all files, by path. */
export type KnownFiles = ReadonlyMap<string, KnownFile>

/** Returns the files as the index has them now. */
export function readFiles(queries: IndexQueries): KnownFiles {
  const idsOf = new Map(queries.decisionIds())
  return new Map(
    queries.fileStates().map(([path, hash, refusal]) => {
      const decisions = refusal === null ? (idsOf.get(idFromPath(path)) ?? '') : ''
      return [path, { hash, refusal, decisions }]
    }),
  )
}

/** Returns the changes since `before`, sorted by path, and the files as they are now. */
export function compareFiles(before: KnownFiles, queries: IndexQueries): { changes: TicketChange[]; now: KnownFiles } {
  const states = queries.fileStates()
  const now = new Map<string, KnownFile>()
  const altered: typeof states = []
  for (const state of states) {
    const [path, hash, refusal] = state
    const known = before.get(path)
    if (known && known.hash === hash && known.refusal === refusal) now.set(path, known)
    else altered.push(state)
  }
  const alteredPaths = new Set(altered.map(([path]) => path))
  const gone = [...before.keys()].filter(path => !now.has(path) && !alteredPaths.has(path))
  const goneByName = new Map(gone.map(path => [nameOf(path), path]))

  const changes: TicketChange[] = []
  for (const [path, hash, refusal] of altered) {
    const movedFrom = goneByName.get(nameOf(path))
    const known = before.get(path) ?? (movedFrom === undefined ? undefined : before.get(movedFrom))
    const stored = refusal === null ? queries.decisionsOf(nameOf(path)) : []
    const decisions = refusal === null ? stored.map(({ id }) => id).join(' ') : (known?.decisions ?? '')
    now.set(path, { hash, refusal, decisions })
    changes.push({ ticket: ticketAt(path), path, ...changeOf(stored, known, refusal) })
  }
  const alteredNames = new Set(altered.map(([path]) => nameOf(path)))
  for (const path of gone) {
    if (alteredNames.has(nameOf(path))) continue // moved
    const removed = splitIds(before.get(path)!.decisions)
    changes.push({ ticket: ticketAt(path), path, change: 'removed', decisions: [], removed })
  }
  return { changes: changes.sort((a, b) => compareText(a.path, b.path)), now }
}

/** Returns how a file differs from what was known of its Ticket, at this path or another one. */
function changeOf(
  stored: DecisionRow[],
  known: KnownFile | undefined,
  refusal: string | null,
): Pick<TicketChange, 'change' | 'decisions' | 'removed'> {
  if (refusal !== null) return { change: 'quarantined', decisions: [], removed: [] }
  const before = new Set(splitIds(known?.decisions ?? ''))
  const now = new Set(stored.map(({ id }) => id))
  return {
    change: known ? 'changed' : 'added',
    decisions: stored.filter(({ id }) => !before.has(id)).map(({ body }) => JSON.parse(body) as Decision),
    removed: [...before].filter(id => !now.has(id)),
  }
}

function ticketAt(path: string): string | null {
  return isTicketFileName(path) ? idFromPath(path) : null
}

/** Returns what stays the same when a file moves: the Ticket's id, or the path of a link whose name is no Ticket's. */
function nameOf(path: string): string {
  return ticketAt(path) ?? path
}

function splitIds(ids: string): string[] {
  return ids === '' ? [] : ids.split(' ')
}
