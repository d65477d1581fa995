/** Readable output: one function for each operation, from its output to lines. Text from files is escaped here. */

import { count } from '../model/count.ts'
import type { Decision } from '../model/decision.ts'
import { escapeText } from '../model/escape-text.ts'
import { csvText } from '../operations/export-text.ts'
import type { OperationName } from '../operations/registry.ts'
import type { Relation } from '../operations/shapes.ts'
import type { OutputOf } from '../sdk.ts'
import {
  claimText,
  decisionText,
  type Page,
  planText,
  problemLines,
  reasonLines,
  relationCells,
  stateText,
  ticketText,
  verdictLines,
} from './phrases.ts'
import type { Terminal } from './print.ts'
import { type Cell, painter, table } from './terminal.ts'

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
  renew: ({ claim, ...rest }, page) =>
    claim && !rest.refused ? [`renewed: ${claimText(claim)}`] : claimedLines({ claim, ...rest }, page),
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
    const total = `(${count(rows.length, 'row')}${truncated ? ', there are more: --limit gives them' : ''})`
    return [...table([head, ...cells], paint, width), paint('dim', total)]
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
    ...resolved.map(({ path, contested, staged, withoutBase }) => {
      const lost = contested
        ? `, ${contested} ${contested === 1 ? 'value that lost is' : 'values that lost are'} kept`
        : ''
      const back = withoutBase ? ', what one side had removed is back (their common version is not known)' : ''
      const yours = staged ? '' : '; "git add" it'
      return `${paint('green', 'resolved')}: ${escapeText(path)}${lost}${back}${yours}`
    }),
    ...kept.map(({ path, message }) => `kept: ${escapeText(path)}: ${escapeText(message)}`),
    ...unresolved.map(({ path, message }) => `${paint('red', 'left')}: ${escapeText(path)}: ${escapeText(message)}`),
    ...(others.length ? [`conflicts in other files remain: ${others.map(escapeText).join(', ')}`] : []),
  ],
  'merge-driver': ({ message }) => (message === null ? [] : [`ticketplan: ${escapeText(message)}`]),
}

function recordedLines({ created, decision, ticket, warnings }: OutputOf<'record'>): string[] {
  const verb = created ? 'recorded' : 'stands already'
  return [
    `${verb} in ${ticket}: ${decisionText(decision as Decision)}`,
    `  ${decision.id}`,
    ...warnings.map(warning => `note: ${escapeText(warning)}`),
  ]
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
