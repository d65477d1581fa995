/**
 * A quick proof that a value is a Ticket, for the files that are in order: nearly all.
 *
 * Invariant: what passes here passes the schemas; what does not pass is for the schemas to judge and to name. They take 8 ms to
 * make, a fifth of Node's own start, and half of the time of a rebuild's checks.
 */

import { FORMAT } from './format.ts'
import { DECISION_ID, isPoolName, isRelativePath, isSlug, isTicketId } from './names.ts'
import { isObject } from './objects.ts'
import { isLine, isText, isTimestamp, LIMITS } from './text.ts'

type Unchecked = Record<string, unknown>

/** True where the value is a Ticket of this format beyond doubt; false says nothing. Local keys are not looked for. */
export function isPlainTicket(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { format, id, title, state, slug, created_at, queued_at, queued_by, state_at, decisions } = value as Unchecked
  return (
    format === FORMAT &&
    isString(id, isTicketId) &&
    isString(title, isLine) &&
    isString(state, isLine) &&
    state !== '' &&
    isAbsentOr(slug, isSlug) &&
    isAbsentOr(created_at, isTimestamp) &&
    isAbsentOr(queued_at, isTimestamp) &&
    isAbsentOr(queued_by, isLine) &&
    isAbsentOr(state_at, isTimestamp) &&
    Array.isArray(decisions) &&
    decisions.length <= LIMITS.decisions
  )
}

/** True where the value is a decision of a known kind beyond doubt; false says nothing. Local keys are not looked for. */
export function isPlainDecision(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { id, kind, by, at, reason, supersedes } = value as Unchecked
  return (
    isString(id, isDecisionId) &&
    isString(by, isLine) &&
    by !== '' &&
    isString(at, isTimestamp) &&
    isAbsentOr(reason, isText) &&
    isAbsentOrList(supersedes, isDecisionId) &&
    typeof kind === 'string' &&
    Object.hasOwn(OWN_FIELDS, kind) &&
    OWN_FIELDS[kind]!(value as Unchecked)
  )
}

const isDecisionId = (text: string) => DECISION_ID.test(text)
const hasTarget = ({ target }: Unchecked) => isString(target, isTicketId)

const OWN_FIELDS: Record<string, (decision: Unchecked) => boolean> = {
  after: hasTarget,
  blocked_by: hasTarget,
  conflicts_with: decision => hasTarget(decision) && ['undefined', 'boolean'].includes(typeof decision.advisory),
  related: decision => hasTarget(decision) && isAbsentOr(decision.label, isLine),
  waiting_for_capacity: ({ pool, until }) => isAbsentOr(pool, isPoolName) && isAbsentOrList(until, isTicketId),
  accepted_plan: ({ plan, overrides }) =>
    isPlainPlan(plan) &&
    (overrides === undefined || (Array.isArray(overrides) && overrides.every(code => typeof code === 'string'))),
  note: () => true,
  retraction: ({ retracts }) => isString(retracts, isDecisionId),
  contested: ({ field }) => isString(field, isLine),
}

function isPlainPlan(value: unknown): boolean {
  if (!isObject(value)) return false
  const { summary, branch, worktree, role_plan, pool } = value
  return (
    isString(summary, isText) &&
    isAbsentOr(branch, isLine) &&
    isAbsentOr(worktree, path => isLine(path) && isRelativePath(path)) &&
    isAbsentOr(role_plan, isText) &&
    isAbsentOr(pool, isPoolName)
  )
}

function isString(value: unknown, test: (text: string) => boolean): boolean {
  return typeof value === 'string' && test(value)
}

function isAbsentOr(value: unknown, test: (text: string) => boolean): boolean {
  return value === undefined || isString(value, test)
}

function isAbsentOrList(value: unknown, test: (text: string) => boolean): boolean {
  return value === undefined || (Array.isArray(value) && value.length > 0 && value.every(item => isString(item, test)))
}
