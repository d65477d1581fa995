/** Compares the live claims with those that a listener knows. */
import type { LiveClaims } from '../claims/claims.ts'
import { compareText } from '../model/order.ts'

export interface ClaimChange {
  ticket: string
  change: 'claimed' | 'unclaimed'
}

/** The token of each live claim, by Ticket. */
export type KnownClaims = ReadonlyMap<string, number>

/** Returns the tokens of the live claims. */
export function readClaims(claims: LiveClaims): KnownClaims {
  const live = claims.all(false).filter(claim => claim.live)
  return new Map(live.map(({ ticket, token }) => [ticket, token]))
}

/** Returns the claims that were acquired or taken over, and those that ended, sorted by Ticket. */
export function compareClaims(before: KnownClaims, now: KnownClaims): ClaimChange[] {
  const changes: ClaimChange[] = []
  for (const [ticket, token] of now) if (before.get(ticket) !== token) changes.push({ ticket, change: 'claimed' })
  for (const ticket of before.keys()) if (!now.has(ticket)) changes.push({ ticket, change: 'unclaimed' })
  return changes.sort((a, b) => compareText(a.ticket, b.ticket))
}
