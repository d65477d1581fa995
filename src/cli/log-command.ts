/** Defines `ticketplan log`, which with `--follow` prints decisions as they arrive, until it is stopped. */
import type { Decision } from '../model/decision.ts'
import type { Status } from '../model/decision-status.ts'
import { jsonLine } from '../model/json-line.ts'
import { log, logFields, sinceTime } from '../operations/log.ts'
import { command, flag, type Operation } from '../operations/operation.ts'
import { watchTickets } from '../watch/watch.ts'
import { print } from './print.ts'
import { decisionEntryLines } from './render-log.ts'
import { painter } from './terminal.ts'
import { terminalOf } from './terminal-of.ts'
import { type StreamingCommand, untilStopped } from './watch.ts'

/** The most earlier decisions that are printed first. */
const MOST_EARLIER = 10_000

const follow = command({
  name: 'log',
  summary: 'Print decisions as they arrive',
  fields: {
    follow: { schema: flag, help: 'print decisions as they arrive, until ctrl-c; first those since --since, if given' },
    ...logFields,
  },
  examples: [],
})

const followCommand: StreamingCommand = {
  ...follow,
  follows: {},
  stream(store, { json }, given) {
    const { tickets: names, since, by, kind } = follow.input.parse(given)
    const tickets = store.read(({ resolve }) => names.map(name => resolve(name).id as string))
    const paint = painter(terminalOf(1))
    const show = (ticket: string, decision: Decision, status: Status) => {
      const entry = { ...decision, ticket, status }
      return print(1, json ? jsonLine(entry) : `${decisionEntryLines(entry, { paint }).join('\n')}\n`)
    }
    const isWanted = (ticket: string, decision: Decision) =>
      (tickets.length === 0 || tickets.includes(ticket)) &&
      (by === undefined || decision.by === by) &&
      (kind === undefined || decision.kind === kind)
    return untilStopped(end => {
      const watching = watchTickets(store, ({ ticket, decisions }) => {
        for (const decision of decisions)
          if (ticket !== null && isWanted(ticket, decision) && !show(ticket, decision, 'active')) return end()
      })
      const from = sinceTime(store, since)
      const rows =
        from === undefined
          ? []
          : store.read(({ queries }) => queries.decisionLog({ tickets, since: from, by, kind }, MOST_EARLIER))
      for (const { ticket_id, status, body } of rows.reverse()) show(ticket_id, JSON.parse(body), status)
      return watching
    })
  },
}

/** The operation `log`, with its form that follows. */
export const logCommand: Operation = {
  ...(log as unknown as Operation),
  examples: [...log.examples, 'ticketplan log --follow --by orchestrator'],
  form: { flag: 'follow', command: followCommand },
}
