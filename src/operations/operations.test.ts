import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type InputTo, openPlan, type Plan } from '../sdk.ts'
import { checkedPlan, type TestClock, testClock } from '../test-support/checked-plan.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import {
  makeTicket,
  putTicket,
  readTicketJson,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

/** Returns the PlanError that the action throws; fails if it throws none. */
function withPlan(use: (plan: Plan, root: string, clock: TestClock) => void): void {
  using repository = temporaryRepository()
  const clock = testClock()
  using plan = checkedPlan(repository.root, clock)
  use(plan, repository.root, clock)
}

function addTickets(plan: Plan, ...ids: string[]): void {
  for (const id of ids) plan.add({ id, title: `Ticket ${id}`, state: 'queued' })
}

describe('init', () => {
  test('creates the tickets folder once and changes nothing the second time', () => {
    using folder = temporaryFolder()
    using plan = checkedPlan(folder.path)
    expect(plan.init().made).toEqual(['tickets', 'tickets/.gitkeep', '.ticketplan', '.ticketplan/.gitignore'])
    expect(plan.init().made).toEqual([])
    expect(readFileSync(join(folder.path, '.ticketplan', '.gitignore'), 'utf8')).toBe('*\n')
  })

  test('without it, every operation fails and says what to do', () => {
    using folder = temporaryFolder()
    using plan = openPlan({ root: folder.path, actor: 'tester' })
    for (const call of [
      () => plan.queue(),
      () => plan.sync(),
      () => plan.add({ id: 'A', title: 'a' }),
      () => plan.verify(),
    ]) {
      const error = planErrorOf(call)
      expect(error.code).toBe('not_initialized')
      expect(error.message).toContain('ticketplan init')
    }
  })
})

describe('add', () => {
  test('writes a canonical file; the state is open unless given', () => {
    withPlan((plan, root) => {
      const { path, ticket } = plan.add({ id: 'A-1', title: 'First', slug: 'first' })
      expect(ticket).toEqual({ id: 'A-1', slug: 'first', title: 'First', state: 'open', phase: 'open' })
      expect(readTicketJson(root, path)).toEqual({
        created_at: '2026-06-08T12:00:01.000Z',
        decisions: [],
        format: 1,
        id: 'A-1',
        slug: 'first',
        state: 'open',
        state_at: '2026-06-08T12:00:01.000Z',
        title: 'First',
      })
    })
  })

  test('a queued Ticket has the time and the author of its queueing', () => {
    withPlan((plan, root) => {
      plan.add({ id: 'A', title: 'a', state: 'queued' })
      plan.add({ id: 'B', title: 'b', state: 'queued', queuedBy: 'panel' })
      expect(readTicketJson(root, 'tickets/A.json')).toMatchObject({
        queued_at: '2026-06-08T12:00:01.000Z',
        queued_by: 'tester',
      })
      expect(readTicketJson(root, 'tickets/B.json').queued_by).toBe('panel')
    })
  })

  test.each(['../x', '-x', 'CON', 'nul.json', 'a.', '', 'ä', 'a/b', 'x'.repeat(65), 'a b'])('refuses the id %j', id => {
    withPlan(plan => expect(planErrorOf(() => plan.add({ id, title: 't' })).code).toBe('invalid_input'))
  })

  test('refuses an existing id, in any case, and a slug that is taken', () => {
    withPlan(plan => {
      plan.add({ id: 'Abc', title: 't', slug: 'one' })
      expect(planErrorOf(() => plan.add({ id: 'Abc', title: 't' })).code).toBe('ticket_exists')
      expect(planErrorOf(() => plan.add({ id: 'aBC', title: 't' })).code).toBe('ticket_exists')
      expect(planErrorOf(() => plan.add({ id: 'B', title: 't', slug: 'one' })).code).toBe('slug_taken')
    })
  })

  test.each([
    [{ title: 'two\nlines' }, 'title'],
    [{ title: '' }, 'title'],
    [{ title: 'x'.repeat(1025) }, 'title'],
    [{ title: 't', slug: 'Not A Slug' }, 'slug'],
    [{ title: 't', colour: 'red' }, 'colour'],
    [{}, 'title'],
  ])('refuses %j and names the field', (fields, field) => {
    withPlan(plan => {
      const error = planErrorOf(() => plan.add({ id: 'A', ...fields } as never))
      expect(error.code).toBe('invalid_input')
      expect(error.data).toEqual({ field })
    })
  })
})

