/** Renders lists of Tickets. Text from files is escaped here. */
import { count } from '../model/count.ts'
import { escapeText } from '../model/escape-text.ts'
import type { OutputOf } from '../sdk.ts'
import { firstProblemLines, moreLines, noteLines, type Page } from './phrases.ts'
import { type Cell, table } from './terminal.ts'

type Entry = OutputOf<'list'>['tickets'][number]

/** Returns a table. The title comes last: a narrow terminal cuts it, and ids stay whole. */
export function listLines({ tickets, more, problems }: OutputOf<'list'>, page: Page): string[] {
  const { paint, width } = page
  if (tickets.length === 0) return ['no such Ticket', ...firstProblemLines(problems, page)]
  const withClaims = tickets.some(({ claim }) => claim !== null)
  const names = ['ticket', 'state', 'verdict', ...(withClaims ? ['claim'] : []), 'title']
  const head = names.map((text): Cell => ({ text, colour: 'bold' }))
  const rows = tickets.map(entry => {
    const { ticket, claim } = entry
    return [
      { text: ticket.id },
      { text: stateCell(entry) },
      verdictCell(entry),
      ...(withClaims ? [{ text: escapeText(claim?.holder ?? '') }] : []),
      { text: escapeText(ticket.title ?? '') },
    ]
  })
  const unknown = tickets.flatMap(({ reasons }) => reasons.filter(({ code }) => code === 'unknown_state'))
  return [
    ...table([head, ...rows], paint, width),
    ...moreLines(more, count(tickets.length, 'Ticket'), page),
    ...noteLines([...new Set(unknown.map(({ message }) => message))]),
    ...firstProblemLines(problems, page),
  ]
}

/** The state, and the phase if its name differs: so a misspelt state is seen to be open. */
function stateCell({ ticket: { state, phase } }: Entry): string {
  return escapeText(`${state}${phase === state ? '' : ` (${phase})`}`)
}

/** The verdict with the codes that hold; of a Ticket that is not queued, only what else holds it. */
function verdictCell({ verdict, reasons }: Entry): Cell {
  if (verdict === 'accept') return { text: 'accept', colour: 'green' }
  const codes = new Set(reasons.flatMap(({ severity, code }) => (severity === 'hold' ? [code] : [])))
  codes.delete('not_queued')
  return codes.size === 0 ? { text: '-', colour: 'dim' } : { text: `hold ${[...codes].join(', ')}`, colour: 'red' }
}
