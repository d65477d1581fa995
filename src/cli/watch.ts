/** `ticketplan watch`: the one command that goes on until it is stopped. */

import { count } from '../model/count.ts'
import { escapeText } from '../model/escape-text.ts'
import { jsonLine } from '../model/json-line.ts'
import { type Command, command } from '../operations/operation.ts'
import type { Store } from '../store/store.ts'
import { watchTickets } from '../watch/watch.ts'
import { print } from './print.ts'

/** A command without an answer of its own: it tells of things as they happen. */
export interface StandingCommand extends Command {
  /** Goes on until a signal, or until nobody reads what it says; the exit status. */
  stay(store: Store, options: { json: boolean }): Promise<number>
}

export const watch: StandingCommand = {
  ...command({
    name: 'watch',
    summary: 'Keep the index current and print one JSON line for each change',
    details: `Goes on until ctrl-c (or SIGTERM), then exits 0; also when its reader goes away. Tells of changes from here on, whoever made them:
  {"ticket","path","change","decisions":[those that appeared],"removed":[ids of those that went],"verdicts":[{"ticket","from","to","reasons"}]}
The change is added, changed, removed, quarantined, claimed or unclaimed. Verdicts are those of queued Tickets that the change
made accept or hold; null stands for "not queued". Where changes cannot be heard of, all files are looked at every second; a note says so.`,
    fields: {},
    examples: ['ticketplan watch', 'ticketplan watch | jq -r \'.verdicts[] | select(.to == "accept") | .ticket\''],
  }),
  stay(store, { json }) {
    return new Promise((resolve, reject) => {
      const watching = watchTickets(store, event => {
        try {
          if (!print(1, jsonLine(event))) end()
        } catch (error) {
          reject(error)
          end()
        }
      })
      const end = () => {
        watching.close()
        for (const signal of SIGNALS) process.removeListener(signal, end)
        resolve(0)
      }
      for (const signal of SIGNALS) process.on(signal, end)
      const { tickets } = store.peek(({ queries }) => queries.counts())
      const message = `watching ${count(tickets, 'Ticket')} in ${store.repository.ticketsDir}; ctrl-c ends`
      print(2, json ? jsonLine({ note: message }) : `${escapeText(message)}\n`)
    })
  },
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
