/**
 * What a watcher has told of the Tickets so far, and how the index differs from it by now.
 *
 * Kept apart from the index, because another process may have brought that up to date before the watcher looked. One short
 * entry a file; bodies of decisions are read when there is something to tell.
 */

import { idFromPath } from '../files/ticket-files.ts'
import type { Decision } from '../model/decision.ts'
import { compareText } from '../model/order.ts'
import type { DecisionRow, IndexQueries } from '../ticket-index/query.ts'

/** How one Ticket's file differs from what was told last. */
export interface TicketDifference {
  /** The id that the file's name stands for; null for a link that is no Ticket's name. */
  ticket: string | null
  path: string
  change: 'added' | 'changed' | 'removed' | 'quarantined'
  /** Decisions that appeared, as stored, oldest first. */
  decisions: Decision[]
  /** The ids of decisions that went. */
  removed: string[]
}

interface Known {
  hash: string
  /** Why the file cannot be read; null where it can. */
  refusal: string | null
  /** The ids of its decisions, joined; of a file that cannot be read, those that it had before. */
  decisions: string
  round: number
}

export interface TicketMemory {
  /** What is new since `remember` was called last, in the order of the paths; `remember` makes it count as told. */
  compare(queries: IndexQueries): { differences: TicketDifference[]; remember(): void }
}

/** A memory that begins with what the index holds now. */
export function ticketMemory(queries: IndexQueries): TicketMemory {
  const known = new Map<string, Known>()
  const idsOf = new Map(queries.decisionIds())
  for (const [path, hash, refusal] of queries.fileStates()) {
    const decisions = refusal === null ? (idsOf.get(idFromPath(path)) ?? '') : ''
    known.set(path, { hash, refusal, decisions, round: 0 })
  }
  let round = 0

  return {
    compare(queries) {
      round++
      const altered: FileState[] = []
      for (const state of queries.fileStates()) {
        const [path, hash, refusal] = state
        const before = known.get(path)
        if (before) before.round = round
        if (!before || before.hash !== hash || before.refusal !== refusal) altered.push(state)
      }
      const gone = new Map<string, string>()
      for (const [path, before] of known) if (before.round !== round) gone.set(ticketAt(path) ?? path, path)
      const forgotten = [...gone.values()]
      const learned: [path: string, now: Known][] = []
      const differences: TicketDifference[] = []
      for (const [path, hash, refusal] of altered) {
        const key = ticketAt(path) ?? path
        const before = known.get(path) ?? known.get(gone.get(key) ?? '') // a file that has moved
        gone.delete(key)
        const stored = refusal === null ? queries.decisionsOf(key) : []
        learned.push([path, { hash, refusal, decisions: idsIn(stored, before, refusal), round }])
        differences.push({ ticket: ticketAt(path), path, ...difference(stored, before, refusal) })
      }
      for (const path of gone.values()) {
        const removed = split(known.get(path)!.decisions)
        differences.push({ ticket: ticketAt(path), path, change: 'removed', decisions: [], removed })
      }
      return {
        differences: differences.sort((a, b) => compareText(a.path, b.path)),
        remember() {
          for (const path of forgotten) known.delete(path)
          for (const [path, now] of learned) known.set(path, now)
        },
      }
    },
  }
}

type FileState = ReturnType<IndexQueries['fileStates']>[number]

/** What is new about a file: its decisions now, and what was known of the Ticket, under whatever path. */
function difference(
  stored: DecisionRow[],
  before: Known | undefined,
  refusal: string | null,
): Omit<TicketDifference, 'ticket' | 'path'> {
  if (refusal !== null) return { change: 'quarantined', decisions: [], removed: [] }
  const told = new Set(split(before?.decisions ?? ''))
  const now = new Set(stored.map(({ id }) => id))
  return {
    change: before ? 'changed' : 'added',
    decisions: stored.filter(({ id }) => !told.has(id)).map(({ body }) => JSON.parse(body) as Decision),
    removed: [...told].filter(id => !now.has(id)),
  }
}

function idsIn(stored: DecisionRow[], before: Known | undefined, refusal: string | null): string {
  return refusal === null ? stored.map(({ id }) => id).join(' ') : (before?.decisions ?? '')
}

function ticketAt(path: string): string | null {
  return path.endsWith('.json') ? idFromPath(path) : null
}

function split(ids: string): string[] {
  return ids === '' ? [] : ids.split(' ')
}
