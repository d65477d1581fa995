import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openPlan, type Plan } from '../sdk.ts'
import { writeBusyPlan } from '../test-support/busy-plan.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

const NOW_MS = Date.parse('2026-11-26T12:00:00.000Z')

function withPlan(use: (plan: Plan, root: string, clock: { nowMs: number }) => void): void {
  using repository = temporaryRepository()
  const clock = { nowMs: NOW_MS }
  using plan = openPlan({ root: repository.root, actor: 'ann', now: () => clock.nowMs })
  use(plan, repository.root, clock)
}

describe('a busy plan', () => {
  test.each([24, 352])('of %i Tickets: the verdicts are those of queue, and every hold has a cause', tickets => {
    withPlan((plan, root) => {
      writeBusyPlan(root, { tickets, nowMs: NOW_MS })
      const { queue, causes, counts, tickets: named, left_out } = plan.overview({ limit: 10_000 })
      const verdicts = plan.queue().queue.map(({ ticket, verdict, reasons }) => [ticket.id, verdict, reasons] as const)
      const byId = new Map(queue.map(entry => [entry.ticket, entry]))
      expect(left_out).toEqual({})
      expect(queue).toHaveLength(verdicts.length)
      for (const [id, verdict, reasons] of verdicts) {
        expect(byId.get(id)).toMatchObject({ verdict, reasons })
        expect(byId.get(id)!.causes.length > 0, id).toBe(verdict === 'hold')
        expect(named[id]?.verdict).toBe(verdict)
      }
      expect(counts).toMatchObject({
        accept: verdicts.filter(([, verdict]) => verdict === 'accept').length,
        hold: verdicts.filter(([, verdict]) => verdict === 'hold').length,
      })
      const known = new Set(causes.map(({ key }) => key))
      for (const entry of queue) for (const key of entry.causes) expect(known).toContain(key)
    })
  })

  test('lists are bounded, and say what is left out', () => {
    withPlan((plan, root) => {
      writeBusyPlan(root, { tickets: 352, nowMs: NOW_MS })
      const all = plan.overview({ limit: 10_000 })
      const few = plan.overview({ limit: 3 })
      for (const list of ['causes', 'running', 'claims', 'leases', 'areas', 'attention'] as const) {
        expect(few[list]).toEqual(all[list].slice(0, 3))
        expect(few.left_out[list] ?? 0, list).toBe(Math.max(0, all[list].length - 3))
      }
      expect(few.queue).toHaveLength(6)
      expect(few.decisions).toHaveLength(3)
      expect(few.left_out.decisions).toBe(all.decisions.length - 3)
      expect(few.relations).toHaveLength(60)
      expect(few.counts).toEqual(all.counts)
    })
  })

  test('the past has a point for each half hour, ends with the counts of now, and can be left out', () => {
    withPlan((plan, root) => {
      writeBusyPlan(root, { tickets: 352, nowMs: NOW_MS })
      const { past, counts } = plan.overview()
      expect(past!.day).toHaveLength(49)
      expect(past!.day.at(-1)).toEqual({
        at: '2026-11-26T12:00:00.000Z',
        free: counts.accept,
        held: counts.hold,
        running: counts.running,
      })
      expect(past!.waits.length).toBeGreaterThan(5)
      for (const { seconds, held_seconds, rest_seconds } of past!.waits) {
        expect(seconds).toBeGreaterThanOrEqual(rest_seconds)
        for (const held of Object.values(held_seconds)) expect(held).toBeLessThanOrEqual(seconds)
      }
      expect(past!.history.at(-1)!.made).toBe(352)
      expect(plan.overview({ noPast: true }).past).toBeUndefined()
    })
  })
})

test('an empty plan has an overview', () => {
  withPlan(plan => {
    expect(plan.overview()).toMatchObject({
      counts: { tickets: 0, accept: 0, hold: 0, running: 0 },
      queue: [],
      attention: [],
      past: { history: [], waits: [], median_wait: null, unknown: 0 },
    })
  })
})

test('claims, pools and leases are those of now, without tokens', () => {
  withPlan((plan, root, clock) => {
    writeFileSync(join(root, 'ticketplan.json'), '{"pools":{"gpu":1}}')
    putTicket(root, 'A', { state: 'in_progress' })
    putTicket(root, 'B', { state: 'in_progress' })
    plan.claim({ ticket: 'A', holder: 'pod-1', pool: 'gpu', session: 's-1', ttl: 600 })
    clock.nowMs += 60_000
    const overview = plan.overview()
    expect(overview.pools).toEqual([{ pool: 'gpu', capacity: 1, taken: ['A'] }])
    expect(overview.claims).toMatchObject([{ ticket: 'A', holder: 'pod-1', session: 's-1', live: true }])
    expect(JSON.stringify(overview)).not.toContain('token')
    expect(overview.leases).toMatchObject([{ ticket: 'A', holder: 'pod-1', to: null }])
    expect(overview.running.map(({ ticket, claimed }) => [ticket, claimed])).toEqual([
      ['A', true],
      ['B', false],
    ])
    clock.nowMs += 3_600_000
    expect(plan.overview().attention).toMatchObject([{ code: 'expired_claim', tickets: ['A'], severity: 'error' }])
  })
})

