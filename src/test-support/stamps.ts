/** Authors, times and ids for changes in tests: nothing is read from the machine. */
import { encodeTime } from 'ulid'
import type { Stamp } from '../model/change.ts'

/** 2026-06-08T12:00:00.000Z, the moment at which tests start. */
export const NOON_MS = Date.parse('2026-06-08T12:00:00.000Z')

/** Stamps whose ids carry the time that is asked for and then count; each call begins a count of its own. */
export function countingStamps(by = 'orchestrator'): (nowMs?: number) => Stamp {
  let count = 0
  const newId = (timeMs: number) => `${encodeTime(timeMs)}${String(++count).padStart(16, '0')}`
  return (nowMs = NOON_MS) => ({ by, nowMs, newId })
}
