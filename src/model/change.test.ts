import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tickets } from '../test-support/arbitraries.ts'
import { loose } from '../test-support/loose-decision.ts'
import { phaseOf } from '../test-support/memory-facts.ts'
import { countingStamps, NOON_MS } from '../test-support/stamps.ts'
import { encodeTicket } from './canonical-json.ts'
import { addDecision, createTicket, type DecisionDraft, findActive, retractDecision, setFields } from './change.ts'
import { fileStatuses } from './decision-status.ts'
import { PlanError } from './errors.ts'
import type { TicketId } from './names.ts'
import { isDecisionId } from './names.ts'
import { type Ticket, ticketProblem } from './ticket.ts'

const A = 'A' as TicketId
const B = 'B' as TicketId
const MINUTE_MS = 60_000
const NOON = '2026-06-08T12:00:00.000Z'

const plain: Ticket = { format: 1, id: 'T' as TicketId, title: 't', state: 'open', decisions: [] }
const plan = (summary: string) => ({ kind: 'accepted_plan', plan: { summary } }) satisfies DecisionDraft

function errorCode(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    if (error instanceof PlanError) return { code: error.code, ...error.data }
    throw error
  }
  return undefined
}

/** Adds one decision after the other; a number of minutes moves the clock. */
function record(ticket: Ticket, ...steps: (DecisionDraft | number)[]): { ticket: Ticket; ids: string[] } {
  const stamps = countingStamps()
  const ids: string[] = []
  let nowMs = NOON_MS
  for (const step of steps) {
    if (typeof step === 'number') nowMs += step * MINUTE_MS
    else {
      const { ticket: next, decision } = addDecision(ticket, step, stamps(nowMs))
      ticket = next
      ids.push(decision.id)
    }
  }
  return { ticket, ids }
}

/** A Ticket to which clones that did not know of each other have added one decision each. */
const merged = (...drafts: DecisionDraft[]): Ticket => {
  const stamps = countingStamps()
  return { ...plain, decisions: drafts.map(draft => addDecision(plain, draft, stamps()).decision) }
}

const listActive = ({ decisions }: Ticket) => {
  const statuses = fileStatuses(decisions)
  return decisions.filter(({ id }) => statuses.get(id) === 'active')
}

const statusesOf = ({ ticket, ids }: { ticket: Ticket; ids: string[] }) => {
  const statuses = fileStatuses(ticket.decisions)
  return ids.map(id => statuses.get(id))
}

describe('a new Ticket', () => {
  const stamp = countingStamps('alice')()

  test('is open unless given another state, and dated', () => {
    expect(createTicket(A, { title: 'first' }, stamp, phaseOf)).toEqual({
      created_at: NOON,
      decisions: [],
      format: 1,
      id: 'A',
      state: 'open',
      state_at: NOON,
      title: 'first',
    })
  })

  test('that starts in the queue says when and by whom it was queued', () => {
    const ticket = createTicket(A, { title: '', state: 'queued', slug: 'a' }, stamp, phaseOf)
    expect(ticket).toMatchObject({ slug: 'a', state: 'queued', queued_at: NOON, queued_by: 'alice' })
    const other = createTicket(A, { title: '', state: 'queued', queuedBy: 'panel' }, stamp, phaseOf)
    expect(other).toMatchObject({ queued_at: NOON, queued_by: 'panel' })
  })

  test('can be written', () => {
    expect(ticketProblem(createTicket(A, { title: '', slug: '', queuedBy: '' }, stamp, phaseOf))).toBeNull()
  })
})