describe('set', () => {
  test('a new state sets its time, one that enters the queue sets queued_at, the same state changes nothing', () => {
    withPlan((plan, root) => {
      plan.add({ id: 'A', title: 'a' })
      expect(plan.set({ ticket: 'A', state: 'queued' }).changed).toBe(true)
      const queued = readTicketJson(root, 'tickets/A.json')
      expect(queued).toMatchObject({
        state_at: '2026-06-08T12:00:02.000Z',
        queued_at: '2026-06-08T12:00:02.000Z',
        queued_by: 'tester',
      })
      expect(plan.set({ ticket: 'A', state: 'queued' }).changed).toBe(false)
      expect(readTicketJson(root, 'tickets/A.json')).toEqual(queued)
      plan.set({ ticket: 'A', state: 'in_progress' })
      expect(readTicketJson(root, 'tickets/A.json')).toMatchObject({
        state: 'in_progress',
        queued_at: '2026-06-08T12:00:02.000Z',
      })
    })
  })

  test('an empty slug removes the slug, and the old slug names nothing any more', () => {
    withPlan((plan, root) => {
      plan.add({ id: 'A', title: 'a', slug: 'one' })
      plan.set({ ticket: 'one', slug: '' })
      expect('slug' in readTicketJson(root, 'tickets/A.json')).toBe(false)
      expect(planErrorOf(() => plan.show('one')).code).toBe('unknown_ticket')
      expect(planErrorOf(() => plan.set({ ticket: 'A' })).code).toBe('invalid_input')
    })
  })

  test('keys of a later version and of an importer survive', () => {
    withPlan((plan, root) => {
      putTicket(root, 'A', { 'x-later': { deep: [1, { a: null }] }, decisions: [] })
      plan.set({ ticket: 'A', title: 'new' })
      expect(readTicketJson(root, 'tickets/A.json')['x-later']).toEqual({ deep: [1, { a: null }] })
    })
  })
})

