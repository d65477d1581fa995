/** The facts that a verdict can depend on. */
import type { Phase } from './phase.ts'

/** A Ticket: read, or with a file that cannot be read. */
export type TicketFact =
  | { readable: true; id: string; state: string; phase: Phase }
  | { readable: false; id: string; path: string }

/** An active decision that names another Ticket, with the ids of all that say the same. */
export interface RelationFact {
  other: string
  decisions: string[]
}

/** A snapshot of the facts. It has the decisions that are active within their file; the verdict judges phases. */
export interface Facts {
  ticket(id: string): TicketFact | undefined
  /** The Tickets that this one waits for, by `blocked_by` or `after`, in the order of the other Tickets' ids. */
  waitsFor(id: string, kind: 'blocked_by' | 'after'): RelationFact[]
  /** Conflicts from both sides, in the order of the other Tickets' ids. */
  conflicts(id: string): (RelationFact & { advisory: boolean })[]
  /** The active capacity note. */
  waiting(id: string): { decision: string; pool?: string; until?: string[]; reason?: string } | undefined
  contested(id: string): { decision: string; field: string; lost?: unknown }[]
  /** The live claim on a Ticket. */
  claim(id: string): { holder: string; expires_at: string } | undefined
  /** The slots of a pool, not counting one that `exceptTicket` holds; undefined where the pool has no limit. */
  slots(pool: string, exceptTicket: string): { capacity: number; taken: number } | undefined
  /** Files that cannot be read and seem to hold a conflict with the Ticket. */
  suspects(id: string): { ticket: string; path: string }[]
}