describe('changing fields', () => {
  const stamp = countingStamps('alice')(NOON_MS)
  const ticket: Ticket = { ...plain, slug: 's', state_at: '2026-01-01T00:00:00.000Z' }
  const set = (fields: Parameters<typeof setFields>[1], before = ticket) => setFields(before, fields, stamp, phaseOf)

  test('to what they are gives the same object', () => {
    expect(set({})).toBe(ticket)
    expect(set({ title: 't', slug: 's', state: 'open' })).toBe(ticket)
    expect(set({ queuedBy: '' })).toBe(ticket)
    expect(set({ slug: '' }, plain)).toBe(plain)
  })

  test('leaves the Ticket that was given as it was', () => {
    const before = encodeTicket(ticket)
    set({ title: 'u', slug: '', state: 'queued' })
    expect(encodeTicket(ticket)).toBe(before)
  })

  test('keeps everything else, unknown keys included', () => {
    const before = { ...ticket, x: { y: 1 } }
    expect(set({ title: 'u' }, before)).toEqual({ ...before, title: 'u' })
  })

  test('of the title does not date the state', () => {
    expect(set({ title: 'u' }).state_at).toBe('2026-01-01T00:00:00.000Z')
  })

  test('of the state dates it', () => {
    expect(set({ state: 'planning' })).toEqual({ ...ticket, state: 'planning', state_at: NOON })
  })

  test('into the queue says when and by whom', () => {
    expect(set({ state: 'queued' })).toMatchObject({
      state: 'queued',
      state_at: NOON,
      queued_at: NOON,
      queued_by: 'alice',
    })
    expect(set({ state: 'queued', queuedBy: 'panel' })).toMatchObject({ queued_at: NOON, queued_by: 'panel' })
  })

  test('from one queued state to another keeps the place in the queue', () => {
    const phases = (state: string) => (state.startsWith('queued') ? 'queued' : 'open') as 'queued' | 'open'
    const queued = { ...ticket, state: 'queued', queued_at: '2026-01-01T00:00:00.000Z', queued_by: 'panel' }
    expect(setFields(queued, { state: 'queued-2' }, stamp, phases)).toEqual({
      ...queued,
      state: 'queued-2',
      state_at: NOON,
    })
  })

  const queued = { ...ticket, state: 'queued', queued_at: '2026-01-01T00:00:00.000Z', queued_by: 'panel' }

  test.each(['in_progress', 'open', 'quued', 'done'])('to %s and back keeps the place in the queue', state => {
    const left = set({ state }, queued)
    expect(left).toMatchObject({ queued_at: '2026-01-01T00:00:00.000Z', queued_by: 'panel', state, state_at: NOON })
    expect(set({ state: 'queued' }, left)).toEqual({ ...queued, state_at: NOON })
  })

  test('into the queue keeps a time that the file already has, even without an author', () => {
    const imported = { ...ticket, queued_at: '2026-01-01T00:00:00.000Z' }
    expect(set({ state: 'queued' }, imported)).toEqual({ ...imported, state: 'queued', state_at: NOON })
  })

  test('with requeue goes to the end of the queue, whatever the state', () => {
    const last = { queued_at: NOON, queued_by: 'alice' }
    expect(set({ requeue: true }, queued)).toEqual({ ...queued, ...last })
    expect(set({ requeue: true, queuedBy: 'bob' }, queued)).toEqual({ ...queued, ...last, queued_by: 'bob' })
    const active = { ...queued, state: 'in_progress' }
    expect(set({ requeue: true, state: 'queued' }, active)).toEqual({ ...queued, ...last, state_at: NOON })
    expect(set({ requeue: false }, queued)).toBe(queued)
  })

  test('to a state that differs only in spelling stores it as given', () => {
    expect(set({ state: 'Queued' }, queued)).toEqual({ ...queued, state: 'Queued', state_at: NOON })
    expect(set({ state: 'IN-PROGRESS' })).toMatchObject({ state: 'IN-PROGRESS', state_at: NOON })
    expect(set({ state: 'QUEUED' })).toMatchObject({ queued_at: NOON, queued_by: 'alice' })
  })

  test('to an empty slug removes it', () => {
    const next = set({ slug: '' })
    expect(Object.hasOwn(next, 'slug')).toBe(false)
    expect(ticketProblem(next)).toBeNull()
  })

  test('to an empty queuedBy removes that', () => {
    expect(Object.hasOwn(set({ queuedBy: '' }, { ...ticket, queued_by: 'panel' }), 'queued_by')).toBe(false)
  })
})

