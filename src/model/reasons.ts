/**
 * The reasons of a verdict: which codes there are, in the order in which they are listed, and which fields each has.
 *
 * A new reason is a line in `REASON_HELP`, its fields in `ReasonFields`, and what the compiler then asks for.
 */
import type { Phase } from './states.ts'

/** When each code is given; docs/sdk.md has the same table. */
export const REASON_HELP = {
  quarantined: "the Ticket's file, or one that a reason depends on, cannot be read",
  newer_format: "the Ticket's file has a later format than this version can read in full",
  unknown_kind: 'it has an active decision of a kind that this version does not know',
  not_queued: 'the Ticket is not in a queued state',
  claims_unknown: 'the claims cannot be read, as where the server of the fleet cannot be reached',
  claimed: 'another holder has a live claim on it',
  stale_token: 'the token given is not that of a live claim on it',
  elsewhere: 'another worktree of this clone has it with a later state',
  elsewhere_unread: '(warns) another worktree of this clone may have it, and the file there cannot be read',
  behind: 'its last release noted a later state than this checkout has',
  cycle: 'it waits for itself through `blocked_by`, `after` and what it inherits from parents',
  blocked_by: 'a Ticket that is not terminal blocks it',
  blocker_abandoned: 'a Ticket that was abandoned blocks it: what it would have delivered will not come',
  blocker_missing: 'a Ticket without a file blocks it',
  parent_blocked: 'a Ticket that it is part of is on hold, or blocked by something outside of itself',
  on_hold: 'it is on hold, until somebody retracts that or until a time',
  after: 'it comes after a Ticket that is queued, active or claimed',
  order_not_in_play: '(warns) it comes after a Ticket that is open or missing',
  conflicts_with: 'the other Ticket is active or claimed; an advisory conflict warns',
  area: 'a Ticket that is active or claimed touches an overlapping area',
  waiting_for_capacity: 'its note names a full pool, or Tickets that are all still in play; otherwise it warns',
  pool_full: 'every slot of the pool that it would use is taken',
  contested: 'a merge kept a losing value; holds where title and creation time both have one, else warns',
  unknown_area: '(warns) a word of its area is neither an area of the configuration nor a file at the root',
  unknown_state:
    '(warns) its state, or that of a Ticket that a relation or an overlapping area names, is in no list of the configuration',
} as const

export type ReasonCode = keyof typeof REASON_HELP
/** The codes in the order in which reasons are listed. */
export const REASON_CODES = Object.keys(REASON_HELP) as ReasonCode[]

/** One Ticket of the chain that holds another back; `depth` counts from 1, the direct blocker. */
export interface ChainLink {
  ticket: string
  /** The Ticket that this one blocks. */
  blocks: string
  depth: number
  /** Null where the Ticket has no readable file. */
  state: string | null
  phase: Phase | null
  /** Set where the chain has the Ticket before, with all that blocks it. */
  repeated?: true
}

/** A relation to another Ticket, with the decisions that say it. */
interface OtherTicket {
  ticket: string
  decisions: string[]
}

/** The fields that each code has beside code, severity and message. `ticket` is the other Ticket. */
interface ReasonFields {
  /** `path` is the file that cannot be read. */
  quarantined: { path: string; ticket?: string; decisions?: string[] }
  newer_format: { format: number }
  unknown_kind: { kind: string; decisions: string[] }
  not_queued: object
  claims_unknown: object
  /** `machine` is that of the holder, where several machines share the claims. */
  claimed: { holder: string; session: string | null; expires_at: string; machine?: string }
  stale_token: object
  /** `worktree` is the root of the other one; `state` and `state_at` are what the Ticket has there. */
  elsewhere: { worktree: string; state: string; state_at: string | null }
  /** `path` is the file that cannot be read, from the root of the worktree or absolute. */
  elsewhere_unread: { worktree: string; path: string }
  behind: { state: string; state_at: string | null }
  /** The Tickets in order; the last waits for the first. `total` says how many there are, `at_least` that there may be more. */
  cycle: { cycle: string[]; total: number; at_least?: true }
  /** `chain` has all that holds the Ticket through this blocker, each Ticket followed by its blockers. */
  blocked_by: OtherTicket & { chain: ChainLink[]; total: number; at_least?: true }
  blocker_abandoned: OtherTicket
  blocker_missing: OtherTicket
  /**
   * `ticket` is the parent, `blockers` the first of what blocks it and `total` how many that are; `decisions` are its
   * blocking relations and holds. `more` is set where the answer leaves out other parents that hold the Ticket.
   */
  parent_blocked: OtherTicket & { blockers: string[]; total: number; more?: true }
  on_hold: { decisions: string[]; not_before?: string }
  after: OtherTicket
  order_not_in_play: OtherTicket
  conflicts_with: OtherTicket
  /**
   * `pattern` is of the Ticket's own area, as the decision says it, and `other_pattern` of that of the other Ticket. `more` is
   * set where the answer leaves out other Tickets that hold it in this way.
   */
  area: OtherTicket & { pattern: string; other_pattern: string; more?: true }
  /** `capacity` and `taken` are slots of the pool; of the Tickets in `until` the first to leave play frees the capacity. */
  waiting_for_capacity: { decisions: string[]; pool?: string; capacity?: number; taken?: number; until?: string[] }
  pool_full: { pool: string; capacity: number; taken: number }
  /** `field` has a losing value. */
  contested: { field: string; decisions: string[] }
  /** `nearest` are the names of areas that are most like it. */
  unknown_area: { area: string; nearest: string[]; decisions: string[] }
  /** `nearest` are the known states that are most like it. */
  unknown_state: { ticket: string; state: string; nearest: string[] }
}

type Severity = 'hold' | 'warn'

/** A reason with one code; `decisions` are those that it rests on, in the order of their ids. */
export type ReasonOf<C extends ReasonCode> = { code: C; severity: Severity; message: string } & ReasonFields[C]
/** Why a Ticket is held, or what to know before it is accepted; `code` says which fields there are. */
export type Reason = { [C in ReasonCode]: ReasonOf<C> }[ReasonCode]

/** The Tickets that a reason names, in no order and perhaps more than once. */
export function ticketsIn(reason: Reason): string[] {
  return [
    ...('ticket' in reason && reason.ticket !== undefined ? [reason.ticket] : []),
    ...('chain' in reason ? reason.chain.map(link => link.ticket) : []),
    ...('cycle' in reason ? reason.cycle : []),
    ...('blockers' in reason ? reason.blockers : []),
    ...('until' in reason ? (reason.until ?? []) : []),
  ]
}
