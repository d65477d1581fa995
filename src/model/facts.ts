/** What a verdict can depend on, as a snapshot that somebody else has read. */
import type { Phase } from './phase.ts'

/** What is known of a Ticket: read, or there but not readable. */
export type TicketFact =
  | { readable: true; id: string; state: string; phase: Phase }
  | { readable: false; id: string; path: string }

/** A decision that stands in its file and names another Ticket, with the ids of all that say the same. */
export interface RelationFact {
  other: string
  decisions: string[]
}

/** A snapshot of what a verdict can depend on. Only decisions that stand in their file; phases are judged here. */
export interface Facts {
  ticket(id: string): TicketFact | undefined
  /** What the Ticket waits for, by `blocked_by` or `after`, in the order of the other Tickets' ids. */
  waitsFor(id: string, kind: 'blocked_by' | 'after'): RelationFact[]
  /** Conflicts from both sides, in the order of the other Tickets' ids. */
  conflicts(id: string): (RelationFact & { advisory: boolean })[]
  /** The capacity note that stands. */
  waiting(id: string): { decision: string; pool?: string; until?: string[]; reason?: string } | undefined
  contested(id: string): { decision: string; field: string; lost?: unknown }[]
  /** The live claim on a Ticket. */
  claim(id: string): { holder: string; expires_at: string } | undefined
  /** The slots of a pool, not counting one that `exceptTicket` holds; undefined where the pool has no limit. */
  slots(pool: string, exceptTicket: string): { capacity: number; taken: number } | undefined
  /** Files that cannot be read but seem to hold a conflict with the Ticket. */
  suspects(id: string): { ticket: string; path: string }[]
}
