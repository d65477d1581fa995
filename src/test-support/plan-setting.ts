/** What a test of claims and accept works with: a plan of either kind, and what its answers must be. */
import { expect } from 'vitest'
import type { ConnectedPlan, OutputOf } from '../sdk.ts'
import type { TestClock } from './checked-plan.ts'

export const TTL_MS = 1_800_000

export interface PlanSetting {
  plan: ConnectedPlan
  root: string
  clock: TestClock
  /** Opens the plan of the same clone a second time. */
  again(): Promise<ConnectedPlan>
  /** The machine of the clone, where claims have one. */
  machine: { machine?: string }
}

/** Runs a test on a plan with the queued Tickets A to D, whose every call moves all clocks on by a second. */
export type WithPlan = (
  use: (setting: PlanSetting) => Promise<unknown>,
  pools?: Record<string, number>,
) => Promise<void>

/** The codes of the reasons that hold. */
export const holdsOf = ({ reasons }: { reasons: { code: string; severity: string }[] }) =>
  reasons.filter(({ severity }) => severity === 'hold').map(({ code }) => code)

/** The codes of the reasons that only warn. */
export const warningsOf = ({ reasons }: { reasons: { code: string; severity: string }[] }) =>
  reasons.filter(({ severity }) => severity === 'warn').map(({ code }) => code)

/** Returns why an accept was refused; fails if it was not. */
export function holdsFor(document: OutputOf<'accept'>): string[] {
  expect(document).toMatchObject({ accepted: false, decision: null })
  return holdsOf(document)
}

/** Returns claim and plan of an accept; fails if it was refused. */
export function accepted(document: OutputOf<'accept'>) {
  expect(document).toMatchObject({ accepted: true })
  return { claim: withToken(document.claim), decision: document.decision! }
}

/** Returns the claim with its token; fails if it was refused. */
export function claimed(document: OutputOf<'claim'>) {
  expect(document.refused).toBeUndefined()
  return withToken(document.claim)
}

/** Returns the claim, which has a token: the answer is for its holder. */
function withToken(claim: OutputOf<'claim'>['claim']) {
  expect(claim).toMatchObject({ token: expect.any(Number) })
  return claim as typeof claim & { token: number }
}

/** Returns the claim as everybody else sees it. */
export function publicly<T extends { token?: number }>({ token: _, ...claim }: T) {
  return claim
}
