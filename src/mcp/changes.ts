/** Watches Tickets, claims and verdicts, and reports changes in batches. */
import { isPlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import { watchTickets } from '../watch/watch.ts'

/** If watching cannot start (there is no tickets folder yet, for example), it is retried after this time. */
const RETRY_MS = 5000

/** Calls the listener with the ids of changed Tickets, changed by any program; returns a function that stops it. */
export function onChange(store: Store, listener: (tickets: string[]) => void): () => void {
  let stop = () => {}
  const changed = new Set<string>()
  const flush = () => {
    const tickets = [...changed].sort()
    changed.clear()
    listener(tickets)
  }
  const start = () => {
    try {
      const watching = watchTickets(store, ({ ticket, verdicts }) => {
        if (changed.size === 0) setImmediate(flush)
        for (const id of [ticket, ...verdicts.map(verdict => verdict.ticket)]) if (id !== null) changed.add(id)
      })
      stop = () => watching.close()
    } catch (error) {
      if (!isPlanError(error)) throw error
      const timer = setTimeout(start, RETRY_MS).unref() // a tool call reports the error meanwhile
      stop = () => clearTimeout(timer)
    }
  }
  start()
  return () => stop()
}
