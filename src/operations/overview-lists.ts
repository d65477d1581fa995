/** Gathers single lists of an overview: pools, areas, holds, parents, decisions. */
import type { AnyFields } from '../model/decision.ts'
import { isInForce } from '../model/decision-status.ts'
import { isTicketId } from '../model/names.ts'
import { compareText } from '../model/order.ts'
import type { Store, View } from '../store/store.ts'
import type { DecisionRow } from '../ticket-index/query.ts'
import type { OverviewFacts } from './overview-facts.ts'
import type { Overview } from './overview-shape.ts'

/** Returns the configured pools by name, with the Tickets whose live claims use a slot. */
export function poolsOf(store: Store, claims: OverviewFacts['claims']): Overview['pools'] {
  return Object.entries(store.repository.config.pools)
    .sort(([a], [b]) => compareText(a, b))
    .map(([pool, capacity]) => ({
      pool,
      capacity,
      taken: claims.filter(claim => claim.live && claim.pool === pool).map(({ ticket }) => ticket),
    }))
}

/**
 * Returns the areas in which somebody works, those first that most Tickets wait for. A pattern that belongs to an area of the
 * configuration is listed under its name.
 */
export function areasOf(
  store: Store,
  view: View,
  { rows, queue }: Pick<OverviewFacts, 'rows' | 'queue'>,
): Overview['areas'] {
  const names = new Map(
    Object.entries(store.repository.config.areas).flatMap(([name, patterns]) =>
      patterns.map(pattern => [pattern, name]),
    ),
  )
  const areas = new Map<string, Overview['areas'][number]>()
  const areaAt = (pattern: string) => {
    const area = names.get(pattern) ?? pattern
    const known = areas.get(area) ?? { area, at_work: [], waiting: [] }
    areas.set(area, known)
    return known
  }
  for (const { ticket, pattern, shared } of patternsAtWork(view)) {
    if (rows.get(ticket)?.phase === 'terminal') continue
    const { at_work } = areaAt(pattern)
    if (at_work.some(one => one.ticket === ticket)) continue
    at_work.push({ ticket, holder: view.claims.find(ticket)?.holder ?? null, shared })
  }
  for (const { ticket, reasons } of queue)
    for (const reason of reasons) {
      if (reason.code !== 'area' || reason.severity !== 'hold') continue
      const { waiting } = areaAt(reason.other_pattern)
      if (!waiting.includes(ticket)) waiting.push(ticket)
    }
  return [...areas.values()].sort((a, b) => b.waiting.length - a.waiting.length || compareText(a.area, b.area))
}

/** Yields the patterns of claimed and active Tickets; a claim has its area of when it was taken. */
function* patternsAtWork({ queries, claims }: View): Generator<{ ticket: string; pattern: string; shared: boolean }> {
  const claimed = new Set<string>()
  for (const { ticket, area } of claims.areas()) {
    if (area === null) continue
    claimed.add(ticket)
    for (const { pattern, shared } of area) yield { ticket, pattern, shared }
  }
  for (const { ticket_id: ticket, pattern, shared } of queries.areasOfActive([]))
    if (!claimed.has(ticket)) yield { ticket, pattern, shared: shared === 1 }
}

/** At most this many holds are read; more of them are no list for a person. */
const MOST_HOLDS = 10_000

/** Returns the active holds of Tickets that are not settled, newest first. */
export function holdsOf({ queries }: View, rows: OverviewFacts['rows']): Overview['holds'] {
  return queries
    .decisionsOfKinds({ kinds: ['hold'], status: 'active' }, MOST_HOLDS)
    .rows.filter(({ ticket_id }) => rows.get(ticket_id)?.phase !== 'terminal')
    .map(({ id, ticket_id, body }) => {
      const { reason = null, not_before = null, by, at } = JSON.parse(body) as AnyFields & { not_before?: string }
      return { ticket: ticket_id, decision: id, reason, not_before, by, at }
    })
}

/** Returns the Tickets that have parts and are not settled, those with most held parts first. */
export function parentsOf({ facts, queries }: View, { rows, judged }: OverviewFacts): Overview['parents'] {
  const parts = queries
    .relations({ kind: 'part_of' })
    .filter(({ status, ticket_id }) => isInForce(status) && rows.has(ticket_id))
  const isTerminal = (id: string) => rows.get(id)?.phase === 'terminal'
  return [...Map.groupBy(parts, ({ other_id }) => other_id)]
    .filter(([parent]) => !isTerminal(parent))
    .map(([ticket, found]) => {
      const ids = [...new Set(found.map(({ ticket_id }) => ticket_id))]
      return {
        ticket,
        parts: ids.length,
        settled: ids.filter(isTerminal).length,
        held: ids.filter(id => judged.get(id)?.verdict === 'hold').length,
        blockers: facts
          .waitsFor(ticket, 'blocked_by')
          .map(({ other }) => other)
          .filter(other => !isTerminal(other) || rows.get(other)?.outcome === 'abandoned'),
      }
    })
    .sort((a, b) => b.held - a.held || b.parts - b.settled - (a.parts - a.settled) || compareText(a.ticket, b.ticket))
}

/** Returns the latest decisions of every status, newest first. */
export function decisionEntries({ queries }: View, limit: number): Overview['decisions'] {
  return queries.decisionLog({ tickets: [] }, limit).map(decisionEntry)
}

/** Returns a decision as an overview lists it. */
export function decisionEntry({ id, ticket_id, kind, status, body }: DecisionRow): Overview['decisions'][number] {
  const { by, at, target, reason, plan, pool, paths, field } = JSON.parse(body) as AnyFields
  const text = reason ?? plan?.summary ?? pool ?? paths?.join(' ') ?? field
  return {
    id,
    ticket: ticket_id,
    kind,
    other: typeof target === 'string' && isTicketId(target) ? target : null,
    by,
    at,
    text: typeof text === 'string' ? text : null,
    status,
  }
}
