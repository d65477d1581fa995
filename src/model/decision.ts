/**
 * A decision as a Ticket file holds it: its type by kind, and the check of a parsed value.
 *
 * Invariant: kinds that this version does not know pass with the common fields alone and are kept as they are.
 */
import type * as z from 'zod/mini'
import {
  COMMON_FIELDS,
  DECISION_KINDS,
  isStoredKind,
  isStoredRelationKind,
  type OwnFieldsOf,
  type StoredKind,
  type StoredRelationKind,
} from './decision-kinds.ts'
import { type FieldTypes, hasPlainFields, looseSchema, type ValuesOf } from './fields.ts'
import { firstIssue } from './first-issue.ts'
import { lazy } from './lazy.ts'
import type { TicketId } from './names.ts'
import { byId, compareText } from './order.ts'

type CommonFields = Omit<ValuesOf<typeof COMMON_FIELDS>, 'kind'>
type Flat<T> = { [K in keyof T]: T[K] }

/** A decision of one kind. */
export type DecisionOf<K extends StoredKind> = Flat<CommonFields & { kind: K } & OwnFieldsOf<K>>
/** A decision of a kind that this version knows. */
export type KnownDecision = { [K in StoredKind]: DecisionOf<K> }[StoredKind]
/**
 * A decision of a kind that a later version wrote; its other fields are kept. The literal is for the compiler: it replaces
 * every text that is no known kind.
 */
export type UnknownDecision = CommonFields & { kind: '(another kind)' }
/** A decision; `kind` says which fields it has. */
export type Decision = KnownDecision | UnknownDecision
/** A decision that names another Ticket. */
export type RelationDecision = DecisionOf<StoredRelationKind>

type Union<T> = T extends unknown ? (value: T) => void : never
type Together<T> = Union<T> extends (value: infer All) => void ? All : never
/** Every field that some kind has, all optional: for code that prints or compares decisions whatever their kind. */
export type AnyFields = CommonFields & { kind: string } & Partial<
    Together<{ [K in StoredKind]: OwnFieldsOf<K> }[StoredKind]>
  >

/** What belongs to one machine and one run: no Ticket, decision or plan may have a key of this name. */
export const LOCAL_KEYS = [
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

/** Returns the first local key that an object has, as a problem; null for one that has none and for any other value. */
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

type Fields = [name: string, type: FieldTypes[string]][]

const commonFields: Fields = Object.entries(COMMON_FIELDS)
/** The fields of each kind, and its schema, which is made when the first decision of the kind fails the quick test. */
const KINDS = Object.fromEntries(
  Object.entries(DECISION_KINDS).map(([kind, { fields }]) => [
    kind,
    { own: Object.entries(fields) as Fields, schema: lazy(() => looseSchema({ ...COMMON_FIELDS, ...fields })) },
  ]),
)
const unknownSchema = lazy(() => looseSchema(COMMON_FIELDS))

/** The schema that a parsed value has to fit, by its kind. */
export function decisionSchema(value: unknown): z.ZodMiniType {
  const kind = (value as { kind?: unknown } | null)?.kind
  return typeof kind === 'string' && isStoredKind(kind) ? KINDS[kind]!.schema() : unknownSchema()
}

/** True where the value is a decision of a known kind beyond doubt; false says nothing. Local keys are not checked. */
export function isPlainDecision(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const object = value as Record<string, unknown>
  const { kind } = object
  if (typeof kind !== 'string' || !isStoredKind(kind)) return false
  return hasPlainFields(object, commonFields) && hasPlainFields(object, KINDS[kind]!.own)
}

/** Returns the first thing that keeps a parsed value from being a decision, or null. */
export function decisionProblem(value: unknown): { path: (string | number)[]; message: string } | null {
  const issue = (isPlainDecision(value) ? null : firstIssue(decisionSchema(value), value)) ?? localKeyProblem(value)
  if (issue) return issue
  const inPlan = localKeyProblem((value as { plan?: unknown }).plan)
  return inPlan && { ...inPlan, path: ['plan', ...inPlan.path] }
}

/** Returns the same decision, seen as having every field of every kind, each of them optional. */
export function anyFields(decision: Decision): AnyFields {
  return decision as AnyFields
}

/** Returns the other Tickets that a decision names; none for a kind that this version does not know. */
export function namedTickets(decision: Decision): string[] {
  if (!isStoredKind(decision.kind)) return []
  const { target, until = [] } = anyFields(decision)
  return target === undefined ? until : [target, ...until]
}

/** True for a decision that names another Ticket. */
export function isStoredRelation(decision: Decision): decision is RelationDecision & { target: TicketId } {
  return isStoredRelationKind(decision.kind)
}

/** Compares the decisions of one Ticket by time, then by id. */
export function byTime(a: Decision, b: Decision): number {
  return compareText(a.at, b.at) || byId(a, b)
}
