/** Reports changed Tickets, claims and verdicts in batches: a watch that survives a plan which cannot be read yet. */
import { isPlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import { watchTickets } from '../watch/watch.ts'

/** How long to wait before another attempt where the watch cannot start, for example without a tickets folder. */
const RETRY_MS = 5000

/** Starts to call the listener with the sorted ids of changed Tickets; returns a function that stops it. */
export function onChange(store: Store, listener: (tickets: string[]) => void): () => void {
  let stop = () => {}
  const changed = new Set<string>()
  const emit = () => {
    const tickets = [...changed].sort()
    changed.clear()
    listener(tickets)
  }
  const start = () => {
    try {
      const watching = watchTickets(store, ({ ticket, verdicts }) => {
        if (changed.size === 0) setImmediate(emit)
        for (const id of [ticket, ...verdicts.map(verdict => verdict.ticket)]) if (id !== null) changed.add(id)
      })
      stop = () => watching.close()
    } catch (error) {
      if (!isPlanError(error)) throw error
      const timer = setTimeout(start, RETRY_MS).unref() // until then, tool calls report the error
      stop = () => clearTimeout(timer)
    }
  }
  start()
  return () => stop()
}
