/** Renders an overview for a terminal, for `overview` and `top`. Text from files is escaped here. */
import stringWidth from 'string-width'
import { count } from '../model/count.ts'
import { escapeText } from '../model/escape-text.ts'
import type { OutputOf } from '../sdk.ts'
import { type Page, spanText, timeText } from './phrases.ts'
import { type Colour, cut } from './terminal.ts'

type Overview = OutputOf<'overview'>
interface Screen {
  paint: Page['paint']
  width: number
  nowMs: number
}

/** Off a terminal, where no width is known. */
const PLAIN_WIDTH = 120
/** How many lines each section has in an answer that is not bounded by a screen. */
const PLAIN_LINES = 15

export function overviewLines(overview: Overview, page: Page): string[] {
  const screen: Screen = { paint: page.paint, width: page.width ?? PLAIN_WIDTH, nowMs: Date.parse(overview.at) }
  const sections = sectionsOf(overview, screen).map(section => ({
    ...section,
    lines: section.lines.slice(0, PLAIN_LINES),
  }))
  return [headLine(overview, screen), ...sections.flatMap(section => ['', ...sectionLines(section, screen)])]
}

/** Returns the lines of a screen of that many rows. The last row stays free, so that the terminal does not scroll. */
export function screenLines(overview: Overview, screen: Screen, rows: number): string[] {
  const sections = sectionsOf(overview, screen)
  const sizes = sharesOf(sections, rows - 2)
  const shown = sections.flatMap((section, position) =>
    sizes[position] === 0
      ? []
      : ['', ...sectionLines({ ...section, lines: section.lines.slice(0, sizes[position]) }, screen)],
  )
  return [headLine(overview, screen), ...shown].slice(0, Math.max(1, rows - 1))
}

/** Returns how many lines each section has: first one for each while there is room, then one more in turn up to its share. */
function sharesOf(sections: readonly Section[], rows: number): number[] {
  let room = rows
  const sizes = sections.map(() => {
    if (room < FRAME_ROWS + 1) return 0
    room -= FRAME_ROWS + 1
    return 1
  })
  for (let isGrowing = true; isGrowing && room > 0; ) {
    isGrowing = false
    for (const [position, { lines, share }] of sections.entries()) {
      if (room === 0 || sizes[position] === 0 || sizes[position]! >= Math.min(lines.length, share)) continue
      sizes[position]!++
      room--
      isGrowing = true
    }
  }
  return sizes
}

/** An empty row and the title. */
const FRAME_ROWS = 2

interface Section {
  title: string
  lines: string[]
  total: number
  /** The most rows that it takes of a screen. */
  share: number
}

function sectionLines({ title, lines, total }: Section, { paint }: Screen): string[] {
  const more = total > lines.length ? paint('dim', `  ${lines.length} of ${total}`) : ''
  return [`${paint('bold', title)}${more}`, ...lines]
}

function headLine({ name, counts, attention }: Overview, { paint, width }: Screen): string {
  const parts: [Colour, string][] = [
    ['green', `${counts.accept} may run`],
    ['yellow', `${counts.hold} held`],
    ['blue', `${counts.running} running${counts.unclaimed ? `, ${counts.unclaimed} without a claim` : ''}`],
    ['bold', count(counts.conflicts, 'conflict')],
    attention.length > 0 ? ['red', `${attention.length} to look at`] : ['dim', 'nothing wrong'],
  ]
  return [
    paint('bold', cut(escapeText(name), Math.max(10, width >> 2))),
    ...parts.map(([colour, text]) => paint(colour, text)),
  ].join('  ')
}

function sectionsOf(overview: Overview, screen: Screen): Section[] {
  const { counts, causes, decisions, attention, running, left_out: left } = overview
  const accept = overview.queue.filter(({ verdict }) => verdict === 'accept')
  const all: Section[] = [
    section(
      'To look at',
      attention.map(one => attentionLine(one, screen)),
      left.attention,
      4,
    ),
    section('Running', runningLines(overview, screen), left.running, 8, running.length),
    section(
      'May run now',
      accept.map(one => mayRunLine(one.ticket, overview, screen)),
      left.accept,
      6,
      counts.accept,
    ),
    section(
      'Held, by what has to move first',
      causes.map(one => causeLine(one, overview, screen)),
      left.causes,
      7,
    ),
    section(
      'Areas',
      overview.areas.map(one => areaLine(one, screen)),
      left.areas,
      4,
    ),
    section(
      'Decided last',
      decisions.map(one => decisionLine(one, screen)),
      0,
      99,
    ),
  ]
  return all.filter(({ lines }) => lines.length > 0)
}

function section(title: string, lines: string[], leftOut = 0, share = 9, total = lines.length + leftOut): Section {
  return { title, lines, total: Math.max(total, lines.length), share }
}

