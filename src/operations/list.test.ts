import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Plan } from '../sdk.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

/** Tickets of every phase; C waits for A, and D is claimed. */
function withPlan(use: (plan: Plan, root: string) => void): void {
  using repository = temporaryRepository()
  const { root } = repository
  writeFileSync(join(root, 'ticketplan.json'), JSON.stringify({ areas: { menu: ['src/menu/**', 'docs/menu.md'] } }))
  putTicket(root, 'A', { title: 'Écran d’accueil', slug: 'home-screen' })
  putTicket(root, 'B', { state: 'queued', queued_at: '2026-06-08T11:03:00.000Z', title: '100%_done' })
  putTicket(root, 'C', { state: 'queued', queued_at: '2026-06-08T11:02:00.000Z' })
  putTicket(root, 'D', { state: 'In Progress', queued_at: '2026-06-08T11:01:00.000Z' })
  putTicket(root, 'E', { state: 'done' })
  putTicket(root, 'F', { state: 'wontfix' })
  using plan = checkedPlan(root)
  plan.record({ ticket: 'C', kind: 'blocked_by', other: 'A' })
  use(plan, root)
}

const ids = (listed: { tickets: { ticket: { id: string } }[] }) =>
  listed.tickets.map(({ ticket }) => ticket.id).join('')

