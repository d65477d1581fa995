/** Renders verdicts and claims. Text from files is escaped here. */
import { count } from '../model/count.ts'
import type { Decision } from '../model/decision.ts'
import { escapeText } from '../model/escape-text.ts'
import type { OutputOf } from '../sdk.ts'
import {
  claimText,
  decisionText,
  firstProblemLines,
  indentedLines,
  moreLines,
  noteLines,
  type Page,
  planText,
  reasonLines,
  spanText,
  verdictLines,
} from './phrases.ts'
import { type Cell, table } from './terminal.ts'

export function queueLines({ queue, more, problems }: OutputOf<'queue'>, page: Page): string[] {
  return [
    ...(queue.length ? queue.flatMap(entry => verdictLines(entry, page)) : ['the queue is empty']),
    ...moreLines(more, count(queue.length, 'Ticket'), page),
    ...firstProblemLines(problems, page),
  ]
}

export function consultLines({ problems, plan, ...judged }: OutputOf<'consult'>, page: Page): string[] {
  return [
    ...verdictLines(judged, page),
    ...(plan ? indentedLines('  accepted before: ', planText(plan), 4) : []),
    ...firstProblemLines(problems, page),
  ]
}

export function acceptLines(output: OutputOf<'accept'>, { paint }: Page): string[] {
  const { accepted, claim, decision, reasons, refused, held, queued = 0, warnings } = output
  if (held) return heldLines(held, queued, paint)
  return [
    accepted && claim
      ? `${paint('green', 'accepted')}: ${claimText(claim)}`
      : paint('red', refused ? 'refused: the token is stale, the claim is lost' : 'refused'),
    ...(decision ? [...indentedLines('  ', decisionText(decision as Decision), 4), `  ${decision.id}`] : []),
    ...reasonLines(reasons, paint),
    ...noteLines(warnings),
  ]
}

function heldLines(held: NonNullable<OutputOf<'accept'>['held']>, queued: number, paint: Page['paint']): string[] {
  if (queued === 0) return [`${paint('red', 'refused')}: the queue is empty`]
  const lines = held.flatMap(({ ticket, reasons, total }) => {
    const more = total - reasons.length
    return [paint('bold', ticket), ...reasonLines(reasons, paint), ...(more > 0 ? [`  and ${more} more`] : [])]
  })
  const rest = queued - held.length
  const more = rest > 0 ? [`and ${rest} more; "ticketplan queue" lists all`] : []
  return [`${paint('red', 'refused')}: none of ${queued} queued Tickets can be accepted`, ...lines, ...more]
}

export function claimLines({ claim, refused, reasons }: OutputOf<'claim'>, { paint }: Page): string[] {
  if (refused === undefined) return claim ? [`claimed: ${claimText(claim)}`] : []
  const holder = claim
    ? `: ${claim.ticket} is ${claim.live ? 'held' : 'last held'} by ${claim.holder}${claim.machine ? ` on machine ${claim.machine}` : ''}`
    : ': the Ticket has no claim'
  return [
    `${paint('red', 'refused')} (${refused})${escapeText(refused === 'stale_token' || claim ? holder : '')}`,
    ...reasonLines(reasons ?? [], paint),
  ]
}

export function renewLines(output: OutputOf<'renew'>, page: Page): string[] {
  const { claim, refused, covered_until } = output
  if (refused === 'fleet_unreachable') {
    const until = covered_until
      ? `the claim may be live until ${covered_until}; renew it again before`
      : 'whether the claim is live is not known; renew it again'
    return [`${page.paint('red', 'refused')} (${refused}): ${escapeText(until)}`]
  }
  return claim && !refused ? [`renewed: ${claimText(claim)}`] : claimLines(output, page)
}

export function releaseLines(output: OutputOf<'release'>, page: Page): string[] {
  const { refused, claim, state, warnings = [] } = output
  if (refused) return claimLines(output, page)
  return [`released ${claim?.ticket ?? ''}${state ? escapeText(`, state ${state}`) : ''}`, ...noteLines(warnings)]
}

/** The expiry comes first: a narrow terminal cuts or wraps what is on the right. */
export function claimsLines({ claims, more }: OutputOf<'claims'>, page: Page): string[] {
  const { paint, width, nowMs } = page
  if (claims.length === 0) return ['no claims']
  // A holder is a name on a machine.
  const inFleet = claims.some(({ machine }) => machine !== undefined)
  const columns = ['expires', 'ticket', 'token', 'pool', 'holder', ...(inFleet ? ['machine'] : [])]
  const head = columns.map((text): Cell => ({ text, colour: 'bold' }))
  const rows = claims.map(claim => {
    const { ticket, holder, machine, token, pool, live, terminal, released_at } = claim
    const note = terminal && !released_at ? ' (Ticket is terminal)' : ''
    const cells = [
      expiryText(claim, nowMs) + note,
      ticket,
      String(token ?? ''),
      pool ?? '',
      holder,
      ...(inFleet ? [machine ?? ''] : []),
    ]
    return cells.map((text): Cell => ({ text: escapeText(text), colour: live ? undefined : 'dim' }))
  })
  return [...table([head, ...rows], paint, width), ...moreLines(more, count(claims.length, 'claim'), page)]
}

function expiryText({ live, expires_at, released_at }: OutputOf<'claims'>['claims'][number], nowMs: number): string {
  const leftMs = Date.parse(released_at ?? expires_at) - nowMs
  if (live) return `in ${spanText(leftMs)}`
  return `${released_at ? 'released' : 'expired'} ${spanText(-leftMs)} ago`
}
