import { describe, expect, test } from 'vitest'
import {
  blockedBy,
  codes,
  comesAfter,
  conflict,
  consult,
  contested,
  factsOf,
  hold,
  lost,
  on,
  partOf,
  retraction,
  ticket,
  waiting,
} from '../test-support/draft-tickets.ts'
import type { LooseDecision } from '../test-support/loose-decision.ts'
import { isKnown } from '../test-support/memory-facts.ts'
import type { ReadableTicket } from './facts.ts'
import { DEFAULT_STATES, STATE_LISTS } from './states.ts'
import type { Ticket } from './ticket.ts'
import { verdictOn } from './verdict.ts'
import { MANY_TICKETS, ONE_TICKET } from './wait-graph.ts'

describe('unknown_kind', () => {
  test('holds for an active decision of a kind that this version does not know', () => {
    const { verdict, reasons } = on(ticket('T', 'queued', { kind: 'embargo', target: 'A' }))
    expect(verdict).toBe('hold')
    expect(reasons).toEqual([
      {
        code: 'unknown_kind',
        severity: 'hold',
        kind: 'embargo',
        decisions: ['T1'],
        message: 'decision T1 is of the unknown kind "embargo": update ticketplan, or retract it',
      },
    ])
  })

  test.each<[string, LooseDecision[]]>([
    ['only advises', [{ kind: 'embargo', advisory: true }]],
    ['is retracted', [{ kind: 'embargo' }, retraction('T1')]],
    ['is superseded', [{ kind: 'embargo' }, { kind: 'note', supersedes: ['T1'] }]],
  ])('does not hold for one that %s', (_, drafts) => {
    expect(on(ticket('T', 'queued', ...drafts))).toEqual({ verdict: 'accept', reasons: [] })
  })

  test.each([false, 'true', 1, null])('holds for one whose "advisory" is %j', advisory => {
    expect(codes(on(ticket('T', 'queued', { kind: 'embargo', advisory: advisory as boolean })))).toEqual([
      'unknown_kind hold',
    ])
  })

  test("does not hold a Ticket that is terminal, nor one that another Ticket's decision names", () => {
    expect(codes(on(ticket('T', 'done', { kind: 'embargo' })))).toEqual(['not_queued hold'])
    expect(
      codes(on(ticket('T', 'queued', blockedBy('A')), ticket('A', 'done', { kind: 'embargo', target: 'T' }))),
    ).toEqual([])
  })
})

describe('newer_format', () => {
  test('holds a Ticket whose file has a later format', () => {
    const { verdict, reasons } = on({ ...ticket('T', 'queued'), format: 3 })
    expect(verdict).toBe('hold')
    expect(reasons).toEqual([
      {
        code: 'newer_format',
        severity: 'hold',
        format: 3,
        message: 'its file has format 3, which this version cannot read in full: update ticketplan',
      },
    ])
  })

  test('does not hold what that Ticket blocks any longer than its state does', () => {
    const blocker = (state: string) => ({ ...ticket('A', state), format: 2 })
    expect(codes(on(ticket('T', 'queued', blockedBy('A')), blocker('open')))).toEqual(['blocked_by hold A'])
    expect(on(ticket('T', 'queued', blockedBy('A')), blocker('done')).verdict).toBe('accept')
  })
})

