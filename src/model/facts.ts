/** The facts that a verdict can depend on. */
import type { AreaMap, AreaPattern } from './area.ts'
import type { DatedState, Outcome, Phase } from './states.ts'

/** A Ticket: read, or with a file that cannot be read. */
export type TicketFact =
  | {
      readable: true
      id: string
      state: string
      state_at: string | null
      phase: Phase
      outcome: Outcome | null
      /** Absent for a state that the configuration has; else the known states that are most like it. */
      unknownState?: string[]
      /** Set where the file has a format that this version cannot read in full. */
      newerFormat?: number
    }
  | { readable: false; id: string; path: string }
export type ReadableTicket = TicketFact & { readable: true }

/** An active decision that names another Ticket, with the ids of all that say the same. */
export interface RelationFact {
  other: string
  decisions: string[]
}

/** A live claim. */
export interface ClaimFact {
  holder: string
  session: string | null
  token: number
  pool: string | null
  acquired_at: string
  expires_at: string
  /** The machine of the holder, where several machines share the claims. */
  machine?: string
}

/** The same Ticket in another worktree, given by its root; or the file that may have it there and cannot be read. */
export type InWorktree = { worktree: string } & (DatedState | { path: string; message: string })

/** A snapshot of the facts. It has the decisions that are active within their file; the verdict judges states and times. */
export interface Facts {
  /** The graph that `waitGraph` has made over these facts. A copy of the facts gets another one. */
  graph?: { readonly facts: Facts }
  /** The wall clock, as a timestamp. */
  now(): string
  /** The states that count as queued. */
  readonly queuedStates: readonly string[]
  phaseOf(state: string): Phase
  ticket(id: string): TicketFact | undefined
  /** The Tickets that this one waits for, by `blocked_by` or `after`, in the order of the other Tickets' ids. */
  waitsFor(id: string, kind: 'blocked_by' | 'after'): RelationFact[]
  /** The Tickets that this one is a part of, in the order of their ids. */
  parents(id: string): RelationFact[]
  /**
   * Conflicts from both sides, in the order of the other Tickets' ids. One without decisions is known to the holder of the
   * claim on the other Ticket alone.
   */
  conflicts(id: string): (RelationFact & { advisory: boolean })[]
  /** The area of a Ticket by its file, with names of areas expanded. */
  area(id: string): readonly AreaPattern[]
  /** Words of the area that name neither an area of the configuration nor a file at the root. */
  unknownAreas(id: string): { name: string; nearest: string[]; decision: string }[]
  /** The areas of Tickets that are claimed or active, and of those whose state is unknown. A claim has the area of when it was taken. */
  areas(): AreaMap
  holds(id: string): { decision: string; not_before?: string; reason?: string }[]
  /** The active capacity note. */
  waiting(id: string): { decision: string; pool?: string; until?: string[]; reason?: string } | undefined
  contested(id: string): { decision: string; field: string; lost?: unknown }[]
  /** Active decisions of kinds that this version does not know, but for those that only advise. */
  unknownKinds(id: string): { decision: string; kind: string }[]
  /** When the active plan was accepted. */
  acceptedAt(id: string): string | undefined
  /** Why the claims are unknown; null where they are known. */
  claimsUnknown(): string | null
  /** The live claim on a Ticket. */
  claim(id: string): ClaimFact | undefined
  /** The slots of a pool, not counting one that `exceptTicket` holds; undefined where the pool has no limit. */
  slots(pool: string, exceptTicket: string): { capacity: number; taken: number } | undefined
  /** Files that cannot be read and seem to hold a conflict with the Ticket. */
  suspects(id: string): { ticket: string; path: string }[]
  /** The same Ticket in other worktrees of the clone; the verdict judges whether its state there counts. */
  elsewhere(id: string): InWorktree[]
  /** The state that the last release of the Ticket noted. */
  released(id: string): DatedState | undefined
}
