import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { inEffect, stored, withUndoPlace } from '../test-support/undo-place.ts'

describe('any sequence of changes', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ does: fc.constant('block' as const), ticket: fc.nat(2), reason: fc.nat(3) }) },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('batch' as const), ticket: fc.nat(2), reason: fc.nat(9) }) },
    {
      weight: 4,
      arbitrary: fc.record({ does: fc.constant('retract' as const), ticket: fc.nat(2), reason: fc.nat(50) }),
    },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('other' as const), ticket: fc.nat(2), reason: fc.nat(9) }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('commit' as const), ticket: fc.nat(2), reason: fc.nat(9) }) },
  )
  const IDS = ['A', 'B', 'C']

  test('is taken back step by step, whatever others add and whatever is committed', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 12 }), steps =>
        withUndoPlace(({ plan, other, root, commit }) => {
          const mine = () =>
            IDS.map(id => {
              const decisions = stored(root, id)
              const own = new Set(decisions.filter(({ by }) => by === 'tester').map(one => one.id))
              return inEffect(decisions).filter(id => own.has(id))
            })
          const theirs = () => IDS.flatMap(id => stored(root, id).filter(({ by }) => by === 'other'))
          const earlier: string[][][] = []
          for (const { does, ticket, reason } of steps) {
            const before = mine()
            const id = IDS[ticket]!
            const changes = () => {
              if (does === 'block')
                return plan.record({
                  ticket: id,
                  kind: 'blocked_by',
                  other: `X${reason % 2}`,
                  future: true,
                  reason: `${reason}`,
                }).created
              if (does === 'batch')
                return (
                  plan.recordAll({
                    decisions: IDS.map(ticket => ({ ticket, kind: 'note' as const, reason: `${reason}` })),
                  }).created > 0
                )
              const own = stored(root, id).filter(({ by }) => by === 'tester')
              if (does === 'retract' && own.length > 0) return plan.retract(own[reason % own.length]!.id).created
              if (does === 'other') other.record({ ticket: id, kind: 'note', reason: `${reason}` })
              if (does === 'commit') commit()
              return false
            }
            if (changes()) earlier.push(before)
          }
          const others = theirs()
          for (const before of earlier.reverse()) {
            expect(plan.undo().undone).toBe(true)
            expect(mine()).toEqual(before)
          }
          expect(theirs()).toEqual(others)
          expect(planErrorOf(() => plan.undo()).code).toBe('nothing_to_undo')
        }),
      ),
      { numRuns: 12 },
    )
  }, 60_000)
})
