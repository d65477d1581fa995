/** Where a Ticket is in its life, as far as routing cares: the states of the Ticket system, sorted into four phases. */

/** `open` is every state that the configuration does not name. */
export type Phase = 'open' | 'queued' | 'active' | 'terminal'

/** The states of each phase. */
export interface PhaseStates {
  queued: readonly string[]
  active: readonly string[]
  terminal: readonly string[]
}

/** A function from a state to its phase. */
export function phaseFunction(states: PhaseStates): (state: string) => Phase {
  const phases = new Map<string, Phase>()
  for (const phase of ['queued', 'active', 'terminal'] as const) {
    for (const state of states[phase]) phases.set(state, phase)
  }
  return state => phases.get(state) ?? 'open'
}
