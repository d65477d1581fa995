import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isKnown, outcomeOf, phaseOf } from '../test-support/memory-facts.ts'
import {
  compareStates,
  completeStates,
  DEFAULT_STATES,
  type Phase,
  repeatedState,
  STATE_LISTS,
  type StateList,
  type StateLists,
  stateKey,
  statesOf,
} from './states.ts'

const defaults = statesOf(DEFAULT_STATES)
const configured = (given: Partial<StateLists>) => statesOf(completeStates(given))

/** Other spellings of a state: any case, with any of the separators between any letters. */
function spellings(state: string): fc.Arbitrary<string> {
  const separators = fc.string({ unit: fc.constantFrom('-', '_', ' '), maxLength: 2 })
  const letters = [...state].filter(letter => !'-_ '.includes(letter))
  const parts = letters.map(letter => fc.tuple(separators, fc.constantFrom(letter.toLowerCase(), letter.toUpperCase())))
  return fc.tuple(fc.tuple(...parts), separators).map(([parts, end]) => parts.flat().join('') + end)
}

const knownStates = fc.constantFrom(...STATE_LISTS.flatMap(list => DEFAULT_STATES[list]))
const respelt = knownStates.chain(state => fc.tuple(fc.constant(state), spellings(state)))
const anyState = fc.oneof(
  fc.string({ minLength: 1 }),
  respelt.map(([, spelling]) => spelling),
)

describe('a state of the default lists', () => {
  test.each<[string, Phase, string | null]>([
    ['open', 'open', null],
    ['Backlog', 'open', null],
    ['To Do', 'open', null],
    ['Blocked', 'open', null],
    ['QUEUED', 'queued', null],
    ['In Progress', 'active', null],
    ['in-progress', 'active', null],
    ['InProgress', 'active', null],
    ['In Review', 'active', null],
    ['doing', 'active', null],
    ['Done', 'terminal', 'completed'],
    ['CLOSED', 'terminal', 'completed'],
    ['merged', 'terminal', 'completed'],
    ["Won't Do", 'open', null],
    ['WontFix', 'terminal', 'abandoned'],
    ['Not Planned', 'terminal', 'abandoned'],
    ['Canceled', 'terminal', 'abandoned'],
    ['cancelled', 'terminal', 'abandoned'],
    ['duplicate', 'terminal', 'abandoned'],
  ])('"%s" is %s, with the outcome %s', (state, phase, outcome) => {
    expect([defaults.phaseOf(state), defaults.outcomeOf(state)]).toEqual([phase, outcome])
  })

  test('means the same in any mix of case, "-", "_" and spaces', () => {
    fc.assert(
      fc.property(respelt, ([state, spelling]) => {
        expect(stateKey(spelling)).toBe(stateKey(state))
        expect(defaults.phaseOf(spelling)).toBe(defaults.phaseOf(state))
        expect(defaults.outcomeOf(spelling)).toBe(defaults.outcomeOf(state))
        expect(defaults.isKnown(spelling)).toBe(true)
      }),
    )
  })

  test('is in one list alone', () => {
    expect(repeatedState(DEFAULT_STATES)).toBeUndefined()
  })
})

describe('any state', () => {
  test('has the phase and the outcome that the words of the contract say', () => {
    fc.assert(
      fc.property(anyState, state => {
        expect([defaults.phaseOf(state), defaults.outcomeOf(state), defaults.isKnown(state)]).toEqual([
          phaseOf(state),
          outcomeOf(state),
          isKnown(state),
        ])
      }),
    )
  })

  test.each([
    '',
    '-',
    'constructor',
    '__proto__',
    'quued',
    'done.',
    'do ne!',
    'żółw',
    'in\tprogress',
    'open\n',
  ])('%j that is in no list is open and not known', state => {
    expect([defaults.phaseOf(state), defaults.outcomeOf(state), defaults.isKnown(state)]).toEqual(['open', null, false])
  })

  test('has an outcome if and only if it is terminal', () => {
    fc.assert(
      fc.property(anyState, state => {
        expect(defaults.outcomeOf(state) !== null).toBe(defaults.phaseOf(state) === 'terminal')
      }),
    )
  })
})

