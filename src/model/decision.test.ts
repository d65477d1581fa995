import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decisionLists, ticketIds } from '../test-support/arbitraries.ts'
import { asDecision, type LooseDecision } from '../test-support/loose-decision.ts'
import { naiveStatuses } from '../test-support/memory-facts.ts'
import { byTime, type Decision, isStoredRelation } from './decision.ts'
import { INVERSE, OTHER_KINDS, type RelationKind, STORED_RELATION_KINDS } from './decision-kinds.ts'
import { fileStatuses, finalStatus, type Status } from './decision-status.ts'
import type { TicketId } from './names.ts'
import { storedRelation } from './stored-relation.ts'

const A = 'A' as TicketId
const B = 'B' as TicketId

/** A decision made in the given minute; `id` is what the others name it by. */
function decision(id: string, kind: string, minute: number, fields: LooseDecision = {}): Decision {
  return asDecision({ id, kind, by: 'x', at: `2026-06-08T11:${String(minute).padStart(2, '0')}:00.000Z`, ...fields })
}
const note = (id: string, minute: number, fields?: LooseDecision) => decision(id, 'note', minute, fields)
const plan = (id: string, minute: number, fields?: LooseDecision) => decision(id, 'accepted_plan', minute, fields)
const waiting = (id: string, minute: number) => decision(id, 'waiting_for_capacity', minute)
const retraction = (id: string, retracts: string, minute = 30) => decision(id, 'retraction', minute, { retracts })

const statuses = (...decisions: Decision[]) => Object.fromEntries(fileStatuses(decisions))

describe('where a relation is stored', () => {
  test.each<[TicketId, RelationKind, TicketId, TicketId, string, TicketId]>([
    [A, 'before', B, B, 'after', A],
    [B, 'after', A, B, 'after', A],
    [A, 'blocks', B, B, 'blocked_by', A],
    [B, 'blocked_by', A, B, 'blocked_by', A],
    [A, 'conflicts_with', B, A, 'conflicts_with', B],
    [B, 'conflicts_with', A, A, 'conflicts_with', B],
    [A, 'related', B, A, 'related', B],
    [B, 'related', A, B, 'related', A],
    [A, 'part_of', B, A, 'part_of', B],
    [B, 'contains', A, A, 'part_of', B],
  ])('"%s %s %s" is kept by %s as %s %s', (ticket, kind, other, holder, storedKind, target) => {
    expect(storedRelation(ticket, kind, other)).toEqual({ holder, kind: storedKind, target })
  })

  test('a conflict is kept by the id that is smaller by code unit, so capitals come first', () => {
    expect(storedRelation('a' as TicketId, 'conflicts_with', 'B' as TicketId).holder).toBe('B')
    expect(storedRelation('9' as TicketId, 'conflicts_with', '10' as TicketId).holder).toBe('10')
  })

  test('every kind is the inverse of its inverse', () => {
    const kinds = Object.keys(INVERSE).sort() as RelationKind[]
    expect(kinds).toEqual([
      'after',
      'before',
      'blocked_by',
      'blocks',
      'conflicts_with',
      'contains',
      'part_of',
      'related',
    ])
    for (const kind of kinds) expect(INVERSE[INVERSE[kind]]).toBe(kind)
  })

  test('recorded from either side it is stored alike, except "related", which belongs to the side that records it', () => {
    const kinds = fc.constantFrom(...(Object.keys(INVERSE) as RelationKind[]))
    fc.assert(
      fc.property(ticketIds, kinds, ticketIds, (ticket, kind, other) => {
        fc.pre(ticket !== other)
        const stored = storedRelation(ticket, kind, other)
        const fromOther = storedRelation(other, INVERSE[kind], ticket)
        if (kind === 'related') expect(fromOther).toEqual({ holder: other, kind, target: ticket })
        else expect(fromOther).toEqual(stored)
        expect([stored.holder, stored.target].sort()).toEqual([ticket, other].sort())
        const seen = stored.holder === ticket ? stored.kind : INVERSE[stored.kind]
        expect(seen).toBe(kind)
        expect(isStoredRelation(decision('1', stored.kind, 0, { target: stored.target }))).toBe(true)
      }),
    )
  })

  test('the kinds that a file holds are five', () => {
    expect([...STORED_RELATION_KINDS]).toEqual(['after', 'blocked_by', 'conflicts_with', 'part_of', 'related'])
    for (const kind of ['before', 'blocks', 'contains', 'hold', 'note', 'constructor', ''])
      expect(isStoredRelation(decision('1', kind, 0))).toBe(false)
  })
})

