/** Phrases and lines that readable output is made of: Tickets, decisions, reasons, problems. Text from files is escaped here. */
import { count } from '../model/count.ts'
import { anyFields, type Decision } from '../model/decision.ts'
import { escapeText } from '../model/escape-text.ts'
import type { ChainLink, Reason } from '../model/reasons.ts'
import type { Problem, Relation, TicketSummary } from '../operations/shapes.ts'
import type { OutputOf } from '../sdk.ts'
import { type Cell, type Colour, cut } from './terminal.ts'

/** Where the text goes, and the input of the operation. */
export interface Page {
  paint(colour: Colour, text: string): string
  /** Columns of the terminal; undefined if there is none. */
  width: number | undefined
  input: Record<string, unknown>
  /** The wall clock, in milliseconds since 1970. */
  nowMs: number
}

/** Returns the lines of a text, escaped; each after the first with the indent. */
export function indentedLines(first: string, text: string, indent: number): string[] {
  const [line = '', ...others] = text.split(/\r?\n/).map(escapeText)
  return [`${first}${line}`, ...others.map(line => (line === '' ? '' : ' '.repeat(indent) + line))]
}

/** Returns the lines of a decision and of its id; those of one that is not active are dim. */
export function decisionLines(
  { id, status }: { id: string; status: string },
  first: string,
  text: string,
  indent: number,
  { paint }: Pick<Page, 'paint'>,
): string[] {
  const lines = indentedLines(first, text, indent)
  return [...(status === 'active' ? lines : lines.map(line => paint('dim', line))), paint('dim', `    ${id}`)]
}

/** Returns a time in minutes with its zone. A merge derives decisions that belong to no moment. */
export function timeText(at: string): string {
  return at === NO_TIME ? 'from a merge' : `${at.slice(0, 16).replace('T', ' ')}Z`
}

const NO_TIME = '1970-01-01T00:00:00.000Z'

