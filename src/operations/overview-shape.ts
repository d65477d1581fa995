/**
 * Defines the document of `overview`: what the page, `top` and the exports are made from.
 *
 * Every list is bounded, and `left_out` says how many entries each has beyond what is listed. Times are timestamps; a Ticket is
 * its id, and `tickets` has what is to be said of it.
 */
import * as z from 'zod/mini'
import { lazy } from '../model/lazy.ts'
import { PAST_CODES } from '../model/past-queue.ts'
import { CAUSE_KINDS } from '../model/root-causes.ts'
import { claimWithoutTokenShape, phaseShape, reasonShape, statusShape, verdictShape } from './shapes.ts'

const countsShape = lazy(() =>
  z.object({
    tickets: z.int(),
    phases: z.object({ open: z.int(), queued: z.int(), active: z.int(), terminal: z.int() }),
    /** Queued Tickets without a live claim, by their verdicts: one with a live claim counts as running alone. */
    accept: z.int(),
    hold: z.int(),
    /** Tickets that are active or have a live claim, and are not terminal. */
    running: z.int(),
    /** Of these, how many have no live claim; 0 while the claims are unknown. */
    unclaimed: z.int(),
    /** Conflicts that are no mere advice, between two Tickets in play. */
    conflicts: z.int(),
    decisions_last_hour: z.int(),
    decisions_last_day: z.int(),
  }),
)

const queueEntryShape = lazy(() =>
  z.object({
    ticket: z.string(),
    verdict: verdictShape(),
    queued_at: z.nullable(z.string()),
    queued_by: z.nullable(z.string()),
    reasons: z.array(reasonShape()),
    /** Keys of `causes`, largest first. */
    causes: z.array(z.string()),
  }),
)

const causeShape = lazy(() =>
  z.object({
    key: z.string(),
    kind: z.enum(CAUSE_KINDS),
    tickets: z.array(z.string()),
    /** The pool, holder, file, worktree or reason code, or until when a hold is; null where the Tickets say it all. */
    name: z.nullable(z.string()),
    /** How many held Tickets wait for it, near or far. */
    holds: z.int(),
  }),
)

const attentionShape = lazy(() =>
  z.object({
    code: z.enum([
      'problem',
      'claims_unknown',
      'expired_claim',
      'claim_on_terminal',
      'cycle',
      'blocker_abandoned',
      'blocker_missing',
      'unknown_state',
      'elsewhere',
    ]),
    severity: z.enum(['error', 'warning']),
    tickets: z.array(z.string()),
    message: z.string(),
    /** Since when, where that is known. */
    since: z.nullable(z.string()),
    /** A command that shows it or ends it. */
    command: z.nullable(z.string()),
  }),
)
/** Something that a person should look at. */
export type Attention = z.infer<ReturnType<typeof attentionShape>>

const namedTicketShape = lazy(() =>
  z.object({
    /** Null, as all else, where the Ticket has no readable file. */
    title: z.nullable(z.string()),
    state: z.nullable(z.string()),
    phase: z.nullable(phaseShape()),
    state_at: z.nullable(z.string()),
    /** Only of a queued Ticket. */
    verdict: z.optional(verdictShape()),
    /** Only of a terminal Ticket that was abandoned. */
    abandoned: z.optional(z.literal(true)),
    /** Only where the configuration does not know the state. */
    unknown_state: z.optional(z.literal(true)),
    /** Only with a live claim. */
    claimed: z.optional(z.literal(true)),
    /** How many Tickets wait for it, near or far; absent for none. At 1,000 it is not counted further. */
    behind: z.optional(z.int()),
  }),
)

const areaShape = lazy(() =>
  z.object({
    /** A name of the configuration, or a pattern. */
    area: z.string(),
    at_work: z.array(z.object({ ticket: z.string(), holder: z.nullable(z.string()), shared: z.boolean() })),
    /** Held Tickets that wait for one of these areas. */
    waiting: z.array(z.string()),
  }),
)

const relationEntryShape = lazy(() =>
  z.object({
    ticket: z.string(),
    kind: z.enum(['blocked_by', 'after', 'conflicts_with', 'part_of', 'related']),
    other: z.string(),
    reason: z.nullable(z.string()),
    by: z.string(),
    at: z.string(),
    advisory: z.optional(z.literal(true)),
  }),
)