describe('order', () => {
  test('is by time and then by id', () => {
    const list = [note('3', 1), note('1', 2), note('2', 1), note('0', 2)]
    expect(list.sort(byTime).map(({ id }) => id)).toEqual(['2', '3', '0', '1'])
    expect(byTime(note('1', 1), note('1', 1))).toBe(0)
  })
})

describe('retraction', () => {
  test('a decision that nothing retracts is active, and so is its retraction', () => {
    expect(statuses(note('1', 0), note('2', 0), retraction('3', '2'))).toEqual({
      1: 'active',
      2: 'retracted',
      3: 'active',
    })
  })

  test('a retraction counts even if it is dated before what it retracts', () => {
    expect(statuses(note('1', 20), retraction('2', '1', 5))['1']).toBe('retracted')
  })

  test('of a retraction brings the decision back', () => {
    expect(statuses(note('1', 0), retraction('2', '1'), retraction('3', '2'))).toEqual({
      1: 'active',
      2: 'retracted',
      3: 'active',
    })
  })

  test('of the retraction of a retraction takes it away again', () => {
    expect(statuses(note('1', 0), retraction('2', '1'), retraction('3', '2'), retraction('4', '3'))).toEqual({
      1: 'retracted',
      2: 'active',
      3: 'retracted',
      4: 'active',
    })
  })

  test('one of two that is active is enough', () => {
    const list = [note('1', 0), retraction('2', '1'), retraction('3', '1'), retraction('4', '2')]
    expect(statuses(...list)).toEqual({ 1: 'retracted', 2: 'retracted', 3: 'active', 4: 'active' })
    expect(statuses(...list, retraction('5', '3'))['1']).toBe('active')
  })

  test('of what the file does not hold changes nothing', () => {
    expect(statuses(note('1', 0), retraction('2', '9'))).toEqual({ 1: 'active', 2: 'active' })
  })

  test('only a decision of the kind "retraction" retracts', () => {
    expect(statuses(note('1', 0), note('2', 1, { retracts: '1' }))).toEqual({ 1: 'active', 2: 'active' })
  })

  test.each([
    ['one of itself', [retraction('1', '1')], { 1: 'active' }],
    ['two', [retraction('1', '2'), retraction('2', '1')], { 1: 'active', 2: 'retracted' }],
    [
      'three',
      [retraction('1', '2'), retraction('2', '3'), retraction('3', '1')],
      { 1: 'active', 2: 'retracted', 3: 'active' },
    ],
    [
      'four',
      [retraction('1', '2'), retraction('2', '3'), retraction('3', '4'), retraction('4', '1')],
      { 1: 'active', 2: 'retracted', 3: 'active', 4: 'retracted' },
    ],
    [
      'two that a third one parts',
      [note('0', 0), retraction('1', '2'), retraction('2', '1'), retraction('3', '1')],
      { 0: 'active', 1: 'retracted', 2: 'active', 3: 'active' },
    ],
  ])('retractions that name each other in a cycle are resolved: %s', (_, cycle, expected) => {
    expect(statuses(...cycle)).toEqual(expected)
    expect(statuses(...[...cycle].reverse())).toEqual(expected)
  })

  test('ten thousand, each of the one before, come to an end too', () => {
    const chain = [note('00000', 0)]
    for (let i = 1; i < 10_000; i++) chain.push(retraction(String(i).padStart(5, '0'), String(i - 1).padStart(5, '0')))
    const found = fileStatuses(chain)
    expect(found.get('09999')).toBe('active')
    expect(found.get('09998')).toBe('retracted')
    expect(found.get('00001')).toBe('active')
    expect(found.get('00000')).toBe('retracted')
  })
})

