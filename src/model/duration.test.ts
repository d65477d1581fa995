import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDuration } from './duration.ts'

test.each([
  ['90', 90],
  ['0.5', 0.5],
  ['90s', 90],
  ['30m', 1800],
  ['2h', 7200],
  ['1d', 86_400],
  ['1h30m', 5400],
  ['1.5h', 5400],
  ['1d2h3m4s', 93_784],
  [' 2H ', 7200],
  ['0', 0],
])('%s is %d seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds)
})

test.each([
  '',
  ' ',
  'm',
  'soon',
  '-5',
  '5x',
  '30m2h',
  '2h2h',
  '1e3',
  '0x10',
  'Infinity',
  'NaN',
  '5 m',
  '1,5h',
  '--5',
])('"%s" is no time span', text => {
  expect(parseDuration(text)).toBeUndefined()
})

test('is the sum of its parts, and always finite and not negative', () => {
  fc.assert(
    fc.property(fc.nat(30), fc.nat(99), fc.nat(99), fc.nat(99), (d, h, m, s) => {
      expect(parseDuration(`${d}d${h}h${m}m${s}s`)).toBe(((d * 24 + h) * 60 + m) * 60 + s)
    }),
  )
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), text => {
      const seconds = parseDuration(text)
      expect(seconds === undefined || (Number.isFinite(seconds) && seconds >= 0)).toBe(true)
    }),
  )
})