describe('names', () => {
  test('an id wins over a slug, and a slug of two Tickets is an error that lists both', () => {
    withPlan((plan, root) => {
      putTicket(root, 'one', { title: 'by id' })
      putTicket(root, 'B', { slug: 'one' })
      putTicket(root, 'C', { slug: 'both' })
      putTicket(root, 'D', { slug: 'both' })
      expect(plan.show('one').ticket.title).toBe('by id')
      const error = planErrorOf(() => plan.show('both'))
      expect(error.code).toBe('ambiguous_slug')
      expect(error.message).toContain('C, D')
      expect(planErrorOf(() => plan.record({ ticket: 'both', kind: 'note', reason: 'x' })).code).toBe('ambiguous_slug')
    })
  })

  test('an unknown name is an error with similar names', () => {
    withPlan(plan => {
      addTickets(plan, 'TP-17')
      const error = planErrorOf(() => plan.consult('TP-1'))
      expect(error.data).toEqual({ ticket: 'TP-1', similar: ['TP-17'] })
      expect(planErrorOf(() => plan.consult("100%_'x")).code).toBe('unknown_ticket')
    })
  })

  test('a name belongs to one Ticket: no id is the slug of another, in any case', () => {
    withPlan(plan => {
      plan.add({ id: 'A', title: 't', slug: 'plan-tool' })
      plan.add({ id: 'Record-Schema', title: 't' })
      for (const id of ['plan-tool', 'Plan-Tool', 'PLAN-TOOL']) {
        const error = planErrorOf(() => plan.add({ id, title: 't' }))
        expect(error).toMatchObject({ code: 'slug_taken', data: { slug: 'plan-tool', ticket: 'A' } })
        expect(error.message).toContain(`the id ${id} is the slug of A`)
      }
      for (const given of [
        () => plan.add({ id: 'B', title: 't', slug: 'record-schema' }),
        () => plan.set({ ticket: 'A', slug: 'record-schema' }),
      ]) {
        const error = planErrorOf(given)
        expect(error).toMatchObject({ code: 'slug_taken', data: { slug: 'record-schema', ticket: 'Record-Schema' } })
        expect(error.message).toBe('the slug "record-schema" is the id of Record-Schema; choose another')
      }
      expect(plan.show('plan-tool').ticket.id).toBe('A')
      // Its own id is no other name.
      expect(plan.set({ ticket: 'Record-Schema', slug: 'record-schema' }).changed).toBe(true)
      expect(plan.add({ id: 'own', title: 't', slug: 'own' }).created).toBe(true)
      plan.set({ ticket: 'A', slug: '' })
      expect(plan.add({ id: 'plan-tool', title: 't' }).created).toBe(true)
    })
  })

  test('a decision id with a typing error is answered with the nearest id', () => {
    withPlan(plan => {
      addTickets(plan, 'A', 'B')
      const { decision } = plan.record({ ticket: 'A', kind: 'note', reason: 'x' })
      plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
      const last = decision.id.endsWith('0') ? '1' : '0'
      const { code, message } = planErrorOf(() => plan.retract(decision.id.slice(0, -1) + last))
      expect(code).toBe('unknown_decision')
      expect(message).toMatch(new RegExp(`did you mean [^?]*${decision.id}`))
    })
  })

  test.each([
    ['tp_17', ['TP-17 (plan-tool)']],
    ['tp17', ['TP-17 (plan-tool)']],
    ['TP-18', ['TP-17 (plan-tool)']],
    ['plan_tool', ['TP-17 (plan-tool)']],
    ['Plan-Tol', ['TP-17 (plan-tool)']],
    ['schema', ['record-schema']],
    ['recordschemas', ['record-schema']],
    ['BROKEM', ['BROKEN']],
    ['nothing-like-it', []],
  ])('the Tickets most like "%s" are %j', (name, similar) => {
    withPlan((plan, root) => {
      plan.add({ id: 'TP-17', title: 't', slug: 'plan-tool' })
      plan.add({ id: 'record-schema', title: 't' })
      writeFileSync(join(root, 'tickets', 'BROKEN.json'), '{')
      const error = planErrorOf(() => plan.consult(name))
      expect(error.data).toEqual({ ticket: name, similar })
      expect(error.message).toContain(similar.length ? `; did you mean ${similar[0]}?` : 'list all with')
    })
  })

  test('a Ticket in a deeper folder is read, and written where it is', () => {
    withPlan((plan, root) => {
      putTicket(root, 'A', {}, '2026/06')
      plan.record({ ticket: 'A', kind: 'note', reason: 'here' })
      expect(readTicketJson(root, 'tickets/2026/06/A.json').decisions).toHaveLength(1)
      mkdirSync(join(root, 'tickets', 'moved'))
      renameSync(join(root, 'tickets/2026/06/A.json'), join(root, 'tickets/moved/A.json'))
      plan.record({ ticket: 'A', kind: 'note', reason: 'there' })
      expect(plan.show('A').ticket.path).toBe('tickets/moved/A.json')
      expect(plan.show('A').decisions).toHaveLength(2)
    })
  })
})

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

describe('queue', () => {
  test('is in the order in which Tickets were queued, whatever their verdicts', () => {
    withPlan((plan, root) => {
      putTicket(root, 'C', { state: 'queued', queued_at: '2026-06-08T10:00:00.000Z' })
      putTicket(root, 'A', { state: 'queued', queued_at: '2026-06-08T11:00:00.000Z' })
      putTicket(root, 'B', { state: 'queued', queued_at: '2026-06-08T11:00:00.000Z' })
      putTicket(root, 'D', { state: 'done' })
      plan.record({ ticket: 'C', kind: 'blocked_by', other: 'B' })
      expect(plan.queue().queue.map(({ ticket, verdict }) => [ticket.id, verdict])).toEqual([
        ['C', 'hold'],
        ['A', 'accept'],
        ['B', 'accept'],
      ])
    })
  })
})

