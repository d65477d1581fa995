import fc from 'fast-check'
import { expect, test } from 'vitest'
import { busyTimeoutMs, failedAt, giveUpAt, renewedAt } from './renewal.ts'

const times = fc.record({
  ttlMs: fc.double({ min: 100, max: 30 * 86_400_000, noNaN: true }),
  graceMs: fc.double({ min: 0, max: 3_600_000, noNaN: true }),
})

test('a lease is renewed after a third of its time to live', () => {
  expect(renewedAt(1000, { ttlMs: 900, graceMs: 10 })).toMatchObject({ renewedAt: 1000, dueAt: 1300 })
})

test('failing attempts go on until shortly before the lease ends, however long each takes', () => {
  fc.assert(
    fc.property(times, fc.array(fc.double({ min: 0, max: 5000, noNaN: true }), { minLength: 1 }), (given, tookMs) => {
      let renewal = renewedAt(0, given)
      const end = given.ttlMs
      expect(giveUpAt(renewal)).toBeLessThanOrEqual(end)
      expect(giveUpAt(renewal)).toBeGreaterThanOrEqual((end * 2) / 3 - 1e-6)
      for (const ms of tookMs) {
        const now = renewal.dueAt + ms
        if (now >= giveUpAt(renewal)) return
        renewal = failedAt(renewal, now)
        expect(renewal.dueAt).toBeGreaterThan(now)
        // The attempt that gives up is not later than the end of the lease allows.
        expect(renewal.dueAt).toBeLessThanOrEqual(Math.max(giveUpAt(renewal), now + 50))
      }
    }),
  )
})

test('an attempt waits for the lock a small part of the time to live', () => {
  expect([100, 2000, 60_000, 86_400_000].map(busyTimeoutMs)).toEqual([100, 200, 5000, 5000])
})
