/**
 * Judges a day by what its workers wrote down, with no code of the product: neither its rules nor its reading of globs.
 *
 * A run is the time from "start" to "end" of a command, or to its death. Times are of the clock that all processes of a machine
 * share and that never goes back. Pure.
 */
import type { Area, DayPlan } from './day-plan.ts'

/** A line of a log. */
export interface DayEvent {
  /** Milliseconds. */
  at: number
  who: string
  event: 'start' | 'end' | 'killed' | 'stopped' | 'lifted'
  ticket: string
}

interface Run {
  ticket: string
  who: string
  from: number
  to: number
  how: 'end' | 'killed' | 'stopped'
}

export interface DayVerdict {
  problems: string[]
  counts: {
    runs: number
    finished: number
    deaths: number
    sideBySide: number
    mostAtOnce: number
    pairsChecked: number
  }
}

/** Returns what was wrong, and what was counted. `states` has the state of each Ticket file at the end of the day. */
export function checkDay(plan: DayPlan, events: readonly DayEvent[], states: ReadonlyMap<string, string>): DayVerdict {
  const { runs, problems } = runsOf(events)
  const pairs = runs.flatMap((run, n) => runs.slice(n + 1).map(other => [run, other] as const))
  const sideBySide = pairs.filter(([a, b]) => a.from < b.to && b.from < a.to)
  const liftedAt = events.find(({ event }) => event === 'lifted')?.at ?? Number.POSITIVE_INFINITY
  problems.push(
    ...sideBySide.flatMap(([a, b]) => exclusionProblems(plan, a, b)),
    ...waitProblems(plan, runs, liftedAt),
    ...endProblems(plan, runs, states),
  )
  return {
    problems,
    counts: {
      runs: runs.length,
      finished: new Set(runs.filter(({ how }) => how === 'end').map(({ ticket }) => ticket)).size,
      deaths: runs.filter(({ how }) => how === 'killed').length,
      sideBySide: sideBySide.length,
      mostAtOnce: mostAtOnce(runs),
      pairsChecked: pairs.length,
    },
  }
}

/** What two runs at the same time break. */
function exclusionProblems({ tickets, conflicts }: DayPlan, a: Run, b: Run): string[] {
  const both = `${a.ticket} (${a.who}) and ${b.ticket} (${b.who}) ran side by side`
  if (a.ticket === b.ticket) return [`${both}: one Ticket twice`]
  const [one, other] = [a, b].map(({ ticket }) => tickets.find(({ id }) => id === ticket)!.areas)
  const isConflict = conflicts.some(pair => pair.includes(a.ticket) && pair.includes(b.ticket))
  return [
    ...(areasExclude(one!, other!) ? [`${both}: overlapping areas`] : []),
    ...(isConflict ? [`${both}: a strict conflict`] : []),
  ]
}

/** What started before its time. */
function waitProblems({ blockers, orders, hold }: DayPlan, runs: readonly Run[], liftedAt: number): string[] {
  const startedAt = (id: string) => Math.min(...runs.filter(({ ticket }) => ticket === id).map(({ from }) => from))
  const doneAt = (id: string) =>
    Math.min(...runs.filter(({ ticket, how }) => ticket === id && how === 'end').map(({ to }) => to))
  const early = (pairs: [string, string][], what: string) =>
    pairs
      .filter(([later, earlier]) => startedAt(later) < doneAt(earlier))
      .map(([later, earlier]) => `${later} started before its ${what} ${earlier} was done`)
  return [
    ...early(blockers, 'blocker'),
    ...early(orders, 'predecessor'),
    ...(startedAt(hold.ticket) < liftedAt ? [`${hold.ticket} started while it was on hold`] : []),
  ]
}

/** What was lost, done twice, or did not happen. */
function endProblems(plan: DayPlan, runs: readonly Run[], states: ReadonlyMap<string, string>): string[] {
  const count = (id: string, how: Run['how']) => runs.filter(run => run.ticket === id && run.how === how).length
  return [
    ...plan.tickets.flatMap(({ id }) => [
      ...(count(id, 'end') === 1 ? [] : [`${id} was finished ${count(id, 'end')} times`]),
      ...(states.get(id) === 'done' ? [] : [`${id} is ${states.get(id) ?? 'lost'} at the end`]),
    ]),
    ...plan.deaths.flatMap(({ ticket }) => (count(ticket, 'killed') > 0 ? [] : [`no worker died at ${ticket}`])),
  ]
}

/** Joins starts and ends. A run belongs to one worker, which has one at a time. */
function runsOf(events: readonly DayEvent[]): { runs: Run[]; problems: string[] } {
  const runs: Run[] = []
  const problems: string[] = []
  const open = new Map<string, DayEvent>()
  for (const event of [...events].sort((a, b) => a.at - b.at)) {
    const key = `${event.who} ${event.ticket}`
    const start = open.get(key)
    if (event.event === 'lifted') continue
    if (event.event === 'start') {
      if (start) problems.push(`${event.who} started ${event.ticket} twice`)
      open.set(key, event)
    } else if (!start) problems.push(`${event.who} reports "${event.event}" of ${event.ticket}, which it never started`)
    else {
      open.delete(key)
      runs.push({ ticket: event.ticket, who: event.who, from: start.at, to: event.at, how: event.event })
    }
  }
  for (const { who, ticket } of open.values()) problems.push(`${who} started ${ticket}, and no end was logged`)
  return { runs, problems }
}

function areasExclude(a: readonly Area[], b: readonly Area[]): boolean {
  return a.some(one => b.some(other => !(one.shared && other.shared) && isOverlap(one.pattern, other.pattern)))
}

/** Patterns of a day are a path, or a folder with all below it. */
function isOverlap(a: string, b: string): boolean {
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a]
  if (shorter === longer) return true
  return shorter.endsWith('/**') && longer.startsWith(shorter.slice(0, -2))
}

function mostAtOnce(runs: readonly Run[]): number {
  return Math.max(0, ...runs.map(({ from }) => runs.filter(run => run.from <= from && from < run.to).length))
}
