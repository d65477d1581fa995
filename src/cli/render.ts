/** Readable output: one function for each operation, from its output to lines. Text from files is escaped here. */
import { csvText } from '../integration/export-text.ts'
import type { Decision } from '../model/decision.ts'
import { escapeText } from '../model/escape-text.ts'
import type { ChainLink } from '../model/facts.ts'
import type { Reason } from '../model/verdict.ts'
import type { OperationName } from '../operations/registry.ts'
import type { Problem, Relation, TicketSummary } from '../operations/shapes.ts'
import type { OutputOf } from '../sdk.ts'
import type { Terminal } from './print.ts'
import { type Cell, type Colour, cut, painter, table } from './terminal.ts'

/** What the renderers need to know of where their text goes. */
interface Page {
  paint(colour: Colour, text: string): string
  /** Columns of the terminal; undefined off one. */
  width: number | undefined
  input: Record<string, unknown>
}

type Renderers = { [N in OperationName]: (output: OutputOf<N>, page: Page) => string[] | string }

/** The readable form of an operation's output, with its final line break. */
export function render<N extends OperationName>(
  name: N,
  output: OutputOf<N>,
  input: Record<string, unknown>,
  terminal: Terminal,
): string {
  const page: Page = { paint: painter(terminal), width: terminal.width, input }
  const shown = renderers[name](output, page)
  if (typeof shown === 'string') return terminal.isTerminal ? shown.split('\n').map(escapeText).join('\n') : shown
  return shown.length ? `${shown.join('\n')}\n` : ''
}

