import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cleanText, fitId, fitText, lookOf, spanText } from './words.ts'

const ticket = (phase: 'open' | 'queued' | 'active' | 'terminal', more: object = {}) => ({
  ...{ title: 't', state: phase, phase, state_at: null },
  ...more,
})

describe('lookOf', () => {
  test.each([
    [undefined, false, 'missing'],
    [{ title: null, state: null, phase: null, state_at: null }, false, 'missing'],
    [ticket('terminal'), true, 'done'],
    [ticket('terminal', { abandoned: true }), false, 'gone'],
    [ticket('active'), false, 'active'],
    [ticket('queued', { verdict: 'hold' }), true, 'active'],
    [ticket('queued', { verdict: 'hold' }), false, 'hold'],
    [ticket('queued', { verdict: 'accept' }), false, 'accept'],
    [ticket('open'), false, 'open'],
  ] as const)('%j, claimed %s: %s', (named, isClaimed, look) => {
    expect(lookOf(named, isClaimed)).toBe(look)
  })
})

test.each([
  [400, '0 s'],
  [59_000, '59 s'],
  [28 * 60_000, '28 min'],
  [3.24 * 3_600_000, '3.2 h'],
  [26 * 3_600_000, '26 h'],
  [4 * 86_400_000, '4 d'],
])('a span of %i ms is %s', (ms, text) => {
  expect(spanText(ms)).toBe(text)
})

test('control characters and marks of direction become visible', () => {
  expect(cleanText('a\u0000b\u202ec\u2066d\ud800')).toBe('a\ufffdb\ufffdc\ufffdd\ufffd')
  expect(cleanText('a\nb\tc')).toBe('a b c')
})

describe('fitText', () => {
  test('keeps what fits, and cuts with an ellipsis', () => {
    expect(fitText('short', 100, 11)).toBe('short')
    expect(fitText('a longer title than fits', 60, 11)).toMatch(/^a longer?…$|^a long…$/)
  })

  test('counts wide characters whole, and cuts no emoji in two', () => {
    expect([...fitText('検索検索検索検索検索', 60, 11)].length).toBeLessThan(
      [...fitText('abcdefghijklmno', 60, 11)].length,
    )
    expect(fitText('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 40, 11)).toMatch(/^(?:👩‍👩‍👧‍👦)+…$/)
  })

  test('an id keeps both of its ends', () => {
    expect(fitId('01JX8Z3V7Q4T9K2M5N6P7R8S9T', 90, 12)).toMatch(/^01J.*….*9T$/)
  })

  test('a wider place never shows less', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 20, max: 300 }), (text, width) => {
        expect(fitText(text, width + 20, 11).length).toBeGreaterThanOrEqual(fitText(text, width, 11).trimEnd().length)
      }),
    )
  })
})
