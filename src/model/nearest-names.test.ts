import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { didYouMean, nearestNames } from './nearest-names.ts'

describe('the nearest names', () => {
  const names = [
    'blocked_by',
    'blocks',
    'before',
    'after',
    'conflicts_with',
    'waiting_for_capacity',
    'T-1',
    'T-12',
    'T-2',
  ]

  test.each([
    ['blocked-by', ['blocked_by']],
    ['BlockedBy', ['blocked_by']],
    ['blockd_by', ['blocked_by']],
    ['block', ['blocks', 'blocked_by']],
    ['conflict', ['conflicts_with']],
    ['capacity', ['waiting_for_capacity']],
    ['conflicts_with_many', ['conflicts_with']],
    ['t1', ['T-1', 'T-12', 'T-2']],
    ['T.12', ['T-12', 'T-1', 'T-2']],
    ['xyzzy', []],
    ['', []],
    ['-_. ', []],
  ])('of %j are %j', (name, nearest) => {
    expect(nearestNames(name, names)).toEqual(nearest)
  })

  test('begin with a name that differs in case and separators alone', () => {
    expect(nearestNames('waiting', ['waitin', 'WAIT-ING', 'waitings'])).toEqual(['WAIT-ING', 'waitin', 'waitings'])
  })

  test.each([
    ['doen', 'done'],
    ['titel', 'title'],
    ['TP-71', 'TP-17'],
  ])('of %j with two swapped letters has %j', (name, nearest) => {
    expect(nearestNames(name, [nearest, 'something'])).toEqual([nearest])
  })

  test('are in the order of likeness, then of the names', () => {
    expect(nearestNames('abcdef', ['abcxyf', 'abcdeg', 'abcdea', 'abcd'])).toEqual(['abcdea', 'abcdeg', 'abcd'])
  })

  test('of a name in any spelling begin with that name, are at most three, and do not depend on the order', () => {
    const words = fc.string({ unit: fc.constantFrom(...'abcdAB-_. '), maxLength: 8 })
    const plain = (name: string) => name.toLowerCase().replace(/[-_. ]/g, '')
    fc.assert(
      fc.property(fc.array(words), words, (words, wanted) => {
        const nearest = nearestNames(wanted, words)
        expect(nearest.length).toBeLessThanOrEqual(3)
        expect(new Set(nearest).size).toBe(nearest.length)
        for (const name of nearest) expect(words).toContain(name)
        expect(nearestNames(wanted, [...words].reverse())).toEqual(nearest)
        const same = words.filter(word => plain(word) === plain(wanted) && plain(word) !== '')
        if (same.length > 0) expect(same).toContain(nearest[0])
      }),
    )
  })
})

describe('the hint of a message', () => {
  test.each([
    [[], ''],
    [['a'], '; did you mean a?'],
    [['a', 'b'], '; did you mean a or b?'],
    [['a', 'b', 'c'], '; did you mean a, b or c?'],
  ])('for %j is %j', (names, hint) => {
    expect(didYouMean(names)).toBe(hint)
  })
})