describe('unknown_state', () => {
  test('warns of the own state, which counts as open, and names the nearest ones', () => {
    const facts = factsOf({ tickets: [ticket('T', 'quued')] })
    const { reasons } = verdictOn('T', {
      ...facts,
      ticket: id => ({ ...(facts.ticket(id) as ReadableTicket), unknownState: ['queued'] }),
    })
    expect(reasons).toMatchObject([
      { code: 'not_queued', severity: 'hold', message: 'state "quued" is not in states.queued (queued)' },
      {
        code: 'unknown_state',
        severity: 'warn',
        ticket: 'T',
        state: 'quued',
        nearest: ['queued'],
        message: 'the state "quued" of T is in no list of states, so it counts as open; did you mean queued?',
      },
    ])
  })

  test.each<[string, Ticket[], string[]]>([
    ['a blocker', [ticket('T', 'queued', blockedBy('A'))], ['blocked_by hold A', 'unknown_state warn A']],
    [
      'a Ticket that comes first',
      [ticket('T', 'queued', comesAfter('A'))],
      ['order_not_in_play warn A', 'unknown_state warn A'],
    ],
    ['a Ticket in conflict', [ticket('T', 'queued', conflict('A'))], ['unknown_state warn A']],
    ['a Ticket in advisory conflict', [ticket('T', 'queued', conflict('A', true))], ['unknown_state warn A']],
    ['a parent', [ticket('T', 'queued', partOf('A'))], ['parent_blocked hold A', 'unknown_state warn A']],
    [
      'a Ticket that frees capacity',
      [ticket('T', 'queued', waiting({ until: ['A', 'B'] })), ticket('B', 'done')],
      ['waiting_for_capacity warn', 'unknown_state warn A'],
    ],
    [
      'a parent at a higher level that holds it',
      [ticket('T', 'queued', partOf('P')), ticket('P', 'open', partOf('A'))],
      ['parent_blocked hold A', 'unknown_state warn A'],
    ],
    [
      'a blocker of a parent',
      [ticket('T', 'queued', partOf('P')), ticket('P', 'open', blockedBy('A'))],
      ['parent_blocked hold P', 'unknown_state warn A'],
    ],
  ])('warns of the state of %s', (_, tickets, expected) => {
    for (const bounds of [ONE_TICKET, MANY_TICKETS])
      expect(codes(consult({ tickets: [...tickets, ticket('A', 'in_progres', hold())] }, 'T', {}, bounds))).toEqual(
        expected,
      )
  })

  test('warns of a conflict that the other Ticket keeps', () => {
    expect(codes(on(ticket('T', 'queued'), ticket('A', 'in_progres', conflict('T'))))).toEqual(['unknown_state warn A'])
  })

  test('warns of the state of a parent that does not hold it', () => {
    expect(codes(on(ticket('T', 'queued', partOf('A')), ticket('A', 'dnoe')))).toEqual(['unknown_state warn A'])
  })

  test.each<[string, LooseDecision]>([
    ['blocker', blockedBy('A')],
    ['Ticket that comes first', comesAfter('A')],
    ['Ticket in conflict', conflict('A')],
    ['parent', partOf('A')],
    ['Ticket that frees capacity', waiting({ until: ['A'] })],
  ])('comes wherever one wrong letter in the state of a %s turns hold into accept', (_, draft) => {
    const verdictFor = (state: string) => on(ticket('T', 'queued', draft), ticket('A', state))
    for (const state of STATE_LISTS.flatMap(list => DEFAULT_STATES[list])) {
      if (verdictFor(state).verdict === 'accept') continue
      for (let at = 0; at < state.length; at++) {
        const misspelt = `${state.slice(0, at)}z${state.slice(at + 1)}`
        const { verdict, reasons } = verdictFor(misspelt)
        expect(isKnown(misspelt)).toBe(false)
        if (verdict === 'accept') expect(codes({ reasons })).toContain('unknown_state warn A')
      }
    }
  })

  test('names each Ticket once', () => {
    const own = ticket('T', 'queued', blockedBy('A'), comesAfter('A'), conflict('A'), partOf('A'))
    expect(codes(on(own, ticket('A', 'opne'))).filter(code => code.startsWith('unknown_state'))).toEqual([
      'unknown_state warn A',
    ])
  })

  test('does not warn of Tickets that only lie below a blocker, of terminal ones, nor of other spellings', () => {
    const tickets = [ticket('T', 'queued', blockedBy('A')), ticket('A', 'Open', blockedBy('B')), ticket('B', 'opne')]
    expect(codes(consult({ tickets }))).toEqual(['blocked_by hold A'])
    expect(codes(on(ticket('T', 'Queued', conflict('A')), ticket('A', 'To Do')))).toEqual([])
    expect(codes(on(ticket('T', 'done', conflict('A')), ticket('A', 'opne')))).toEqual(['not_queued hold'])
  })
})

