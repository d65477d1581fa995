/** Turns an overview into the sections of a terminal: titles, and rows of cells. Text from files is escaped here. */
import { escapeText } from '../model/escape-text.ts'
import type { OutputOf } from '../sdk.ts'
import { spanText, timeText } from './phrases.ts'
import type { Cell, Colour } from './terminal.ts'

export type Overview = OutputOf<'overview'>

/** A list of an overview. */
export interface Section {
  title: string
  rows: Cell[][]
  /** How many entries the plan has; the rows can be fewer. */
  total: number
  /** The most rows that it takes of a screen. */
  share: number
}

/** Returns the sections that have entries, the most urgent first. */
export function sectionsOf(overview: Overview): Section[] {
  const { attention, causes, areas, decisions, left_out: left } = overview
  const nowMs = Date.parse(overview.at)
  const accept = overview.queue.filter(({ verdict }) => verdict === 'accept')
  const all: [title: string, rows: Cell[][], leftOut: number | undefined, share: number][] = [
    ['To look at', attention.map(one => attentionRow(one, nowMs)), left.attention, 4],
    ['Running', runningRows(overview, nowMs), left.running, 8],
    ['May run now', accept.map(one => mayRunRow(one.ticket, overview)), left.accept, 6],
    ['Held, by what has to move first', causes.map(one => causeRow(one, overview, nowMs)), left.causes, 7],
    ['Areas', areas.map(areaRow), left.areas, 4],
    ['Decided last', decisions.map(one => decisionRow(one, nowMs)), left.decisions, 99],
  ]
  return all
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows, leftOut = 0, share]) => ({ title, rows, total: rows.length + leftOut, share }))
}

/** Returns the section of an overview with a focus: the relations around that Ticket. */
export function focusSection({ focus, relations, tickets, left_out: left }: Overview): Section {
  const rows = relations.map(({ ticket, kind, other, reason, advisory }) => [
    cell(ticket),
    cell(`${kind.replaceAll('_', ' ')}${advisory ? ' (only warns)' : ''}`, 'dim'),
    cell(other),
    cell(stateText(tickets[other]), 'dim'),
    cell(reason?.replace(/\s+/g, ' ')),
  ])
  const none = [[cell('no active relations', 'dim')]]
  return {
    title: `Around ${focus} (${stateText(tickets[focus!])})`,
    rows: rows.length > 0 ? rows : none,
    total: Math.max(1, rows.length + (left.relations ?? 0)),
    share: 99,
  }
}

function stateText(ticket: Overview['tickets'][string] | undefined): string {
  if (!ticket || ticket.state === null) return 'no file here'
  if (ticket.claimed && ticket.phase === 'queued') return `${ticket.state}, claimed`
  return `${ticket.state}${ticket.verdict ? `, ${ticket.verdict === 'accept' ? 'may run' : 'held'}` : ''}`
}

function cell(text: string | null | undefined, colour?: Colour): Cell {
  return { text: escapeText(text ?? ''), ...(colour && { colour }) }
}

function attentionRow(
  { severity, tickets, message, since, command }: Overview['attention'][number],
  nowMs: number,
): Cell[] {
  const age = since === null ? '' : ` ${spanText(nowMs - Date.parse(since))} ago`
  const more = tickets.length > MOST_NAMED ? ` and ${tickets.length - MOST_NAMED} more` : ''
  const who = tickets.length > 0 ? `${tickets.slice(0, MOST_NAMED).join(' ')}${more}: ` : ''
  return [
    cell('!', severity === 'error' ? 'red' : 'yellow'),
    cell(`${who}${message}${age}${command ? `  (${command})` : ''}`),
  ]
}

const MOST_NAMED = 3
const BAR = 10

