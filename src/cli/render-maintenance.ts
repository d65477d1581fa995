/** Renders what was set up, imported, checked, reconciled or merged. Text from files is escaped here. */
import { count } from '../model/count.ts'
import { escapeText } from '../model/escape-text.ts'
import type { OutputOf } from '../sdk.ts'
import { decisionText, moreLines, noteLines, type Page, problemLines } from './phrases.ts'
import { table } from './terminal.ts'

export function initLines(output: OutputOf<'init'>, { input, paint }: Page): string[] {
  const { git, dryRun, skipped } = output
  const root = escapeText(output.root)
  const verbs = { made: ['created', 'create'], changed: ['changed', 'change'], removed: ['removed', 'remove'] } as const
  const lists = (['made', 'changed', 'removed'] as const).filter(list => output[list].length > 0)
  const done = lists.map((list, position) => {
    const [past, infinitive] = verbs[list]
    const verb = dryRun ? `would ${infinitive}` : past
    return `${verb} ${output[list].map(escapeText).join(', ')}${position === 0 ? ` in ${root}` : ''}`
  })
  const nothing = `nothing to do: ${root} ${input.undo ? 'has nothing from "ticketplan init"' : 'is set up'}`
  return [
    ...(done.length ? done : [nothing]),
    ...skipped.map(({ path, message }) => `${paint('yellow', 'skipped')} ${escapeText(path)}: ${escapeText(message)}`),
    ...(git ? [] : ['this is not a git repository: decisions are kept in files, without history']),
  ]
}

export function importLines(output: OutputOf<'import'>, { paint, input }: Page): string[] {
  const {
    tickets,
    decisions,
    written,
    created,
    changed,
    changes = [],
    retracted,
    gone,
    cancelled,
    skipped,
    skippedRecords = [],
    dropped,
    unphasedStates,
    warnings,
    hints,
  } = output
  const states = unphasedStates.map(escapeText).join(', ')
  const reasons = Object.entries(skipped).map(([reason, n]) => `${n} ${escapeText(reason)}`)
  const wouldBe = input.dryRun ? 'would be ' : ''
  const isListed = input.dryRun || input.verbose
  const some = (lines: string[]) => (input.verbose ? lines : firstLines(lines))
  const isCancelled = new Set(cancelled)
  const goneLines = (ids: readonly string[], what: string) => {
    if (ids.length === 0) return []
    const isLong = isListed || ids.length > MOST_LINES
    const lines = isLong ? ids.map(id => `  ${escapeText(id)}`) : []
    const head = `gone from the source${what}: ${isLong ? ids.length : ids.map(escapeText).join(', ')}`
    return [head, ...(isListed ? lines : firstLines(lines))]
  }
  return [
    `${count(tickets, 'Ticket')}, ${count(decisions, 'decision')}; ${count(written, 'file')} ${wouldBe}written${written ? ` (${created} new, ${changed} changed)` : ''}`,
    ...changes.flatMap(change => changeLines(change, wouldBe)),
    ...(retracted ? [`${count(retracted, 'edge')} that the source no longer has ${wouldBe}retracted`] : []),
    ...(reasons.length ? [`skipped: ${reasons.join(', ')}`] : []),
    ...skippedRecords.map(({ source, reason }) => `  ${escapeText(source)}: ${escapeText(reason)}`),
    ...goneLines(
      gone.filter(id => !isCancelled.has(id)),
      '',
    ),
    ...goneLines(cancelled, `, ${wouldBe}cancelled`),
    ...(states ? [`states in no phase of ticketplan.json, so their Tickets count as open: ${states}`] : []),
    ...some(noteLines(warnings)),
    ...(created ? noteLines(hints) : []),
    ...(dropped.length ? [paint('yellow', `left out: ${dropped.length}`)] : []),
    ...some(dropped.map(({ source, message }) => `  ${escapeText(source)}: ${escapeText(message)}`)),
  ]
}

