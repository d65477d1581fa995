/**
 * Decides whether a queued Ticket may be accepted now: facts about it and its neighbours in, a verdict and every reason out.
 *
 * The only place that has these rules; `consult`, `queue`, `show`, `claim` and `accept` all use it with the same inputs. Pure:
 * the facts are a snapshot, read by the caller.
 */
import { type Asking, isRenewal } from './asking.ts'
import { elsewhereReasons } from './checkout-rules.ts'
import type { Facts } from './facts.ts'
import { compareText } from './order.ts'
import { REASON_CODES, type Reason } from './reasons.ts'
import { findReasons } from './verdict-rules.ts'
import { type Bounds, ONE_TICKET } from './wait-graph.ts'

/** `accept`, or `hold` where at least one reason holds. */
export type Verdict = 'accept' | 'hold'

/** A verdict with its reasons, in the order of REASON_CODES, of the other Tickets' ids, and of the decisions' ids. */
export interface Judged {
  verdict: Verdict
  reasons: Reason[]
}

/**
 * Returns the verdict on a Ticket with every reason. A Ticket that the facts do not have counts as not queued; callers
 * refuse it before. For the holder of its live claim, who accepted it under that claim, what came since only warns. Other
 * worktrees are files to read: an answer about many Tickets asks for them only where nothing else holds.
 */
export function verdictOn(id: string, facts: Facts, asking: Asking = {}, bounds: Bounds = ONE_TICKET): Judged {
  const onlyWarns = isRenewal(id, facts, asking) && !isTerminal(id, facts)
  const weighed = (found: Iterable<Reason>) =>
    [...found].map(reason =>
      onlyWarns && !HOLDS_RENEWALS.includes(reason.code) ? { ...reason, severity: 'warn' as const } : reason,
    )
  const reasons = weighed(findReasons(id, facts, asking, bounds))
  if (bounds.exact || !isHeld(reasons)) reasons.push(...weighed(elsewhereReasons(id, facts)))
  const rank = (reason: Reason) => REASON_CODES.indexOf(reason.code)
  reasons.sort(
    (a, b) =>
      rank(a) - rank(b) ||
      compareText(otherTicket(a), otherTicket(b)) ||
      compareText(firstDecision(a), firstDecision(b)),
  )
  return { verdict: isHeld(reasons) ? 'hold' : 'accept', reasons }
}

function isHeld(reasons: readonly Reason[]): boolean {
  return reasons.some(({ severity }) => severity === 'hold')
}

/** What also keeps the holder of a claim from renewing it by `accept`. */
const HOLDS_RENEWALS = ['quarantined', 'claimed', 'pool_full']

function otherTicket(reason: Reason): string {
  return ('ticket' in reason && reason.ticket) || ''
}

function firstDecision(reason: Reason): string {
  return ('decisions' in reason && reason.decisions?.[0]) || ''
}

function isTerminal(id: string, facts: Facts): boolean {
  const fact = facts.ticket(id)
  return fact?.readable === true && fact.phase === 'terminal'
}
