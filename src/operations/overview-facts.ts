/** Reads what an overview is made from, in one snapshot. Decides nothing about the lists. */
import { MOST_LOG_ENTRIES, withoutToken } from '../claims/claims.ts'
import { leaseSpans } from '../model/lease-spans.ts'
import { compareText } from '../model/order.ts'
import { type RootCauses, rootCauses } from '../model/root-causes.ts'
import { isoTime } from '../model/text.ts'
import { type Judged, verdictOn } from '../model/verdict.ts'
import { MANY_TICKETS } from '../model/wait-graph.ts'
import type { Store, View } from '../store/store.ts'
import type { TicketRow } from '../ticket-index/query.ts'
import type { Overview } from './overview-shape.ts'

const HOUR_MS = 3_600_000

/** What the lists are made from. */
export interface OverviewFacts {
  nowMs: number
  /** Every readable Ticket, by id. */
  rows: ReadonlyMap<string, TicketRow>
  /** The verdicts on queued Tickets, in the order of the queue. */
  judged: ReadonlyMap<string, Judged>
  /** Tickets with a live claim. */
  claimed: ReadonlySet<string>
  /** Without the queued Tickets that have a live claim: they run. */
  queue: Omit<Overview['queue'][number], 'causes'>[]
  causes: RootCauses
  running: Overview['running']
  /** Live and expired claims. */
  claims: Overview['claims']
  /** Leases of the last day; `log` has the entries that they are made from. */
  leases: Overview['leases']
  /** Active relations, each once. */
  relations: Overview['relations']
  counts: Overview['counts']
  isInPlay(ticket: string): boolean
}

/** Returns the verdicts on the queued Tickets of a view, in the order of the queue; undefined where they are not known. */
export type Judge = (view: View) => ReadonlyMap<string, Judged> | undefined

/** Returns the facts of a view. */
export function gatherOverview(store: Store, view: View, nowMs: number, judge?: Judge): OverviewFacts {
  const { queries } = view
  const rows = new Map(queries.allTickets().map(row => [row.id, row]))
  const queued = queries.queued()
  const judged = judge?.(view) ?? new Map(queued.map(({ id }) => [id, verdictOn(id, view.facts, {}, MANY_TICKETS)]))
  const isTerminal = (id: string) => rows.get(id)?.phase === 'terminal'
  const claims = view.claims.all(false).map(({ released_at: _, ...claim }) => withoutToken(claim))
  const live = new Set(claims.filter(claim => claim.live).map(({ ticket }) => ticket))
  const waiting = queued.filter(({ id }) => !live.has(id))
  const running = [...rows.values()]
    .filter(({ id, phase }) => phase === 'active' || (live.has(id) && phase !== 'terminal'))
    .map(({ id, state_at }) => ({
      ticket: id,
      since: state_at,
      claimed: view.claims.unknown === null ? live.has(id) : null,
    }))
  const isInPlay = (id: string) => live.has(id) || ['queued', 'active'].includes(rows.get(id)?.phase ?? '')
  const relations = activeRelations(view)
  const since = isoTime(nowMs - 24 * HOUR_MS)
  return {
    nowMs,
    rows,
    judged,
    claimed: live,
    queue: waiting.map(({ id, queued_at, queued_by }) => ({ ticket: id, queued_at, queued_by, ...judged.get(id)! })),
    causes: rootCauses(waiting.map(({ id }) => ({ id, ...judged.get(id)! }))),
    running: running.sort((a, b) => compareText(b.since ?? '', a.since ?? '') || compareText(a.ticket, b.ticket)),
    claims: claims.sort(
      (a, b) =>
        Number(isTerminal(a.ticket)) - Number(isTerminal(b.ticket)) ||
        compareText(a.expires_at, b.expires_at) ||
        compareText(a.ticket, b.ticket),
    ),
    leases: leaseSpans(store.claims.log({ since }, MOST_LOG_ENTRIES)).reverse(),
    relations,
    counts: countsOf(view, {
      nowMs,
      rows,
      waiting: waiting.map(({ id }) => judged.get(id)!),
      running,
      relations,
      isInPlay,
    }),
    isInPlay,
  }
}

function activeRelations({ queries }: View): Overview['relations'] {
  const seen = new Set<string>()
  return queries.relations({ status: 'active' }).flatMap(({ ticket_id: ticket, kind, other_id: other, ...row }) => {
    const key =
      kind === 'conflicts_with' && other < ticket ? `${other}\n${kind}\n${ticket}` : `${ticket}\n${kind}\n${other}`
    if (seen.has(key)) return []
    seen.add(key)
    const { reason, by, at, advisory } = row
    const stored = kind as Overview['relations'][number]['kind'] // without a Ticket, relations have their stored kind
    return [{ ticket, kind: stored, other, reason, by, at, ...(advisory && { advisory: true as const }) }]
  })
}

function countsOf(
  { queries }: View,
  facts: Pick<OverviewFacts, 'nowMs' | 'rows' | 'running' | 'relations' | 'isInPlay'> & { waiting: Judged[] },
): Overview['counts'] {
  const phases = { open: 0, queued: 0, active: 0, terminal: 0 }
  for (const { phase } of facts.rows.values()) phases[phase]++
  const accept = facts.waiting.filter(({ verdict }) => verdict === 'accept').length
  const times = queries.decisionTimesSince(isoTime(facts.nowMs - 24 * HOUR_MS)).map(({ at }) => at)
  const hourAgo = isoTime(facts.nowMs - HOUR_MS)
  return {
    tickets: facts.rows.size,
    phases,
    accept,
    hold: facts.waiting.length - accept,
    running: facts.running.length,
    unclaimed: facts.running.filter(({ claimed }) => claimed === false).length,
    conflicts: facts.relations.filter(
      ({ kind, ticket, other, advisory }) =>
        kind === 'conflicts_with' && !advisory && facts.isInPlay(ticket) && facts.isInPlay(other),
    ).length,
    decisions_last_hour: times.filter(at => at >= hourAgo).length,
    decisions_last_day: times.length,
  }
}
