/**
 * Public types that derive from schemas, tables or operations, to be published as plain types. Compiled for its
 * declarations alone, never run: the compiler writes an inferred type out in full, so that the published file needs
 * neither zod nor the rooms.
 *
 * `relationKind` becomes the type RelationKind, and so on: scripts/declarations.ts puts the result in place of that type.
 */
import type {
  AcceptedPlan,
  ClaimRefusal,
  KnownDecision,
  Problem,
  Relation,
  RelationKind,
  StoredKind,
  TicketSummary,
  UnknownDecision,
} from '../src/index.ts'
import type { RecordableKind } from '../src/model/decision-kinds.ts'
import type { Signatures } from '../src/operations/signatures.ts'

type Plain<T> = T extends (infer Item)[] ? Plain<Item>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T
declare function plain<T>(): Plain<T>
/** For unions of texts: the detour makes the compiler forget the name of the union. */
declare function plainUnion<T extends string>(): (T extends unknown ? [T] : never)[0]
/** Keeps the types in inputs and outputs that have names. */
declare function plainMethods<T>(): { [N in keyof T]: { [K in keyof T[N]]: T[N][K] } }

export const acceptedPlan = plain<AcceptedPlan>()
export const claimRefusal = plainUnion<ClaimRefusal>()
export type DecisionOf<K extends StoredKind> = Extract<KnownDecision, { kind: K }>
export const knownDecision = plain<KnownDecision>()
export const problem = plain<Problem>()
export const relation = plain<Relation>()
export const recordableKind = plainUnion<RecordableKind>()
export const relationKind = plainUnion<RelationKind>()
export const signatures = plainMethods<Signatures>()
export const storedKind = plainUnion<StoredKind>()
export const ticketSummary = plain<TicketSummary>()
export const unknownDecision = plain<UnknownDecision>()
