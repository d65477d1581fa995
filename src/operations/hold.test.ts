import { describe, expect, test } from 'vitest'
import { isPlanError } from '../model/errors.ts'
import { openPlan, type Plan } from '../sdk.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

const NOW = Date.parse('2026-11-20T10:00:00.000Z')

function withTicket(work: (plan: Plan, clock: { nowMs: number }) => void): void {
  using repository = temporaryRepository()
  const clock = { nowMs: NOW }
  using plan = openPlan({ root: repository.root, actor: 'anna', now: () => clock.nowMs })
  plan.add({ id: 'T-3', title: 't', state: 'queued' })
  work(plan, clock)
}

describe('hold', () => {
  test.each([
    ['2026-12-01', '2026-12-01T00:00:00.000Z'],
    ['2026-12-01T09:30Z', '2026-12-01T09:30:00.000Z'],
    ['2026-12-01T09:30:15.250Z', '2026-12-01T09:30:15.250Z'],
    ['2026-12-01T00:30:00+02:00', '2026-11-30T22:30:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ])('until %s holds until %s and not a millisecond longer', (notBefore, until) => {
    withTicket((plan, clock) => {
      expect(plan.record({ ticket: 'T-3', kind: 'hold', notBefore }).decision).toMatchObject({ not_before: until })
      expect(plan.consult('T-3').reasons).toMatchObject([{ code: 'on_hold', not_before: until }])
      clock.nowMs = Date.parse(until) - 1
      expect(plan.consult('T-3').verdict).toBe('hold')
      clock.nowMs = Date.parse(until)
      expect(plan.consult('T-3').verdict).toBe('accept')
    })
  })

  test.each([
    '',
    'tomorrow',
    '2026-13-01',
    '2026-02-30',
    '2027-02-29',
    '2026-12',
    '01.12.2026',
    '2026-12-01T09:30',
    '2026-12-01T25:00Z',
    '1796083200',
    ' ',
  ])('refuses the time "%s", says what to write, and writes nothing', notBefore => {
    withTicket(plan => {
      let error: unknown
      try {
        plan.record({ ticket: 'T-3', kind: 'hold', notBefore })
      } catch (thrown) {
        error = thrown
      }
      expect(isPlanError(error, 'invalid_input') && error.data.field).toBe('notBefore')
      expect(String(error)).toContain('write 2026-12-01 or 2026-12-01T09:00:00Z')
      expect(plan.show('T-3').decisions).toEqual([])
    })
  })

  test('until a time that has passed holds nothing and is shown as satisfied', () => {
    withTicket(plan => {
      plan.record({ ticket: 'T-3', kind: 'hold', notBefore: '2020-01-01' })
      expect(plan.consult('T-3').verdict).toBe('accept')
      expect(plan.show('T-3').decisions).toMatchObject([{ kind: 'hold', status: 'satisfied' }])
    })
  })

  test('with a reason holds until it is retracted; holds add up', () => {
    withTicket((plan, clock) => {
      const first = plan.record({ ticket: 'T-3', kind: 'hold', reason: 'ask the author first' }).decision.id
      const second = plan.record({ ticket: 'T-3', kind: 'hold', reason: 'and the lawyer' }).decision.id
      clock.nowMs += 10 * 365 * 24 * 3600 * 1000
      expect(plan.consult('T-3').reasons.map(({ code }) => code)).toEqual(['on_hold', 'on_hold'])
      plan.retract({ decision: first, reason: 'asked' })
      expect(plan.consult('T-3').reasons).toMatchObject([{ code: 'on_hold', decisions: [second] }])
      plan.retract({ decision: second })
      expect(plan.consult('T-3').verdict).toBe('accept')
    })
  })
})
