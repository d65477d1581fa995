import { expect, test } from 'vitest'
import type { ClaimRefusal, Decision, InputTo, OutputOf, Reason } from './index.ts'

/** Compiles only if every line marked as an error is one. */
function compiled(input: InputTo<'record'>, decision: Decision, reason: Reason): void {
  input = { ticket: 'A', kind: 'blocked-by', other: 'B' }
  input = { ticket: 'A', kind: 'do_not_parallelize', other: 'B' }
  // @ts-expect-error no such kind
  input = { ticket: 'A', kind: 'nonsense' }
  // @ts-expect-error a note names no other Ticket
  if (decision.kind === 'note') decision.target
  if (decision.kind === 'blocked_by') decision.target satisfies string
  if (decision.kind === 'accepted_plan') decision.plan.summary satisfies string
  if (reason.code === 'blocked_by') reason.chain[0]?.depth satisfies number | undefined
  // @ts-expect-error only a claim in the way has a holder
  if (reason.code === 'pool_full') reason.holder
  void input
}

/** Compiles only if the answers of operations have the same unions. */
function answers(consulted: OutputOf<'consult'>, claimed: OutputOf<'claim'>): void {
  consulted.reasons satisfies Reason[]
  claimed.refused satisfies ClaimRefusal | undefined
  // @ts-expect-error not one of the codes
  claimed.refused satisfies 'held' | undefined
}

test('the published types are unions by kind and by code', () => {
  expect([compiled, answers]).toHaveLength(2)
})