describe('relations', () => {
  test('are shown from both sides of a Ticket, or each once as stored', () => {
    withPlan(plan => {
      addTickets(plan, 'A', 'B', 'C')
      plan.record({ ticket: 'A', kind: 'before', other: 'B' })
      plan.record({ ticket: 'B', kind: 'blocks', other: 'C' })
      plan.record({ ticket: 'C', kind: 'related', other: 'A' })
      const seen = (filter: object) =>
        plan.relations(filter).relations.map(({ ticket, kind, other }) => `${ticket} ${kind} ${other}`)
      expect(seen({ ticket: 'A' })).toEqual(['A before B', 'A related C'])
      expect(seen({ ticket: 'B' })).toEqual(['B after A', 'B blocks C'])
      expect(seen({})).toEqual(['B after A', 'C blocked_by B', 'C related A'])
      expect(seen({ kind: 'blocks' })).toEqual(['C blocked_by B'])
      expect(seen({ ticket: 'B', kind: 'blocks' })).toEqual(['B blocks C'])
      plan.set({ ticket: 'B', state: 'done' })
      expect(seen({ status: 'active' })).toEqual(['C related A'])
      expect(seen({ status: 'satisfied' })).toEqual(['B after A', 'C blocked_by B'])
      expect(seen({ status: 'all' })).toHaveLength(3)
    })
  })
})

describe('files that cannot be read', () => {
  test('hold the Tickets that depend on them, are named in every answer, and are never written', () => {
    withPlan((plan, root) => {
      addTickets(plan, 'A', 'B', 'C', 'M')
      plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      plan.record({ ticket: 'B', kind: 'conflicts_with', other: 'M' })
      const broken = readFileSync(join(root, 'tickets/B.json'), 'utf8').replace(
        '  "decisions"',
        '<<<<<<< ours\n  "decisions"',
      )
      writeFileSync(join(root, 'tickets/B.json'), broken)
      const problem = {
        code: 'conflict_markers',
        path: 'tickets/B.json',
        severity: 'error',
        message: expect.stringContaining('line 3, column 1'),
      }
      expect(plan.queue().problems).toEqual([problem])
      expect(plan.relations().problems).toEqual([problem])
      expect(plan.consult('A')).toMatchObject({
        verdict: 'hold',
        reasons: [{ code: 'quarantined', ticket: 'B', path: 'tickets/B.json' }],
        problems: [problem],
      })
      expect(plan.consult('B')).toMatchObject({
        ticket: { id: 'B', title: null, phase: null },
        verdict: 'hold',
        reasons: [{ code: 'quarantined' }],
      })
      expect(plan.consult('M').reasons).toMatchObject([{ code: 'quarantined', ticket: 'B' }])
      expect(plan.consult('C').verdict).toBe('accept')
      expect(plan.show('B').ticket.path).toBe('tickets/B.json')
      expect(planErrorOf(() => plan.record({ ticket: 'B', kind: 'note', reason: 'x' })).data).toMatchObject({
        refusal: 'conflict_markers',
        place: { line: 3, column: 1 },
      })
      expect(planErrorOf(() => plan.add({ id: 'B', title: 'again' })).code).toBe('ticket_exists')
      expect(plan.verify({ fix: true })).toMatchObject({ ok: false, problems: [problem] })
      expect(readFileSync(join(root, 'tickets/B.json'), 'utf8')).toBe(broken)
      expect(plan.sync().quarantined).toBe(1)
    })
  })

  test('two files of one id, by case or by folder, are both quarantined', () => {
    withPlan((plan, root) => {
      addTickets(plan, 'A', 'X')
      putTicket(root, 'a', {}, 'deeper')
      expect(plan.queue().queue.map(({ ticket }) => ticket.id)).toEqual(['X'])
      expect(plan.verify().problems.map(({ code, path }) => [code, path])).toEqual([
        ['duplicate_id', 'tickets/A.json'],
        ['duplicate_id', 'tickets/deeper/a.json'],
      ])
      expect(planErrorOf(() => plan.record({ ticket: 'A', kind: 'note', reason: 'x' })).code).toBe('invalid_file')
    })
  })

  test('a newer format is listed and not written', () => {
    withPlan((plan, root) => {
      const later = '{"format":2,"id":"A","title":"From the future","state":"queued","rank":{"new":true}}\n'
      writeFileSync(join(root, 'tickets/A.json'), later)
      expect(plan.queue().queue).toMatchObject([{ ticket: { id: 'A', title: 'From the future' } }])
      expect(plan.queue().problems).toMatchObject([{ code: 'newer_format' }])
      for (const call of [
        () => plan.record({ ticket: 'A', kind: 'note', reason: 'x' }),
        () => plan.set({ ticket: 'A', state: 'done' }),
      ]) {
        expect(planErrorOf(call)).toMatchObject({ code: 'newer_format', data: { path: 'tickets/A.json', format: 2 } })
      }
      plan.verify({ fix: true })
      expect(readFileSync(join(root, 'tickets/A.json'), 'utf8')).toBe(later)
    })
  })
})