test('areas name who works there and who waits', () => {
  withPlan((plan, root) => {
    writeFileSync(join(root, 'ticketplan.json'), '{"areas":{"menu":["src/menu/**"]}}')
    for (const [id, state] of Object.entries({ A: 'in_progress', B: 'queued', C: 'queued' }))
      putTicket(root, id, { state })
    for (const ticket of ['A', 'B']) plan.record({ ticket, kind: 'touches', paths: ['menu'] })
    plan.record({ ticket: 'C', kind: 'touches', paths: ['docs/**'] })
    plan.claim({ ticket: 'A', holder: 'pod-1' })
    expect(plan.overview().areas).toEqual([
      { area: 'menu', at_work: [{ ticket: 'A', holder: 'pod-1', shared: false }], waiting: ['B'] },
    ])
  })
})

test('holds, parents and what is wrong are listed', () => {
  withPlan((plan, root) => {
    const states = { P: 'open', X: 'open', A: 'queued', B: 'queued', C: 'done', D: 'cancelled', E: 'in_progres' }
    for (const [id, state] of Object.entries(states)) putTicket(root, id, { state })
    for (const ticket of ['A', 'C']) plan.record({ ticket, kind: 'part_of', other: 'P' })
    plan.record({ ticket: 'P', kind: 'blocked_by', other: 'X' })
    plan.record({ ticket: 'A', kind: 'hold', reason: 'ask first' })
    plan.record({ ticket: 'B', kind: 'blocked_by', other: 'D' })
    plan.record({ ticket: 'B', kind: 'blocked_by', other: 'Z', future: true })
    const { holds, parents, attention, tickets } = plan.overview()
    expect(holds).toMatchObject([{ ticket: 'A', reason: 'ask first', not_before: null, by: 'ann' }])
    expect(parents).toEqual([{ ticket: 'P', parts: 2, settled: 1, held: 1, blockers: ['X'] }])
    expect(attention.map(({ code, tickets }) => [code, ...tickets])).toEqual([
      ['blocker_abandoned', 'D'],
      ['blocker_missing', 'Z'],
      ['unknown_state', 'E'],
    ])
    expect(tickets.Z).toEqual({ title: null, state: null, phase: null, state_at: null, behind: 1 })
    expect(tickets.D).toMatchObject({ abandoned: true })
    expect(tickets.E).toMatchObject({ unknown_state: true })
  })
})

test('a focus has all blockers, two steps of what waits, and nothing else', () => {
  withPlan((plan, root) => {
    for (let n = 0; n < 12; n++) putTicket(root, `T${n}`, { state: 'queued' })
    for (let n = 1; n < 12; n++) plan.record({ ticket: `T${n}`, kind: 'blocked_by', other: `T${n - 1}` })
    const { relations } = plan.overview({ focus: 'T6' })
    expect(relations.map(({ ticket }) => ticket).sort()).toEqual(['T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'T7', 'T8'])
    expect(() => plan.overview({ focus: 'nope' })).toThrow('nope')
  })
})

test('a queued Ticket with a live claim counts once: it runs', () => {
  withPlan((plan, root) => {
    for (const id of ['A', 'B', 'C']) putTicket(root, id, { state: 'queued' })
    plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
    plan.claim({ ticket: 'A', holder: 'pod-1', ttl: 600 })
    const { counts, queue, causes, running, tickets, past } = plan.overview()
    expect(counts).toMatchObject({ accept: 1, hold: 1, running: 1, unclaimed: 0 })
    expect(queue.map(({ ticket, verdict }) => [ticket, verdict])).toEqual([
      ['C', 'accept'],
      ['B', 'hold'],
    ])
    expect(running).toMatchObject([{ ticket: 'A', claimed: true }])
    expect(causes).toMatchObject([{ kind: 'ticket', tickets: ['A'], holds: 1 }])
    expect(tickets.A).toMatchObject({ claimed: true, verdict: 'hold' })
    expect(past!.day.at(-1)).toMatchObject({ free: 1, held: 1, running: 1 })
  })
})

test('what needs attention has a command that succeeds, for a Ticket without a file too', () => {
  withPlan((plan, root) => {
    putTicket(root, 'B', { state: 'queued' })
    plan.record({ ticket: 'B', kind: 'blocked_by', other: 'Z', future: true })
    const [entry] = plan.overview().attention
    expect(entry).toMatchObject({ code: 'blocker_missing', tickets: ['Z'], command: 'ticketplan show B' })
    expect(plan.show('B').ticket.id).toBe('B')
  })
})

test('waits that are not listed are counted', () => {
  withPlan((plan, root, clock) => {
    for (let n = 0; n < 53; n++) putTicket(root, `T-${n}`, { state: 'queued', queued_at: '2026-11-26T11:00:00.000Z' })
    for (let n = 0; n < 53; n++) plan.accept({ ticket: `T-${n}`, holder: 'pod', state: 'in_progress' })
    clock.nowMs += 60_000
    const { past, left_out } = plan.overview({ limit: 50 })
    expect(past!.waits).toHaveLength(50)
    expect(left_out.waits).toBe(3)
    expect(plan.overview().left_out.waits).toBeUndefined()
  })
})
