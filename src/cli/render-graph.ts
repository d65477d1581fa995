/** Renders the graph of waiting Tickets as trees. Text from files is escaped here. */
import { INVERSE, type RelationKind } from '../model/decision-kinds.ts'
import { escapeText } from '../model/escape-text.ts'
import { type Side, type TreeRow, treeRows } from '../model/wait-tree.ts'
import type { OutputOf } from '../sdk.ts'
import { firstProblemLines, type Page } from './phrases.ts'
import { cut } from './terminal.ts'

export function graphLines(output: OutputOf<'graph'>, page: Page): string[] {
  const { paint } = page
  const { ticket, roots, blockers, dependents, cycles, more, problems } = output
  const line = lineOf(output, page)
  const tree = (side: Side) => treeRows(roots, side, side === 'blockers' ? blockers : dependents)
  const trees =
    ticket === null
      ? tree('dependents').map(row => line(row, 'dependents'))
      : [
          line({ ticket, kinds: [], lasts: [], repeated: false }, 'blockers'),
          blockers.length ? 'waits for:' : 'waits for nothing',
          ...tree('blockers')
            .slice(1)
            .map(row => line(row, 'blockers')),
          dependents.length ? 'is waited for by:' : 'nothing waits for it',
          ...tree('dependents')
            .slice(1)
            .map(row => line(row, 'dependents')),
        ]
  return [
    ...(trees.length ? trees : ['no Ticket waits for another']),
    ...cycles.map(cycle => paint('red', `cycle: ${cycleText(cycle)}`)),
    ...(more ? [paint('dim', '(there are more relations, raise --limit to get them)')] : []),
    ...firstProblemLines(problems, page),
  ]
}

function cycleText({ cycle, total, at_least }: OutputOf<'graph'>['cycles'][number]): string {
  const rest = total - cycle.length
  const end = rest > 0 || at_least ? `… (${total}${at_least ? ' or more' : ''} in all)` : cycle[0]
  return [...cycle, end].join(' waits for ')
}

/** Returns a function that renders a row: its branch, how it is related to the Ticket above, and what it is. */
function lineOf({ tickets, cycles }: OutputOf<'graph'>, { paint, width }: Page) {
  const byId = new Map(tickets.map(ticket => [ticket.id, ticket]))
  const onCycle = new Set(cycles.flatMap(({ cycle }) => cycle))
  return ({ ticket: id, kinds, lasts, repeated }: TreeRow, side: Side): string => {
    const branch = lasts.map((isLast, at) => BRANCHES[`${isLast}-${at === lasts.length - 1}`]).join('')
    const relation = kinds.map(kind => (side === 'blockers' ? kind : INVERSE[kind as RelationKind])).join(', ')
    const ticket = byId.get(id)
    const about = ticket?.state ? `(${ticket.state}) ${ticket.title}` : '(has no readable file)'
    const marks = [onCycle.has(id) && 'cycle', repeated && 'again'].filter(Boolean).map(mark => `[${mark}]`)
    const text = escapeText([relation, id, ...marks, ...(repeated ? [] : [about])].filter(Boolean).join(' '))
    const shown = branch + text
    const fitting = width === undefined ? shown : cut(shown, width)
    return onCycle.has(id) ? paint('red', fitting) : repeated ? paint('dim', fitting) : fitting
  }
}

/** What is drawn for a level of a row: whether the branch there is the last one, and whether it is the row's own. */
const BRANCHES: Record<string, string> = {
  'true-true': '└─ ',
  'false-true': '├─ ',
  'true-false': '   ',
  'false-false': '│  ',
}