describe('the lists of a configuration', () => {
  test('are the default ones where it has none', () => {
    expect(completeStates({})).toEqual(DEFAULT_STATES)
    expect(completeStates({ queued: undefined })).toEqual(DEFAULT_STATES)
  })

  test('replace the default list of the same name alone', () => {
    const lists = completeStates({ active: ['hacking'] })
    expect(lists).toEqual({ ...DEFAULT_STATES, active: ['hacking'] })
    const states = statesOf(lists)
    expect(states.phaseOf('Hacking')).toBe('active')
    expect([states.phaseOf('in_progress'), states.isKnown('in_progress')]).toEqual(['open', false])
  })

  test('take their states out of the other default lists, however they are spelt', () => {
    const lists = completeStates({ queued: ['Open', 'in-Progress'] })
    expect(lists.queued).toEqual(['Open', 'in-Progress'])
    expect(lists.open).toEqual(DEFAULT_STATES.open.filter(state => state !== 'open'))
    expect(lists.active).toEqual(DEFAULT_STATES.active.filter(state => !['in_progress', 'inprogress'].includes(state)))
    expect(repeatedState(lists)).toBeUndefined()
    const states = statesOf(lists)
    expect(['open', 'OPEN', 'In Progress'].map(states.phaseOf)).toEqual(['queued', 'queued', 'queued'])
    expect(states.isKnown('queued')).toBe(false)
  })

  test('may be empty', () => {
    const states = configured({ abandoned: [] })
    expect([states.phaseOf('wontfix'), states.isKnown('wontfix')]).toEqual(['open', false])
  })

  test('move a state from one outcome to the other', () => {
    expect(configured({ terminal: ['done', 'duplicate'] }).outcomeOf('Duplicate')).toBe('completed')
    expect(configured({ abandoned: ['closed'] }).outcomeOf('closed')).toBe('abandoned')
  })

  test('of any configuration have every state that it names where it names it, and no state twice', () => {
    const given = fc
      .record(Object.fromEntries(STATE_LISTS.map(list => [list, fc.array(anyState, { maxLength: 4 })])), {
        requiredKeys: [],
      })
      .filter(lists => repeatedState(lists) === undefined) as fc.Arbitrary<Partial<StateLists>>
    const phases: Record<StateList, Phase> = {
      open: 'open',
      queued: 'queued',
      active: 'active',
      terminal: 'terminal',
      abandoned: 'terminal',
    }
    fc.assert(
      fc.property(given, given => {
        const lists = completeStates(given)
        expect(repeatedState(lists)).toBeUndefined()
        const states = statesOf(lists)
        for (const list of STATE_LISTS) {
          if (given[list]) expect(lists[list]).toEqual(given[list])
          for (const state of lists[list]) {
            expect(states.phaseOf(state)).toBe(phases[list])
            expect(states.outcomeOf(state) === 'abandoned').toBe(list === 'abandoned')
            expect(states.isKnown(state)).toBe(true)
          }
        }
      }),
    )
  })
})

describe('a state in two lists', () => {
  test('is found with both, however it is spelt', () => {
    expect(repeatedState({ open: ['todo', 'ready'], queued: ['queued', 'Ready'] })).toEqual({
      state: 'Ready',
      lists: ['open', 'queued'],
    })
    expect(repeatedState({ terminal: ['wont_fix'], abandoned: ["WON'TFIX", 'WontFix'] })).toEqual({
      state: 'WontFix',
      lists: ['terminal', 'abandoned'],
    })
  })

  test('is none where one list has it twice', () => {
    expect(repeatedState({ active: ['in_progress', 'In Progress', 'inprogress'] })).toBeUndefined()
    expect(repeatedState({})).toBeUndefined()
  })
})

describe('the nearest states', () => {
  test.each([
    ['quued', ['queued']],
    ['in_progres', ['in_progress', 'inprogress']],
    ['In Progess', ['in_progress', 'inprogress']],
    ['cancled', ['canceled', 'cancelled']],
    ['don', ['done', 'abandoned']],
    ['reviewing', ['review']],
    ['zzzzzz', []],
  ])('of %j are %j', (state, nearest) => {
    expect(defaults.nearest(state)).toEqual(nearest)
  })

  test('are those of the configuration', () => {
    expect(configured({ queued: ['wartet'] }).nearest('wartte')).toEqual(['wartet'])
    expect(configured({ queued: ['wartet'] }).nearest('quued')).toEqual([])
  })
})

describe('of two states of one Ticket', () => {
  const compare = (a: Parameters<typeof compareStates>[0], b: typeof a) => Math.sign(compareStates(a, b, phaseOf))

  test('the one that was set later is later, whatever the phases', () => {
    expect(compare({ state: 'open', state_at: '2026-01-02' }, { state: 'done', state_at: '2026-01-01' })).toBe(1)
  })

  test.each([undefined, null])('one without a time (%s) is the earliest', state_at => {
    expect(compare({ state: 'open', state_at: '2026-01-02' }, { state: 'done', state_at })).toBe(1)
    expect(compare({ state: 'done', state_at }, { state: 'open', state_at: null })).toBe(1)
  })

  test('of the same time the higher phase is later; of the same phase none is', () => {
    const order = ['open', 'queued', 'doing', 'wontfix']
    for (const [i, a] of order.entries())
      for (const [j, b] of order.entries()) expect(compare({ state: a }, { state: b })).toBe(Math.sign(i - j))
    expect(compare({ state: 'done' }, { state: 'wontfix' })).toBe(0)
  })
})
