/** Renders what `undo` has taken back. Text from files is escaped here. */
import type { Decision } from '../model/decision.ts'
import { escapeText } from '../model/escape-text.ts'
import type { OutputOf } from '../sdk.ts'
import { decisionText, indentedLines, noteLines, timeText } from './phrases.ts'

type UndoneFile = OutputOf<'undo'>['files'][number]

const HOW: Record<UndoneFile['how'], [done: string, planned: string]> = {
  restored: ['the file has its earlier bytes again', 'the file gets its earlier bytes again'],
  removed: ['the file is removed', 'the file is removed'],
  retracted: ['retracted, because it is committed or the file was changed since', 'is retracted'],
  set_back: ['set back, because it is committed or the file was changed since', 'is set back'],
  nothing: ['nothing is left to take back', 'nothing is left to take back'],
}

export function undoLines({ undone, dryRun, skipped, change, files, warnings }: OutputOf<'undo'>): string[] {
  const { operation, by, at, tickets } = change
  const what = `the ${operation} of ${timeText(at)} by ${escapeText(by)}`
  if (skipped) {
    const more = tickets.length > MOST_NAMED ? ` and ${tickets.length - MOST_NAMED} more` : ''
    const where = `${tickets.slice(0, MOST_NAMED).map(escapeText).join(', ')}${more}`
    return [`kept ${what} in ${where}; the next undo takes the change before it`]
  }
  const done = dryRun ? 'would take back' : 'took back'
  return [
    undone
      ? `${done} ${what}`
      : `nothing is left of ${what}${dryRun ? '' : '; the next undo takes the change before it'}`,
    ...files.flatMap(file => fileLines(file, dryRun)),
    ...noteLines(warnings),
  ]
}

/** How many Tickets of a change that is kept are named. */
const MOST_NAMED = 5

function fileLines({ ticket, path, how, decisions, fields, active_again }: UndoneFile, dryRun: boolean): string[] {
  const lines = (decision: Decision, label: string) => [
    ...indentedLines(`    ${label}`, decisionText(decision), 8),
    `      ${decision.id}`,
  ]
  return [
    `  ${ticket}, ${escapeText(path)}: ${HOW[how][dryRun ? 1 : 0]}`,
    ...decisions.flatMap(decision => lines(decision as Decision, '')),
    ...fields.map(({ field, from, to }) => `    ${field}: ${valueText(from)} -> ${valueText(to)}`),
    ...active_again.flatMap(decision => lines(decision as Decision, 'active again: ')),
  ]
}

function valueText(value: string | null): string {
  return value === null ? '(none)' : escapeText(value)
}
