/**
 * What the states of a Ticket system mean for routing: four phases, and for a terminal state the outcome.
 *
 * A state is compared without regard to case, `-`, `_` and spaces, and stored as given. One that no list has counts as
 * open; each answer that shows or judges such a Ticket warns of it, since a misspelt state must not switch enforcement off unseen.
 */
import { nearestNames } from './nearest-names.ts'
import { compareText } from './order.ts'

export type Phase = 'open' | 'queued' | 'active' | 'terminal'
/** Whether a terminal Ticket delivered what it was for. */
export type Outcome = 'completed' | 'abandoned'

/** The lists of states, each named as in `ticketplan.json`; states of `abandoned` are terminal too. */
export const STATE_LISTS = ['open', 'queued', 'active', 'terminal', 'abandoned'] as const
export type StateList = (typeof STATE_LISTS)[number]
export type StateLists = Record<StateList, readonly string[]>

/** The lists where the configuration has none. */
export const DEFAULT_STATES: StateLists = {
  open: ['open', 'backlog', 'blocked', 'deferred', 'draft', 'new', 'pending', 'planning', 'ready', 'todo', 'triage'],
  queued: ['queued'],
  active: ['in_progress', 'inprogress', 'in_review', 'review', 'started', 'doing'],
  terminal: ['closed', 'completed', 'done', 'merged', 'resolved'],
  abandoned: ['abandoned', 'canceled', 'cancelled', 'duplicate', 'not_planned', 'rejected', 'wontfix'],
}

/** The meaning of states under one configuration. */
export interface States {
  phaseOf(state: string): Phase
  /** The outcome of a terminal state; null for any other. */
  outcomeOf(state: string): Outcome | null
  /** False for a state that no list has, which counts as open. */
  isKnown(state: string): boolean
  /** The known states that are most like the given one, the most similar first. */
  nearest(state: string): string[]
  /** The lists, complete. */
  readonly lists: StateLists
}

/** The state of a Ticket and when it was set, as far as that is known. */
export interface DatedState {
  state: string
  state_at?: string | null
}

const RANK: Record<Phase, number> = { open: 0, queued: 1, active: 2, terminal: 3 }

/** Compares two states of one Ticket: by time, where an absent one is the earliest, then by phase. Positive where `a` is later. */
export function compareStates(a: DatedState, b: DatedState, phaseOf: (state: string) => Phase): number {
  return compareText(a.state_at ?? '', b.state_at ?? '') || RANK[phaseOf(a.state)] - RANK[phaseOf(b.state)]
}

/** Returns the key under which states are compared. */
export function stateKey(state: string): string {
  return state.toLowerCase().replace(/[-_ ]/g, '')
}

/**
 * Completes the lists of a configuration: a given list replaces the default one, and a state that it has leaves the other
 * default lists.
 */
export function completeStates(given: Partial<StateLists>): StateLists {
  const named = new Set(STATE_LISTS.flatMap(list => given[list] ?? []).map(stateKey))
  const complete = STATE_LISTS.map(list => [
    list,
    given[list] ?? DEFAULT_STATES[list].filter(state => !named.has(stateKey(state))),
  ])
  return Object.fromEntries(complete) as StateLists
}

/** Returns the first state that two of the lists have, with the two lists; undefined where there is none. */
export function repeatedState(
  lists: Partial<StateLists>,
): { state: string; lists: [StateList, StateList] } | undefined {
  const seen = new Map<string, StateList>()
  for (const list of STATE_LISTS) {
    for (const state of lists[list] ?? []) {
      const other = seen.get(stateKey(state))
      if (other !== undefined && other !== list) return { state, lists: [other, list] }
      seen.set(stateKey(state), list)
    }
  }
  return undefined
}

/** Returns the meaning of states under complete lists. */
export function statesOf(lists: StateLists): States {
  const listOf = new Map(STATE_LISTS.flatMap(list => lists[list].map(state => [stateKey(state), list] as const)))
  const find = (state: string) => listOf.get(stateKey(state))
  return {
    lists,
    isKnown: state => find(state) !== undefined,
    phaseOf(state) {
      const list = find(state) ?? 'open'
      return list === 'abandoned' ? 'terminal' : list
    },
    outcomeOf(state) {
      const list = find(state)
      return list === 'abandoned' ? 'abandoned' : list === 'terminal' ? 'completed' : null
    },
    nearest: state =>
      nearestNames(
        state,
        STATE_LISTS.flatMap(list => lists[list]),
      ),
  }
}
