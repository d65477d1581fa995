import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { InputTo } from '../sdk.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { putTicket, readTicketJson } from '../test-support/temporary-repository.ts'
import { addTickets, withPlan } from '../test-support/with-plan.ts'

describe('record', () => {
  test.each([
    ['before', 'B', 'after', 'A'],
    ['after', 'A', 'after', 'B'],
    ['blocks', 'B', 'blocked_by', 'A'],
    ['blocked_by', 'A', 'blocked_by', 'B'],
    ['blocked-by', 'A', 'blocked_by', 'B'],
    ['conflicts_with', 'A', 'conflicts_with', 'B'],
    ['do-not-parallelize', 'A', 'conflicts_with', 'B'],
    ['related', 'A', 'related', 'B'],
  ])('A %s B is stored in %s', (kind, holder, storedKind, target) => {
    withPlan((plan, root) => {
      addTickets(plan, 'A', 'B')
      const input = { ticket: 'A', kind, other: 'B' } as InputTo<'record'>
      const { created, decision, ticket } = plan.record({ ...input, reason: 'why' })
      expect({ created, ticket }).toEqual({ created: true, ticket: holder })
      expect(decision).toEqual({
        at: '2026-06-08T12:00:03.000Z',
        by: 'tester',
        id: decision.id,
        kind: storedKind,
        reason: 'why',
        target,
      })
      expect(readTicketJson(root, `tickets/${holder}.json`).decisions).toEqual([decision])
      expect(plan.record(input)).toMatchObject({
        created: false,
        decision: { id: decision.id },
      })
    })
  })

  test('a conflict is already recorded if it was recorded from the other side or is stored in the other file', () => {
    withPlan((plan, root) => {
      addTickets(plan, 'B')
      expect(plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B', future: true })).toMatchObject({
        created: true,
        ticket: 'B',
      })
      addTickets(plan, 'A')
      expect(plan.record({ ticket: 'B', kind: 'conflicts_with', other: 'A' })).toMatchObject({
        created: false,
        ticket: 'B',
      })
      expect(readTicketJson(root, 'tickets/A.json').decisions).toEqual([])
      expect(plan.relations({ ticket: 'A' }).relations).toMatchObject([{ kind: 'conflicts_with', other: 'B' }])
    })
  })

  test('a conflict stored in the other file is superseded there when it becomes strict', () => {
    withPlan((plan, root) => {
      addTickets(plan, 'B')
      plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B', advisory: true, future: true })
      addTickets(plan, 'A')
      expect(plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })).toMatchObject({
        created: true,
        ticket: 'B',
      })
      plan.set({ ticket: 'B', state: 'in_progress' })
      expect(plan.consult('A').verdict).toBe('hold')
      expect(readTicketJson(root, 'tickets/A.json').decisions).toEqual([])
    })
  })

  test('a strict conflict supersedes an advisory one; an advisory one weakens a strict one only by "supersedes"', () => {
    withPlan(plan => {
      addTickets(plan, 'A', 'B')
      const advisory = plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B', advisory: true }).decision
      const strict = plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      expect(strict).toMatchObject({ created: true, decision: { supersedes: [advisory.id] } })
      plan.set({ ticket: 'B', state: 'in_progress' })
      expect(plan.consult('A').verdict).toBe('hold')
      const weaker = { ticket: 'B', kind: 'conflicts_with', other: 'A', advisory: true } as const
      expect(plan.record(weaker)).toMatchObject({ created: false, warnings: [expect.stringContaining('strict')] })
      expect(plan.consult('A').verdict).toBe('hold')
      plan.record({ ...weaker, supersedes: [strict.decision.id] })
      expect(plan.consult('A')).toMatchObject({
        verdict: 'accept',
        reasons: [{ code: 'conflicts_with', severity: 'warn' }],
      })
    })
  })

  test('another Ticket without a file is refused with the nearest names, for every kind and either side', () => {
    withPlan((plan, root) => {
      plan.add({ id: 'QA-1', title: 'a' })
      plan.add({ id: 'QA-2', title: 'b', slug: 'rest-contract' })
      for (const kind of [
        'after',
        'before',
        'blocked_by',
        'blocks',
        'conflicts_with',
        'part_of',
        'contains',
        'related',
      ] as const) {
        for (const other of ['QA2', 'qa_2', 'rest-contrct', 'QA-22']) {
          const before = readFileSync(join(root, 'tickets/QA-1.json'), 'utf8')
          expect(() => plan.record({ ticket: 'QA-1', kind, other }), `${kind} ${other}`).toThrow(/QA-2[\s\S]*future/)
          expect(readFileSync(join(root, 'tickets/QA-1.json'), 'utf8')).toBe(before)
        }
      }
      const until = { ticket: 'QA-1', kind: 'waiting_for_capacity', until: ['QA2'] } satisfies InputTo<'record'>
      expect(() => plan.record(until)).toThrow(/QA-2/)
    })
  })

  test('a new reason replaces the recorded one, and none changes nothing', () => {
    withPlan(plan => {
      addTickets(plan, 'A', 'B')
      const relation = { ticket: 'A', kind: 'blocked_by', other: 'B' } as const
      const first = plan.record({ ...relation, reason: 'old' }).decision
      expect(plan.record(relation)).toMatchObject({ created: false, decision: { id: first.id } })
      expect(plan.record({ ...relation, reason: 'old' }).created).toBe(false)
      const second = plan.record({ ...relation, reason: 'new' })
      expect(second).toMatchObject({ created: true, decision: { reason: 'new', supersedes: [first.id] } })
      expect(plan.relations({ ticket: 'A' }).relations).toMatchObject([
        { reason: 'new', decisions: [second.decision.id] },
      ])
    })
  })

  test('a relation that closes a cycle is recorded, with a warning that names it', () => {
    withPlan(plan => {
      addTickets(plan, 'A', 'B', 'C')
      plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      plan.record({ ticket: 'B', kind: 'after', other: 'C' })
      expect(plan.record({ ticket: 'A', kind: 'blocks', other: 'C' })).toMatchObject({
        created: true,
        warnings: ['this closes a cycle, which holds all of it: C waits for A waits for B waits for C'],
      })
    })
  })

  test('a Ticket that is part of another one is refused as its parent, at any level', () => {
    withPlan(plan => {
      addTickets(plan, 'A', 'B', 'C')
      plan.record({ ticket: 'A', kind: 'part_of', other: 'B' })
      plan.record({ ticket: 'C', kind: 'contains', other: 'B' })
      const ring = () => plan.record({ ticket: 'C', kind: 'part_of', other: 'A' })
      expect(ring).toThrow(expect.objectContaining({ code: 'parent_ring', data: { tickets: ['C', 'A', 'B', 'C'] } }))
    })
  })

  test('a hold needs a reason or a time, holds until it is retracted or until then, and is found again', () => {
    withPlan((plan, _root, clock) => {
      plan.add({ id: 'A', title: 'a', state: 'queued' })
      expect(() => plan.record({ ticket: 'A', kind: 'hold' })).toThrow(/reason or notBefore/)
      const held = plan.record({ ticket: 'A', kind: 'hold', reason: 'ask first' })
      expect(plan.record({ ticket: 'A', kind: 'hold', reason: 'ask first' }).created).toBe(false)
      expect(plan.consult('A')).toMatchObject({ verdict: 'hold', reasons: [{ code: 'on_hold' }] })
      plan.retract(held.decision.id)
      expect(plan.consult('A').verdict).toBe('accept')
      plan.record({ ticket: 'A', kind: 'hold', notBefore: '2026-06-09' })
      expect(plan.consult('A').reasons).toMatchObject([{ code: 'on_hold', not_before: '2026-06-09T00:00:00.000Z' }])
      clock.nowMs = Date.parse('2026-06-09T00:00:00.000Z')
      expect(plan.consult('A').verdict).toBe('accept')
    })
  })

  test('with "future", a target without a file is recorded, reported as dangling, and satisfied by a terminal one', () => {
    withPlan((plan, root) => {
      addTickets(plan, 'A')
      const relation = { ticket: 'A', kind: 'blocked_by', other: 'Z', future: true } as const
      expect(plan.record(relation).warnings).toHaveLength(1)
      expect(plan.queue().problems).toMatchObject([{ code: 'dangling', severity: 'warning', path: 'tickets/A.json' }])
      expect(plan.consult('A').reasons).toMatchObject([{ code: 'blocker_missing', ticket: 'Z' }])
      putTicket(root, 'Z', { state: 'done' })
      expect(plan.consult('A')).toMatchObject({ verdict: 'accept', reasons: [], problems: [] })
      expect(plan.relations({ ticket: 'A', status: 'satisfied' }).relations).toHaveLength(1)
    })
  })

  test('refuses inputs that make no sense, and writes nothing', () => {
    withPlan((plan, root) => {
      addTickets(plan, 'A', 'B')
      const before = readFileSync(join(root, 'tickets/A.json'), 'utf8')
      const codes = [
        () => plan.record({ ticket: 'A', kind: 'blocked_by', other: 'A' }),
        () => plan.record({ ticket: 'A', kind: 'blocks', other: 'Z', future: true }),
        () => plan.record({ ticket: 'A', kind: 'blocked_by' }),
        () => plan.record({ ticket: 'A', kind: 'note', other: 'B', reason: 'x' }),
        () => plan.record({ ticket: 'A', kind: 'note' }),
        () => plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B', advisory: true }),
        () => plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B', pool: 'gpu' }),
        // @ts-expect-error only accept records it
        () => plan.record({ ticket: 'A', kind: 'accepted_plan', other: 'B' }),
        // @ts-expect-error no such kind
        () => plan.record({ ticket: 'A', kind: 'constructor', other: 'B' }),
        () => plan.record({ ticket: 'A', kind: 'note', reason: 'x'.repeat(16_385) }),
        () => plan.record({ ticket: 'A', kind: 'note', reason: 'x', supersedes: ['01JX8Z3V7Q4T9K2M5N6P7R8S9T'] }),
        () => plan.record({ ticket: 'Z', kind: 'blocked_by', other: 'Y' }),
        () => plan.record({ ticket: 'Z', kind: 'note', reason: 'x' }),
        () => plan.record({ ticket: 'A', kind: 'waiting_for_capacity', until: ['A'] }),
      ].map(call => planErrorOf(call).code)
      expect(codes).toEqual([
        'self_relation',
        'no_ticket_file',
        ...Array(8).fill('invalid_input'),
        'unknown_decision',
        'unknown_ticket',
        'unknown_ticket',
        'invalid_input',
      ])
      expect(readFileSync(join(root, 'tickets/A.json'), 'utf8')).toBe(before)
    })
  })

  test('warns of a home path in the reason, and of a pool that is not configured', () => {
    withPlan(plan => {
      addTickets(plan, 'A')
      const { warnings } = plan.record({
        ticket: 'A',
        kind: 'waiting_for_capacity',
        pool: 'gpu',
        reason: 'see /home/joe/notes',
      })
      expect(warnings).toHaveLength(2)
    })
  })

  test('with supersedes it replaces an equal decision', () => {
    withPlan(plan => {
      addTickets(plan, 'A', 'B')
      const first = plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B', reason: 'old' }).decision
      const second = plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B', reason: 'new', supersedes: [first.id] })
      expect(second.created).toBe(true)
      expect(plan.show('A').decisions.map(({ status }) => status)).toEqual(['superseded', 'active'])
      const again: InputTo<'record'> = {
        ticket: 'A',
        kind: 'blocked_by',
        other: 'B',
        reason: 'new',
        supersedes: [first.id],
      }
      expect(plan.record(again)).toMatchObject({ created: false, decision: { id: second.decision.id } })
      const note = plan.record({ ticket: 'A', kind: 'note', reason: 'of old' }).decision
      expect(plan.record({ ...again, supersedes: [note.id] }).created).toBe(true)
    })
  })
})