describe('supersedes', () => {
  test('a later decision supersedes those that it names', () => {
    expect(statuses(note('1', 0), note('2', 1), note('3', 2, { supersedes: ['1', '2', '9'] }))).toEqual({
      1: 'superseded',
      2: 'superseded',
      3: 'active',
    })
  })

  test('an earlier one does not, nor does one supersede itself', () => {
    expect(statuses(note('1', 5), note('2', 1, { supersedes: ['1', '2'] }))).toEqual({ 1: 'active', 2: 'active' })
  })

  test('of two at the same time the one with the greater id is later', () => {
    expect(statuses(note('1', 0), note('2', 0, { supersedes: ['1'] }))['1']).toBe('superseded')
    expect(statuses(note('2', 0), note('1', 0, { supersedes: ['2'] }))['2']).toBe('active')
  })

  test('a retracted one does not', () => {
    expect(statuses(note('1', 0), note('2', 1, { supersedes: ['1'] }), retraction('3', '2'))).toEqual({
      1: 'active',
      2: 'retracted',
      3: 'active',
    })
  })

  test('a superseded one still does', () => {
    expect(statuses(note('1', 0), note('2', 1, { supersedes: ['1'] }), note('3', 2, { supersedes: ['2'] }))).toEqual({
      1: 'superseded',
      2: 'superseded',
      3: 'active',
    })
  })

  test('what is both superseded and retracted is retracted', () => {
    expect(statuses(note('1', 0), note('2', 1, { supersedes: ['1'] }), retraction('3', '1'))['1']).toBe('retracted')
  })
})

describe('plans and capacity notes', () => {
  test('of several plans the last is active, by time and not by id', () => {
    expect(statuses(plan('3', 1), plan('1', 9), plan('2', 5))).toEqual({
      1: 'active',
      2: 'superseded',
      3: 'superseded',
    })
  })

  test('of several at the same time the one with the greatest id is active', () => {
    expect(statuses(plan('2', 1), plan('1', 1))).toEqual({ 1: 'superseded', 2: 'active' })
  })

  test('the last that is not retracted is active', () => {
    expect(statuses(plan('1', 1), plan('2', 2), plan('3', 3), retraction('4', '3'))).toMatchObject({
      1: 'superseded',
      2: 'active',
      3: 'retracted',
    })
    expect(statuses(waiting('1', 1), waiting('2', 2), retraction('3', '2'))).toMatchObject({
      1: 'active',
      2: 'retracted',
    })
  })

  test('of several capacity notes the last is active', () => {
    expect(statuses(waiting('1', 1), waiting('2', 2))).toEqual({ 1: 'superseded', 2: 'active' })
  })

  test('plans and notes do not supersede each other', () => {
    expect(statuses(plan('1', 1), waiting('2', 2))).toEqual({ 1: 'active', 2: 'active' })
  })

  test('a note with a later plan is satisfied', () => {
    expect(statuses(waiting('1', 1), plan('2', 2))).toEqual({ 1: 'satisfied', 2: 'active' })
  })

  test('a note after the last plan is active', () => {
    expect(statuses(plan('1', 1), waiting('2', 2))['2']).toBe('active')
    expect(statuses(waiting('1', 1), plan('2', 2), waiting('3', 3))).toEqual({
      1: 'superseded',
      2: 'active',
      3: 'active',
    })
  })

  test('a plan that is retracted satisfies no note', () => {
    expect(statuses(waiting('1', 1), plan('2', 2), retraction('3', '2'))['1']).toBe('active')
    expect(statuses(plan('0', 0), waiting('1', 1), plan('2', 2), retraction('3', '2'))['1']).toBe('active')
  })

  test('several decisions of any other kind are active together', () => {
    expect(statuses(note('1', 1), note('2', 2), decision('3', 'contested', 3), decision('4', 'contested', 4))).toEqual({
      1: 'active',
      2: 'active',
      3: 'active',
      4: 'active',
    })
  })
})

