import * as z from 'zod/mini'
import { withoutToken } from '../claims/claims.ts'
import type { DecisionOf } from '../model/decision.ts'
import { verdictOn } from '../model/verdict.ts'
import type { View } from '../store/store.ts'
import { problemsOf, ticketSummary } from './answers.ts'
import { askedPoolField, askingOf, askingTokenField, sessionField } from './asking.ts'
import { filledLine, operation, ticketName } from './operation.ts'
import { checkPool } from './pools.ts'
import { claimWithoutTokenShape, planShape, problemShape, reasonShape, ticketShape, verdictShape } from './shapes.ts'

/** Returns the verdict on a Ticket: may it be accepted now? */
export const consult = operation({
  name: 'consult',
  summary: 'Say whether a queued Ticket may be accepted now, and why not',
  details: 'Every reason is listed at once. Exit status 0 for accept, 3 for hold. Nothing is written.',
  writes: false,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    holder: {
      schema: z.optional(filledLine),
      help: 'who asks; a claim of this holder does not hold the Ticket',
      value: 'name',
    },
    session: sessionField,
    token: askingTokenField,
    pool: askedPoolField,
  },
  output: () =>
    z.object({
      ticket: ticketShape(),
      verdict: verdictShape(),
      reasons: z.array(reasonShape()),
      plan: z.nullable(planShape()),
      claim: z.nullable(claimWithoutTokenShape()),
      problems: z.array(problemShape()),
    }),
  claims: () => ({}),
  examples: ['ticketplan consult A-17', 'ticketplan consult plan-tool --holder pod-3 --json'],
  run(store, { ticket: name, ...asking }) {
    checkPool(store, asking.pool)
    return store.readFew(view => {
      const { id, row } = view.resolve(name)
      const { verdict, reasons } = verdictOn(id, view.facts, askingOf(store, asking))
      const live = view.claims.find(id)
      const claim = live ? withoutToken(live) : null
      return {
        ticket: ticketSummary(id, row),
        verdict,
        reasons,
        plan: planOf(activePlan(view, id)),
        claim,
        problems: problemsOf(view.queries, row),
      }
    })
  },
  exitStatus: ({ verdict }) => (verdict === 'hold' ? 3 : 0),
})

function planOf(decision: DecisionOf<'accepted_plan'> | null) {
  if (!decision) return null
  const { id, by, at, plan, overrides } = decision
  return { ...plan, decision: id, by, at, ...(overrides && { overrides }) }
}

/** Returns the decision with the active accepted plan of a Ticket; null if there is none. */
export function activePlan({ queries }: View, id: string): DecisionOf<'accepted_plan'> | null {
  const row = queries.activeDecisions(id).find(({ kind, body }) => kind === 'accepted_plan' && body !== null)
  return row ? JSON.parse(row.body!) : null
}
