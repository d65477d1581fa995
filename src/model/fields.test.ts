import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decisions, tickets } from '../test-support/arbitraries.ts'
import { loose } from '../test-support/loose-decision.ts'
import { decisionSchema, isPlainDecision } from './decision.ts'
import { LIMITS } from './text.ts'
import { isPlainTicket, ticketSchema } from './ticket.ts'

/** What a field can be wrong with. */
const wrong = fc.constantFrom<unknown>(
  null,
  undefined,
  0,
  '',
  [],
  {},
  [''],
  ['x y'],
  'not a time',
  '2026-02-30T00:00:00.000Z',
  'a/b',
  'con',
  '/abs/path',
  'x'.repeat(LIMITS.lineBytes + 1),
  'é'.repeat(LIMITS.lineBytes),
  'x'.repeat(LIMITS.textBytes + 1),
)
const KEYS = {
  ticket: ['format', 'id', 'title', 'state', 'slug', 'created_at', 'queued_at', 'queued_by', 'state_at', 'decisions'],
  decision: [
    ...['id', 'kind', 'by', 'at', 'reason', 'supersedes', 'target', 'advisory', 'label', 'pool', 'until', 'plan'],
    ...['overrides', 'retracts', 'field', 'lost', 'not_before', 'paths', 'shared'],
  ],
  plan: ['summary', 'branch', 'worktree', 'role_plan', 'pool'],
}

const KINDS = [
  ...['accepted_plan', 'after', 'blocked_by', 'conflicts_with', 'contested', 'hold', 'note', 'part_of', 'related'],
  ...['retraction', 'touches', 'waiting_for_capacity'],
]

function spoilt(values: fc.Arbitrary<object>, keys: string[]) {
  return fc.tuple(values, fc.constantFrom(...keys), wrong).map(([value, key, bad]) => ({ ...value, [key]: bad }))
}

test('what is plainly a Ticket fits the schema', () => {
  const values = fc.oneof(tickets, spoilt(tickets, KEYS.ticket), wrong)
  fc.assert(
    fc.property(values, value => {
      if (isPlainTicket(value)) expect(ticketSchema().safeParse(value).success).toBe(true)
    }),
    { numRuns: 1000, endOnFailure: true },
  )
})

test('what is plainly a decision fits the schema of its kind', () => {
  const plans = spoilt(
    decisions.filter(decision => loose(decision).plan !== undefined).map(decision => loose(decision).plan!),
    KEYS.plan,
  )
  const withPlan = fc.tuple(decisions, plans).map(([decision, plan]) => ({ ...decision, kind: 'accepted_plan', plan }))
  const values = fc.oneof(decisions, spoilt(decisions, KEYS.decision), withPlan, wrong)
  fc.assert(
    fc.property(values, value => {
      if (isPlainDecision(value)) expect(decisionSchema(value).safeParse(value).success).toBe(true)
    }),
    { numRuns: 3000, endOnFailure: true },
  )
})

test('Tickets and decisions of known kinds that are in order need no schema', () => {
  fc.assert(
    fc.property(tickets, ticket => {
      expect(isPlainTicket(ticket)).toBe(true)
      for (const decision of ticket.decisions) expect(isPlainDecision(decision)).toBe(KINDS.includes(decision.kind))
    }),
    { numRuns: 500, endOnFailure: true },
  )
})