describe('adding a decision', () => {
  test('adds time, author and id, and leaves out absent fields', () => {
    const { decision, created } = addDecision(plain, { kind: 'note', reason: 'ask first' }, countingStamps('bob')())
    expect(created).toBe(true)
    expect(isDecisionId(decision.id)).toBe(true)
    expect(decision).toStrictEqual({ at: NOON, by: 'bob', id: decision.id, kind: 'note', reason: 'ask first' })
  })

  test('leaves out empty fields', () => {
    const draft: DecisionDraft = { kind: 'conflicts_with', target: A, reason: '', advisory: false, supersedes: [] }
    const { decision } = addDecision(plain, draft, countingStamps()())
    expect(Object.keys(decision).sort()).toEqual(['at', 'by', 'id', 'kind', 'target'])
    const waiting = addDecision(plain, { kind: 'waiting_for_capacity', until: [] }, countingStamps()())
    expect(Object.keys(waiting.decision).sort()).toEqual(['at', 'by', 'id', 'kind'])
  })

  test('keeps the order of ids and the Ticket that was given', () => {
    const stamps = countingStamps()
    const first = addDecision(plain, { kind: 'note', reason: '1' }, stamps(NOON_MS)).ticket
    const second = addDecision(first, { kind: 'note', reason: '2' }, stamps(NOON_MS - MINUTE_MS)).ticket
    expect(second.decisions.map(({ reason }) => reason)).toEqual(['2', '1'])
    expect(first.decisions).toHaveLength(1)
    expect(plain.decisions).toHaveLength(0)
  })

  test.each<DecisionDraft>([
    { kind: 'after', target: A },
    { kind: 'blocked_by', target: A, reason: 'schema first' },
    { kind: 'conflicts_with', target: A },
    { kind: 'conflicts_with', target: A, advisory: true },
    { kind: 'related', target: A },
    { kind: 'related', target: A, label: 'duplicate_of' },
    { kind: 'waiting_for_capacity' },
    { kind: 'waiting_for_capacity', reason: '', until: [] },
    { kind: 'waiting_for_capacity', reason: 'two reviewers', pool: 'gpu', until: ['A', 'B'] },
    { kind: 'part_of', target: A },
    { kind: 'hold' },
    { kind: 'hold', reason: 'waits for legal', not_before: NOON },
  ])('that is already recorded returns the existing one: %j', draft => {
    const stamps = countingStamps()
    const first = addDecision(plain, draft, stamps())
    const again = addDecision(first.ticket, draft, stamps(NOON_MS + MINUTE_MS))
    expect(again).toEqual({ ticket: first.ticket, decision: first.decision, created: false })
    expect(again.ticket).toBe(first.ticket)
    expect(findActive(first.ticket, draft)).toBe(first.decision)
    expect(findActive(plain, draft)).toBeUndefined()
  })

  const ordered = (reason?: string): DecisionDraft => ({
    kind: 'after',
    target: A,
    ...(reason !== undefined && { reason }),
  })

  test('a new reason for an active relation replaces the decision, even if the clock was set back', () => {
    for (const minutes of [1, -600]) {
      const result = record(plain, ordered('one'), minutes, ordered('two'), minutes, ordered('three'))
      expect(statusesOf(result)).toEqual(['superseded', 'superseded', 'active'])
      expect(findActive(result.ticket, ordered())).toMatchObject({ reason: 'three', supersedes: [result.ids[1]] })
    }
  })

  test('a first reason for an active relation replaces the decision without one', () => {
    expect(statusesOf(record(plain, ordered(), ordered('why')))).toEqual(['superseded', 'active'])
  })

  test.each([undefined, '', 'one'])('an active relation recorded again with the reason %j is the same', reason => {
    const { ticket, ids } = record(plain, ordered('one'), ordered(reason))
    expect(ticket.decisions).toHaveLength(1)
    expect(ids[0]).toBe(ids[1])
  })

  test('a new reason replaces every decision that two clones recorded for one relation', () => {
    const twice = merged(ordered('one'), ordered('two'))
    const { ticket, decision, created } = addDecision(twice, ordered('three'), countingStamps()(NOON_MS + 1))
    expect(created).toBe(true)
    expect(listActive(ticket)).toEqual([decision])
  })

  test('a reason that one of two clones gave is already recorded', () => {
    const twice = merged(ordered('one'), ordered('two'), ordered())
    for (const [i, reason] of ['one', 'two'].entries()) {
      expect(addDecision(twice, ordered(reason), countingStamps()())).toEqual({
        ticket: twice,
        decision: twice.decisions[i],
        created: false,
      })
    }
  })

  test.each<[string, DecisionDraft, DecisionDraft]>([
    ['of another kind', { kind: 'after', target: A }, { kind: 'blocked_by', target: A }],
    ['to another Ticket', { kind: 'after', target: A }, { kind: 'after', target: B }],
    ['with another label', { kind: 'related', target: A }, { kind: 'related', target: A, label: 'duplicate_of' }],
    ['with another text', { kind: 'note', reason: 'a' }, { kind: 'note', reason: 'a' }],
    ['with the same plan', plan('a'), plan('a')],
    ['for another pool', { kind: 'waiting_for_capacity' }, { kind: 'waiting_for_capacity', pool: 'gpu' }],
    [
      'until another Ticket',
      { kind: 'waiting_for_capacity', until: ['A'] },
      { kind: 'waiting_for_capacity', until: ['B'] },
    ],
    ['for another reason', { kind: 'waiting_for_capacity' }, { kind: 'waiting_for_capacity', reason: 'x' }],
    ['to another parent', { kind: 'part_of', target: A }, { kind: 'part_of', target: B }],
  ])('one %s is another decision', (_, first, second) => {
    expect(record(plain, first, second).ticket.decisions).toHaveLength(2)
  })

  test.each<[string, DecisionDraft, DecisionDraft]>([
    ['for another reason', { kind: 'hold', reason: 'a' }, { kind: 'hold', reason: 'b' }],
    ['with a reason', { kind: 'hold' }, { kind: 'hold', reason: 'b' }],
    ['until a time', { kind: 'hold' }, { kind: 'hold', not_before: NOON }],
    [
      'until another time',
      { kind: 'hold', not_before: NOON },
      { kind: 'hold', not_before: '2026-06-09T00:00:00.000Z' },
    ],
  ])('a hold %s is another one, and both are active: each is lifted for itself', (_, first, second) => {
    const { ticket } = record(plain, first, second)
    expect(listActive(ticket)).toHaveLength(2)
  })

  test('a hold replaces another one only if "supersedes" names it', () => {
    const { ticket, ids } = record(plain, { kind: 'hold', not_before: NOON })
    const longer: DecisionDraft = { kind: 'hold', not_before: '2026-06-09T00:00:00.000Z', supersedes: ids }
    const { ticket: next, decision } = addDecision(ticket, longer, countingStamps('z')())
    expect(listActive(next)).toEqual([decision])
  })

  test('a relation that was retracted or superseded is recorded again', () => {
    const stamps = countingStamps()
    const draft: DecisionDraft = { kind: 'after', target: A }
    const first = addDecision(plain, draft, stamps())
    const withdrawn = retractDecision(first.ticket, first.decision.id, undefined, stamps()).ticket
    expect(addDecision(withdrawn, draft, stamps()).created).toBe(true)
    const replaced = addDecision(first.ticket, { kind: 'note', supersedes: [first.decision.id] }, stamps()).ticket
    expect(addDecision(replaced, draft, stamps()).created).toBe(true)
  })

  test('a waiting note that a plan has satisfied is recorded again', () => {
    const draft: DecisionDraft = { kind: 'waiting_for_capacity' }
    expect(statusesOf(record(plain, draft, plan('p'), draft))).toEqual(['superseded', 'active', 'active'])
  })
})