/** Returns a time span as people say it: `45 s`, `28 min`, `5 h`, `3 days`. */
export function spanText(ms: number): string {
  const minutes = ms / 60_000
  if (minutes < 1.5) return `${Math.max(0, Math.round(ms / 1000))} s`
  if (minutes < 90) return `${Math.round(minutes)} min`
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`
}

export function ticketText({ id, slug, title }: TicketSummary): string {
  return `${id}${slug ? ` (${slug})` : ''}${title === null ? '' : ` "${escapeText(title)}"`}`
}

/** Returns the state, and the phase if its name differs: so a misspelt state is seen to be open. */
export function stateText({ state, phase }: TicketSummary): string {
  return `state ${escapeText(state ?? '')}${phase === null || phase === state ? '' : ` (${phase})`}`
}

export function claimText({
  ticket,
  holder,
  token,
  pool,
  expires_at,
}: NonNullable<OutputOf<'claim'>['claim']>): string {
  return escapeText(
    `${ticket} by ${holder}${token === undefined ? '' : `, token ${token}`}${pool ? `, pool ${pool}` : ''}, until ${expires_at}`,
  )
}

type Judged = Pick<OutputOf<'consult'>, 'ticket' | 'verdict' | 'reasons'>

export function verdictLines({ ticket, verdict, reasons }: Judged, { paint, width }: Page): string[] {
  const word = verdict === 'accept' ? paint('green', 'accept') : paint('red', 'hold  ')
  const used = 8 + ticket.id.length + 2
  const title = escapeText(ticket.title ?? '(cannot be read)')
  const shown = width === undefined ? title : cut(title, Math.max(10, width - used))
  return [`${word}  ${paint('bold', ticket.id)}  ${shown}`, ...reasonLines(reasons, paint)]
}

export function reasonLines(reasons: Reason[], paint: Page['paint']): string[] {
  const width = Math.max(0, ...reasons.map(({ code }) => code.length))
  return reasons.flatMap(reason => {
    const { code, severity, message } = reason
    const mark = severity === 'hold' ? paint('red', 'x') : paint('yellow', '!')
    return [
      ...indentedLines(`  ${mark} ${code.padEnd(width)}  `, message, width + 6),
      ...(reason.code === 'blocked_by' && reason.chain.length > 1 ? chainLines(reason.chain, width + 6) : []),
    ]
  })
}

/** At most this many Tickets of a chain are drawn; --json has all. */
const CHAIN_LINES = 20

/** Draws the chain of blockers as a tree. Each link comes before those below it. */
function chainLines(chain: ChainLink[], indent: number): string[] {
  const bars: string[] = []
  const lines = chain.slice(0, CHAIN_LINES).map(({ ticket, depth, state, repeated }, position) => {
    const next = chain.slice(position + 1).find(link => link.depth <= depth)
    const last = next?.depth !== depth
    bars.length = depth - 1
    const tree = `${bars.join('')}${last ? '└─ ' : '├─ '}`
    bars.push(last ? '   ' : '│  ')
    const shown = state === null ? 'no readable file' : escapeText(state)
    return `${' '.repeat(indent)}${tree}${ticket} (${shown})${repeated ? ', as above' : ''}`
  })
  const more = chain.length - lines.length
  return more > 0 ? [...lines, `${' '.repeat(indent)}and ${more} more; --json lists all`] : lines
}

/** Returns warnings as notes. */
export function noteLines(warnings: readonly string[]): string[] {
  return warnings.map(warning => `note: ${escapeText(warning)}`)
}

/** Returns the line below a list that a limit has cut; `listed` says how many entries it has. */
export function moreLines(more: boolean | undefined, listed: string, { paint }: Pick<Page, 'paint'>): string[] {
  return more ? [paint('dim', `(${listed}; there are more, raise --limit to get them)`)] : []
}

/** How many problems an answer lists that is about something else. */
const MOST_PROBLEMS = 10

/** Returns the first problems beside an answer, and how many more there are. */
export function firstProblemLines(problems: Problem[], page: Page): string[] {
  const lines = problemLines(problems.slice(0, MOST_PROBLEMS), page)
  const more = problems.length - MOST_PROBLEMS
  return more > 0 ? [...lines, `and ${count(more, 'more problem')}; "ticketplan verify" lists all`] : lines
}

export function problemLines(problems: Problem[], { paint }: Page): string[] {
  return problems.map(({ code, path, message, severity }) => {
    const word = severity === 'error' ? paint('red', 'problem') : paint('yellow', 'warning')
    return `${word}: ${path ? `${escapeText(path)}: ` : ''}${escapeText(message)} [${code}]`
  })
}

export function relationCells({
  ticket,
  kind,
  other,
  status,
  advisory,
  label,
  by,
  at,
  reason,
  decisions,
}: Relation): Cell[] {
  const extra = [advisory && 'advisory', label && `"${label}"`].filter(Boolean).join(', ')
  const colour: Colour | undefined = status === 'active' ? undefined : 'dim'
  const text = [
    (reason ?? '').replace(/\s*\n\s*/g, ' '),
    ...(decisions.length > 1 ? [`(recorded ${decisions.length} times)`] : []),
  ]
    .join(' ')
    .trim()
  return [ticket, `${kind}${extra ? ` (${extra})` : ''}`, other, status, at.slice(0, 10), by, text].map(text => ({
    text: escapeText(text),
    colour,
  }))
}

/** Returns a plan, not escaped yet: its summary can have several lines. */
export function planText({ branch, summary, at, by }: NonNullable<OutputOf<'consult'>['plan']>): string {
  return `${summary}${typeof branch === 'string' ? ` (branch ${branch})` : ''}, ${timeText(at)} by ${by}`
}

/** Returns the content of a decision, not escaped yet: its texts can have several lines. */
export function decisionText(decision: Decision): string {
  const { kind, target, reason, advisory, label, pool, until, plan, overrides, retracts, field, lost, paths, shared } =
    anyFields(decision)
  const details = [
    target,
    retracts,
    field,
    kind === 'contested' && (lost === undefined ? 'lost a removal' : `lost ${JSON.stringify(lost)}`),
    advisory && '(advisory)',
    paths?.join(', '),
    shared && '(shared)',
    label && `("${label}")`,
    pool && `pool ${pool}`,
    until && `until one of ${until.join(', ')} is out of play`,
    plan?.branch && `branch ${plan.branch}`,
    plan?.worktree && `worktree ${plan.worktree}`,
    overrides && `overriding ${overrides.join(', ')}`,
  ].filter(Boolean)
  const text = [plan?.summary, reason].filter(Boolean).join('; ')
  return [kind, ...details].join(' ') + (text ? `: ${text}` : '')
}