describe('status', () => {
  test('is what the words of the contract say, cycles of retractions included', () => {
    const seen = new Set<Status>()
    fc.assert(
      fc.property(decisionLists, decisions => {
        const found = fileStatuses(decisions)
        for (const status of found.values()) seen.add(status)
        expect(Object.fromEntries(found)).toEqual(Object.fromEntries(naiveStatuses(decisions)))
      }),
      { numRuns: 2000 },
    )
    expect([...seen].sort()).toEqual(['active', 'retracted', 'satisfied', 'superseded'])
  })

  test('of retractions alone is what the words of the contract say', () => {
    const ids = fc.constantFrom(...'0123456789')
    const retractions = fc
      .uniqueArray(fc.tuple(ids, ids), { selector: ([id]) => id })
      .map(pairs => pairs.map(([id, retracts]) => retraction(id, retracts)))
    fc.assert(
      fc.property(retractions, list => {
        expect(statuses(...list)).toEqual(Object.fromEntries(naiveStatuses(list)))
      }),
      { numRuns: 1000 },
    )
  })

  test('does not depend on the order of the decisions, which stays as it is', () => {
    const shuffled = decisionLists.chain(decisions =>
      fc.tuple(fc.constant(decisions), fc.shuffledSubarray(decisions, { minLength: decisions.length })),
    )
    fc.assert(
      fc.property(shuffled, ([decisions, others]) => {
        const before = others.map(({ id }) => id)
        expect(statuses(...others)).toEqual(statuses(...decisions))
        fileStatuses(others)
        expect(others.map(({ id }) => id)).toEqual(before)
      }),
      { numRuns: 500 },
    )
  })

  test('of no decisions is nothing', () => {
    expect(fileStatuses([]).size).toBe(0)
  })
})

describe('the final status', () => {
  const NOW = '2026-06-08T12:00:00.000Z'
  const kinds = [...STORED_RELATION_KINDS, ...OTHER_KINDS, 'reviewed']
  const others = [
    undefined,
    ...(['open', 'queued', 'active'] as const).map(phase => ({ phase, outcome: null })),
    { phase: 'terminal', outcome: 'completed' },
    { phase: 'terminal', outcome: 'abandoned' },
  ] as const
  const phases = ['open', 'queued', 'active', 'terminal'] as const

  test('of what is retracted, superseded or satisfied within the file stays so', () => {
    for (const status of ['retracted', 'superseded', 'satisfied'] as const)
      for (const other of others)
        for (const ownPhase of phases)
          expect(finalStatus(status, decision('1', 'blocked_by', 0), { ownPhase, other, now: NOW })).toBe(status)
  })

  test('of every decision of a terminal Ticket is satisfied', () => {
    for (const kind of kinds)
      for (const other of others)
        expect(finalStatus('active', decision('1', kind, 0), { ownPhase: 'terminal', other, now: NOW })).toBe(
          'satisfied',
        )
  })

  test('of a relation is satisfied once the other Ticket is terminal, but for an abandoned blocker', () => {
    for (const kind of kinds) {
      for (const other of others) {
        for (const ownPhase of ['open', 'queued', 'active'] as const) {
          const isRelation = (STORED_RELATION_KINDS as string[]).includes(kind)
          const isAbandonedBlocker = kind === 'blocked_by' && other?.outcome === 'abandoned'
          const isSatisfied = isRelation && other?.phase === 'terminal' && !isAbandonedBlocker
          expect(finalStatus('active', decision('1', kind, 0), { ownPhase, other, now: NOW })).toBe(
            isSatisfied ? 'satisfied' : 'active',
          )
        }
      }
    }
  })

  test.each([
    ['without a time', undefined, 'active'],
    ['until a later time', '2026-06-08T12:00:00.001Z', 'active'],
    ['until now', NOW, 'satisfied'],
    ['until an earlier time', '2026-06-08T11:59:59.999Z', 'satisfied'],
  ])('of a hold %s goes by the wall clock', (_, not_before, status) => {
    const hold = decision('1', 'hold', 0, not_before === undefined ? {} : { not_before })
    expect(finalStatus('active', hold, { ownPhase: 'queued', now: NOW })).toBe(status)
  })

  test('of another kind with a field "not_before" does not go by the clock', () => {
    const note = decision('1', 'note', 0, { not_before: '2000-01-01T00:00:00.000Z' })
    expect(finalStatus('active', note, { ownPhase: 'queued', now: NOW })).toBe('active')
  })
})
