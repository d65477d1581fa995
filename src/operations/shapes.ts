/**
 * Defines the output shapes that operations share.
 *
 * docs/sdk.md and docs/cli.md promise them: fields may be added, never renamed.
 */
import * as z from 'zod/mini'
import type { Decision, DecisionOf } from '../model/decision.ts'
import { RELATION_KINDS } from '../model/decision-kinds.ts'
import { lazy } from '../model/lazy.ts'
import { REASON_CODES, type Reason, type ReasonCode, type ReasonOf } from '../model/reasons.ts'

export const phaseShape = lazy(() => z.enum(['open', 'queued', 'active', 'terminal']))
export const statusShape = lazy(() => z.enum(['active', 'satisfied', 'superseded', 'retracted']))
export const relationKindShape = lazy(() => z.enum(RELATION_KINDS))

export const ticketShape = lazy(() =>
  z.object({
    id: z.string(),
    slug: z.nullable(z.string()),
    title: z.nullable(z.string()),
    state: z.nullable(z.string()),
    phase: z.nullable(phaseShape()),
  }),
)
/** A Ticket in an output. If its file cannot be read, everything but the id is null. */
export type TicketSummary = z.infer<ReturnType<typeof ticketShape>>

export const ticketDetailsShape = lazy(() =>
  z.extend(ticketShape(), {
    state_at: z.nullable(z.string()),
    created_at: z.nullable(z.string()),
    queued_at: z.nullable(z.string()),
    queued_by: z.nullable(z.string()),
    changed_at: z.nullable(z.string()),
    path: z.string(),
    /** What the file keeps of the source that it was imported from: system, id, state in its word, priority, labels and so on. */
    source: z.nullable(z.record(z.string(), z.unknown())),
  }),
)

/** A decision as stored; its kind says which other fields it has. */
export const decisionShape = lazy(
  () =>
    z.looseObject({
      id: z.string(),
      kind: z.string(),
      by: z.string(),
      at: z.string(),
    }) as unknown as z.ZodMiniType<Decision>,
)

/** The decision that records an accepted plan. */
export const planDecisionShape = lazy(() => decisionShape() as unknown as z.ZodMiniType<DecisionOf<'accepted_plan'>>)

/** The active accepted plan: its own fields, and the id, author and time of its decision. */
export const planShape = lazy(() =>
  z.looseObject({ summary: z.string(), decision: z.string(), by: z.string(), at: z.string() }),
)

const chainShape = lazy(() =>
  z.array(
    z.object({
      ticket: z.string(),
      blocks: z.string(),
      depth: z.int(),
      state: z.nullable(z.string()),
      phase: z.nullable(phaseShape()),
      repeated: z.optional(z.literal(true)),
    }),
  ),
)

/** The fields of each reason code, beside code, severity and message. */
const reasonFields = lazy(() => {
  const ids = z.array(z.string())
  const other = { ticket: z.string(), decisions: ids }
  const slots = { capacity: z.int(), taken: z.int() }
  const state = { state: z.string(), state_at: z.nullable(z.string()) }
  const bound = { total: z.int(), at_least: z.optional(z.literal(true)) }
  return {
    quarantined: { path: z.string(), ticket: z.optional(z.string()), decisions: z.optional(ids) },
    newer_format: { format: z.int() },
    unknown_kind: { kind: z.string(), decisions: ids },
    not_queued: {},
    claims_unknown: {},
    claimed: {
      holder: z.string(),
      session: z.nullable(z.string()),
      expires_at: z.string(),
      machine: z.optional(z.string()),
    },
    stale_token: {},
    elsewhere: { worktree: z.string(), ...state },
    elsewhere_unread: { worktree: z.string(), path: z.string() },
    behind: state,
    cycle: { cycle: ids, ...bound },
    blocked_by: { ...other, chain: chainShape(), ...bound },
    blocker_abandoned: other,
    blocker_missing: other,
    parent_blocked: { ...other, blockers: ids, total: z.int(), more: z.optional(z.literal(true)) },
    on_hold: { decisions: ids, not_before: z.optional(z.string()) },
    after: other,
    order_not_in_play: other,
    conflicts_with: other,
    area: { ...other, pattern: z.string(), other_pattern: z.string(), more: z.optional(z.literal(true)) },
    waiting_for_capacity: {
      decisions: ids,
      pool: z.optional(z.string()),
      capacity: z.optional(z.int()),
      taken: z.optional(z.int()),
      until: z.optional(ids),
    },
    pool_full: { pool: z.string(), ...slots },
    contested: { field: z.string(), decisions: ids },
    unknown_area: { area: z.string(), nearest: ids, decisions: ids },
    unknown_state: { ticket: z.string(), state: z.string(), nearest: ids },
  } satisfies Record<ReasonCode, Record<string, z.ZodMiniType>>
})

