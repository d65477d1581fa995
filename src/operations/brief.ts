import * as z from 'zod/mini'
import type { AnyFields } from '../model/decision.ts'
import { compareText } from '../model/order.ts'
import { verdictOn } from '../model/verdict.ts'
import type { Store, View } from '../store/store.ts'
import type { DecisionRow, TicketRow } from '../ticket-index/query.ts'
import { problemsOf } from './answers.ts'
import { type BriefFacts, briefText, DEFAULT_BUDGET, MAX_BUDGET, MIN_BUDGET, RECENT_HOURS } from './brief-text.ts'
import { activePlan } from './consult.ts'
import { operation } from './operation.ts'

/** Where fewer decisions are of the last hours than one for so many tokens, the latest there are. */
const TOKENS_PER_DECISION = 100
const MIN_DECISIONS = 5

/** What an orchestrator must know after losing its memory. */
export const brief = operation({
  name: 'brief',
  summary: 'Say what an orchestrator must know after losing its memory, within a budget of tokens',
  details: `Claims, the queue with verdicts, conflicts in play, plans accepted, recent decisions, problems: most urgent first, and what was left out. Four bytes of the text count as one token. Times are in UTC. Text in quotes comes from Tickets.`,
  writes: false,
  fields: {
    budget: {
      schema: z._default(
        z
          .int()
          .check(
            z.minimum(MIN_BUDGET, `a digest needs at least ${MIN_BUDGET} tokens`),
            z.maximum(MAX_BUDGET, `at most ${MAX_BUDGET} tokens`),
          ),
        DEFAULT_BUDGET,
      ),
      help: `at most so many tokens, ${MIN_BUDGET} or more (default ${DEFAULT_BUDGET})`,
      value: 'n',
    },
  },
  output: () => z.object({ text: z.string(), tokens: z.int(), omitted: z.int() }),
  examples: ['ticketplan brief', 'ticketplan brief --budget 300'],
  run: (store, { budget }) => briefText(gatherFacts(store, budget), budget),
})

function gatherFacts(store: Store, budget: number): BriefFacts {
  const nowMs = store.now()
  return store.read(view => {
    const { queries, facts } = view
    const queued = queries.queued()
    const active = queries.active()
    const claims = view.claims.all(false).map(claim => ({ claim, row: queries.ticket(claim.ticket) }))
    const unsettled = claims.filter(({ row }) => row?.phase !== 'terminal')
    const held = unsettled.filter(({ claim }) => claim.live).map(({ claim }) => claim.ticket)
    const inPlay = [...new Set([...held, ...active.map(({ id }) => id), ...queued.map(({ id }) => id)])].sort()
    const queue = queued.map(({ id, title }) => {
      return { ticket: id, title, ...verdictOn(id, facts), waiting: facts.waiting(id)?.reason ?? null }
    })
    const named = [
      ...inPlay,
      ...queue.flatMap(({ reasons }) => reasons.flatMap(reason => ('ticket' in reason && reason.ticket) || [])),
    ]
    return {
      nowMs,
      claims: unsettled
        .map(({ claim: { ticket, holder, token, expires_at, live }, row }) => {
          return { ticket, holder, token, expires_at, live, title: row?.title ?? null, state: row?.state ?? null }
        })
        .sort(
          (a, b) =>
            Number(a.live) - Number(b.live) ||
            compareText(a.expires_at, b.expires_at) ||
            compareText(a.ticket, b.ticket),
        ),
      unclaimed: active
        .filter(({ id }) => !held.includes(id))
        .map(({ id, title, state, state_at }) => ({ ticket: id, title, state, state_at })),
      queue,
      conflicts: conflictsAmong(inPlay, view),
      plans: inPlay
        .flatMap(ticket => planOf(view, ticket) ?? [])
        .sort((a, b) => compareText(b.at, a.at) || compareText(a.ticket, b.ticket)),
      ...decisionsAt(view, nowMs, Math.max(MIN_DECISIONS, Math.floor(budget / TOKENS_PER_DECISION))),
      problems: problemsOf(queries).sort((a, b) => compareText(a.severity, b.severity)),
      states: new Map(named.flatMap(id => stateOf(queries.ticket(id)))),
    }
  })
}

function stateOf(row: TicketRow | undefined): [string, string][] {
  return row ? [[row.id, row.state]] : []
}

/** Each pair once, from its smaller id. */
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
  if (!decision) return null
  const { by, at, plan } = decision
  const { summary, branch = null, worktree = null } = plan
  return { ticket, summary, branch, worktree, by, at }
}

function decisionsAt(
  { queries }: View,
  nowMs: number,
  atLeast: number,
): Pick<BriefFacts, 'decisions' | 'recentDecisions'> {
  const recent = queries.decisionsSince(new Date(nowMs - RECENT_HOURS * 3_600_000).toISOString())
  const rows = recent.length < atLeast ? queries.latestDecisions(atLeast) : recent
  return { decisions: rows.map(decisionFact), recentDecisions: recent.length }
}

function decisionFact({ ticket_id, kind, status, body }: DecisionRow): BriefFacts['decisions'][number] {
  const { by, at, target, reason, plan, retracts, field } = JSON.parse(body) as AnyFields
  const other = target ?? retracts ?? field ?? null
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
