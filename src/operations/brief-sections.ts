/**
 * Defines the sections of a brief, most urgent first: the heading of each, its lines, and how many of them must be shown early.
 *
 * Pure. A line is written when it is asked for: a brief shows few of the lines of a large plan.
 */
import { type BriefFacts, RECENT_HOURS } from './brief-facts.ts'
import { type Phrases, phrasesOf, quoted, stateWord, whyText, word } from './brief-phrases.ts'

/** How many patterns of an area are named. */
const MOST_PATTERNS = 3

export interface Section {
  heading: string
  /** How many lines it has. */
  length: number
  line(position: number): string
  /** How many lines it gets in the first and in the second round, before the rest is given out in the order of urgency. */
  shares: readonly [first: number, second: number]
  /** What its lines are, after one and after another number. */
  nouns: readonly [singular: string, plural: string]
  /** The command that lists them all. */
  command: string
}

/** Returns the sections of the facts. Text from Tickets is cut to `width` characters. */
export function sectionsOf(facts: BriefFacts, width: number): Section[] {
  const phrases = phrasesOf(facts)
  return [
    claimsSection(facts, phrases, width),
    unclaimedSection(facts, phrases, width),
    queueSection(facts, phrases, width),
    conflictsSection(facts, phrases),
    plansSection(facts, phrases, width),
    decisionsSection(facts, phrases, width),
    problemsSection(facts, width),
  ]
}

function claimsSection({ claims }: BriefFacts, { time }: Phrases, width: number): Section {
  const terminal = claims.filter(({ terminal }) => terminal).length
  const live = claims.filter(({ live, terminal }) => live && !terminal).length
  const expired = claims.length - live - terminal
  return {
    heading: `CLAIMS: ${live} live, ${expired} expired${terminal ? `, ${terminal} to release: the Ticket is terminal` : ''}`,
    ...lines(claims, ({ ticket, title, state, holder, token, expires_at, live, area }) => {
      const until = live
        ? `held by ${word(holder)} until ${time(expires_at)}`
        : `EXPIRED ${time(expires_at)}, was ${word(holder)}`
      return `${ticket} ${until}${token === null ? '' : `, token ${token}`}${where(area, width)} (${stateWord(state)}) ${title === null ? '' : quoted(title, width)}`.trimEnd()
    }),
    shares: [3, 12],
    nouns: ['claim', 'claims'],
    command: 'claims',
  }
}

/** Returns where the holder of a claim works. */
function where(area: readonly string[], width: number): string {
  const more = area.length > MOST_PATTERNS ? ` and ${area.length - MOST_PATTERNS} more` : ''
  return area.length === 0
    ? ''
    : `, in ${area
        .slice(0, MOST_PATTERNS)
        .map(pattern => quoted(pattern, width))
        .join(' ')}${more}`
}

function unclaimedSection(
  { unclaimed, queuedState = 'queued' }: BriefFacts,
  { time }: Phrases,
  width: number,
): Section {
  return {
    heading: `ACTIVE WITHOUT A LIVE CLAIM: ${unclaimed.length}; ticketplan set <ticket> --state ${word(queuedState)} gives one back to the queue`,
    ...lines(unclaimed, ({ ticket, title, state, state_at }) => {
      return `${ticket} ${word(state)}${state_at === null ? '' : ` since ${time(state_at)}`} ${quoted(title, width)}`
    }),
    shares: [3, 12],
    nouns: ['active', 'active'],
    command: `sql "select id, state, title from tickets where phase = 'active'"`,
  }
}

function queueSection({ queue }: BriefFacts, phrases: Phrases, width: number): Section {
  const accepted = queue.filter(({ verdict }) => verdict === 'accept').length
  return {
    heading: `QUEUE: ${accepted} accept, ${queue.length - accepted} hold`,
    ...lines(queue, entry => {
      const why = whyText(entry, phrases, width)
      return `${entry.verdict} ${entry.ticket} ${quoted(entry.title, width)}${why && `: ${why}`}`
    }),
    shares: [5, 15],
    nouns: ['queued', 'queued'],
    command: 'queue',
  }
}

function conflictsSection({ conflicts }: BriefFacts, { state }: Phrases): Section {
  return {
    heading: `CONFLICTS IN PLAY: ${conflicts.length}, never side by side`,
    ...lines(conflicts, ({ ticket, other, advisory }) => {
      return `${ticket} (${state(ticket)}) x ${other} (${state(other)})${advisory ? ', advisory' : ''}`
    }),
    shares: [2, 8],
    nouns: ['conflict', 'conflicts'],
    command: 'relations --kind conflicts_with',
  }
}

function plansSection({ plans }: BriefFacts, { time, state }: Phrases, width: number): Section {
  return {
    heading: `PLANS ACCEPTED, NOT DONE: ${plans.length}`,
    ...lines(plans, ({ ticket, summary, branch, worktree, by, at }) => {
      const where = [branch && `branch ${word(branch)}`, worktree && `worktree ${word(worktree)}`].filter(Boolean)
      return `${ticket} (${state(ticket)}) ${where.join(', ')}${where.length ? ', ' : ''}${word(by)} ${time(at)}: ${quoted(summary, width)}`
    }),
    shares: [2, 8],
    nouns: ['plan', 'plans'],
    command: `sql "select ticket_id, body from decisions where kind = 'accepted_plan' and status = 'active'"`,
  }
}

function decisionsSection({ decisions, recentDecisions }: BriefFacts, { time }: Phrases, width: number): Section {
  return {
    heading: `DECISIONS, newest first: ${recentDecisions} in the last ${RECENT_HOURS} hours`,
    ...lines(decisions, ({ ticket, kind, target, status, by, at, text }) => {
      const mark = status === 'active' ? '' : `[${status}]`
      const what = [ticket, word(kind), target && word(target), mark].filter(Boolean).join(' ')
      return `${time(at)} ${word(by)}: ${what}${text ? ` ${quoted(text, width)}` : ''}`
    }),
    shares: [1, 6],
    nouns: ['decision', 'decisions'],
    command: 'sql "select * from decisions order by at desc"',
  }
}

function problemsSection({ problems }: BriefFacts, width: number): Section {
  return {
    heading: `PROBLEMS: ${problems.length}`,
    ...lines(problems, ({ code, path, message, severity }) => {
      return `${severity} ${code} ${path ? quoted(path, width) : ''}: ${quoted(message, width + 40)}`
    }),
    shares: [1, 4],
    nouns: ['problem', 'problems'],
    command: 'verify',
  }
}

function lines<T>(entries: readonly T[], line: (entry: T) => string): Pick<Section, 'length' | 'line'> {
  return { length: entries.length, line: position => line(entries[position]!) }
}
