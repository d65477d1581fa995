import { expect, test } from 'vitest'
import { pause, retryUntil } from './pause.ts'

test('pause blocks for at least the time that is asked for', () => {
  const startedAt = performance.now()
  pause(20)
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(19)
})

test('retryUntil returns the first result that is done', () => {
  const results = ['busy', 'busy', 'free', 'never asked for']
  expect(
    retryUntil(
      60_000,
      () => results.shift(),
      result => result === 'free',
    ),
  ).toBe('free')
  expect(results).toEqual(['never asked for'])
})

test('retryUntil returns the last result when the timeout is over, and makes at least one attempt', () => {
  let attempts = 0
  const startedAt = performance.now()
  const never = (timeoutMs: number) =>
    retryUntil(
      timeoutMs,
      () => ++attempts,
      () => false,
    )
  expect(never(0)).toBe(1)
  expect(never(30)).toBe(attempts)
  expect(attempts).toBeGreaterThan(2)
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(30)
})

test('retryUntil passes on what an attempt throws', () => {
  const attempt = () => {
    throw new RangeError('mine')
  }
  expect(() => retryUntil(60_000, attempt, () => true)).toThrow(RangeError)
})
