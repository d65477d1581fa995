/** Defines `ticketplan watch`, and what the commands that run until they are stopped have in common. */
import type { SnapshotRequest } from '../fleet/fleet-claims.ts'
import { count } from '../model/count.ts'
import { escapeText } from '../model/escape-text.ts'
import { jsonLine } from '../model/json-line.ts'
import { type Command, command } from '../operations/operation.ts'
import type { Store } from '../store/store.ts'
import { type Watching, watchTickets } from '../watch/watch.ts'
import { print } from './print.ts'

/** A command that runs until it is stopped and prints events as they happen. */
export interface StreamingCommand extends Command {
  /** Which claims it needs current while it runs, where a server has them; undefined for none. */
  follows?: SnapshotRequest
  /** True for one that keeps the index current, and so can answer for other commands. */
  isResident?: true
  /** Runs until its end, or until a signal; returns the exit status. */
  stream(store: Store, options: { json: boolean }, input: Record<string, unknown>): Promise<number>
}

export const watch: StreamingCommand = {
  isResident: true,
  ...command({
    name: 'watch',
    summary: 'Keep the index current and print one JSON line for each change',
    details: `Runs until ctrl-c or SIGTERM, or until its reader closes the pipe; then it exits with 0. Each line is a change from now on, made by any program:
  {"ticket","path","change","decisions":[new ones],"removed":[ids],
   "verdicts":[{"ticket","from","to","reasons"}]}
"change" is added, changed, removed, quarantined, claimed or unclaimed. "verdicts" lists the queued Tickets whose verdict changed; null means "not queued". If file events are unavailable, all files are scanned every second, and a note says so.`,
    fields: {},
    examples: ['ticketplan watch', 'ticketplan watch | jq -r \'.verdicts[] | select(.to == "accept") | .ticket\''],
  }),
  follows: {},
  stream(store, { json }) {
    return untilStopped((end, fail) => {
      const watching = watchTickets(store, event => {
        try {
          if (!print(1, jsonLine(event))) end()
        } catch (error) {
          fail(error)
        }
      })
      const { tickets } = store.peek(({ queries }) => queries.counts())
      const message = `watching ${count(tickets, 'Ticket')} in ${store.repository.ticketsDir}; stop with ctrl-c`
      print(2, json ? jsonLine({ note: message }) : `${escapeText(message)}\n`)
      return watching
    })
  },
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Starts a watch and waits for a signal or for `end`, as after the reader has closed the pipe; then closes the watch and returns
 * the exit status, 0. `fail` ends it with an error.
 */
export function untilStopped(start: (end: () => void, fail: (error: unknown) => void) => Watching): Promise<number> {
  return new Promise((resolve, reject) => {
    let watching: Watching | undefined
    const stop = () => {
      watching?.close()
      for (const signal of SIGNALS) process.removeListener(signal, end)
    }
    const end = () => {
      stop()
      resolve(0)
    }
    const fail = (error: unknown) => {
      stop()
      reject(error)
    }
    for (const signal of SIGNALS) process.on(signal, end)
    watching = start(end, fail)
  })
}
