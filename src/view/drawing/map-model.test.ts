import { h } from 'preact'
import { describe, expect, test } from 'vitest'
import type { Overview } from '../../operations/overview-shape.ts'
import { openPlan } from '../../sdk.ts'
import { writeBusyPlan } from '../../test-support/busy-plan.ts'
import { temporaryRepository } from '../../test-support/temporary-repository.ts'
import { mapOf } from './map-model.ts'
import { MapSvg } from './map-svg.tsx'
import { xmlText } from './xml.ts'

const NOW_MS = Date.parse('2026-11-26T12:00:00.000Z')

function busyOverview(tickets: number): Overview {
  using repository = temporaryRepository()
  writeBusyPlan(repository.root, { tickets, nowMs: NOW_MS })
  using plan = openPlan({ root: repository.root, actor: 'ann', now: () => NOW_MS })
  return plan.overview({ limit: 300 })
}

/** An overview of queued Tickets with relations `A<B`: B is blocked by A; `A~B` is a conflict. */
function overviewOf(...relations: string[]): Overview {
  const parsed = relations.map(text => {
    const [left = '', sign = '', right = ''] = text.split(/([<~])/)
    return sign === '<'
      ? { kind: 'blocked_by' as const, ticket: right, other: left }
      : { kind: 'conflicts_with' as const, ticket: left, other: right }
  })
  const ids = [...new Set(parsed.flatMap(({ ticket, other }) => [other, ticket]))]
  const named = { title: 't', state: 'queued', phase: 'queued', state_at: null, verdict: 'hold' } as const
  return {
    relations: parsed.map(one => ({ ...one, reason: null, by: 'ann', at: '2026-11-26T12:00:00.000Z' })),
    tickets: Object.fromEntries(ids.map(id => [id, named])),
    claims: [],
  } as unknown as Overview
}

describe('a map of a busy plan', () => {
  test.each([24, 352])('of %i Tickets has no more boxes than its cap, and counts the rest', tickets => {
    const overview = busyOverview(tickets)
    const whole = mapOf(overview, { cap: 10_000 })
    expect(whole.leftOut).toBe(0)
    const count = ({ nodes, leftOut }: typeof whole) =>
      nodes.reduce((sum, { fold }) => sum + (fold ? fold.tickets.length : 1), leftOut)
    for (const cap of [8, 30, 90]) {
      const model = mapOf(overview, { cap })
      expect(model.nodes.filter(({ fold }) => !fold).length).toBeLessThanOrEqual(cap)
      expect(count(model)).toBe(count(whole))
      const drawn = new Set(model.nodes.map(({ id }) => id))
      for (const { line } of model.layout.routes) expect(drawn.has(line.from) && drawn.has(line.to)).toBe(true)
    }
  })

  test('has every relation between two drawn Tickets as a line', () => {
    const { nodes, relations, layout } = mapOf(busyOverview(352), { cap: 90 })
    const drawn = new Set(nodes.map(({ id }) => id))
    const ends = layout.routes.map(({ line }) => [line.from, line.to].sort().join(' '))
    for (const { ticket, other } of relations) {
      expect(drawn.has(ticket) && drawn.has(other)).toBe(true)
      expect(ends).toContain([ticket, other].sort().join(' '))
    }
  })

  test('the same overview gives the same bytes', () => {
    const overview = busyOverview(352)
    const draw = (from: Overview) => xmlText(h(MapSvg, { overview: from, model: mapOf(from) }))
    expect(draw(structuredClone(overview))).toBe(draw(overview))
  })

  test('of few steps, no box stands alone', () => {
    const { nodes, layout } = mapOf(busyOverview(352), { maxSteps: 2 })
    const joined = new Set(layout.routes.flatMap(({ line }) => [line.from, line.to]))
    expect(nodes.length).toBeGreaterThan(5)
    for (const { id, fold } of nodes) expect(joined.has(fold?.beside ?? id), id).toBe(true)
  })

  test('a drawing is no higher than it may be', () => {
    expect(mapOf(busyOverview(352), { maxHeight: 480 }).layout.height).toBeLessThanOrEqual(480)
  })
})

describe('folds', () => {
  const ids = ({ nodes }: ReturnType<typeof mapOf>) => nodes.map(({ id }) => id).sort()

  test('many that wait for the same Ticket alone are one box', () => {
    const overview = overviewOf('A<B', 'A<C', 'A<D', 'A<E', 'A<F', 'F<G')
    const model = mapOf(overview)
    expect(ids(model)).toEqual(['A', 'F', 'G', 'fold B'])
    expect(model.nodes.find(({ fold }) => fold)!.fold).toMatchObject({ groups: 4, size: 1, beside: 'A' })
    expect(ids(mapOf(overview, { unfold: new Set(['fold B']) }))).toEqual(['A', 'B', 'C', 'D', 'E', 'F', 'G'])
  })

  test('equal chains are one box, behind a Ticket and of their own', () => {
    const behind = ['B', 'C', 'D', 'E'].flatMap(id => [`A<${id}1`, `${id}1<${id}2`])
    expect(mapOf(overviewOf(...behind)).nodes.find(({ fold }) => fold)!.fold).toMatchObject({ groups: 4, size: 2 })
    const alone = ['A', 'B', 'C', 'D', 'E', 'F'].map(id => `${id}1<${id}2`)
    expect(ids(mapOf(overviewOf(...alone)))).toEqual(['A1', 'A2', 'fold B1'])
  })

  test('a Ticket with a conflict, or with a second blocker, is in no fold', () => {
    const overview = overviewOf('A<B', 'A<C', 'A<E', 'A<F', 'A<G', 'A<D', 'B~C', 'X<D', 'Y<X')
    expect(mapOf(overview).nodes.some(({ fold }) => fold)).toBe(false)
  })
})

test('a focus draws all blockers, two steps of what waits, and its conflicts', () => {
  const chain = Array.from({ length: 9 }, (_, n) => `T${n}<T${n + 1}`)
  const { nodes } = mapOf(overviewOf(...chain, 'T4~X', 'T1~Y'), { focus: 'T4' })
  expect(nodes.map(({ id }) => id).sort()).toEqual(['T0', 'T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'X'])
})

test('the SVG has no link, no script and no raw text of a Ticket', () => {
  const overview = overviewOf('A<B')
  overview.tickets.A!.title = '<script>alert(1)</script> ]]> & "quoted" \u202e\u0007'
  const text = xmlText(h(MapSvg, { overview, model: mapOf(overview), style: 'svg{}' }))
  expect(text).not.toMatch(/<script|href|]]>|\u202e|\u0007/)
  expect(text).toContain('&lt;script&gt;')
})
