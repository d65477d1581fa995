/** The four phases into which the states of a Ticket system are sorted. */

/** `open` is every state that the configuration does not name. */
export type Phase = 'open' | 'queued' | 'active' | 'terminal'

/** The states of each phase. */
export interface PhaseStates {
  queued: readonly string[]
  active: readonly string[]
  terminal: readonly string[]
}

/** Returns a function from a state to its phase. */
export function phaseFunction(states: PhaseStates): (state: string) => Phase {
  const phases = new Map<string, Phase>()
  for (const phase of ['queued', 'active', 'terminal'] as const) {
    for (const state of states[phase]) phases.set(state, phase)
  }
  return state => phases.get(state) ?? 'open'
}
