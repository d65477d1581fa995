import { describe, expect, test } from 'vitest'
import { afterEvent, afterScan, newSchedule, nextScanAt, periodMs, type Schedule } from './schedule.ts'

const EVERY_MS = 3000

/** A schedule whose last two scans took that long, the last one ended at 10,000, and no event came before it. */
function afterScansOf(...scansMs: [number, number]): Schedule {
  let schedule = newSchedule(0)
  for (const scanMs of scansMs) schedule = afterScan(schedule, 10_000 - scanMs, 10_000)
  return schedule
}

function withEvents(schedule: Schedule, ...times: number[]): Schedule {
  return times.reduce(afterEvent, schedule)
}

describe('the next scan', () => {
  test('is due one period after the last one, without events', () => {
    expect(nextScanAt(newSchedule(500), EVERY_MS)).toBe(3500)
    expect(nextScanAt(afterScansOf(20, 20), EVERY_MS)).toBe(13_000)
  })

  test('is due 50 ms after a single event', () => {
    expect(nextScanAt(withEvents(newSchedule(0), 1000), EVERY_MS)).toBe(1050)
  })

  test('waits for the end of a burst, but at most 500 ms', () => {
    expect(nextScanAt(withEvents(newSchedule(0), 1000, 1040, 1080), EVERY_MS)).toBe(1130)
    const burst = Array.from({ length: 100 }, (_, number) => 1000 + number * 10)
    expect(nextScanAt(withEvents(newSchedule(0), ...burst), EVERY_MS)).toBe(1500)
  })

  test('follows a scan that events caused after 250 ms, once', () => {
    const first = afterScan(withEvents(newSchedule(0), 1000), 1050, 1060)
    expect(nextScanAt(first, EVERY_MS)).toBe(1310)
    const second = afterScan(first, 1310, 1320)
    expect(nextScanAt(second, EVERY_MS)).toBe(4320)
  })

  test('leaves a pause of four scans after events', () => {
    const slow = afterScansOf(400, 400)
    expect(nextScanAt(withEvents(slow, 10_010), EVERY_MS)).toBe(11_600)
    const followed = afterScan(withEvents(slow, 10_010), 11_600, 12_000)
    expect(nextScanAt(followed, EVERY_MS)).toBe(13_600)
  })

  test('leaves a pause of fifty scans without events', () => {
    expect(nextScanAt(afterScansOf(100, 100), EVERY_MS)).toBe(15_000)
    expect(periodMs(afterScansOf(100, 100), EVERY_MS)).toBe(5000)
    expect(periodMs(afterScansOf(10, 10), EVERY_MS)).toBe(EVERY_MS)
  })

  test('is not delayed by a single slow scan', () => {
    expect(nextScanAt(afterScansOf(10, 2000), EVERY_MS)).toBe(13_000)
    expect(nextScanAt(afterScansOf(2000, 10), EVERY_MS)).toBe(13_000)
    expect(nextScanAt(afterScan(newSchedule(0), 0, 2000), EVERY_MS)).toBe(5000)
  })

  test('no longer depends on events before the last scan', () => {
    const schedule = afterScan(afterScan(withEvents(newSchedule(0), 1000, 1100), 1150, 1160), 1410, 1420)
    expect(withEvents(schedule, 2000).events).toEqual({ firstAt: 2000, lastAt: 2000 })
    expect(nextScanAt(withEvents(schedule, 2000), EVERY_MS)).toBe(2050)
  })
})
