import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { putTicket } from '../test-support/temporary-repository.ts'
import { addTickets, withPlan } from '../test-support/with-plan.ts'

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
