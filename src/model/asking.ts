/** Who asks for a verdict, and what their live claim means for it. */
import type { ClaimFact, Facts } from './facts.ts'

/** Who asks, and for which pool; all optional. */
export interface Asking {
  holder?: string | undefined
  /** Absent is a value of its own: a holder with a session is another one than the same name without. */
  session?: string | undefined
  /** The token of the live claim, which makes its bearer the holder. */
  token?: number | undefined
  pool?: string | undefined
  /** The asker's machine, where several machines share the claims. */
  machine?: string | undefined
}

/** True where the asker holds the live claim: the same name in the same session on the same machine, or by its token. */
export function isHeldBy(claim: Pick<ClaimFact, 'holder' | 'session' | 'token' | 'machine'>, asking: Asking): boolean {
  if (asking.token !== undefined) return asking.token === claim.token
  const isNamesake = claim.holder === asking.holder && claim.session === (asking.session ?? null)
  return isNamesake && claim.machine === asking.machine
}

/**
 * Returns the pool whose slot the asker would take: the one asked for, else that of their live claim, else that of the
 * capacity note, else `default` if it has a limit.
 */
export function poolFor(id: string, facts: Facts, asking: Asking): string | undefined {
  if (asking.pool !== undefined) return asking.pool
  const claim = facts.claim(id)
  if (claim && isHeldBy(claim, asking)) return claim.pool ?? undefined
  return notedPool(id, facts) ?? (facts.slots('default', id) ? 'default' : undefined)
}

/** The pool of an active capacity note; that of a terminal Ticket is satisfied. */
function notedPool(id: string, facts: Facts): string | undefined {
  const own = facts.ticket(id)
  return own?.readable && own.phase === 'terminal' ? undefined : facts.waiting(id)?.pool
}

/** True where the asker has accepted the Ticket under their live claim: what came since does not matter any more. */
export function isRenewal(id: string, facts: Facts, asking: Asking): boolean {
  const claim = facts.claim(id)
  if (!claim || !isHeldBy(claim, asking)) return false
  const acceptedAt = facts.acceptedAt(id)
  return acceptedAt !== undefined && acceptedAt >= claim.acquired_at
}
