import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blockedBy, codes, consult, ticket } from '../test-support/draft-tickets.ts'
import { looseReasons } from '../test-support/loose-decision.ts'
import { type MemoryPlan, memoryFacts, phaseOf } from '../test-support/memory-facts.ts'
import { verdictOn } from './verdict.ts'
import { MANY_TICKETS } from './wait-graph.ts'

const EARLY = '2026-06-08T11:00:00.000Z'
const LATE = '2026-06-08T12:00:00.000Z'

/** T here, and how another worktree and the last release have it. */
function plan(here: [string, string?], there: [string, (string | null)?]): MemoryPlan {
  const other = { ticket: 'T', state: there[0], ...(there[1] !== undefined && { state_at: there[1] }) }
  const own = { ...ticket('T', here[0]), ...(here[1] && { state_at: here[1] }) }
  return { tickets: [own], elsewhere: [{ ...other, worktree: '/wt' }], released: [other] }
}

/** By time, an absent one being the earliest, then by phase; and only another phase counts. */
const cases: [string, [string, string?], [string, (string | null)?], boolean][] = [
  ['a later state of another phase', ['queued', EARLY], ['in_progress', LATE], true],
  ['a later state of an earlier phase', ['queued', EARLY], ['open', LATE], true],
  ['a later state that is spelt in another way', ['queued', EARLY], ['In Review', LATE], true],
  ['a later state of the same phase', ['queued', EARLY], ['Queued', LATE], false],
  ['an earlier state', ['queued', LATE], ['done', EARLY], false],
  ['a higher phase at the same time', ['queued', EARLY], ['done', EARLY], true],
  ['a lower phase at the same time', ['queued', EARLY], ['open', EARLY], false],
  ['a state without a time', ['queued', EARLY], ['done'], false],
  ['a state whose time is null', ['queued', EARLY], ['done', null], false],
  ['a state with a time, while T has none', ['queued'], ['open', EARLY], true],
  ['a higher phase, both without a time', ['queued'], ['in_progress'], true],
  ['a higher phase without a time as null, T without one', ['queued'], ['in_progress', null], true],
  ['a lower phase, both without a time', ['queued'], ['open'], false],
  ['the same state', ['queued', EARLY], ['queued', EARLY], false],
  ['an unknown state, which counts as open, later', ['queued', EARLY], ['quued', LATE], true],
]

describe('elsewhere', () => {
  test.each(cases)('where another worktree has %s', (_, here, there, holds) => {
    const { verdict, reasons } = consult({ ...plan(here, there), released: [] })
    expect(verdict).toBe(holds ? 'hold' : 'accept')
    expect(codes({ reasons })).toEqual(holds ? ['elsewhere hold'] : [])
  })

  test('names the worktree and both states with their times', () => {
    const { reasons } = consult({ ...plan(['queued'], ['in_progress', LATE]), released: [] })
    expect(reasons).toEqual([
      {
        code: 'elsewhere',
        severity: 'hold',
        worktree: '/wt',
        state: 'in_progress',
        state_at: LATE,
        message: `the worktree /wt has it as in_progress since ${LATE}, this one as queued: merge that branch, or accept it there`,
      },
    ])
  })

  test('warns of a file of another worktree that cannot be read, and does not hold', () => {
    const unread = { ticket: 'T', worktree: '/wt', path: 'tickets/T.json', message: 'conflict markers' }
    const { verdict, reasons } = consult({ ...plan(['queued'], ['queued']), elsewhere: [unread], released: [] })
    expect({ verdict, reasons }).toEqual({
      verdict: 'accept',
      reasons: [
        {
          code: 'elsewhere_unread',
          severity: 'warn',
          worktree: '/wt',
          path: 'tickets/T.json',
          message:
            'the worktree /wt may have it with a later state, and cannot be read: tickets/T.json: conflict markers',
        },
      ],
    })
  })

  test('names every worktree that has a later state', () => {
    const base = plan(['queued', EARLY], ['done', LATE])
    const elsewhere = [
      ...base.elsewhere!,
      { ticket: 'T', worktree: '/wt/b', state: 'queued' },
      { ticket: 'T', worktree: '/wt/c', state: 'open', state_at: LATE },
    ]
    expect(consult({ ...base, elsewhere, released: [] }).reasons).toMatchObject([
      { worktree: '/wt' },
      { worktree: '/wt/c' },
    ])
  })

  test('says nothing of another Ticket, nor of a terminal one', () => {
    expect(codes(consult({ ...plan(['queued'], ['done', LATE]), released: [] }, 'X'))).toEqual(['not_queued hold'])
    expect(codes(consult({ ...plan(['done'], ['queued', LATE]), released: [] }))).toEqual(['not_queued hold'])
  })

  test('is asked for by an answer about many Tickets only where nothing else holds', () => {
    const base = plan(['queued', EARLY], ['done', LATE])
    const held = ticket('U', 'queued', blockedBy('T'))
    const facts = memoryFacts({ ...base, tickets: [...base.tickets, held], released: [] })
    const asked: string[] = []
    const watched = {
      ...facts,
      elsewhere(id: string) {
        asked.push(id)
        return facts.elsewhere(id)
      },
    }
    for (const id of ['T', 'U']) verdictOn(id, watched, {}, MANY_TICKETS)
    expect(asked).toEqual(['T'])
    expect(looseReasons(verdictOn('T', watched, {}, MANY_TICKETS)).reasons).toMatchObject([{ code: 'elsewhere' }])
    for (const id of ['T', 'U']) verdictOn(id, watched)
    expect(asked).toEqual(['T', 'T', 'T', 'U'])
  })
})

describe('behind', () => {
  test.each(cases)('where the last release noted %s', (_, here, there, holds) => {
    const { verdict, reasons } = consult({ ...plan(here, there), elsewhere: [] })
    expect(verdict).toBe(holds ? 'hold' : 'accept')
    expect(codes({ reasons })).toEqual(holds ? ['behind hold'] : [])
  })

  test('names both states with their times', () => {
    const { reasons } = consult({ ...plan(['queued', EARLY], ['done', LATE]), elsewhere: [] })
    expect(reasons).toEqual([
      {
        code: 'behind',
        severity: 'hold',
        state: 'done',
        state_at: LATE,
        message: `it was released as done since ${LATE}, this checkout has it as queued since ${EARLY}: pull or merge first`,
      },
    ])
  })
})

test('of two checkouts that know each other, at most one is held: the one whose state is not the later', () => {
  const dated = fc.record({
    state: fc.constantFrom('open', 'queued', 'Queued', 'in_progress', 'done', 'wontfix', 'quued'),
    state_at: fc.constantFrom(null, EARLY, LATE),
  })
  fc.assert(
    fc.property(dated, dated, (a, b) => {
      const isHeld = (here: typeof a, there: typeof a) => {
        const tickets = [{ ...ticket('T', here.state), ...(here.state_at && { state_at: here.state_at }) }]
        const { reasons } = consult({ tickets, elsewhere: [{ ticket: 'T', worktree: '/wt', ...there }] })
        return reasons.some(({ code }) => code === 'elsewhere')
      }
      expect(isHeld(a, b) && isHeld(b, a)).toBe(false)
      const settled = [a, b].some(({ state }) => phaseOf(state) === 'terminal')
      if (phaseOf(a.state) !== phaseOf(b.state) && !settled) expect(isHeld(a, b) || isHeld(b, a)).toBe(true)
    }),
  )
})