describe('a conflict that is recorded again with another weight', () => {
  const strict: DecisionDraft = { kind: 'conflicts_with', target: A }
  const advisory: DecisionDraft = { ...strict, advisory: true }

  test('supersedes an advisory one if it is strict, even if the clock was set back in between', () => {
    for (const minutes of [1, -600]) {
      const result = record(plain, advisory, minutes, strict)
      expect(statusesOf(result)).toEqual(['superseded', 'active'])
      expect(result.ticket.decisions.find(({ id }) => id === result.ids[1])).toMatchObject({
        supersedes: [result.ids[0]],
      })
    }
  })

  test('leaves a strict one as it is if it is advisory, and returns the strict one', () => {
    const { ticket, ids } = record(plain, strict, advisory)
    expect(ticket.decisions).toHaveLength(1)
    expect(ids[0]).toBe(ids[1])
  })

  test('keeps the reason of an advisory one beside the strict one, once', () => {
    const why: DecisionDraft = { ...advisory, reason: 'both touch the menu' }
    const result = record(plain, strict, why, why, advisory)
    expect(result.ticket.decisions).toHaveLength(2)
    expect(statusesOf(result)).toEqual(['active', 'active', 'active', 'active'])
    expect(findActive(result.ticket, strict)).toMatchObject({ id: result.ids[0] })
    expect([result.ids[2], result.ids[3]]).toEqual([result.ids[1], result.ids[0]])
  })

  test('weakens a strict one that "supersedes" names', () => {
    const { ticket, ids } = record(plain, strict)
    const weaker = addDecision(ticket, { ...advisory, supersedes: ids }, countingStamps('z')(NOON_MS - 1))
    expect(weaker.created).toBe(true)
    expect(listActive(weaker.ticket)).toEqual([weaker.decision])
  })

  test('does not weaken the strict one of another clone that "supersedes" does not name', () => {
    const twice = merged(strict, strict)
    const [first, second] = twice.decisions
    const { ticket, created } = addDecision(
      twice,
      { ...advisory, supersedes: [first!.id] },
      countingStamps('z')(NOON_MS + 1),
    )
    expect(created).toBe(true)
    expect(fileStatuses(ticket.decisions).get(first!.id)).toBe('superseded')
    expect(findActive(ticket, strict)).toEqual(second)
  })

  test('also supersedes what "supersedes" names, each once', () => {
    const { ticket, ids } = record(plain, { kind: 'note' }, advisory)
    const supersedes = [ids[1]!, ids[0]!, ids[1]!]
    const { decision } = addDecision(ticket, { ...strict, supersedes }, countingStamps('z')(NOON_MS + 1))
    expect(decision.supersedes).toEqual([...ids].sort())
  })

  test('does not touch a conflict with another Ticket', () => {
    expect(statusesOf(record(plain, { ...advisory, target: B }, strict))).toEqual(['active', 'active'])
  })

  test('supersedes every advisory one that two clones have recorded', () => {
    const { ticket, decision } = addDecision(merged(advisory, advisory), strict, countingStamps()(NOON_MS + 1))
    expect(listActive(ticket)).toEqual([decision])
  })

  test('changes nothing where two clones have recorded both weights: the strict one counts', () => {
    const both = merged(strict, advisory)
    for (const draft of [strict, advisory]) {
      const again = addDecision(both, draft, countingStamps()(NOON_MS + 1))
      expect(again).toEqual({ ticket: both, decision: both.decisions[0], created: false })
    }
  })
})