function attentionLine({ severity, tickets, message, since, command }: Overview['attention'][number], screen: Screen) {
  const { paint, nowMs } = screen
  const age = since === null ? '' : ` ${spanText(nowMs - Date.parse(since))} ago`
  const text = `${tickets.slice(0, 3).join(' ')}${tickets.length ? ': ' : ''}${message}${age}${command ? `  (${command})` : ''}`
  return fitted(
    [
      [severity === 'error' ? 'red' : 'yellow', '! '],
      [null, text],
    ],
    screen,
    paint,
  )
}

function runningLines({ running, claims, tickets }: Overview, screen: Screen): string[] {
  const claimOf = new Map(claims.filter(({ live }) => live).map(claim => [claim.ticket, claim]))
  const lines = running.map(({ ticket, since }) => {
    const claim = claimOf.get(ticket)
    const title = tickets[ticket]?.title ?? ''
    if (!claim) {
      const age = since === null ? '' : ` for ${spanText(screen.nowMs - Date.parse(since))}`
      return {
        left: Number.POSITIVE_INFINITY,
        line: row(screen, ticket, 'no claim', 'dim', `${'·'.repeat(10)}${age}`, title),
      }
    }
    const left = Date.parse(claim.expires_at) - screen.nowMs
    const whole = Date.parse(claim.expires_at) - Date.parse(claim.renewed_at)
    const full = Math.max(0, Math.min(10, Math.round((left / whole) * 10)))
    const bar = `${'█'.repeat(full)}${'·'.repeat(10 - full)} ${spanText(left)}`
    return { left, line: row(screen, ticket, claim.holder, 'blue', bar, title) }
  })
  return lines.sort((a, b) => a.left - b.left).map(({ line }) => line)
}

function row(screen: Screen, ticket: string, who: string, colour: Colour, middle: string, title: string): string {
  return fitted(
    [
      [null, pad(ticket, 16)],
      [colour, pad(who, 16)],
      [colour, pad(middle, 23)],
      [null, title],
    ],
    screen,
    screen.paint,
  )
}

function mayRunLine(ticket: string, { tickets }: Overview, screen: Screen): string {
  const { title = '', behind } = tickets[ticket] ?? {}
  const waiting = behind ? `${behind} wait for it` : ''
  return fitted(
    [
      [null, pad(ticket, 16)],
      ['green', pad(waiting, 16)],
      [null, title ?? ''],
    ],
    screen,
    screen.paint,
  )
}

function causeLine(cause: Overview['causes'][number], overview: Overview, screen: Screen): string {
  return fitted(
    [
      ['yellow', `${String(cause.holds).padStart(4)} wait for `],
      [null, causeText(cause, overview, screen.nowMs)],
    ],
    screen,
    screen.paint,
  )
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
  const ticket = overview.tickets[first]
  const claim = overview.claims.find(claim => claim.ticket === first)
  const how = claim?.live
    ? `${claim.holder}, ${spanText(Date.parse(claim.expires_at) - nowMs)} left`
    : claim && ticket?.phase === 'active'
      ? `the claim of ${claim.holder} expired ${spanText(nowMs - Date.parse(claim.expires_at))} ago`
      : ticket?.phase === 'active'
        ? 'runs without a claim'
        : ticket?.verdict === 'accept'
          ? 'may run now'
          : `state ${ticket?.state}`
  return `${first} (${how})  ${ticket?.title ?? ''}`
}

function areaLine({ area, at_work, waiting }: Overview['areas'][number], screen: Screen): string {
  const who = at_work.map(({ ticket, holder }) => (holder === null ? ticket : `${ticket} (${holder})`)).join(', ')
  const held = waiting.length === 0 ? '' : `${waiting.length} wait`
  return fitted(
    [
      [null, pad(area, 32)],
      ['yellow', pad(held, 10)],
      [null, who || 'nobody'],
    ],
    screen,
    screen.paint,
  )
}

function decisionLine(
  { at, by, ticket, kind, other, text, status }: Overview['decisions'][number],
  screen: Screen,
): string {
  const off = status === 'retracted' || status === 'superseded'
  const what = `${ticket} ${kind.replaceAll('_', ' ')}${other ? ` ${other}` : ''}${off ? ` (${status})` : ''}`
  return fitted(
    [
      ['dim', pad(`${spanText(screen.nowMs - Date.parse(at))} ago`, 12)],
      ['dim', pad(by, 16)],
      [off ? 'dim' : null, what],
      ['dim', text === null ? '' : `  ${text.replace(/\s+/g, ' ')}`],
    ],
    screen,
    screen.paint,
  )
}

/** Returns one line of coloured parts, escaped, cut where the screen ends. */
function fitted(parts: [Colour | null, string][], { width }: Screen, paint: Page['paint']): string {
  let room = width
  let line = ''
  for (const [colour, text] of parts) {
    if (room <= 1) break
    const shown = cut(escapeText(text), room)
    room -= stringWidth(shown)
    line += colour ? paint(colour, shown) : shown
  }
  return line.trimEnd()
}

/** Returns text of exactly that many columns, with a space at the end. */
function pad(text: string, width: number): string {
  const shown = cut(escapeText(text), width - 1)
  return shown + ' '.repeat(width - stringWidth(shown))
}
