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

const statusesOf = ({ ticket, ids }: { ticket: Ticket; ids: string[] }) => {
  const statuses = fileStatuses(ticket.decisions)
  return ids.map(id => statuses.get(id))
}

describe('a new Ticket', () => {
  const stamp = countingStamps('alice')()

  test('is open unless said otherwise, and dated', () => {
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

  test('out of the queue keeps when it was queued, and into it again says so anew', () => {
    const queued = { ...ticket, state: 'queued', queued_at: '2026-01-01T00:00:00.000Z', queued_by: 'panel' }
    const active = set({ state: 'in_progress' }, queued)
    expect(active).toMatchObject({ queued_at: '2026-01-01T00:00:00.000Z', queued_by: 'panel', state_at: NOON })
    expect(set({ state: 'queued' }, active)).toMatchObject({ queued_at: NOON, queued_by: 'alice' })
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
  test('dates it, signs it, and leaves out what is not said', () => {
    const { decision, created } = addDecision(plain, { kind: 'note', reason: 'ask first' }, countingStamps('bob')())
    expect(created).toBe(true)
    expect(isDecisionId(decision.id)).toBe(true)
    expect(decision).toStrictEqual({ at: NOON, by: 'bob', id: decision.id, kind: 'note', reason: 'ask first' })
  })

  test('leaves out what is said to be nothing', () => {
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
  ])('that stands already gives the one that stands: %j', draft => {
    const stamps = countingStamps()
    const first = addDecision(plain, draft, stamps())
    const again = addDecision(first.ticket, draft, stamps(NOON_MS + MINUTE_MS))
    expect(again).toEqual({ ticket: first.ticket, decision: first.decision, created: false })
    expect(again.ticket).toBe(first.ticket)
    expect(findActive(first.ticket, draft)).toBe(first.decision)
    expect(findActive(plain, draft)).toBeUndefined()
  })

  test('a relation that stands is the same whatever the reason is', () => {
    const { ticket } = record(
      plain,
      { kind: 'after', target: A, reason: 'one' },
      { kind: 'after', target: A, reason: 'two' },
    )
    expect(ticket.decisions).toHaveLength(1)
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
  ])('one %s is another decision', (_, first, second) => {
    expect(record(plain, first, second).ticket.decisions).toHaveLength(2)
  })

  test('a relation that was retracted or superseded is recorded anew', () => {
    const stamps = countingStamps()
    const draft: DecisionDraft = { kind: 'after', target: A }
    const first = addDecision(plain, draft, stamps())
    const withdrawn = retractDecision(first.ticket, first.decision.id, undefined, stamps()).ticket
    expect(addDecision(withdrawn, draft, stamps()).created).toBe(true)
    const replaced = addDecision(first.ticket, { kind: 'note', supersedes: [first.decision.id] }, stamps()).ticket
    expect(addDecision(replaced, draft, stamps()).created).toBe(true)
  })

  test('a waiting note that a plan has satisfied is recorded anew', () => {
    const draft: DecisionDraft = { kind: 'waiting_for_capacity' }
    expect(statusesOf(record(plain, draft, plan('p'), draft))).toEqual(['superseded', 'active', 'active'])
  })
})

describe('a conflict that is said again with another weight', () => {
  const strict: DecisionDraft = { kind: 'conflicts_with', target: A }
  const advisory: DecisionDraft = { ...strict, advisory: true }

  test.each([
    ['strict after advisory', advisory, strict],
    ['advisory after strict', strict, advisory],
  ])('supersedes the one that stands: %s', (_, first, second) => {
    const result = record(plain, first, second)
    expect(statusesOf(result)).toEqual(['superseded', 'active'])
    expect(result.ticket.decisions.find(({ id }) => id === result.ids[1])).toMatchObject({
      supersedes: [result.ids[0]],
    })
  })

  test('does so even if the clock was set back in between', () => {
    expect(statusesOf(record(plain, strict, -600, advisory))).toEqual(['superseded', 'active'])
  })

  test('supersedes what it was told to as well, each once', () => {
    const { ticket, ids } = record(plain, { kind: 'note' }, strict)
    const supersedes = [ids[1]!, ids[0]!, ids[1]!]
    const { decision } = addDecision(ticket, { ...advisory, supersedes }, countingStamps('z')(NOON_MS + 1))
    expect(decision.supersedes).toEqual([...ids].sort())
  })

  test('does not touch a conflict with another Ticket', () => {
    expect(statusesOf(record(plain, { ...strict, target: B }, advisory))).toEqual(['active', 'active'])
  })

  const merged = (...drafts: DecisionDraft[]): Ticket => {
    const stamps = countingStamps()
    const decisions = drafts.map(draft => addDecision(plain, draft, stamps()).decision)
    return { ...plain, decisions }
  }

  test('supersedes every one that two clones have recorded', () => {
    const { ticket, decision } = addDecision(merged(strict, strict), advisory, countingStamps()(NOON_MS + 1))
    const statuses = fileStatuses(ticket.decisions)
    const standing = ticket.decisions.filter(({ id }) => statuses.get(id) === 'active')
    expect(standing).toEqual([decision])
  })

  test('only warns once it is said to, even where two clones have recorded both weights', () => {
    const both = merged(strict, advisory)
    const { ticket } = addDecision(both, advisory, countingStamps()(NOON_MS + 1))
    expect(findActive(ticket, strict)).toBeUndefined()
    expect(findActive(ticket, advisory)).toBeDefined()
    expect(addDecision(ticket, advisory, countingStamps()(NOON_MS + 2)).created).toBe(false)
    expect(addDecision(both, strict, countingStamps()(NOON_MS + 1)).created).toBe(false)
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
  test('still makes the plan that was made later the one that stands', () => {
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

  test('or that stands still, as well', () => {
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

  test('after the retraction was itself retracted withdraws it anew', () => {
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
    fc.record({ kind: fc.constantFrom('after', 'blocked_by', 'related'), target: targets, reason: short }),
    fc.record({ kind: fc.constant('conflicts_with'), target: targets, advisory: fc.boolean() }),
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

  test('leaves the last plan and the last capacity note standing, and a withdrawn decision withdrawn', () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 12 }), list => {
        const stamps = countingStamps()
        let ticket = plain
        for (const step of list) {
          const result = apply(ticket, step, stamps(NOON_MS + step.clockMs))
          ticket = result.ticket
          if (!('created' in result)) continue
          const statuses = fileStatuses(ticket.decisions)
          const { kind, id, retracts } = loose(result.decision)
          if (result.created) expect(statuses.get(id)).toBe('active')
          if (kind === 'retraction') expect(statuses.get(retracts!)).toBe('retracted')
          else {
            const superseded = 'supersedes' in step.change && result.created ? (result.decision.supersedes ?? []) : []
            for (const other of superseded) expect(statuses.get(other)).not.toBe('active')
          }
          if (kind === 'conflicts_with' && 'draft' in step.change && step.change.draft.kind === kind) {
            const { target, advisory } = step.change.draft
            const strict = findActive(ticket, { kind, target, advisory: false })
            expect(strict === undefined).toBe(advisory)
          }
        }
      }),
      { numRuns: 500 },
    )
  })
})