describe('verify', () => {
  test('reports files that are not canonical and rewrites them with --fix', () => {
    withPlan((plan, root) => {
      writeFileSync(join(root, 'tickets/A.json'), JSON.stringify(makeTicket('A', { title: 'by hand' }), null, 4))
      expect(plan.verify()).toMatchObject({ ok: false, problems: [{ code: 'not_canonical', path: 'tickets/A.json' }] })
      expect(plan.verify({ fix: true })).toMatchObject({ ok: true, fixed: ['tickets/A.json'] })
      expect(plan.verify()).toMatchObject({ ok: true, problems: [], fixed: [] })
      expect(readTicketJson(root, 'tickets/A.json').title).toBe('by hand')
    })
  })

  test('reports shared slugs, copied decisions and home paths', () => {
    withPlan((plan, root) => {
      const decision = {
        at: '2026-06-08T11:30:00.000Z',
        by: 't',
        id: '01JX8Z3V7Q4T9K2M5N6P7R8S9T',
        kind: 'note',
        reason: 'in /Users/ann/plan',
      }
      putTicket(root, 'A', { slug: 'same', decisions: [asDecision(decision)] })
      putTicket(root, 'B', { slug: 'same', decisions: [asDecision(decision)] })
      expect(
        plan
          .verify()
          .problems.map(({ code }) => code)
          .sort(),
      ).toEqual(['duplicate_decision', 'duplicate_slug', 'home_path', 'home_path'])
    })
  })
})

describe('configuration', () => {
  test('states decide the phases, and a change of them takes effect', () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { state: 'hooked' })
    using plan = checkedPlan(repository.root)
    expect(plan.queue().queue).toEqual([])
    writeFileSync(join(repository.root, 'ticketplan.json'), '{"states":{"queued":["hooked"]}}')
    using later = checkedPlan(repository.root)
    expect(later.queue().queue).toHaveLength(1)
    expect(plan.queue().queue).toHaveLength(1)
  })
})

describe('inputs', () => {
  test('a decision has an author: the option, the environment, git, or an error', () => {
    using repository = temporaryRepository({ git: false })
    putTicket(repository.root, 'A')
    const before = process.env.TICKETPLAN_ACTOR
    try {
      process.env.TICKETPLAN_ACTOR = 'from-environment'
      using plan = openPlan({ root: repository.root })
      expect(plan.record({ ticket: 'A', kind: 'note', reason: 'x' }).decision.by).toBe('from-environment')
    } finally {
      if (before === undefined) delete process.env.TICKETPLAN_ACTOR
      else process.env.TICKETPLAN_ACTOR = before
    }
  })

  test('a clock set back does not change the order of decisions', () => {
    using repository = temporaryRepository()
    const clock = testClock()
    using plan = checkedPlan(repository.root, clock)
    addTickets(plan, 'A')
    const first = plan.record({ ticket: 'A', kind: 'waiting_for_capacity', reason: 'first' }).decision
    clock.nowMs -= 3_600_000
    const second = plan.record({ ticket: 'A', kind: 'waiting_for_capacity', reason: 'second' }).decision
    expect(plan.show('A').decisions.map(({ id, status }) => [id, status])).toEqual([
      [first.id, 'superseded'],
      [second.id, 'active'],
    ])
  })
})