/** A wrong file has something to say about each of its records. */
const MOST_LINES = 10

function firstLines(lines: string[]): string[] {
  const more = lines.length - MOST_LINES
  return more > 0 ? [...lines.slice(0, MOST_LINES), `  and ${more} more; --verbose lists all`] : lines
}

/** A file that an import wrote; an edge that a retraction takes or brings back is named in its place. */
function changeLines(
  { ticket, change, retracted, decisions, moved }: NonNullable<OutputOf<'import'>['changes']>[number],
  wouldBe: string,
): string[] {
  const byRetraction = new Map(moved.map(edge => [edge.by, edge]))
  return [
    `  ${change} ${escapeText(ticket)}${retracted ? `, ${count(retracted, 'edge')} ${wouldBe}retracted` : ''}`,
    ...decisions.map(decision => {
      const edge = byRetraction.get(decision.id)
      return `    ${edge?.change === 'retracted' ? '-' : '+'} ${escapeText(decisionText(edge?.edge ?? decision))}`
    }),
  ]
}

export function syncLines({ tickets, decisions, changed, quarantined, ms }: OutputOf<'sync'>): string[] {
  const unread = quarantined ? `; ${count(quarantined, 'file')} cannot be read, see "ticketplan verify"` : ''
  const counts = `${count(tickets, 'Ticket')}, ${count(decisions, 'decision')}; ${count(changed, 'file')} changed`
  return [`${counts}, ${ms} ms${unread}`]
}

export function verifyLines({ ok, problems, more, total, fixed, checked }: OutputOf<'verify'>, page: Page): string[] {
  const listed = problems.filter(({ severity }) => severity === 'warning').length
  const { errors, warnings } = total ?? { errors: problems.length - listed, warnings: listed }
  const counts = [
    count(checked.tickets, 'Ticket'),
    count(checked.decisions, 'decision'),
    ...(checked.merges === undefined ? [] : [count(checked.merges, 'merge')]),
    count(errors, 'problem'),
    count(warnings, 'warning'),
  ]
  return [
    ...fixed.map(path => `repaired ${escapeText(path)}`),
    ...problemLines(problems, page),
    ...moreLines(more, `${problems.length} listed`, page),
    `${ok ? page.paint('green', 'ok') : page.paint('red', 'not ok')}: ${counts.join(', ')}`,
  ]
}

export function doctorLines({ checks }: OutputOf<'doctor'>, { paint }: Page): string[] {
  const rows = checks.map(({ name, ok, detail }) => [
    { text: ok ? 'ok' : 'bad', colour: ok ? ('green' as const) : ('red' as const) },
    { text: name },
    { text: escapeText(detail) },
  ])
  return table(rows, paint, undefined)
}

export function resolveLines({ resolved, kept, unresolved, others }: OutputOf<'resolve'>, { paint }: Page): string[] {
  const entry = (word: string, { path, message }: { path: string; message: string }) =>
    `${word}: ${escapeText(path)}: ${escapeText(message)}`
  return [
    ...(resolved.length + kept.length + unresolved.length === 0 ? ['nothing to resolve in Ticket files'] : []),
    ...resolved.map(file => `${paint('green', 'resolved')}: ${resolvedText(file)}`),
    ...kept.map(file => entry('kept', file)),
    ...unresolved.map(file => entry(paint('red', 'not resolved'), file)),
    ...(others.length ? [`conflicts in other files remain: ${others.map(escapeText).join(', ')}`] : []),
  ]
}

function resolvedText({ path, contested, staged, withoutBase }: OutputOf<'resolve'>['resolved'][number]): string {
  const lost = contested ? `, ${count(contested, 'losing value')} kept` : ''
  const back = withoutBase ? ', with what one side had removed (the common version is unknown)' : ''
  return `${escapeText(path)}${lost}${back}${staged ? '' : '; stage it with "git add"'}`
}