const renderers: Renderers = {
  init: ({ root, git, dryRun, skipped, ...done }, { input, paint }) => {
    const verbs = { made: 'make', changed: 'change', removed: 'remove' }
    const lines = (['made', 'changed', 'removed'] as const)
      .filter(verb => done[verb].length > 0)
      .map(verb => `${dryRun ? `would ${verbs[verb]}` : verb} ${done[verb].map(escapeText).join(', ')}`)
    const place = escapeText(root)
    const nothing = `nothing to do: ${place} ${input.undo ? 'has nothing of "ticketplan init"' : 'is set up'}`
    return [
      ...(lines.length ? lines.map((line, at) => (at === 0 ? `${line} in ${place}` : line)) : [nothing]),
      ...skipped.map(({ path, message }) => `${paint('yellow', 'left')} ${escapeText(path)}: ${escapeText(message)}`),
      ...(git ? [] : ['this is not a git repository: decisions are kept in files, without history']),
    ]
  },
  add: ({ ticket, path }) => [`added ${ticketText(ticket)} in ${escapeText(path)}`],
  set: ({ ticket, changed }) => [`${changed ? 'changed' : 'unchanged'}: ${ticketText(ticket)}, ${stateText(ticket)}`],
  record: recordedLines,
  retract: recordedLines,
  queue: ({ queue, problems }, page) => [
    ...(queue.length ? queue.flatMap(entry => verdictLines(entry, page)) : ['the queue is empty']),
    ...problemLines(problems, page),
  ],
  consult: ({ problems, plan, ...answer }, page) => [
    ...verdictLines(answer, page),
    ...(plan ? [`  accepted before: ${planText(plan)}`] : []),
    ...problemLines(problems, page),
  ],
  accept: ({ accepted, claim, decision, reasons, refused, warnings }, { paint }) => [
    accepted && claim
      ? `${paint('green', 'accepted')}: ${claimText(claim)}`
      : paint('red', refused ? 'refused: stale token, the claim is lost' : 'refused'),
    ...(decision ? [`  ${decisionText(decision as Decision)}`, `  ${decision.id}`] : []),
    ...reasonLines(reasons, paint),
    ...warnings.map(warning => `note: ${escapeText(warning)}`),
  ],
  claim: claimedLines,
  renew: claimedLines,
  release: ({ claim, ...rest }, page) =>
    rest.refused ? claimedLines({ claim, ...rest }, page) : [`released ${claim?.ticket ?? ''}`],
  claims: ({ claims }, { paint, width }) =>
    claims.length
      ? table(
          [
            ['ticket', 'holder', 'token', 'pool', 'state', 'expires'].map(text => ({ text, colour: 'bold' as const })),
            ...claims.map(({ ticket, holder, token, pool, live, expires_at, released_at }) => {
              const state = live ? 'live' : released_at ? 'released' : 'expired'
              const cells = [ticket, holder, String(token), pool ?? '', state, released_at ?? expires_at]
              return cells.map(text => ({ text: escapeText(text), colour: live ? undefined : ('dim' as const) }))
            }),
          ],
          paint,
          width,
        )
      : ['no claims'],
  show: showLines,
  relations: ({ relations, problems }, page) => [
    ...(relations.length
      ? table(relations.map(relationCells), page.paint, page.width)
      : [
          page.input.status === 'all'
            ? 'no relations'
            : `no relations are ${page.input.status}; --status all lists all`,
        ]),
    ...problemLines(problems, page),
  ],
  brief: ({ text }) => text,
  sql({ columns, rows, truncated }, { paint, width, input }) {
    if (input.csv) return csvText(columns, rows)
    const cells = rows.map(row => row.map(value => ({ text: value === null ? '' : escapeText(String(value)) })))
    const head: Cell[] = columns.map(text => ({ text: escapeText(text), colour: 'bold' }))
    const count = `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'}${truncated ? ', there are more: --limit gives them' : ''})`
    return [...table([head, ...cells], paint, width), paint('dim', count)]
  },
  db: ({ path }) => `${path}\n`,
  sync: (counts, { input }) => (input.quiet ? [] : countLines(counts)),
  rebuild: countLines,
  verify: ({ ok, problems, fixed, checked }, page) => [
    ...fixed.map(path => `mended ${escapeText(path)}`),
    ...problemLines(problems, page),
    `${ok ? page.paint('green', 'ok') : page.paint('red', 'not ok')}: ${count(checked.tickets, 'Ticket')}, ${count(checked.decisions, 'decision')}, ${checked.merges === undefined ? '' : `${count(checked.merges, 'merge')}, `}${count(problems.length, ok ? 'warning' : 'problem')}`,
  ],
  doctor: ({ checks }, page) =>
    table(
      checks.map(({ name, ok, detail }) => [
        { text: ok ? 'ok' : 'bad', colour: ok ? 'green' : 'red' },
        { text: name },
        { text: escapeText(detail) },
      ]),
      page.paint,
      undefined,
    ),
  import: ({ tickets, decisions, written, dropped, unphasedStates, warnings }, { paint, input }) => [
    `${count(tickets, 'Ticket')}, ${count(decisions, 'decision')}; ${count(written, 'file')} ${input.dryRun ? 'would be ' : ''}written`,
    ...(unphasedStates.length
      ? [
          `states that are in no phase, so their Tickets are open: ${unphasedStates.map(escapeText).join(', ')} (ticketplan.json: states)`,
        ]
      : []),
    ...warnings.map(warning => `note: ${escapeText(warning)}`),
    ...(dropped.length ? [paint('yellow', `left out: ${dropped.length}`)] : []),
    ...dropped.map(({ source, message }) => `  ${escapeText(source)}: ${escapeText(message)}`),
  ],
  export: ({ text }) => text,
  resolve: ({ resolved, kept, unresolved, others }, { paint }) => [
    ...(resolved.length + kept.length + unresolved.length === 0 ? ['nothing to resolve in Ticket files'] : []),
    ...resolved.map(({ path, contested }) => {
      const lost = contested
        ? `, ${contested} ${contested === 1 ? 'value that lost is' : 'values that lost are'} kept`
        : ''
      return `${paint('green', 'resolved')}: ${escapeText(path)}${lost}`
    }),
    ...kept.map(({ path, message }) => `kept: ${escapeText(path)}: ${escapeText(message)}`),
    ...unresolved.map(({ path, message }) => `${paint('red', 'left')}: ${escapeText(path)}: ${escapeText(message)}`),
    ...(others.length ? [`conflicts in other files remain: ${others.map(escapeText).join(', ')}`] : []),
  ],
  'merge-driver': ({ message }) => (message === null ? [] : [`ticketplan: ${escapeText(message)}`]),
}