describe('superseding', () => {
  test('what the file does not hold is refused by name', () => {
    const { ticket, ids } = record(plain, { kind: 'note' })
    const missing = '01JX8Z3V7Q4T9K2M5N6P7R8S01'
    const draft: DecisionDraft = { kind: 'note', supersedes: [ids[0]!, missing] }
    expect(errorCode(() => addDecision(ticket, draft, countingStamps()()))).toEqual({
      code: 'unknown_decision',
      decision: missing,
    })
  })

  test('a relation by one that says the same makes a new one', () => {
    const { ticket, ids } = record(plain, { kind: 'after', target: A })
    const draft: DecisionDraft = { kind: 'after', target: A, reason: 'better', supersedes: ids }
    const { decision, ticket: next, created } = addDecision(ticket, draft, countingStamps('z')(NOON_MS + 1))
    expect(created).toBe(true)
    const statuses = fileStatuses(next.decisions)
    expect([statuses.get(ids[0]!), statuses.get(decision.id)]).toEqual(['superseded', 'active'])
    expect(addDecision(next, draft, countingStamps('z')(NOON_MS + 2))).toMatchObject({ created: false, decision })
  })

  test('takes effect even if the clock was set back', () => {
    const { ticket, ids } = record(plain, { kind: 'note' })
    const draft: DecisionDraft = { kind: 'note', supersedes: ids }
    const { decision, ticket: next } = addDecision(ticket, draft, countingStamps('z')(NOON_MS - 60 * MINUTE_MS))
    expect(decision.at).toBe('2026-06-08T12:00:00.001Z')
    expect(fileStatuses(next.decisions).get(ids[0]!)).toBe('superseded')
  })
})