describe('list', () => {
  test('lists Tickets of every phase with claim and verdict, by id', () =>
    withPlan(plan => {
      plan.claim({ ticket: 'D', holder: 'pod-1' })
      const listed = plan.list()
      expect(ids(listed)).toBe('ABCDEF')
      expect(listed.more).toBe(false)
      expect(listed.tickets.map(({ verdict }) => verdict)).toEqual(['hold', 'accept', 'hold', 'hold', 'hold', 'hold'])
      expect(listed.tickets.flatMap(({ ticket, claim }) => (claim ? [[ticket.id, claim.holder]] : []))).toEqual([
        ['D', 'pod-1'],
      ])
      expect(JSON.stringify(listed)).not.toContain('"token"')
    }))

  test('says of each Ticket what show and queue say', () =>
    withPlan(plan => {
      for (const { ticket, verdict, reasons } of plan.list().tickets) {
        const shown = plan.show(ticket.id)
        expect({ verdict, reasons }, ticket.id).toEqual({ verdict: shown.verdict, reasons: shown.reasons })
      }
      const queued = plan.list({ phase: ['queued'], sort: 'queued' }).tickets
      expect(queued.map(({ ticket, verdict, reasons }) => ({ id: ticket.id, verdict, reasons }))).toEqual(
        plan.queue().queue.map(({ ticket, verdict, reasons }) => ({ id: ticket.id, verdict, reasons })),
      )
    }))

  test.each([
    [{ phase: ['queued', 'active'] }, 'BCD'],
    [{ phase: [] }, ''],
    [{ state: ['in_progress'] }, 'D'],
    [{ state: ['QUEUED', 'wont-fix'] }, 'BCF'],
    [{ state: ['closed'] }, ''],
    [{ verdict: 'accept' }, 'B'],
    [{ verdict: 'hold', phase: ['queued'] }, 'C'],
    [{ verdict: 'accept', phase: ['open'] }, ''],
    [{ search: 'ÉCRAN' }, 'A'],
    [{ search: 'e\u0301cran' }, 'A'],
    [{ search: 'Home-' }, 'A'],
    [{ search: '%_' }, 'B'],
    [{ search: 'nothing has this' }, ''],
    [{ sort: 'queued' }, 'DCBAEF'],
    [{ sort: 'queued', phase: ['queued'] }, 'CB'],
    [{ sort: 'changed', phase: ['queued'] }, 'CB'],
  ] as const)('%j lists "%s"', (input, expected) =>
    withPlan(plan => expect(ids(plan.list(input as never))).toBe(expected)))

  test('finds Tickets by area: a name, a path, a folder or a glob', () =>
    withPlan((plan, root) => {
      mkdirSync(join(root, 'src/menu'), { recursive: true })
      plan.record({ ticket: 'A', kind: 'touches', paths: ['menu'], shared: true })
      plan.record({ ticket: 'B', kind: 'touches', paths: ['src/*.ts'] })
      plan.record({ ticket: 'E', kind: 'touches', paths: ['src/menu/**'] })
      for (const [area, expected] of [
        ['menu', 'A'],
        ['src/menu/open.ts', 'A'],
        ['src/menu', 'A'],
        ['src', 'AB'],
        ['src/', 'AB'],
        ['src/cli.ts', 'B'],
        ['**/menu.md', 'A'],
        ['lib/**', ''],
      ])
        expect(ids(plan.list({ area: area! })), area).toBe(expected)
    }))

  test('refuses what no filter can mean, and names the nearest', () =>
    withPlan(plan => {
      const messageOf = (input: object) => planErrorOf(() => plan.list(input)).message
      expect(messageOf({ phase: ['quued'] })).toContain('did you mean queued?')
      expect(messageOf({ state: ['in_progres'] })).toContain('did you mean')
      expect(messageOf({ state: ['in_progres'] })).toContain('in_progress')
      expect(messageOf({ area: 'menue' })).toContain('did you mean menu?')
      expect(messageOf({ area: '/etc' })).toContain('is absolute')
      expect(messageOf({ sort: 'name' })).toContain('id')
      expect(messageOf({ limit: 0 })).toContain('limit')
      expect(planErrorOf(() => plan.list({ state: ['x'] }))).toMatchObject({
        code: 'invalid_input',
        data: { field: 'state' },
      })
    }))

  test('a state that only a file has can be asked for, and is warned of', () =>
    withPlan((plan, root) => {
      putTicket(root, 'G', { state: 'Qeued' })
      const { tickets } = plan.list({ state: ['qeued'] })
      expect(tickets).toMatchObject([{ ticket: { id: 'G', phase: 'open' } }])
      expect(tickets[0]!.reasons.map(({ code }) => code)).toContain('unknown_state')
    }))

  test('names a file that cannot be read', () =>
    withPlan((plan, root) => {
      writeFileSync(join(root, 'tickets', 'B.json'), '{')
      const listed = plan.list()
      expect(ids(listed)).toBe('ACDEF')
      expect(listed.problems).toMatchObject([{ path: 'tickets/B.json', severity: 'error' }])
    }))

  test('is bounded: pages of any size are the beginning of the whole, and more is exact', () => {
    using repository = temporaryRepository()
    for (let n = 0; n < 12; n++)
      putTicket(repository.root, `T-${n}`, { state: ['open', 'queued', 'done'][n % 3]!, title: n % 2 ? 'odd' : 'even' })
    using plan = checkedPlan(repository.root)
    const optional = <T>(values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
    const input = fc.record({
      search: optional(['odd', 'EVEN', 't-1']),
      verdict: optional(['accept', 'hold'] as const),
      sort: fc.constantFrom('id' as const, 'changed' as const, 'queued' as const),
      phase: optional([['queued' as const], ['open' as const, 'terminal' as const]]),
    })
    fc.assert(
      fc.property(input, fc.integer({ min: 1, max: 13 }), (input, limit) => {
        const all = plan.list(input).tickets
        const page = plan.list({ ...input, limit })
        expect(page.tickets).toEqual(all.slice(0, limit))
        expect(page.more).toBe(all.length > limit)
        const { search, verdict, phase } = input
        for (const { ticket, ...entry } of plan.list().tickets) {
          const isWanted =
            (!search || `${ticket.id} ${ticket.title}`.toLowerCase().includes(search.toLowerCase())) &&
            (!verdict || entry.verdict === verdict) &&
            (!phase || phase.some(one => one === ticket.phase))
          expect(all.some(one => one.ticket.id === ticket.id)).toBe(isWanted)
        }
      }),
      { numRuns: 60 },
    )
  })
})