describe('quarantined', () => {
  test('holds where the file of the Ticket itself cannot be read, whatever case its name has', () => {
    for (const id of ['T', 't']) {
      const { verdict, reasons } = consult({ tickets: [], quarantined: [lost('T')] }, id)
      expect(verdict).toBe('hold')
      expect(reasons).toMatchObject([{ code: 'quarantined', severity: 'hold', path: 'tickets/T.json' }])
    }
  })

  test.each([
    ['a blocker', blockedBy('A')],
    ['a Ticket that comes first', comesAfter('A')],
    ['a Ticket in conflict', conflict('A')],
  ])('holds where the file of %s cannot be read', (_, draft) => {
    const { verdict, reasons } = consult({ tickets: [ticket('T', 'queued', draft)], quarantined: [lost('A')] })
    expect(verdict).toBe('hold')
    expect(reasons).toMatchObject([
      { code: 'quarantined', severity: 'hold', ticket: 'A', path: 'tickets/A.json', decisions: ['T1'] },
    ])
  })

  test('warns where the conflict is only advisory', () => {
    const plan = { tickets: [ticket('T', 'queued', conflict('A', true))], quarantined: [lost('A')] }
    expect(consult(plan).verdict).toBe('accept')
    expect(codes(consult(plan))).toEqual(['quarantined warn A'])
  })

  test('holds where T waits for a Ticket that cannot be read, beside others that are in play', () => {
    const own = ticket('T', 'queued', waiting({ until: ['A', 'B'] }))
    expect(codes(consult({ tickets: [own, ticket('B', 'queued')], quarantined: [lost('A')] }))).toEqual([
      'quarantined hold A',
      'waiting_for_capacity hold',
    ])
  })

  test('does not hold where another of the Tickets that T waits for has left play', () => {
    const own = ticket('T', 'queued', waiting({ until: ['A', 'B'] }))
    expect(codes(consult({ tickets: [own, ticket('B', 'done')], quarantined: [lost('A')] }))).toEqual([
      'waiting_for_capacity warn',
    ])
  })

  test('holds where a file that cannot be read seems to hold a conflict with T', () => {
    const plan = { tickets: [ticket('T', 'queued')], quarantined: [lost('B', 'T'), lost('A', 'X', 'T'), lost('C')] }
    expect(codes(consult(plan))).toEqual(['quarantined hold A', 'quarantined hold B'])
  })

  test('does not hold for a file that nothing of T depends on', () => {
    const plan = { tickets: [ticket('T', 'queued', { kind: 'related', target: 'A' })], quarantined: [lost('A', 'X')] }
    expect(consult(plan)).toEqual({ verdict: 'accept', reasons: [] })
  })
})

describe('contested', () => {
  test('warns for each value that lost in a merge', () => {
    const { verdict, reasons } = on(ticket('T', 'queued', contested('title'), contested('state')))
    expect(verdict).toBe('accept')
    expect(reasons).toMatchObject([
      { code: 'contested', severity: 'warn', field: 'title', decisions: ['T1'] },
      { code: 'contested', severity: 'warn', field: 'state', decisions: ['T2'] },
    ])
  })

  test('holds where both title and creation time are contested: one id was given to two pieces of work', () => {
    const own = ticket('T', 'queued', contested('title'), contested('created_at'), contested('slug'))
    const { verdict, reasons } = on(own)
    expect(verdict).toBe('hold')
    expect(codes({ reasons })).toEqual(['contested hold', 'contested hold', 'contested hold'])
    expect(reasons[0]!.message).toBe(
      'two Tickets were created with this id; decision T1 keeps the losing title, "x": give one of them another id, then retract the decision',
    )
  })

  test('only warns again once one of the two is retracted', () => {
    const own = ticket('T', 'queued', contested('title'), contested('created_at'), retraction('T2'))
    expect(codes(on(own))).toEqual(['contested warn'])
    expect(codes(on(ticket('T', 'queued', contested('created_at'))))).toEqual(['contested warn'])
  })

  test('says nothing once it is retracted', () => {
    expect(on(ticket('T', 'queued', contested('title'), retraction('T1'))).reasons).toEqual([])
  })
})