describe('retract', () => {
  test('retracts a decision once; retracting the retraction makes the decision active again', () => {
    withPlan(plan => {
      addTickets(plan, 'A', 'B')
      const { decision } = plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      const first = plan.retract({ decision: decision.id, reason: 'landed' })
      expect(first).toMatchObject({
        created: true,
        decision: { kind: 'retraction', retracts: decision.id, reason: 'landed' },
      })
      expect(plan.consult('A').verdict).toBe('accept')
      expect(plan.retract(decision.id)).toMatchObject({ created: false, decision: { id: first.decision.id } })
      plan.retract(first.decision.id)
      expect(plan.consult('A').verdict).toBe('hold')
      expect(plan.show('A').decisions).toHaveLength(3)
    })
  })

  test('warns if the relation was recorded twice, and fails if no file has the decision', () => {
    withPlan((plan, root) => {
      const twice = ['01JX8Z3V7Q4T9K2M5N6P7R8S9T', '01JX8Z3V7Q4T9K2M5N6P7R8S9V'].map(id => ({
        at: '2026-06-08T11:30:00.000Z',
        by: 'tester',
        id,
        kind: 'blocked_by',
        target: 'B',
      }))
      putTicket(root, 'A', { decisions: twice.map(asDecision), state: 'queued' })
      putTicket(root, 'B')
      expect(plan.relations().relations).toMatchObject([
        { ticket: 'A', other: 'B', decisions: twice.map(({ id }) => id) },
      ])
      expect(plan.consult('A').reasons).toMatchObject([{ code: 'blocked_by', decisions: twice.map(({ id }) => id) }])
      expect(plan.retract(twice[0]!.id).warnings[0]).toContain(twice[1]!.id)
      expect(plan.consult('A').verdict).toBe('hold')
      expect(planErrorOf(() => plan.retract('01JX8Z3V7Q4T9K2M5N6P7R8S00')).code).toBe('unknown_decision')
      expect(planErrorOf(() => plan.retract('not-a-ulid')).code).toBe('invalid_input')
    })
  })
})