describe('a clock that was set back', () => {
  test('still makes the plan that was recorded later the active one', () => {
    expect(statusesOf(record(plain, plan('1'), -600, plan('2'), -600, plan('3')))).toEqual([
      'superseded',
      'superseded',
      'active',
    ])
  })

  test('still lets a plan satisfy the capacity note before it, and not the one after it', () => {
    const note = (reason: string): DecisionDraft => ({ kind: 'waiting_for_capacity', reason })
    expect(statusesOf(record(plain, note('1'), -600, plan('p')))).toEqual(['satisfied', 'active'])
    expect(statusesOf(record(plain, plan('p'), -600, note('1'), -600, note('2')))).toEqual([
      'active',
      'superseded',
      'active',
    ])
  })

  test('makes a plan follow the one with the latest time, not the one with the greatest id', () => {
    const dated = (id: string, at: string) =>
      ({ id, kind: 'accepted_plan', by: 'x', at, plan: { summary: '' } }) as const
    const decisions = [
      dated('01JX8Z3V7Q4T9K2M5N6P7R8S01', '2026-06-08T18:00:00.000Z'),
      dated('01JX8Z3V7Q4T9K2M5N6P7R8S02', NOON),
    ]
    const { decision } = addDecision({ ...plain, decisions }, plan('new'), countingStamps()())
    expect(decision.at).toBe('2026-06-08T18:00:00.001Z')
  })

  test('or that has stopped has the same effect', () => {
    expect(statusesOf(record(plain, plan('1'), plan('2')))).toEqual(['superseded', 'active'])
  })

  test('does not date a decision later that has nothing to follow', () => {
    const { ticket } = record(plain, plan('1'), -600, { kind: 'note' }, { kind: 'after', target: A })
    expect(ticket.decisions.map(({ at }) => at).sort()).toEqual([
      '2026-06-08T02:00:00.000Z',
      '2026-06-08T02:00:00.000Z',
      NOON,
    ])
  })
})

