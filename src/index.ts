/** The public names of ticketplan. */
export type { AcceptedPlan, Decision, RelationKind, Status, StoredKind } from './model/decision.ts'
export { type ErrorCode, type ErrorData, isPlanError, type Place, PlanError, type RefusalCode } from './model/errors.ts'
export type { ChainLink } from './model/facts.ts'
export type { Phase } from './model/phase.ts'
export type { Reason, ReasonCode, Verdict } from './model/verdict.ts'
export type { Problem, Relation, TicketSummary } from './operations/shapes.ts'
export { type InputTo, type OutputOf, openPlan, type Plan } from './sdk.ts'
export type { OpenOptions } from './store.ts'
