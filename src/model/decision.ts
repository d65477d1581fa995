/**
 * The kinds of decision: their fields, which Ticket stores each relation, how it reads from the other side, and the
 * status of each.
 *
 * Invariant: a relation is stored once, with the Ticket that it holds back; status is derived, never stored. Kinds that
 * this version does not know pass with the common fields alone and are kept as they are.
 */
import * as z from 'zod/mini'
import { firstIssue } from './first-issue.ts'
import { lazy } from './lazy.ts'
import { DECISION_ID, isRelativePath, isTicketId, POOL, type TicketId } from './names.ts'
import { byId, compareText } from './order.ts'
import type { Phase } from './phase.ts'
import { isPlainDecision } from './quick-proof.ts'
import { longText, oneLine, timestamp } from './text.ts'

const decisionId = lazy(() => z.string().check(z.regex(DECISION_ID, 'not a ULID')))
const ticketId = lazy(() => z.string().check(z.refine(text => isTicketId(text), 'not a Ticket id')))
export const poolName = lazy(() =>
  z.string().check(z.regex(POOL, 'not a pool name: letters, digits, ".", "_" and "-", at most 64')),
)

/** The plan with which a Ticket is accepted. */
export interface AcceptedPlan {
  summary: string
  branch?: string
  /** Relative to the repository. */
  worktree?: string
  role_plan?: string
  pool?: string
  [unknown: string]: unknown
}

const common = lazy(() => ({
  id: decisionId(),
  kind: z.string().check(z.minLength(1)),
  by: oneLine().check(z.minLength(1)),
  at: timestamp(),
  reason: z.optional(longText()),
  supersedes: z.optional(z.array(decisionId()).check(z.minLength(1))),
}))
const relation = lazy(() => ({ ...common(), target: ticketId() }))
const planSchema = lazy(() => {
  const plan: z.ZodMiniType<AcceptedPlan> = z.looseObject({
    summary: longText(),
    branch: z.optional(oneLine()),
    worktree: z.optional(
      oneLine().check(z.refine(isRelativePath, 'not relative to the repository: an absolute path names one machine')),
    ),
    role_plan: z.optional(longText()),
    pool: z.optional(poolName()),
  })
  return plan
})

/** One schema for each kind, made when the first decision of it is met: making them all costs more than a merge. */
const SCHEMAS = {
  after: lazy(() => z.looseObject(relation())),
  blocked_by: lazy(() => z.looseObject(relation())),
  conflicts_with: lazy(() => z.looseObject({ ...relation(), advisory: z.optional(z.boolean()) })),
  related: lazy(() => z.looseObject({ ...relation(), label: z.optional(oneLine()) })),
  waiting_for_capacity: lazy(() =>
    z.looseObject({
      ...common(),
      pool: z.optional(poolName()),
      until: z.optional(z.array(ticketId()).check(z.minLength(1))),
    }),
  ),
  accepted_plan: lazy(() =>
    z.looseObject({ ...common(), plan: planSchema(), overrides: z.optional(z.array(z.string())) }),
  ),
  note: lazy(() => z.looseObject(common())),
  retraction: lazy(() => z.looseObject({ ...common(), retracts: decisionId() })),
  /** Without `lost`: the side that lost had removed the field. */
  contested: lazy(() => z.looseObject({ ...common(), field: oneLine(), lost: z.optional(z.unknown()) })),
  /** A kind that this version does not know. */
  unknown: lazy(() => z.looseObject(common())),
}

/** A kind of decision as a Ticket file stores it. */
export type StoredKind = Exclude<keyof typeof SCHEMAS, 'unknown'>
/** The four kinds of relation as stored. */
export type StoredRelationKind = 'after' | 'blocked_by' | 'conflicts_with' | 'related'
/** The six kinds of relation as seen from one of its two Tickets. */
export type RelationKind = StoredRelationKind | 'before' | 'blocks'

/** A decision as its file holds it. The fields of its kind are there where `kind` says so. */
export interface Decision {
  id: string
  kind: string
  by: string
  at: string
  reason?: string
  supersedes?: string[]
  target?: string
  advisory?: boolean
  label?: string
  pool?: string
  until?: string[]
  plan?: AcceptedPlan
  overrides?: string[]
  retracts?: string
  field?: string
  lost?: unknown
  [unknown: string]: unknown
}

/** What belongs to one machine and one run: no Ticket, decision or plan may have a key of this name. */
const LOCAL_KEYS = [
  'claim',
  'claims',
  'expires_at',
  'fencing_token',
  'holder',
  'host',
  'hostname',
  'lease',
  'pid',
  'session',
  'socket',
  'token',
]

/** The local key that an object has, as a problem; null for one that has none and for everything else. */
export function localKeyProblem(value: unknown): { path: string[]; message: string } | null {
  if (typeof value !== 'object' || value === null) return null
  const key = LOCAL_KEYS.find(key => Object.hasOwn(value, key))
  return key === undefined
    ? null
    : {
        path: [key],
        message: 'is local to one machine: claims and what belongs to them are never kept in a Ticket file',
      }
}

/** The schema that a parsed value has to fit, by its kind. */
export function decisionSchema(value: unknown): z.ZodMiniType {
  const kind = (value as { kind?: unknown } | null)?.kind
  return SCHEMAS[typeof kind === 'string' && Object.hasOwn(SCHEMAS, kind) ? (kind as StoredKind) : 'unknown']()
}