/** A reason, by its code. The compiler compares the fields with those of model/reasons.ts. */
export const reasonShape = lazy(() => {
  const shapes = REASON_CODES.map(code =>
    z.object({
      code: z.literal(code),
      severity: z.enum(['hold', 'warn']),
      message: z.string(),
      ...reasonFields()[code],
    }),
  )
  return z.discriminatedUnion('code', shapes as [(typeof shapes)[number]]) as unknown as z.ZodMiniType<Reason>
})

/** Fails to compile where the fields of a code here and in model/reasons.ts differ. */
type ShapeOf<C extends ReasonCode> = z.infer<z.ZodMiniObject<ReturnType<typeof reasonFields>[C]>>
type Differing = {
  [C in ReasonCode]: Omit<ReasonOf<C>, 'code' | 'severity' | 'message'> extends ShapeOf<C>
    ? ShapeOf<C> extends Omit<ReasonOf<C>, 'code' | 'severity' | 'message'>
      ? never
      : C
    : C
}[ReasonCode]
true satisfies [Differing] extends [never] ? true : Differing

export const claimShape = lazy(() =>
  z.object({
    ticket: z.string(),
    holder: z.string(),
    /** Only for the holder. */
    token: z.optional(z.int()),
    pool: z.nullable(z.string()),
    session: z.nullable(z.string()),
    worktree: z.nullable(z.string()),
    pid: z.nullable(z.int()),
    acquired_at: z.string(),
    renewed_at: z.string(),
    expires_at: z.string(),
    live: z.boolean(),
    /** The machine of the holder: only where several machines share the claims. */
    machine: z.optional(z.string()),
  }),
)

/** A claim as everybody but its holder sees it. */
export const claimWithoutTokenShape = lazy(() => z.omit(claimShape(), { token: true }))

/** Why a claim, its renewal or its release is refused. */
export const claimRefusalShape = lazy(() =>
  z.enum([
    'held',
    'conflicts_with',
    'area',
    'pool_full',
    'quarantined',
    'stale_token',
    'terminal',
    'fleet_unreachable',
  ]),
)
export type ClaimRefusal = z.infer<ReturnType<typeof claimRefusalShape>>

export const verdictShape = lazy(() => z.enum(['accept', 'hold']))

/** Something that an output could not take into account, or that a person should see. */
export const problemShape = lazy(() =>
  z.object({
    code: z.string(),
    path: z.string(),
    message: z.string(),
    /** `warning` if nothing is wrong yet, as with a relation to a Ticket that may still arrive. */
    severity: z.enum(['error', 'warning']),
  }),
)
export type Problem = z.infer<ReturnType<typeof problemShape>>

export const relationShape = lazy(() =>
  z.object({
    /** The first of its decisions. */
    decision: z.string(),
    /** All of its decisions: two clones, or an import, can record the same relation twice. */
    decisions: z.array(z.string()),
    kind: relationKindShape(),
    ticket: z.string(),
    other: z.string(),
    status: statusShape(),
    reason: z.nullable(z.string()),
    by: z.string(),
    at: z.string(),
    /** `conflicts_with`: it only warns. */
    advisory: z.optional(z.literal(true)),
    /** `related`: the word of the system that it was imported from. */
    label: z.optional(z.string()),
  }),
)
export type Relation = z.infer<ReturnType<typeof relationShape>>
