/** Which holds a change of a Ticket file lifts, and which relations to a parent it ends. Pure. */
import type { Decision, DecisionOf } from './decision.ts'
import { fileStatuses } from './decision-status.ts'

/** Returns the holds that are active before the change and not after it, however that came about. */
export function liftedHolds(before: readonly Decision[], after: readonly Decision[]): DecisionOf<'hold'>[] {
  const remaining = new Set(active(after, 'hold').map(({ id }) => id))
  return active(before, 'hold').filter(({ id }) => !remaining.has(id))
}

/** Returns the relations to a parent that are active before the change, where no active one names that parent after it. */
export function endedParents(before: readonly Decision[], after: readonly Decision[]): DecisionOf<'part_of'>[] {
  const remaining = new Set(active(after, 'part_of').map(({ target }) => target))
  return active(before, 'part_of').filter(({ target }) => !remaining.has(target))
}

function active<K extends 'hold' | 'part_of'>(decisions: readonly Decision[], kind: K): DecisionOf<K>[] {
  const statuses = fileStatuses(decisions)
  return decisions.filter(({ id, kind: own }) => own === kind && statuses.get(id) === 'active') as DecisionOf<K>[]
}
