/** Keeps a Ticket from becoming a part of itself. */
import { PlanError } from '../model/errors.ts'
import type { Facts } from '../model/facts.ts'
import type { TicketId } from '../model/names.ts'
import type { Store } from '../store/store.ts'

/** @throws PlanError parent_ring where the target is part of the holder. */
export function refuseRing(store: Store, holder: TicketId, target: TicketId): void {
  const path = store.read(({ facts }) => pathUp(facts, target, holder))
  if (!path) return
  const tickets = [holder, ...path]
  const message = `${target} is already part of ${holder} (${path.join(' is part of ')}), so ${holder} cannot be part of ${target}`
  throw new PlanError('parent_ring', message, { tickets })
}

/** Returns the Tickets from one to another that it is part of; undefined where it is not. */
function pathUp(facts: Facts, from: string, to: string): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const pending = [from]
  for (const id of pending) {
    if (id === to) {
      const path = [id]
      for (let at = id; at !== from; path.unshift(at)) at = cameFrom.get(at)!
      return path
    }
    for (const { other } of facts.parents(id)) {
      if (cameFrom.has(other) || other === from) continue
      cameFrom.set(other, id)
      pending.push(other)
    }
  }
  return undefined
}
