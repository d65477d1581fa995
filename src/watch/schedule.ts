/**
 * Decides when the next full scan is due. Pure: times go in and come out, in ms of one monotonic clock.
 *
 * File events are debounced; a scan that events caused is followed by one more, because the kernel may have dropped some; and
 * a scan is due every few seconds without any event. A scan that takes long makes the next ones rarer.
 * watch.ts also scans when another process or a claim has changed something.
 */

/** What happened so far. */
export interface Schedule {
  /** The first and the last file event since the last scan. */
  readonly events: { readonly firstAt: number; readonly lastAt: number } | undefined
  /** True where events caused the last scan. */
  readonly followUp: boolean
  /** When the last scan ended. */
  readonly scannedAt: number
  /** How long the last scan took. */
  readonly lastMs: number
  /** How long a scan takes: the shorter of the last two, so that one with much to do does not delay the next. */
  readonly scanMs: number
}

/** How long no event may arrive before a scan. */
const DEBOUNCE_MS = 50
/** The longest wait for that, from the first event on. */
const MAX_DEBOUNCE_MS = 500
/** From a scan that events caused to the one that follows it. */
const FOLLOW_UP_MS = 250
/** The pause between two scans, at least, as a multiple of how long one takes. */
const REST = { afterEvents: 4, idle: 50 }

/** Returns the schedule after a first scan. */
export function newSchedule(scannedAt: number): Schedule {
  return { events: undefined, followUp: false, scannedAt, lastMs: 0, scanMs: 0 }
}

/** Returns the schedule after a file event. */
export function afterEvent(schedule: Schedule, now: number): Schedule {
  return { ...schedule, events: { firstAt: schedule.events?.firstAt ?? now, lastAt: now } }
}

/** Returns the schedule after a scan. */
export function afterScan({ events, lastMs }: Schedule, startedAt: number, endedAt: number): Schedule {
  const ms = endedAt - startedAt
  return {
    events: undefined,
    followUp: events !== undefined,
    scannedAt: endedAt,
    lastMs: ms,
    scanMs: Math.min(lastMs, ms),
  }
}

/** Returns when the next scan is due. Without events, scans are `everyMs` apart, or more where they take long. */
export function nextScanAt(schedule: Schedule, everyMs: number): number {
  const { events, followUp, scannedAt, scanMs } = schedule
  const restedAt = scannedAt + REST.afterEvents * scanMs
  if (events) {
    const quietAt = Math.min(events.lastAt + DEBOUNCE_MS, events.firstAt + MAX_DEBOUNCE_MS)
    return Math.max(quietAt, restedAt)
  }
  if (followUp) return Math.max(scannedAt + FOLLOW_UP_MS, restedAt)
  return scannedAt + periodMs(schedule, everyMs)
}

/** Returns the time between two scans without events. */
export function periodMs({ scanMs }: Schedule, everyMs: number): number {
  return Math.max(everyMs, REST.idle * scanMs)
}
