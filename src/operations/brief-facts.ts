/**
 * Gathers what a brief is made of from one snapshot of the index and the claims.
 *
 * Every list comes in a total order, most urgent first, so that the same facts give the same text. It decides nothing about
 * the text: brief-text.ts does.
 */
import type { AnyFields } from '../model/decision.ts'
import { compareText } from '../model/order.ts'
import type { Reason } from '../model/reasons.ts'
import { isoTime } from '../model/text.ts'
import { type Verdict, verdictOn } from '../model/verdict.ts'
import { MANY_TICKETS } from '../model/wait-graph.ts'
import type { Store, View } from '../store/store.ts'
import type { DecisionRow, TicketRow } from '../ticket-index/query.ts'
import { problemsOf } from './answers.ts'
import { activePlan } from './consult.ts'

/** A Ticket is in play while it is queued, active or claimed. */
export interface BriefFacts {
  nowMs: number
  /** The server of a fleet cannot be reached: there are no claims here, and nothing says who works. */
  areClaimsUnknown?: true
  /** Live claims, and expired ones that nobody has taken over; those on terminal Tickets, which only have to be released, last. */
  claims: {
    ticket: string
    title: string | null
    state: string | null
    holder: string
    /** Null where the reader must not act for a holder. */
    token: number | null
    expires_at: string
    live: boolean
    terminal: boolean
    /** Where its holder works; empty where nobody said so. */
    area: string[]
  }[]
  /** Active Tickets without a live claim. */
  unclaimed: { ticket: string; title: string; state: string; state_at: string | null }[]
  /** The state that gives a Ticket back to the queue; `queued` where it is not said. */
  queuedState?: string
  queue: {
    ticket: string
    title: string
    verdict: Verdict
    reasons: Reason[]
    /** The text of the active waiting note. */
    waiting: string | null
  }[]
  /** Pairs of which both Tickets are in play. */
  conflicts: { ticket: string; other: string; advisory: boolean }[]
  /** The active plans of Tickets in play. */
  plans: { ticket: string; summary: string; branch: string | null; worktree: string | null; by: string; at: string }[]
  /** Newest first. */
  decisions: {
    ticket: string
    kind: string
    target: string | null
    status: string
    by: string
    at: string
    text: string | null
  }[]
  /** How many of the decisions are from the last RECENT_HOURS; the others are only the latest before. */
  recentDecisions: number
  problems: { code: string; path: string; message: string; severity: 'error' | 'warning' }[]
  /** The states of the Tickets that the facts name; a Ticket without a readable file has none. */
  states: ReadonlyMap<string, string>
}

/** Decisions of this many hours are recent. */
export const RECENT_HOURS = 24

/** Returns the facts of now. If fewer decisions than `atLeast` are recent, the latest `atLeast` are returned. */
export function gatherFacts(store: Store, atLeast: number): BriefFacts {
  const nowMs = store.now()
  return store.read(view => {
    const { queries, facts } = view
    const queued = queries.queued()
    const active = queries.active()
    const isUnknown = view.claims.unknown !== null
    const claims = openClaims(view, store.showsTokens)
    const claimed = claims.filter(({ live, terminal }) => live && !terminal).map(({ ticket }) => ticket)
    const inPlay = [...new Set([...claimed, ...active.map(({ id }) => id), ...queued.map(({ id }) => id)])].sort()
    const queue = queued.map(({ id, title }) => {
      return {
        ticket: id,
        title,
        ...verdictOn(id, facts, {}, MANY_TICKETS),
        waiting: facts.waiting(id)?.reason ?? null,
      }
    })
    const named = [
      ...inPlay,
      ...queue.flatMap(({ reasons }) => reasons.flatMap(reason => ('ticket' in reason && reason.ticket) || [])),
    ]
    return {
      nowMs,
      ...(isUnknown && { areClaimsUnknown: true as const }),
      claims,
      unclaimed: (isUnknown ? [] : active)
        .filter(({ id }) => !claimed.includes(id))
        .map(({ id, title, state, state_at }) => ({ ticket: id, title, state, state_at })),
      ...(facts.queuedStates[0] && { queuedState: facts.queuedStates[0] }),
      queue,
      conflicts: conflictsAmong(inPlay, view),
      plans: inPlay
        .flatMap(ticket => planOf(view, ticket) ?? [])
        .sort((a, b) => compareText(b.at, a.at) || compareText(a.ticket, b.ticket)),
      ...decisionsAt(view, nowMs, atLeast),
      problems: problemsOf(queries).sort((a, b) => compareText(a.severity, b.severity)),
      states: new Map(named.flatMap(id => stateOf(queries.ticket(id)))),
    }
  })
}

/** Returns claims that are not released: expired ones first, then by expiry; those on terminal Tickets last. */
function openClaims({ queries, facts, claims }: View, showsTokens: boolean): BriefFacts['claims'] {
  const areas = new Map(Array.from(claims.areas(), ({ ticket, area }) => [ticket, area]))
  return claims
    .all(false)
    .map(claim => ({ claim, row: queries.ticket(claim.ticket) }))
    .map(({ claim: { ticket, holder, token, expires_at, live }, row }) => ({
      ticket,
      holder,
      token: showsTokens ? token : null,
      expires_at,
      live,
      terminal: row?.phase === 'terminal',
      area: (areas.get(ticket) ?? facts.area(ticket)).map(({ pattern }) => pattern),
      title: row?.title ?? null,
      state: row?.state ?? null,
    }))
    .sort(
      (a, b) =>
        Number(a.terminal) - Number(b.terminal) ||
        Number(a.live) - Number(b.live) ||
        compareText(a.expires_at, b.expires_at) ||
        compareText(a.ticket, b.ticket),
    )
}

function stateOf(row: TicketRow | undefined): [string, string][] {
  return row ? [[row.id, row.state]] : []
}

/** Returns each pair once, from its smaller id. */
function conflictsAmong(inPlay: string[], { facts }: View): BriefFacts['conflicts'] {
  const ids = new Set(inPlay)
  return inPlay.flatMap(ticket =>
    facts
      .conflicts(ticket)
      .filter(({ other }) => ids.has(other) && ticket < other)
      .map(({ other, advisory }) => ({ ticket, other, advisory })),
  )
}

function planOf(view: View, ticket: string): BriefFacts['plans'][number] | null {
  const decision = activePlan(view, ticket)
  if (!decision?.plan) return null
  const { by, at, plan } = decision
  const { summary, branch = null, worktree = null } = plan
  return { ticket, summary, branch, worktree, by, at }
}

function decisionsAt(
  { queries }: View,
  nowMs: number,
  atLeast: number,
): Pick<BriefFacts, 'decisions' | 'recentDecisions'> {
  const recent = queries.decisionsSince(isoTime(nowMs - RECENT_HOURS * 3_600_000))
  const rows = recent.length < atLeast ? queries.latestDecisions(atLeast) : recent
  return { decisions: rows.map(decisionFact), recentDecisions: recent.length }
}

function decisionFact({ ticket_id, kind, status, body }: DecisionRow): BriefFacts['decisions'][number] {
  const { by, at, target, reason, plan, retracts, field, paths } = JSON.parse(body) as AnyFields
  const other = target ?? retracts ?? field ?? paths?.join(' ') ?? null
  return {
    ticket: ticket_id,
    kind,
    status,
    by,
    at,
    target: typeof other === 'string' ? other : null,
    text: reason ?? (typeof plan?.summary === 'string' ? plan.summary : null),
  }
}
