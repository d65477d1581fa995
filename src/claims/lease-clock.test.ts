import { expect, test } from 'vitest'
import { leaseClock } from './lease-clock.ts'

const NOON_MS = Date.parse('2026-06-08T12:00:00.000Z')
const DAY_MS = 86_400_000

test("a caller's own clock never goes backwards", () => {
  let nowMs = NOON_MS
  const clock = leaseClock(() => nowMs)
  expect(clock()).toEqual({ wallMs: NOON_MS, boot: 'given', tick: NOON_MS })
  nowMs -= DAY_MS
  expect(clock().tick).toBe(NOON_MS)
  nowMs += DAY_MS + 1
  expect(clock().tick).toBe(NOON_MS + 1)
})

test("the machine's clocks identify the boot, and advance", () => {
  const clock = leaseClock(undefined)
  const [first, second] = [clock(), clock()]
  expect(second.boot).toBe(first.boot)
  expect(first.boot).not.toBe('given')
  expect(second.tick).toBeGreaterThanOrEqual(first.tick)
  expect(Math.abs(first.wallMs - Date.now())).toBeLessThan(60_000)
})