describe('retracting', () => {
  const stamps = countingStamps()
  const added = addDecision(plain, { kind: 'after', target: A }, stamps())
  const { id } = added.decision

  test('adds a retraction', () => {
    const { ticket, decision, created } = retractDecision(added.ticket, id, 'no longer', stamps(NOON_MS + MINUTE_MS))
    expect(created).toBe(true)
    expect(decision).toMatchObject({
      kind: 'retraction',
      retracts: id,
      reason: 'no longer',
      at: '2026-06-08T12:01:00.000Z',
    })
    expect(ticket.decisions).toContain(added.decision)
    expect(fileStatuses(ticket.decisions).get(id)).toBe('retracted')
  })

  test('again gives the retraction that did it and the same Ticket', () => {
    const first = retractDecision(added.ticket, id, undefined, stamps())
    expect(Object.hasOwn(first.decision, 'reason')).toBe(false)
    const again = retractDecision(first.ticket, id, 'other words', stamps())
    expect(again).toEqual({ ticket: first.ticket, decision: first.decision, created: false })
    expect(again.ticket).toBe(first.ticket)
  })

  test('after the retraction was itself retracted retracts it again', () => {
    const first = retractDecision(added.ticket, id, undefined, stamps())
    const back = retractDecision(first.ticket, first.decision.id, undefined, stamps())
    expect(fileStatuses(back.ticket.decisions).get(id)).toBe('active')
    const again = retractDecision(back.ticket, id, undefined, stamps())
    expect(again.created).toBe(true)
    expect(fileStatuses(again.ticket.decisions).get(id)).toBe('retracted')
    expect(retractDecision(again.ticket, id, undefined, stamps())).toMatchObject({
      created: false,
      decision: again.decision,
    })
  })

  test('a decision dated in the future is dated later still', () => {
    const { decision } = retractDecision(added.ticket, id, '', stamps(NOON_MS - 600 * MINUTE_MS))
    expect(decision.at).toBe('2026-06-08T12:00:00.001Z')
    expect(Object.hasOwn(decision, 'reason')).toBe(false)
  })

  test('what the file does not hold is refused by name', () => {
    const missing = '01JX8Z3V7Q4T9K2M5N6P7R8S01'
    expect(errorCode(() => retractDecision(added.ticket, missing, undefined, stamps()))).toEqual({
      code: 'unknown_decision',
      decision: missing,
    })
  })
})

