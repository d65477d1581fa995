/**
 * The topics of `ticketplan help` that are no commands, each made from the table that defines what it lists.
 *
 * Pure: the width, in columns, is an argument.
 */
import { DECISION_KINDS, KIND_ALIASES, kindHelp, RELATION_KINDS } from '../model/decision-kinds.ts'
import { REASON_HELP } from '../model/reasons.ts'
import { DEFAULT_STATES, STATE_LISTS } from '../model/states.ts'
import { EXIT_STATUSES, type Row, section, textOf } from './help.ts'
import { twoColumns, wrap } from './wrap.ts'

interface Topic {
  summary: string
  text(width: number): string
}

/** What the program reads from the environment. */
export const ENVIRONMENT: readonly Row[] = [
  ['TICKETPLAN_ACTOR', 'the author of decisions; --actor takes precedence'],
  ['TICKETPLAN_FLEET_URL', 'the server of the fleet: postgres://user@host/database'],
  ['TICKETPLAN_SESSION', 'the session of a holder; --session takes precedence'],
  ['NO_COLOR', 'if set to anything, no colour on a terminal'],
  ['TICKETPLAN_DEBUG', 'if set to anything, an internal error prints its stack trace'],
]
/** Where things are; what is in angle brackets differs. */
export const FILES: readonly Row[] = [
  ['tickets/<id>.json', 'a Ticket file; the folder is "ticketsDir" of the configuration'],
  ['ticketplan.json', 'the configuration of the repository; all of it is optional'],
  ['<git dir>/ticketplan/index.db', 'the index, one for each worktree; it can be deleted at any time'],
  ['<git common dir>/ticketplan/local.db', 'claims, one for each clone; outside of git both are in .ticketplan/'],
]

/** The rows of a page: one for each name, with what it means. */
function listing(introduction: string, rows: readonly Row[], ending = ''): (width: number) => string {
  return width => textOf([wrap(introduction, width), twoColumns(rows, width), ...(ending ? [wrap(ending, width)] : [])])
}

/** The topics by name, in the order of the list. */
export const TOPICS: Record<string, Topic> = {
  kinds: {
    summary: 'the kinds of decision',
    text: listing(
      'Kinds of decision. "record" takes relations from either side, and "-" for "_".',
      kindRows(),
      `Another name: ${Object.entries(KIND_ALIASES)
        .map(([alias, kind]) => `${alias} is ${kind}`)
        .join(', ')}.`,
    ),
  },
  verdicts: {
    summary: 'the reasons of a verdict',
    text: listing(
      'A verdict is accept or hold, with every reason, in this order. Each reason has one of these codes; one that warns does not hold.',
      reasonRows(),
    ),
  },
  states: {
    summary: 'the states of a Ticket and what they mean',
    text: width =>
      textOf([
        wrap(
          'States by phase, where ticketplan.json has no list of its own under "states". Case, "-", "_" and spaces do not matter. A state in no list counts as open, with a warning. Abandoned states are terminal, and do not deliver what others wait for.',
          width,
        ),
        twoColumns(
          STATE_LISTS.map(list => [list, DEFAULT_STATES[list].join(', ')]),
          width,
        ),
      ]),
  },
  'exit-status': { summary: 'the exit statuses', text: listing('Exit statuses:', EXIT_STATUSES) },
  environment: { summary: 'environment variables', text: listing('Environment variables:', ENVIRONMENT) },
  files: { summary: 'where files and databases are', text: listing('Files:', FILES) },
}

/** Every kind with what it says. */
export function kindRows(): Row[] {
  const names = [...new Set([...Object.keys(DECISION_KINDS), ...RELATION_KINDS])].sort()
  return names.map(name => [name, kindHelp(name)!.replaceAll('`', '')])
}

/** Every code of a reason with when it is given. */
export function reasonRows(): Row[] {
  return Object.entries(REASON_HELP).map(([code, help]) => [code, help.replaceAll('`', '')])
}

/** Returns the list of topics. */
export function topicList(width: number): string {
  const rows = Object.entries(TOPICS).map(([name, { summary }]): Row => [name, summary])
  return textOf([section('Topics of "ticketplan help <topic>"', twoColumns(rows, width))])
}
