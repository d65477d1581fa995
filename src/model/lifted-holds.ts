/** Which holds a change of a Ticket file lifts, and which relations to a parent it ends. Pure. */
import type { Decision, DecisionOf } from './decision.ts'
import { fileStatuses } from './decision-status.ts'

/** Returns the holds that are active before the change and not after it, however that came about. */
export function liftedHolds(before: readonly Decision[], after: readonly Decision[]): DecisionOf<'hold'>[] {
  return ended(active(before, 'hold'), active(after, 'hold')) as DecisionOf<'hold'>[]
}

/** Returns the relations to a parent that are active before the change, where no active one names that parent after it. */
export function endedParents(before: readonly Decision[], after: readonly Decision[]): DecisionOf<'part_of'>[] {
  const remaining = active(after, 'part_of') as DecisionOf<'part_of'>[]
  const targets = new Set<string>(remaining.map(({ target }) => target))
  const relations = active(before, 'part_of') as DecisionOf<'part_of'>[]
  return relations.filter(({ target }) => !targets.has(target))
}

function ended(before: readonly Decision[], after: readonly Decision[]): Decision[] {
  const remaining = new Set(after.map(({ id }) => id))
  return before.filter(({ id }) => !remaining.has(id))
}

function active(decisions: readonly Decision[], kind: 'hold' | 'part_of'): Decision[] {
  const statuses = fileStatuses(decisions)
  return decisions.filter(decision => decision.kind === kind && statuses.get(decision.id) === 'active')
}
