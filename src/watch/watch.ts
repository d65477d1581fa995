/**
 * Keeps the index current and emits an event for each change, whichever process made or indexed it.
 *
 * A file event only triggers a full scan; what is emitted comes from comparing the index with what the listener knows. Where
 * file events are unavailable, full scans alone remain, with one notice. Must not stop on a failure: it is reported once, and
 * the next scan tries again.
 */
import { isPlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import type { Watcher } from '../store/watcher-trust.ts'
import { type FileEvents, fileEvents } from './file-events.ts'
import { afterEvent, afterScan, newSchedule, nextScanAt, periodMs } from './schedule.ts'
import { findEvents, isOutdated, type KnownState, readState, type TicketEvent } from './ticket-events.ts'

export { type KnownState, knownVerdicts, type TicketEvent } from './ticket-events.ts'

export interface WatchOptions {
  /** The time between two full scans without a file event, in ms; longer where a scan takes long. Default 3,000. */
  checkEveryMs?: number
}

/** A running watch. */
export interface Watching extends Disposable {
  /** Stops the watch; no event is emitted after it. */
  close(): void
}

/** How often claims are checked, and whether another process has changed the index. */
const POLL_MS = 500
const SCAN_EVERY_MS = 3000
/** The same where file events are unavailable. */
const FALLBACK_SCAN_EVERY_MS = 1000

/**
 * Starts a watch, which keeps the process running until it is closed. The listener is called once for each change, in order,
 * never before this function has returned. An error that it throws becomes an uncaught exception and does not stop the watch.
 * A scan that fails is reported through the store's `notify`, once, and tried again. `onState` gets the state that events are
 * compared with, first before this function returns, then whenever it is read again, before its events.
 * @throws PlanError where the first scan fails.
 */
export function watchTickets(
  store: Store,
  listener: (event: TicketEvent) => void,
  { checkEveryMs = SCAN_EVERY_MS }: WatchOptions = {},
  onState: (state: KnownState) => void = () => {},
): Watching {
  store.reconcile()
  let schedule = newSchedule(performance.now())
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  let isFallbackReported = false

  const source = fileEvents(
    () => {
      const now = performance.now()
      const isFirst = schedule.events === undefined
      schedule = afterEvent(schedule, now)
      watcher.lastEventAt = now
      if (isFirst) setTimer()
    },
    reason => {
      if (!isFallbackReported)
        store.notify(`file events are unavailable (${reason}); scanning all files every second instead`)
      isFallbackReported = true
      setTimer()
    },
  )
  const watcher: Watcher = { isReliable: source.isReliable, lastEventAt: Number.POSITIVE_INFINITY, trustedMs: 0 }
  const everyMs = () => (source.isUnavailable() ? FALLBACK_SCAN_EVERY_MS : checkEveryMs)
  const scanner = ticketScanner(store, source, onState)

  const scan = () => {
    const startedAt = performance.now()
    const events = scanner.scan()
    schedule = afterScan(schedule, startedAt, performance.now())
    watcher.trustedMs = periodMs(schedule, everyMs()) + schedule.lastMs + POLL_MS
    for (const event of events) if (!isClosed) emit(listener, event)
  }
  const poll = () => {
    const isDue = performance.now() >= nextScanAt(schedule, everyMs())
    if (isDue || (!schedule.events && scanner.isOutdated())) scan()
    setTimer()
  }
  const setTimer = () => {
    clearTimeout(timer)
    const waitMs = nextScanAt(schedule, everyMs()) - performance.now()
    if (!isClosed) timer = setTimeout(poll, Math.min(Math.max(waitMs, 1), POLL_MS))
  }
  const distrust = store.trust(watcher)
  const close = () => {
    isClosed = true
    clearTimeout(timer)
    source.stop()
    distrust()
  }
  source.follow(store.repository.ticketsDir)
  setTimer()
  return { close, [Symbol.dispose]: close }
}

interface TicketScanner {
  /** Runs a full scan; returns the events since the previous one. Never throws. */
  scan(): TicketEvent[]
  /** True where another process or a claim has changed something since the last scan. */
  isOutdated(): boolean
}

/** Returns a scanner that knows the state as it is now. It lets the source follow the tickets folder. */
function ticketScanner(store: Store, source: FileEvents, onState: (state: KnownState) => void): TicketScanner {
  let known = readState(store)
  onState(known)
  let isFailing = false
  return {
    scan() {
      let events: TicketEvent[] = []
      try {
        store.reconcile()
        if (isOutdated(store, known)) {
          ;({ events, now: known } = findEvents(store, known))
          onState(known)
        }
        isFailing = false
        source.follow(store.repository.ticketsDir)
      } catch (error) {
        if (isPlanError(error, 'not_initialized')) source.stop() // a folder that is created later is a different one
        if (!isFailing)
          store.notify(
            `a scan of the Ticket files failed: ${(error as Error).message}; the watch goes on and tries again`,
          )
        isFailing = true
      }
      return events
    },
    isOutdated() {
      if (isFailing) return false // the next scan that is due tries again
      try {
        return isOutdated(store, known)
      } catch {
        return true // the scan reports the failure
      }
    },
  }
}

/** Calls the listener; an error becomes an uncaught exception, as from an event of Node's own. */
function emit(listener: (event: TicketEvent) => void, event: TicketEvent): void {
  try {
    listener(event)
  } catch (error) {
    setImmediate(() => {
      throw error
    })
  }
}