const leaseShape = lazy(() =>
  z.object({
    ticket: z.string(),
    holder: z.string(),
    from: z.nullable(z.string()),
    to: z.nullable(z.string()),
    end: z.nullable(z.enum(['released', 'forced', 'taken_over', 'moved'])),
    reason: z.nullable(z.string()),
  }),
)

const pastShape = lazy(() =>
  z.object({
    /** The last day. Each point but the last is reconstructed; the last has the counts of now. */
    day: z.array(z.object({ at: z.string(), free: z.int(), held: z.int(), running: z.int() })),
    /** Tickets that left the queue at a time that nothing says: they are in no point. */
    unknown: z.int(),
    /** Tickets that were accepted or claimed in the last seven days, longest wait first. */
    waits: z.array(
      z.object({
        ticket: z.string(),
        queued_at: z.string(),
        started_at: z.string(),
        seconds: z.int(),
        /** The relation or hold that held it for the longest time; null where none did. */
        mostly: z.nullable(z.enum(PAST_CODES)),
        held_seconds: z.record(z.string(), z.int()),
        /** For how long nothing that is kept held it. */
        rest_seconds: z.int(),
      }),
    ),
    /** Of all these waits, in seconds; null where there is none. */
    median_wait: z.nullable(z.int()),
    /** Tickets made and settled, over the life of the plan; and the decisions between a point and the one before. */
    history: z.array(
      z.object({
        at: z.string(),
        made: z.int(),
        settled: z.int(),
        relations: z.int(),
        plans: z.int(),
        notes: z.int(),
        retractions: z.int(),
      }),
    ),
  }),
)
export type Past = z.infer<ReturnType<typeof pastShape>>

export const overviewShape = lazy(() =>
  z.object({
    format: z.literal(1),
    at: z.string(),
    /** The name of the checkout's folder. */
    name: z.string(),
    /** The id of the Ticket that the relations are around; absent without a focus. */
    focus: z.optional(z.string()),
    counts: countsShape(),
    /** Without the queued Tickets that have a live claim. */
    queue: z.array(queueEntryShape()),
    causes: z.array(causeShape()),
    /** `claimed` is null while the claims are unknown, as where the server of a fleet cannot be reached. */
    running: z.array(z.object({ ticket: z.string(), since: z.nullable(z.string()), claimed: z.nullable(z.boolean()) })),
    claims: z.array(claimWithoutTokenShape()),
    /** Leases of the last day, by the log of this clone. */
    leases: z.array(leaseShape()),
    /** Empty while the claims are unknown, and so are areas. */
    pools: z.array(z.object({ pool: z.string(), capacity: z.int(), taken: z.array(z.string()) })),
    areas: z.array(areaShape()),
    holds: z.array(
      z.object({
        ticket: z.string(),
        decision: z.string(),
        reason: z.nullable(z.string()),
        not_before: z.nullable(z.string()),
        by: z.string(),
        at: z.string(),
      }),
    ),
    parents: z.array(
      z.object({
        ticket: z.string(),
        parts: z.int(),
        settled: z.int(),
        held: z.int(),
        /** What blocks the parent itself, and so its parts. */
        blockers: z.array(z.string()),
      }),
    ),
    /** Active relations between Tickets that are not settled; with a focus, those around it. */
    relations: z.array(relationEntryShape()),
    /** Newest first. */
    decisions: z.array(
      z.object({
        id: z.string(),
        ticket: z.string(),
        kind: z.string(),
        other: z.nullable(z.string()),
        by: z.string(),
        at: z.string(),
        text: z.nullable(z.string()),
        status: statusShape(),
      }),
    ),
    attention: z.array(attentionShape()),
    /** Every Ticket that the lists name. */
    tickets: z.record(z.string(), namedTicketShape()),
    /** Absent with noPast. */
    past: z.optional(pastShape()),
    /** By the name of the list (`accept` and `hold` for the queue, `waits` for those of the past); absent for a whole list. */
    left_out: z.record(z.string(), z.int()),
  }),
)
/** What is going on in a plan, at one moment. */
export type Overview = z.infer<ReturnType<typeof overviewShape>>
