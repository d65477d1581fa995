/** Says when Tickets, claims or verdicts have changed, whoever changed them: a watch whose events come in batches. */
import { isPlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import { watchTickets } from '../watch/watch.ts'

/** A plan that cannot be read yet (no tickets folder, for example) is tried again so often. */
const RETRY_MS = 5000

/** Tells the listener the ids of changed Tickets, from now on, until the function that is returned is called. */
export function onChange(store: Store, listener: (tickets: string[]) => void): () => void {
  let stop = () => {}
  const changed = new Set<string>()
  const tell = () => {
    const tickets = [...changed].sort()
    changed.clear()
    listener(tickets)
  }
  const start = () => {
    try {
      const watching = watchTickets(store, ({ ticket, verdicts }) => {
        if (changed.size === 0) setImmediate(tell)
        for (const id of [ticket, ...verdicts.map(verdict => verdict.ticket)]) if (id !== null) changed.add(id)
      })
      stop = () => watching.close()
    } catch (error) {
      if (!isPlanError(error)) throw error
      const timer = setTimeout(start, RETRY_MS).unref() // what a call asks for then says what is wrong
      stop = () => clearTimeout(timer)
    }
  }
  start()
  return () => stop()
}
