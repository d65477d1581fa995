/** Renders Tickets, their decisions and relations, and rows of SQL. Text from files is escaped here. */
import { count } from '../model/count.ts'
import type { Decision } from '../model/decision.ts'
import { escapeText } from '../model/escape-text.ts'
import { csvText } from '../operations/export-text.ts'
import type { Relation } from '../operations/shapes.ts'
import type { OutputOf } from '../sdk.ts'
import {
  decisionLines,
  decisionText,
  firstProblemLines,
  indentedLines,
  moreLines,
  noteLines,
  type Page,
  reasonLines,
  relationCells,
  stateText,
  ticketText,
  timeText,
} from './phrases.ts'
import { type Cell, table } from './terminal.ts'

export function addLines({ ticket, path, warnings }: OutputOf<'add'>): string[] {
  return [`added ${ticketText(ticket)} in ${escapeText(path)}`, ...noteLines(warnings)]
}

export function setLines(output: OutputOf<'set'>): string[] {
  const { tickets = [output], warnings } = output
  const lines = tickets.map(({ changed, ticket }) => {
    return `${changed ? 'changed' : 'unchanged'}: ${ticketText(ticket)}, ${stateText(ticket)}`
  })
  return [...lines, ...noteLines(warnings)]
}

/** `record --stdin` has the document of `recordAll`. */
export function recordLines(output: OutputOf<'record'> | OutputOf<'recordAll'>): string[] {
  if ('failed' in output) return recordAllLines(output)
  const { recorded = [output], warnings } = output
  const lines = recorded.flatMap(({ created, decision, ticket }) => [
    ...indentedLines(
      `${created ? 'recorded' : 'already recorded'} in ${ticket}: `,
      decisionText(decision as Decision),
      4,
    ),
    `  ${decision.id}`,
  ])
  return [...lines, ...noteLines(warnings)]
}

export function recordAllLines({ created, recorded, failed, files, warnings }: OutputOf<'recordAll'>): string[] {
  const known = recorded.length - created
  const rest = known > 0 ? `; ${known} were there already` : ''
  return [
    `recorded ${count(created, 'decision')} in ${count(files.length, 'file')}${rest}`,
    ...failed.map(({ line, message }) => `line ${line}: not recorded: ${escapeText(message)}`),
    ...noteLines(warnings),
  ]
}

/** Each retraction as `record` shows a decision. */
export function retractLines({ others = [], warnings, ...first }: OutputOf<'retract'>): string[] {
  return [...[first, ...others].flatMap(one => recordLines({ ...one, warnings: [] })), ...noteLines(warnings)]
}

/** How many files outside of an area are listed. */
const MOST_FILES = 50

export function scopeLines({ ticket, area, files, outside }: OutputOf<'scope'>, { paint }: Page): string[] {
  const patterns = area.map(({ pattern, shared }) => `  ${escapeText(pattern)}${shared ? ' (shared)' : ''}`)
  const hint = `no area; record one with: ticketplan record ${ticket.id} touches --paths <globs>`
  const lines = [ticketText(ticket), ...(patterns.length > 0 ? patterns : [`  ${hint}`])]
  if (outside === undefined) return lines
  const compared = count(files ?? 0, 'changed file')
  if (outside.length === 0) return [...lines, `${compared}, ${paint('green', 'none outside')}`]
  const more = outside.length - MOST_FILES
  return [
    ...lines,
    `${compared}, ${paint('red', `${outside.length} outside`)}:`,
    ...outside.slice(0, MOST_FILES).map(path => `  ${escapeText(path)}`),
    ...(more > 0 ? [`  and ${more} more; --json lists all`] : []),
  ]
}

/** Several Tickets are separated by an empty line. */
export function showLines(output: OutputOf<'show'>, page: Page): string[] {
  const { others = [], unknown: _, ...first } = output
  return [first, ...others].flatMap((one, at) => [...(at > 0 ? [''] : []), ...shownLines(one, page)])
}

type Shown = Omit<OutputOf<'show'>, 'others' | 'unknown'>

