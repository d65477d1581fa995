import { describe, expect, test } from 'vitest'
import type { Plan } from '../sdk.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

/** A plan with the queued Tickets A, B and C; A has two notes whose ids differ in the last characters. */
function withPlan(use: (plan: Plan) => void): void {
  using repository = temporaryRepository()
  const note = (id: string) => asDecision({ id, kind: 'note', by: 'x', at: '2026-06-08T11:30:00.000Z', reason: id })
  putTicket(repository.root, 'A', { state: 'queued', decisions: [note(`${ID}8S00`), note(`${ID}8T00`)] })
  for (const id of ['B', 'C']) putTicket(repository.root, id, { state: 'queued' })
  using plan = checkedPlan(repository.root)
  use(plan)
}

const ID = '01JX8Z3V7Q4T9K2M5N6P7R'

const active = (plan: Plan, ticket: string) =>
  plan
    .show(ticket)
    .decisions.flatMap(({ id, kind, status }) => (status === 'active' && kind !== 'retraction' ? [id] : []))

describe('retract by the beginning of an id', () => {
  test.each([`${ID}8S`, `${ID}8s00`, `${ID}8S00`])('%s', prefix =>
    withPlan(plan => {
      expect(plan.retract(prefix)).toMatchObject({ created: true, ticket: 'A', decision: { retracts: `${ID}8S00` } })
      expect(active(plan, 'A')).toEqual([`${ID}8T00`])
    }))

  test.each([
    [ID, 'unknown_decision', `${ID} is the beginning of ${ID}8S00, ${ID}8T00; give more characters`],
    ['01JX9', 'unknown_decision', 'no Ticket file has a decision whose id begins with 01JX9'],
    [`${ID}8S01`, 'unknown_decision', `no Ticket file has a decision ${ID}8S01; did you mean ${ID}8S00`],
    ['01J', 'invalid_input', '"01J" is not the id of a decision'],
    ['hold', 'invalid_input', '"hold" is not the id of a decision'],
    [`${ID}8S000`, 'invalid_input', 'is not the id of a decision'],
  ])('%s is refused', (prefix, code, message) =>
    withPlan(plan => {
      const error = planErrorOf(() => plan.retract(prefix))
      expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringContaining(message) })
      expect(active(plan, 'A')).toHaveLength(2)
    }))
})

describe('retract by what a decision says', () => {
  test.each([
    ['B', 'blocked_by', 'C'],
    ['C', 'blocks', 'B'],
    ['B', 'blocked-by', 'C'],
  ] as const)('%s %s %s, from either side', (decision, kind, other) =>
    withPlan(plan => {
      const recorded = plan.record({ ticket: 'B', kind: 'blocked_by', other: 'C' })
      plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
      const retracted = plan.retract({ decision, kind, other, reason: 'landed' })
      expect(retracted).toMatchObject({
        created: true,
        ticket: 'B',
        decision: { retracts: recorded.decision.id, reason: 'landed' },
      })
      expect(retracted.others).toBeUndefined()
      expect(plan.relations({ ticket: 'B' }).relations.map(({ other }) => other)).toEqual(['A'])
    }))

  test('withdraws every decision that says a relation, in both files', () => {
    using repository = temporaryRepository()
    const conflict = (id: string, target: string) =>
      asDecision({ id, kind: 'conflicts_with', target, by: 'x', at: '2026-06-08T11:30:00.000Z' })
    putTicket(repository.root, 'A', { decisions: [conflict(`${ID}8S00`, 'B'), conflict(`${ID}8S01`, 'B')] })
    putTicket(repository.root, 'B', { decisions: [conflict(`${ID}8T00`, 'A')] })
    using plan = checkedPlan(repository.root)
    const { others, decision, warnings } = plan.retract({ decision: 'B', kind: 'do_not_parallelize', other: 'A' })
    const retracted = [decision, ...others!.map(({ decision }) => decision)].map(
      one => (one as { retracts?: string }).retracts,
    )
    expect(retracted.sort()).toEqual([`${ID}8S00`, `${ID}8S01`, `${ID}8T00`])
    expect(warnings).toEqual([])
    expect(plan.relations({ status: 'active' }).relations).toEqual([])
  })

  test('lifts a hold, and an order that is satisfied can be withdrawn too', () =>
    withPlan(plan => {
      plan.record({ ticket: 'B', kind: 'hold', reason: 'ask first' })
      expect(plan.consult('B').verdict).toBe('hold')
      plan.retract({ decision: 'B', kind: 'hold' })
      expect(plan.consult('B')).toMatchObject({ verdict: 'accept', reasons: [] })
      plan.record({ ticket: 'B', kind: 'after', other: 'C' })
      plan.set({ ticket: 'C', state: 'done' })
      expect(plan.retract({ decision: 'B', kind: 'after', other: 'C' }).created).toBe(true)
    }))

  test('of another kind needs exactly one, and lists the ids of several', () =>
    withPlan(plan => {
      expect(planErrorOf(() => plan.retract({ decision: 'B', kind: 'hold' })).message).toBe(
        'B has no hold to retract; "ticketplan show B" lists its decisions',
      )
      const { message } = planErrorOf(() => plan.retract({ decision: 'A', kind: 'note' }))
      expect(message).toBe(`A has 2 decisions of kind note; name one by its id: ${ID}8S00, ${ID}8T00`)
      plan.retract(`${ID}8S00`)
      expect(plan.retract({ decision: 'A', kind: 'note' }).decision).toMatchObject({ retracts: `${ID}8T00` })
    }))

  test.each([
    [{ decision: 'B', kind: 'blocked_by' }, '"blocked_by" needs other'],
    [{ decision: 'B', kind: 'hold', other: 'A' }, '"hold" takes no other'],
    [{ decision: 'B', kind: 'holds' }, 'not a kind of decision; did you mean hold?'],
    [{ decision: 'B', kind: 'blocked_by', other: 'A' }, 'no active decision says "B blocked_by A"'],
    [{ decision: 'X', kind: 'hold' }, 'no Ticket has the id or slug "X"'],
  ])('%j is refused', (input, message) =>
    withPlan(plan => {
      expect(planErrorOf(() => plan.retract(input as never)).message).toContain(message)
    }))
})
