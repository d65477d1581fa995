/** Collects what an overview says of each Ticket that its lists name. */
import { ticketsIn } from '../model/reasons.ts'
import type { Store } from '../store/store.ts'
import type { OverviewFacts } from './overview-facts.ts'
import type { Overview } from './overview-shape.ts'

type Lists = Omit<Overview, 'format' | 'at' | 'name' | 'focus' | 'counts' | 'tickets' | 'past' | 'left_out'>

/** Returns the Tickets that the lists name, by id, in the order of their ids. */
export function namedTickets(
  store: Store,
  lists: Lists,
  also: readonly string[],
  {
    rows,
    judged,
    claimed,
    behind,
  }: Pick<OverviewFacts, 'rows' | 'judged' | 'claimed'> & { behind: (ticket: string) => number },
): Overview['tickets'] {
  const ids = [...new Set([...idsIn(lists), ...also])].sort()
  return Object.fromEntries(
    ids.map(id => {
      const row = rows.get(id)
      const verdict = judged.get(id)?.verdict
      const waiting = behind(id)
      return [
        id,
        {
          title: row?.title ?? null,
          state: row?.state ?? null,
          phase: row?.phase ?? null,
          state_at: row?.state_at ?? null,
          ...(verdict && { verdict }),
          ...(row?.outcome === 'abandoned' && { abandoned: true as const }),
          ...(row && !store.states.isKnown(row.state) && { unknown_state: true as const }),
          ...(claimed.has(id) && { claimed: true as const }),
          ...(waiting > 0 && { behind: waiting }),
        },
      ]
    }),
  )
}

function* idsIn(lists: Lists): Generator<string> {
  for (const { ticket, reasons } of lists.queue) {
    yield ticket
    for (const reason of reasons) yield* ticketsIn(reason)
  }
  for (const { tickets } of [...lists.causes, ...lists.attention]) yield* tickets
  for (const list of [lists.running, lists.claims, lists.leases, lists.holds])
    for (const { ticket } of list) yield ticket
  for (const { taken } of lists.pools) yield* taken
  for (const { at_work, waiting } of lists.areas) {
    for (const { ticket } of at_work) yield ticket
    yield* waiting
  }
  for (const { ticket, blockers } of lists.parents) {
    yield ticket
    yield* blockers
  }
  for (const { ticket, other } of lists.relations) {
    yield ticket
    yield other
  }
  for (const { ticket, other } of lists.decisions) {
    yield ticket
    if (other !== null) yield other
  }
}