describe('any sequence of changes', () => {
  const targets = fc.constantFrom(A, B)
  const starts = tickets.filter(({ id }) => id !== A && id !== B)
  const short = fc.constantFrom(undefined, '', 'why')
  const pools = fc.constantFrom(undefined, 'default', 'gpu')
  const drafts: fc.Arbitrary<DecisionDraft> = fc.oneof(
    fc.record({ kind: fc.constantFrom('after', 'blocked_by', 'part_of', 'related'), target: targets, reason: short }),
    fc.record({ kind: fc.constant('conflicts_with'), target: targets, advisory: fc.boolean(), reason: short }),
    fc.record({
      kind: fc.constant('hold'),
      reason: short,
      not_before: fc.constantFrom(undefined, NOON, '2026-06-09T00:00:00.000Z'),
    }),
    fc.record({
      kind: fc.constant('waiting_for_capacity'),
      reason: short,
      pool: pools,
      until: fc.option(fc.subarray(['A', 'B']), { nil: undefined }),
    }),
    fc.record({
      kind: fc.constant('accepted_plan'),
      plan: fc.record({ summary: fc.string() }),
      overrides: fc.option(fc.subarray(['after', 'cycle']), { nil: undefined }),
    }),
    fc.record({ kind: fc.constant('note'), reason: short }),
  ) as fc.Arbitrary<DecisionDraft>
  const steps = fc.record({
    clockMs: fc.integer({ min: -100 * MINUTE_MS, max: 100 * MINUTE_MS }),
    change: fc.oneof(
      {
        weight: 1,
        arbitrary: fc.record({
          fields: fc.record(
            {
              title: fc.string(),
              slug: fc.constantFrom('', 'a', 'b'),
              state: fc.constantFrom('open', 'queued', 'in_progress', 'done'),
              queuedBy: fc.constantFrom('', 'panel'),
              requeue: fc.boolean(),
            },
            { requiredKeys: [] },
          ),
        }),
      },
      { weight: 4, arbitrary: fc.record({ draft: drafts, supersedes: fc.array(fc.nat(), { maxLength: 2 }) }) },
      { weight: 2, arbitrary: fc.record({ retract: fc.nat(), reason: short }) },
    ),
  })
  type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never

  function apply(ticket: Ticket, { change }: Step, stamp: ReturnType<ReturnType<typeof countingStamps>>) {
    if ('fields' in change) return { ticket: setFields(ticket, change.fields, stamp, phaseOf) }
    const pick = (n: number) => ticket.decisions[n % ticket.decisions.length]!.id
    const some = ticket.decisions.length > 0
    if ('draft' in change)
      return addDecision(ticket, { ...change.draft, supersedes: some ? change.supersedes.map(pick) : [] }, stamp)
    return some ? retractDecision(ticket, pick(change.retract), change.reason, stamp) : { ticket }
  }

  test('only ever adds decisions, and what it leaves can always be written', () => {
    let unchanged = 0
    fc.assert(
      fc.property(starts, fc.array(steps, { minLength: 1, maxLength: 12 }), (start, list) => {
        const stamps = countingStamps()
        let ticket = start
        for (const step of list) {
          const before = encodeTicket(ticket)
          const known = ticket.decisions
          const result = apply(ticket, step, stamps(NOON_MS + step.clockMs))
          const next = result.ticket
          expect(encodeTicket(ticket)).toBe(before)
          expect(ticketProblem(next)).toBeNull()
          expect(next.decisions.filter(decision => known.includes(decision))).toEqual(known)
          expect(next.decisions.map(({ id }) => id)).toEqual(next.decisions.map(({ id }) => id).sort())
          // The same object says that nothing changed, and another one that something did.
          expect(next === ticket).toBe(encodeTicket(next) === before)
          if (next === ticket) unchanged++
          if ('created' in result) {
            expect(result.created).toBe(next !== ticket)
            expect(next.decisions).toContain(result.decision)
            expect(next.decisions.length - known.length).toBe(result.created ? 1 : 0)
          }
          ticket = next
        }
      }),
      { numRuns: 300 },
    )
    expect(unchanged).toBeGreaterThan(50)
  })

  const STRICT: DecisionDraft[] = [A, B].map(target => ({ kind: 'conflicts_with', target }))

  test('keeps what was recorded, a strict conflict strict, and a retracted decision retracted', () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 12 }), list => {
        const stamps = countingStamps()
        let ticket = plain
        for (const step of list) {
          const strictBefore = STRICT.filter(draft => findActive(ticket, draft))
          const result = apply(ticket, step, stamps(NOON_MS + step.clockMs))
          ticket = result.ticket
          if (!('created' in result)) continue
          const statuses = fileStatuses(ticket.decisions)
          const { kind, id, retracts } = loose(result.decision)
          if (result.created) expect(statuses.get(id)).toBe('active')
          if (kind === 'retraction') expect(statuses.get(retracts!)).toBe('retracted')
          else {
            const named = 'draft' in step.change ? step.change.supersedes.length : 0
            if (named === 0) for (const draft of strictBefore) expect(findActive(ticket, draft)).toBeDefined()
            const superseded = 'supersedes' in step.change && result.created ? (result.decision.supersedes ?? []) : []
            for (const other of superseded) expect(statuses.get(other)).not.toBe('active')
          }
          if (!('draft' in step.change)) continue
          const { draft } = step.change
          // What was recorded is active, with its reason and at least as strict.
          const isRecorded = listActive(ticket)
            .map(loose)
            .some(
              active =>
                active.kind === draft.kind &&
                (!('target' in draft) || active.target === draft.target) &&
                (!draft.reason || active.reason === draft.reason) &&
                (draft.kind !== 'conflicts_with' || draft.advisory || !active.advisory),
            )
          expect(isRecorded).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})
