import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { checkedPlan, testClock } from '../test-support/checked-plan.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import {
  makeTicket,
  putTicket,
  readTicketJson,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { addTickets, withPlan } from '../test-support/with-plan.ts'

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
