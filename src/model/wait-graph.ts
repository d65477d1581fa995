/** The graph of waiting Tickets: the chain below a blocker, and cycles. */
import type { Facts } from './facts.ts'
import type { ChainLink } from './reasons.ts'

/** Returns `blocker` and all that blocks it, each Ticket followed by its blockers; terminal Tickets are left out. */
export function blockerChain(held: string, blocker: string, facts: Facts): ChainLink[] {
  const chain: ChainLink[] = []
  const seen = new Set([held])
  const pending = [{ ticket: blocker, blocks: held, depth: 1 }]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const fact = facts.ticket(next.ticket)
    if (fact?.readable && fact.phase === 'terminal') continue
    const repeated = seen.has(next.ticket)
    const known = fact?.readable ? fact : null
    chain.push({ ...next, state: known?.state ?? null, phase: known?.phase ?? null, ...(repeated && { repeated }) })
    if (repeated) continue
    seen.add(next.ticket)
    const { ticket, depth } = next
    const below = facts
      .waitsFor(ticket, 'blocked_by')
      .map(({ other }) => ({ ticket: other, blocks: ticket, depth: depth + 1 }))
    pending.push(...below.reverse())
  }
  return chain
}

/** Returns the shortest cycle of `blocked_by` and `after` through the Ticket, starting with it; null if there is none. */
export function findCycle(id: string, facts: Facts): string[] | null {
  const cameFrom = new Map<string, string>()
  const isOpen = (ticket: string) => {
    const fact = facts.ticket(ticket)
    return fact?.readable === true && fact.phase !== 'terminal'
  }
  let frontier = [id]
  while (frontier.length > 0) {
    const next: string[] = []
    for (const ticket of frontier) {
      const others = [...facts.waitsFor(ticket, 'blocked_by'), ...facts.waitsFor(ticket, 'after')].map(
        ({ other }) => other,
      )
      for (const other of others.sort()) {
        if (other === id) return pathTo(ticket, id, cameFrom)
        if (cameFrom.has(other) || !isOpen(other)) continue
        cameFrom.set(other, ticket)
        next.push(other)
      }
    }
    frontier = next
  }
  return null
}

function pathTo(last: string, first: string, cameFrom: Map<string, string>): string[] {
  const path = [last]
  for (let at = last; at !== first; ) {
    at = cameFrom.get(at)!
    path.push(at)
  }
  return path.reverse()
}
