/** Decisions and reasons as tests write and read them: of any kind, with any field. */
import type { AnyFields, Decision } from '../model/decision.ts'
import type { ChainLink, Reason } from '../model/reasons.ts'

/** A decision of any kind, known or not, or a part of one. */
export type LooseDecision = Partial<Omit<AnyFields, 'kind'>> & { kind?: string; [more: string]: unknown }

/** Takes a value for a decision, unchecked. */
export function asDecision(loose: LooseDecision): Decision {
  return loose as unknown as Decision
}

/** Shows a decision with all fields that one can have. */
export function loose(decision: Decision): AnyFields & LooseDecision {
  return decision as unknown as AnyFields & LooseDecision
}

/** A reason with the fields of any code. */
export type LooseReason = Pick<Reason, 'code' | 'severity' | 'message'> & {
  ticket?: string
  decisions?: string[]
  chain?: ChainLink[]
  cycle?: string[]
  total?: number
  at_least?: true
  more?: true
  blockers?: string[]
  until?: string[]
}

/** Shows the reasons of a verdict with all fields that one can have. */
export function looseReasons<T extends { reasons: Reason[] }>(
  judged: T,
): Omit<T, 'reasons'> & { reasons: LooseReason[] } {
  return judged as unknown as Omit<T, 'reasons'> & { reasons: LooseReason[] }
}