function ticketText({ id, slug, title }: TicketSummary): string {
  return `${id}${slug ? ` (${slug})` : ''}${title === null ? '' : ` "${escapeText(title)}"`}`
}

/** The state, and the phase where it has another name: a misspelt state is then seen to be open. */
function stateText({ state, phase }: TicketSummary): string {
  return `state ${escapeText(state ?? '')}${phase === null || phase === state ? '' : ` (${phase})`}`
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

function recordedLines({ created, decision, ticket, warnings }: OutputOf<'record'>): string[] {
  const verb = created ? 'recorded' : 'stands already'
  return [
    `${verb} in ${ticket}: ${decisionText(decision as Decision)}`,
    `  ${decision.id}`,
    ...warnings.map(warning => `note: ${escapeText(warning)}`),
  ]
}

function claimText({ ticket, holder, token, pool, expires_at }: NonNullable<OutputOf<'claim'>['claim']>): string {
  return escapeText(`${ticket} by ${holder}, token ${token}${pool ? `, pool ${pool}` : ''}, until ${expires_at}`)
}

function claimedLines({ claim, refused, reasons }: OutputOf<'claim'>, { paint }: Page): string[] {
  if (refused === undefined) return claim ? [`claimed: ${claimText(claim)}`] : []
  const holder = claim
    ? `: ${claim.ticket} is ${claim.live ? 'held' : 'last held'} by ${claim.holder} (token ${claim.token})`
    : ': the Ticket has no claim'
  return [
    `${paint('red', 'refused')} (${refused})${escapeText(refused === 'stale_token' || claim ? holder : '')}`,
    ...reasonLines(reasons ?? [], paint),
  ]
}

function countLines({ tickets, decisions, changed, quarantined, ms }: OutputOf<'sync'>): string[] {
  const bad = quarantined ? `; ${count(quarantined, 'file')} cannot be read: "ticketplan verify" names them` : ''
  return [
    `${count(tickets, 'Ticket')}, ${count(decisions, 'decision')}; ${count(changed, 'file')} changed, ${ms} ms${bad}`,
  ]
}

type Judged = Pick<OutputOf<'consult'>, 'ticket' | 'verdict' | 'reasons'>

function verdictLines({ ticket, verdict, reasons }: Judged, { paint, width }: Page): string[] {
  const word = verdict === 'accept' ? paint('green', 'accept') : paint('red', 'hold  ')
  const used = 8 + ticket.id.length + 2
  const title = escapeText(ticket.title ?? '(cannot be read)')
  const shown = width === undefined ? title : cut(title, Math.max(10, width - used))
  return [`${word}  ${paint('bold', ticket.id)}  ${shown}`, ...reasonLines(reasons, paint)]
}

function reasonLines(reasons: Reason[], paint: Page['paint']): string[] {
  const width = Math.max(0, ...reasons.map(({ code }) => code.length))
  return reasons.flatMap(({ code, severity, message, chain }) => {
    const mark = severity === 'hold' ? paint('red', 'x') : paint('yellow', '!')
    return [
      `  ${mark} ${code.padEnd(width)}  ${escapeText(message)}`,
      ...(chain && chain.length > 1 ? chainLines(chain, width + 6) : []),
    ]
  })
}

/** So many Tickets of a chain are drawn; --json has them all. */
const CHAIN_LINES = 20

/** The chain of blockers as a tree; links come each before those below it. */
function chainLines(chain: ChainLink[], indent: number): string[] {
  const bars: string[] = []
  const lines = chain.slice(0, CHAIN_LINES).map(({ ticket, depth, state, repeated }, position) => {
    const next = chain.slice(position + 1).find(link => link.depth <= depth)
    const last = next?.depth !== depth
    bars.length = depth - 1
    const tree = `${bars.join('')}${last ? '└─ ' : '├─ '}`
    bars.push(last ? '   ' : '│  ')
    const known = state === null ? 'no readable file' : escapeText(state)
    return `${' '.repeat(indent)}${tree}${ticket} (${known})${repeated ? ', as above' : ''}`
  })
  const more = chain.length - lines.length
  return more > 0 ? [...lines, `${' '.repeat(indent)}and ${more} more: --json lists all`] : lines
}

function problemLines(problems: Problem[], { paint }: Page): string[] {
  return problems.map(({ code, path, message, severity }) => {
    const word = severity === 'error' ? paint('red', 'problem') : paint('yellow', 'warning')
    return `${word}: ${path ? `${escapeText(path)}: ` : ''}${escapeText(message)} [${code}]`
  })
}

function relationCells({ ticket, kind, other, status, advisory, label, by, at, reason, decisions }: Relation): Cell[] {
  const extra = [advisory && 'advisory', label && `"${label}"`].filter(Boolean).join(', ')
  const colour: Colour | undefined = status === 'active' ? undefined : 'dim'
  const text = [reason ?? '', ...(decisions.length > 1 ? [`(said ${decisions.length} times)`] : [])].join(' ').trim()
  return [ticket, `${kind}${extra ? ` (${extra})` : ''}`, other, status, at.slice(0, 10), by, text].map(text => ({
    text: escapeText(text),
    colour,
  }))
}

function showLines(
  { ticket, decisions, relations, claim, verdict, reasons, problems }: OutputOf<'show'>,
  page: Page,
): string[] {
  const { paint } = page
  const facts: [string, string | null][] = [
    ['state', ticket.state && `${ticket.state} (${ticket.phase})${ticket.state_at ? ` since ${ticket.state_at}` : ''}`],
    ['slug', ticket.slug],
    ['queued', ticket.queued_at && `${ticket.queued_at}${ticket.queued_by ? ` by ${ticket.queued_by}` : ''}`],
    ['created', ticket.created_at],
    ['changed', ticket.changed_at],
    ['file', ticket.path],
    ['claim', claim && `${claim.holder}, token ${claim.token}, until ${claim.expires_at}`],
  ]
  return [
    `${paint('bold', ticket.id)}  ${escapeText(ticket.title ?? '(cannot be read)')}`,
    ...facts.filter(([, value]) => value).map(([name, value]) => `  ${name.padEnd(8)}${escapeText(value!)}`),
    `  verdict ${verdict === 'accept' ? paint('green', 'accept') : paint('red', 'hold')}`,
    ...reasonLines(reasons, paint).map(line => `  ${line}`),
    decisions.length ? 'decisions, oldest first:' : 'no decisions',
    ...decisions.flatMap(decision => {
      const { id, at, by, status } = decision
      const head = `  ${at.slice(0, 16).replace('T', ' ')}  ${status.padEnd(10)}  ${decisionText(decision as unknown as Decision)}`
      const line = `${head}  [${escapeText(by)}]`
      return [status === 'active' ? line : paint('dim', line), paint('dim', `    ${id}`)]
    }),
    ...fromOthers(decisions, relations, page),
    ...problemLines(problems, page),
  ]
}

/** The relations that other Tickets' files hold. */
function fromOthers(decisions: { id: string }[], relations: Relation[], { paint, width }: Page): string[] {
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

function planText({ branch, summary, at, by }: NonNullable<OutputOf<'consult'>['plan']>): string {
  return escapeText(`${summary}${typeof branch === 'string' ? ` (branch ${branch})` : ''}, ${at.slice(0, 16)} by ${by}`)
}

/** What a decision says, in a line. */
function decisionText({
  kind,
  target,
  reason,
  advisory,
  label,
  pool,
  until,
  plan,
  overrides,
  retracts,
  field,
  lost,
}: Decision): string {
  const details = [
    target,
    retracts,
    field,
    kind === 'contested' && (lost === undefined ? 'lost its removal' : `lost ${JSON.stringify(lost)}`),
    advisory && '(advisory)',
    label && `("${label}")`,
    pool && `pool ${pool}`,
    until && `until one of ${until.join(', ')} leaves play`,
    plan?.branch && `branch ${plan.branch}`,
    plan?.worktree && `worktree ${plan.worktree}`,
    overrides && `overriding ${overrides.join(', ')}`,
  ].filter(Boolean)
  const text = [plan?.summary, reason].filter(Boolean).join('; ')
  return escapeText([kind, ...details].join(' ') + (text ? `: ${text}` : ''))
}