function shownLines(output: Shown, page: Page): string[] {
  const { ticket, decisions, relations, verdict, reasons, problems } = output
  const { paint } = page
  return [
    `${paint('bold', ticket.id)}  ${escapeText(ticket.title ?? '(cannot be read)')}`,
    ...ticketFacts(output).map(([name, value]) => `  ${name.padEnd(8)}${escapeText(value)}`),
    `  verdict ${verdict === 'accept' ? paint('green', 'accept') : paint('red', 'hold')}`,
    ...reasonLines(reasons, paint).map(line => `  ${line}`),
    decisions.length ? 'decisions, oldest first:' : 'no decisions',
    ...decisions.flatMap(decision => {
      const { at, by, status } = decision
      const text = `${decisionText(decision as unknown as Decision)}  [${by}]`
      return decisionLines(decision, `  ${timeText(at).padEnd(17)}  ${status.padEnd(10)}  `, text, 6, page)
    }),
    ...relationsOfOthers(decisions, relations, page),
    ...firstProblemLines(problems, page),
  ]
}

function ticketFacts({ ticket, claim }: Shown): [name: string, value: string][] {
  const facts: [string, string | null][] = [
    ['state', ticket.state && `${ticket.state} (${ticket.phase})${ticket.state_at ? ` since ${ticket.state_at}` : ''}`],
    ['slug', ticket.slug],
    ['queued', ticket.queued_at && `${ticket.queued_at}${ticket.queued_by ? ` by ${ticket.queued_by}` : ''}`],
    ['created', ticket.created_at],
    ['changed', ticket.changed_at],
    ['source', ticket.source && sourceText(ticket.source)],
    ['file', ticket.path],
    ['claim', claim && `${claim.holder}, until ${claim.expires_at}`],
  ]
  return facts.flatMap(([name, value]) => (value ? [[name, value]] : []))
}

/** The fields of a source that a reader of the Ticket looks for, in this order. */
const SOURCE_FIELDS = ['priority', 'labels', 'assignee', 'owner', 'milestone', 'url']

function sourceText(source: Record<string, unknown>): string {
  const { system, name, id, state } = source
  const facts = SOURCE_FIELDS.flatMap(field => {
    const value = source[field]
    const text = Array.isArray(value) ? value.join(', ') : value
    return typeof text === 'string' || typeof text === 'number' ? [`${field} ${text}`] : []
  })
  return [[system, name, id].filter(Boolean).join(' '), ...(state ? [`"${state}"`] : []), ...facts].join(', ')
}

/** Returns the relations that are stored in the files of other Tickets. */
function relationsOfOthers(decisions: { id: string }[], relations: Relation[], { paint, width }: Page): string[] {
  const own = new Set(decisions.map(({ id }) => id))
  const others = relations.filter(({ decision }) => !own.has(decision))
  if (others.length === 0) return []
  const lines = table(
    others.map(relation => relationCells(relation).slice(1)),
    paint,
    width === undefined ? undefined : width - 2,
  )
  return ['recorded with other Tickets, as seen from this one:', ...lines.map(line => `  ${line}`)]
}

export function relationsLines({ relations, more, problems }: OutputOf<'relations'>, page: Page): string[] {
  const { status } = page.input
  const none = status === 'all' ? 'no relations' : `no ${status} relations; --status all lists those of every status`
  return [
    ...(relations.length ? table(relations.map(relationCells), page.paint, page.width) : [none]),
    ...moreLines(more, count(relations.length, 'relation'), page),
    ...firstProblemLines(problems, page),
  ]
}

/** The most characters of a value in a table; --json and --csv have all. */
const VALUE_CHARACTERS = 10_000

function shortened(value: string): string {
  return value.length <= VALUE_CHARACTERS ? value : `${value.slice(0, VALUE_CHARACTERS)}…`
}

export function sqlText({ columns, rows, truncated }: OutputOf<'sql'>, page: Page): string[] | string {
  if (page.input.csv) return csvText(columns, rows)
  const head: Cell[] = columns.map(text => ({ text: escapeText(text), colour: 'bold' }))
  const cells = rows.map(row =>
    row.map(value => ({ text: value === null ? '' : escapeText(shortened(String(value))) })),
  )
  const total = `(${count(rows.length, 'row')}${truncated ? '; there are more, raise --limit to get them' : ''})`
  return [...table([head, ...cells], page.paint, page.width), page.paint('dim', total)]
}