function runningRows({ running, claims, tickets }: Overview, nowMs: number): Cell[][] {
  const claimOf = new Map(claims.filter(({ live }) => live).map(claim => [claim.ticket, claim]))
  const rows = running.map(({ ticket, since, claimed }) => {
    const claim = claimOf.get(ticket)
    const title = cell(tickets[ticket]?.title)
    if (claim) {
      const left = Date.parse(claim.expires_at) - nowMs
      const whole = Date.parse(claim.expires_at) - Date.parse(claim.renewed_at)
      const full = Math.max(0, Math.min(BAR, Math.round((left / whole) * BAR)))
      const bar = `${'█'.repeat(full)}${'·'.repeat(BAR - full)} ${spanText(left)}`
      return { left, row: [cell(ticket), cell(claim.holder, 'blue'), cell(bar, 'blue'), title] }
    }
    const age = since === null ? '' : ` for ${spanText(nowMs - Date.parse(since))}`
    // The list of claims can be shorter than that of what runs.
    const who = claimed ? cell('claimed', 'blue') : cell(claimed === null ? 'claim unknown' : 'no claim', 'dim')
    return { left: Number.POSITIVE_INFINITY, row: [cell(ticket), who, cell(`${'·'.repeat(BAR)}${age}`, 'dim'), title] }
  })
  return rows.sort((a, b) => (a.left < b.left ? -1 : a.left > b.left ? 1 : 0)).map(({ row }) => row)
}

function mayRunRow(ticket: string, { tickets }: Overview): Cell[] {
  const { title = '', behind = 0 } = tickets[ticket] ?? {}
  return [cell(ticket), cell(behind === 0 ? '' : `${waitText(behind)} for it`, 'green'), cell(title)]
}

function waitText(n: number): string {
  return n === 1 ? '1 waits' : `${n} wait`
}

function causeRow(cause: Overview['causes'][number], overview: Overview, nowMs: number): Cell[] {
  return [cell(`${waitText(cause.holds)} for`, 'yellow'), cell(causeText(cause, overview, nowMs))]
}

/** Returns what has to move first, and what is known about why it does not. */
function causeText({ kind, tickets, name }: Overview['causes'][number], overview: Overview, nowMs: number): string {
  const [first = ''] = tickets
  if (kind === 'cycle') return `each other: ${tickets.join(', ')}`
  if (kind === 'pool') return `a slot of the pool ${name}`
  if (kind === 'claim') return `the claim of ${name}`
  if (kind === 'file') return `a file that cannot be read: ${name}`
  if (kind === 'elsewhere') return `the worktree ${name}, which has a later state`
  if (kind === 'hold') return `${first}, which is on hold${name ? ` until ${timeText(name)}` : ''}`
  if (kind === 'missing') return `${first}, which has no file here`
  if (kind === 'abandoned') return `${first}, which was abandoned`
  if (kind === 'other') return name ?? ''
  return `${first} (${progressText(first, overview, nowMs)})  ${overview.tickets[first]?.title ?? ''}`
}

function progressText(id: string, { tickets, claims }: Overview, nowMs: number): string {
  const ticket = tickets[id]
  const claim = claims.find(claim => claim.ticket === id)
  if (claim?.live) return `${claim.holder}, ${spanText(Date.parse(claim.expires_at) - nowMs)} left`
  if (ticket?.claimed) return 'claimed'
  if (ticket?.phase === 'active')
    return claim
      ? `the claim of ${claim.holder} expired ${spanText(nowMs - Date.parse(claim.expires_at))} ago`
      : 'runs without a claim'
  return ticket?.verdict === 'accept' ? 'may run now' : `state ${ticket?.state}`
}

function areaRow({ area, at_work, waiting }: Overview['areas'][number]): Cell[] {
  const who = at_work.map(({ ticket, holder }) => (holder === null ? ticket : `${ticket} (${holder})`)).join(', ')
  return [cell(area), cell(waiting.length === 0 ? '' : waitText(waiting.length), 'yellow'), cell(who || 'nobody')]
}

function decisionRow(
  { at, by, ticket, kind, other, text, status }: Overview['decisions'][number],
  nowMs: number,
): Cell[] {
  const off = status === 'retracted' || status === 'superseded'
  const what = `${ticket} ${kind.replaceAll('_', ' ')}${other ? ` ${other}` : ''}${off ? ` (${status})` : ''}`
  return [
    cell(`${spanText(nowMs - Date.parse(at))} ago`, 'dim'),
    cell(by, 'dim'),
    cell(what, off ? 'dim' : undefined),
    cell(text?.replace(/\s+/g, ' '), 'dim'),
  ]
}