/** The first thing that keeps a parsed value from being a decision, or null. */
export function decisionProblem(value: unknown): { path: (string | number)[]; message: string } | null {
  const issue = (isPlainDecision(value) ? null : firstIssue(decisionSchema(value), value)) ?? localKeyProblem(value)
  if (issue) return issue
  const inPlan = localKeyProblem((value as Decision).plan)
  return inPlan && { ...inPlan, path: ['plan', ...inPlan.path] }
}

/** The kinds of relation that a file can hold, in the order of the alphabet. */
export const STORED_RELATION_KINDS = ['after', 'blocked_by', 'conflicts_with', 'related'] as const

export function isStoredRelation(
  decision: Decision,
): decision is Decision & { kind: StoredRelationKind; target: TicketId } {
  return (STORED_RELATION_KINDS as readonly string[]).includes(decision.kind)
}

/** How a stored relation reads from the Ticket that it names. */
export const INVERSE: Record<RelationKind, RelationKind> = {
  after: 'before',
  before: 'after',
  blocked_by: 'blocks',
  blocks: 'blocked_by',
  conflicts_with: 'conflicts_with',
  related: 'related',
}

/** A relation in its stored form: `holder` is the Ticket whose file keeps it. */
export interface StoredRelation {
  holder: TicketId
  kind: StoredRelationKind
  target: TicketId
}

/** "`ticket` `kind` `other`", as one says it, turned into the form in which it is stored. */
export function storedRelation(ticket: TicketId, kind: RelationKind, other: TicketId): StoredRelation {
  switch (kind) {
    case 'before':
      return { holder: other, kind: 'after', target: ticket }
    case 'blocks':
      return { holder: other, kind: 'blocked_by', target: ticket }
    case 'conflicts_with':
      return ticket < other ? { holder: ticket, kind, target: other } : { holder: other, kind, target: ticket }
    default:
      return { holder: ticket, kind, target: other }
  }
}

/** What became of a decision. */
export type Status = 'active' | 'satisfied' | 'superseded' | 'retracted'

/** The order in which the decisions of one Ticket came: by time, then by id. */
export function byTime(a: Decision, b: Decision): number {
  return compareText(a.at, b.at) || byId(a, b)
}

/**
 * The status of each decision of one file as far as that file alone can tell, by decision id.
 *
 * A retraction that is itself retracted has no effect; nor has a `supersedes` in a decision that is retracted. Of several
 * accepted plans, and of several capacity notes, the last that is not retracted stands.
 */
export function fileStatuses(decisions: readonly Decision[]): Map<string, Status> {
  const statuses = new Map<string, Status>()
  if (decisions.length === 0) return statuses
  const retracted = retractedIds(decisions)
  const standing = decisions.filter(decision => !retracted.has(decision.id)).sort(byTime)
  const superseded = new Set<string>()
  const last = new Map<string, Decision>()
  const order = new Map(standing.map((decision, position) => [decision.id, position]))
  for (const [position, decision] of standing.entries()) {
    for (const earlier of decision.supersedes ?? [])
      if ((order.get(earlier) ?? position) < position) superseded.add(earlier)
    if (decision.kind !== 'accepted_plan' && decision.kind !== 'waiting_for_capacity') continue
    const before = last.get(decision.kind)
    if (before) superseded.add(before.id)
    last.set(decision.kind, decision)
  }
  const lastPlan = last.get('accepted_plan')
  for (const decision of decisions) {
    const { id } = decision
    if (retracted.has(id)) statuses.set(id, 'retracted')
    else if (superseded.has(id)) statuses.set(id, 'superseded')
    else if (decision.kind === 'waiting_for_capacity' && lastPlan && byTime(decision, lastPlan) < 0)
      statuses.set(id, 'satisfied')
    else statuses.set(id, 'active')
  }
  return statuses
}

/**
 * The ids that a standing retraction names. It works from the retractions that nothing retracts inwards, without recursion:
 * a file may hold a chain of as many as it holds decisions.
 */
function retractedIds(decisions: readonly Decision[]): Set<string> {
  const targetOf = new Map<string, string>()
  const threats = new Map<string, number>()
  for (const { id, kind, retracts } of decisions) {
    if (kind !== 'retraction' || retracts === undefined) continue
    targetOf.set(id, retracts)
    threats.set(retracts, (threats.get(retracts) ?? 0) + 1)
  }
  const retracted = new Set<string>()
  const standing = new Set<string>()
  const settle = (first: string) => {
    const pending = [first]
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      standing.add(id)
      const target = targetOf.get(id)
      if (target === undefined || retracted.has(target) || standing.has(target)) continue
      retracted.add(target)
      const freed = targetOf.get(target)
      if (freed === undefined || retracted.has(freed) || standing.has(freed)) continue
      threats.set(freed, threats.get(freed)! - 1)
      if (threats.get(freed) === 0) pending.push(freed)
    }
  }
  const ids = [...targetOf.keys()].sort()
  for (const id of ids) if (!threats.has(id)) settle(id)
  // Only a file edited by hand can hold retractions that name each other in a circle; there the smallest id stands.
  for (const id of ids) if (!retracted.has(id) && !standing.has(id)) settle(id)
  return retracted
}

/**
 * The status of a decision, given what its file says of it and the phases of the two Tickets; `otherPhase` is undefined
 * where the decision names no other Ticket or that Ticket has no readable file.
 */
export function finalStatus(fileStatus: Status, ownPhase: Phase, otherPhase: Phase | undefined): Status {
  if (fileStatus !== 'active') return fileStatus
  return ownPhase === 'terminal' || otherPhase === 'terminal' ? 'satisfied' : 'active'
}
