/** The rules of a verdict about one Ticket in several checkouts of a clone: a later state elsewhere holds it here. Pure. */
import type { Facts, ReadableTicket } from './facts.ts'
import type { Reason } from './reasons.ts'
import { compareStates, type DatedState } from './states.ts'

/**
 * Yields a reason for each other worktree that has an unsettled Ticket with a later state of another phase, and a warning for
 * each whose file cannot be read.
 */
export function* elsewhereReasons(id: string, facts: Facts): Generator<Reason> {
  const own = facts.ticket(id)
  if (!own?.readable || own.phase === 'terminal') return
  for (const other of facts.elsewhere(id)) {
    const { worktree } = other
    if (!('state' in other)) {
      const message = `the worktree ${worktree} may have it with a later state, and cannot be read: ${other.path}: ${other.message}`
      yield { code: 'elsewhere_unread', severity: 'warn', message, worktree, path: other.path }
      continue
    }
    const { state, state_at = null } = other
    if (!isLater({ state, state_at }, own, facts)) continue
    const message = `the worktree ${worktree} has it as ${state}${since(state_at)}, this one as ${own.state}${since(own.state_at)}: merge that branch, or accept it there`
    yield { code: 'elsewhere', severity: 'hold', message, worktree, state, state_at }
  }
}

/** Yields a reason where the last release noted a later state of another phase than this checkout has. */
export function* behindReasons(own: ReadableTicket, facts: Facts): Generator<Reason> {
  const released = facts.released(own.id)
  if (!released || !isLater(released, own, facts)) return
  const { state, state_at = null } = released
  const message = `it was released as ${state}${since(state_at)}, this checkout has it as ${own.state}${since(own.state_at)}: pull or merge first`
  yield { code: 'behind', severity: 'hold', message, state, state_at }
}

/** True for a later state of another phase; one of the same phase changes no verdict. */
function isLater(other: DatedState, own: ReadableTicket, facts: Facts): boolean {
  return facts.phaseOf(other.state) !== own.phase && compareStates(other, own, facts.phaseOf) > 0
}

function since(time: string | null): string {
  return time ? ` since ${time}` : ''
}
