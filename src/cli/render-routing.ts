/** Renders verdicts and claims. Text from files is escaped here. */
import type { Decision } from '../model/decision.ts'
import { escapeText } from '../model/escape-text.ts'
import type { OutputOf } from '../sdk.ts'
import {
  claimText,
  decisionText,
  noteLines,
  type Page,
  planText,
  problemLines,
  reasonLines,
  verdictLines,
} from './phrases.ts'
import { type Cell, table } from './terminal.ts'

export function queueLines({ queue, problems }: OutputOf<'queue'>, page: Page): string[] {
  return [
    ...(queue.length ? queue.flatMap(entry => verdictLines(entry, page)) : ['the queue is empty']),
    ...problemLines(problems, page),
  ]
}

export function consultLines({ problems, plan, ...judged }: OutputOf<'consult'>, page: Page): string[] {
  return [
    ...verdictLines(judged, page),
    ...(plan ? [`  accepted before: ${planText(plan)}`] : []),
    ...problemLines(problems, page),
  ]
}

export function acceptLines(output: OutputOf<'accept'>, { paint }: Page): string[] {
  const { accepted, claim, decision, reasons, refused, warnings } = output
  return [
    accepted && claim
      ? `${paint('green', 'accepted')}: ${claimText(claim)}`
      : paint('red', refused ? 'refused: the token is stale, the claim is lost' : 'refused'),
    ...(decision ? [`  ${decisionText(decision as Decision)}`, `  ${decision.id}`] : []),
    ...reasonLines(reasons, paint),
    ...noteLines(warnings),
  ]
}

export function claimLines({ claim, refused, reasons }: OutputOf<'claim'>, { paint }: Page): string[] {
  if (refused === undefined) return claim ? [`claimed: ${claimText(claim)}`] : []
  const holder = claim
    ? `: ${claim.ticket} is ${claim.live ? 'held' : 'last held'} by ${claim.holder}`
    : ': the Ticket has no claim'
  return [
    `${paint('red', 'refused')} (${refused})${escapeText(refused === 'stale_token' || claim ? holder : '')}`,
    ...reasonLines(reasons ?? [], paint),
  ]
}

export function renewLines(output: OutputOf<'renew'>, page: Page): string[] {
  const { claim, refused } = output
  return claim && !refused ? [`renewed: ${claimText(claim)}`] : claimLines(output, page)
}

export function releaseLines(output: OutputOf<'release'>, page: Page): string[] {
  return output.refused ? claimLines(output, page) : [`released ${output.claim?.ticket ?? ''}`]
}

export function claimsLines({ claims }: OutputOf<'claims'>, { paint, width }: Page): string[] {
  if (claims.length === 0) return ['no claims']
  const head = ['ticket', 'holder', 'token', 'pool', 'state', 'expires'].map((text): Cell => ({ text, colour: 'bold' }))
  const rows = claims.map(({ ticket, holder, token, pool, live, expires_at, released_at, terminal }) => {
    const lease = live ? 'live' : released_at ? 'released' : 'expired'
    const state = terminal && !released_at ? `${lease}, Ticket is terminal` : lease
    const cells = [ticket, holder, String(token ?? ''), pool ?? '', state, released_at ?? expires_at]
    return cells.map((text): Cell => ({ text: escapeText(text), colour: live ? undefined : 'dim' }))
  })
  return table([head, ...rows], paint, width)
}
