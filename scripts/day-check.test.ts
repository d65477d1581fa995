import { describe, expect, test } from 'vitest'
import { checkDay, type DayEvent } from './day-check.ts'
import { type DayPlan, dayPlan } from './day-plan.ts'

const area = (pattern: string, shared = false) => [{ pattern, shared }]
const PLAN: DayPlan = {
  tickets: [
    { id: 'A', title: 'a', areas: area('src/menu/**') },
    { id: 'B', title: 'b', areas: area('src/menu/list/**') },
    { id: 'C', title: 'c', areas: area('docs/changes.md', true) },
    { id: 'D', title: 'd', areas: area('docs/changes.md', true) },
    { id: 'E', title: 'e', areas: area('src/menus/**') },
  ],
  conflicts: [['C', 'E']],
  blockers: [['B', 'A']],
  orders: [['D', 'C']],
  hold: { ticket: 'E', by: 'maria' },
  deaths: [{ ticket: 'A', of: 'worker' }],
}
const ALL_DONE = new Map(PLAN.tickets.map(({ id }) => [id, 'done']))

/** A log from lines such as `1 pod-1 start A`. */
function log(text: string): DayEvent[] {
  return text
    .trim()
    .split('\n')
    .map(line => {
      const [at, who, event, ticket] = line.trim().split(' ')
      return { at: Number(at), who: who!, event: event as DayEvent['event'], ticket: ticket! }
    })
}

const GOOD = `
  1 p1 start A
  2 p2 start C
  3 p1 killed A
  4 p2 end C
  5 p3 start A
  6 p4 start D
  7 maria lifted E
  8 p2 start E
  9 p3 end A
  10 p3 start B
  11 p4 end D
  12 p2 end E
  13 p3 end B`

const problemsOf = (text: string, states: ReadonlyMap<string, string> = ALL_DONE) =>
  checkDay(PLAN, log(text), states).problems

test('a good day has no problem, and is counted', () => {
  expect(checkDay(PLAN, log(GOOD), ALL_DONE)).toEqual({
    problems: [],
    counts: { runs: 6, finished: 5, deaths: 1, sideBySide: 6, mostAtOnce: 3, pairsChecked: 15 },
  })
})

describe('the check finds', () => {
  test.each<[string, [string, string][], string]>([
    ['overlapping areas', [['10 p3 start B', '8.5 p3 start B']], 'overlapping areas'],
    ['a strict conflict', [['4 p2 end C', '8.5 p2 end C']], 'C (p2) and E (p2) ran side by side: a strict conflict'],
    ['one Ticket twice at a time', [['3 p1 killed A', '5.5 p1 killed A']], 'one Ticket twice'],
    ['a blocker that was not done', [['10 p3 start B', '0 p3 start B']], 'B started before its blocker A was done'],
    ['an order that was not kept', [['6 p4 start D', '3.5 p4 start D']], 'D started before its predecessor C was done'],
    ['a start during the hold', [['7 maria lifted E', '8.5 maria lifted E']], 'E started while it was on hold'],
    ['a hold that nobody lifted', [['7 maria lifted E', '']], 'E started while it was on hold'],
    ['a Ticket that was not finished', [['13 p3 end B', '13 p3 stopped B']], 'B was finished 0 times'],
    ['work that was done twice', [['3 p1 killed A', '3 p1 end A']], 'A was finished 2 times'],
    ['a run without an end', [['13 p3 end B', '']], 'p3 started B, and no end was logged'],
    ['a death that did not happen', [['3 p1 killed A', '3 p1 stopped A']], 'no worker died at A'],
    ['an end without a start', [['1 p1 start A', '']], 'which it never started'],
  ])('%s', (_, changes, problem) => {
    const text = changes.reduce((text, [from, to]) => {
      expect(text).toContain(from)
      return text.replace(from, to).replace(/^\s*\n/gm, '')
    }, GOOD)
    expect(problemsOf(text).join('\n')).toContain(problem)
  })

  test('a Ticket that is not done in its file, and one whose file is lost', () => {
    expect(problemsOf(GOOD, new Map([...ALL_DONE, ['B', 'queued']]))).toEqual(['B is queued at the end'])
    const { problems } = checkDay(PLAN, log(GOOD), new Map([...ALL_DONE].slice(1)))
    expect(problems).toEqual(['A is lost at the end'])
  })
})

test('the plan of the day has something for every rule, and nothing that cannot be done', () => {
  const { tickets, conflicts, blockers, orders, hold, deaths } = dayPlan
  expect(tickets).toHaveLength(40)
  expect(new Set(tickets.map(({ id }) => id)).size).toBe(40)
  for (const list of [conflicts, blockers, orders]) expect(list.length).toBeGreaterThan(2)
  // A Ticket waits for those with smaller numbers alone, so there is no cycle; a dead worker does not hold up many.
  for (const [later, earlier] of [...blockers, ...orders]) expect(later > earlier).toBe(true)
  const waiting = [...blockers, ...orders].flat()
  for (const { ticket } of [...deaths, hold]) expect(waiting).not.toContain(ticket)
  expect(tickets.some(({ areas }) => areas.some(({ shared }) => shared))).toBe(true)
})
