/** Runs `ticketplan wait`: until the condition is true, a time-out, or a signal. */
import { escapeText } from '../model/escape-text.ts'
import { jsonLine } from '../model/json-line.ts'
import type { Command } from '../operations/operation.ts'
import { type Waited, type WaitInput, waitCommand, waitFor } from '../operations/wait.ts'
import { type Page, reasonLines, spanText, stateText, ticketText } from './phrases.ts'
import { print } from './print.ts'
import { painter } from './terminal.ts'
import { terminalOf } from './terminal-of.ts'
import type { StreamingCommand } from './watch.ts'

const TIMED_OUT = 7
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

export const wait: StreamingCommand = {
  ...(waitCommand as unknown as Command),
  follows: {},
  async stream(store, { json }, input) {
    const stopping = new AbortController()
    let status = 0
    const listeners = Object.entries(SIGNALS).map(([signal, number]) => {
      const listener = () => {
        status = number
        stopping.abort()
      }
      process.on(signal, listener)
      return () => process.removeListener(signal, listener)
    })
    try {
      const result = await waitFor(store, input as unknown as WaitInput, {
        signal: stopping.signal,
        onWaiting: seen => {
          for (const message of [`waiting until ${waitingText(seen)}; stop with ctrl-c`, ...settledNotes(seen)])
            print(2, json ? jsonLine({ note: message }) : `${escapeText(message)}\n`)
        },
      })
      if (!result) return status
      const paint = painter(terminalOf(1))
      print(1, json ? jsonLine(result) : `${waitLines(result, paint).join('\n')}\n`)
      return result.met ? 0 : TIMED_OUT
    } finally {
      for (const stop of listeners) stop()
    }
  },
}

const CONDITION = {
  accept: ['can be accepted', 'cannot be accepted'],
  terminal: ['is in a terminal state', 'is not in a terminal state'],
  released: ['is not claimed', 'is claimed'],
} as const

function waitingText({ tickets, until }: Waited): string {
  const names = tickets.map(({ ticket }) => ticket.id)
  const shown = names.length > 5 ? [...names.slice(0, 5), `${names.length - 5} more`] : names
  return `${shown.join(', ')} ${CONDITION[until][0]}`
}

/** Returns a sentence for each Ticket that is settled, and so cannot be accepted unless somebody queues it again. */
function settledNotes({ tickets, until }: Waited): string[] {
  if (until !== 'accept') return []
  const settled = tickets.filter(({ ticket }) => ticket.phase === 'terminal')
  return settled.map(
    ({ ticket: { id, state } }) =>
      `${id} is ${state}: it can only be accepted if somebody queues it again (ticketplan set ${id} --state queued)`,
  )
}

function waitLines({ met, tickets, until, ms }: Waited, paint: Page['paint']): string[] {
  const lines = tickets.flatMap(({ ticket, met, claim, reasons = [], total = 0 }) => {
    const [yes, no] = CONDITION[until]
    const unmet = {
      accept: no,
      terminal: `${no}: ${stateText(ticket)}`,
      released: claim ? `${no} by ${escapeText(claim.holder)}` : 'may be claimed: the claims are unknown',
    }
    const more = total - reasons.length
    return [
      `${ticketText(ticket)} ${met ? paint('green', yes) : paint('red', unmet[until])}`,
      ...reasonLines(reasons, paint),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ]
  })
  return met ? lines : [`${paint('red', 'timed out')} after ${spanText(ms)}`, ...lines]
}
