/** Takes claims out of documents that leave this clone: who holds what, and where a fleet has its server, is never in git. Pure. */
import type { Reason } from '../model/reasons.ts'
import type { Overview } from './overview-shape.ts'
import type { TicketDocument } from './page-documents.ts'

/** Returns the document without holders, sessions, worktrees and leases. The verdicts stay. `holders` are all of them. */
export function withoutClaims<T extends Overview | TicketDocument>(document: T, holders: readonly string[]): T {
  // A holder can begin with the name of another one.
  const longestFirst = [...new Set(holders)].sort((a, b) => b.length - a.length)
  const hide = (reason: Reason) => withoutHolder(reason, longestFirst)
  return ('queue' in document ? overviewWithout(document, hide) : ticketWithout(document, hide)) as T
}

type Hide = (reason: Reason) => Reason

function overviewWithout(overview: Overview, hide: Hide): Overview {
  const { claims: _claims, leases: _leases, ...leftOut } = overview.left_out
  return {
    ...overview,
    left_out: leftOut,
    queue: overview.queue.map(entry => ({
      ...entry,
      reasons: entry.reasons.map(hide),
      causes: entry.causes.map(causeKey),
    })),
    causes: overview.causes.map(cause => {
      const isLocal = cause.kind === 'claim' || cause.kind === 'elsewhere'
      return { ...cause, key: causeKey(cause.key), name: isLocal ? null : cause.name }
    }),
    claims: [],
    leases: [],
    pools: overview.pools.map(pool => ({ ...pool, taken: [] })),
    areas: overview.areas.map(area => ({ ...area, at_work: area.at_work.map(one => ({ ...one, holder: null })) })),
    attention: overview.attention.filter(
      ({ code }) => !['claims_unknown', 'expired_claim', 'claim_on_terminal', 'elsewhere'].includes(code),
    ),
  }
}

/** The key of a cause names a holder or a folder of this machine, where the cause is one. */
function causeKey(key: string): string {
  return /^(?:claim|elsewhere) /.test(key) ? key.split(' ', 1)[0]! : key
}

function ticketWithout(document: TicketDocument, hide: Hide): TicketDocument {
  return { ...document, reasons: document.reasons.map(hide), claim: null, leases: [] }
}

function withoutHolder(reason: Reason, holders: readonly string[]): Reason {
  if (reason.code === 'claims_unknown') return { ...reason, message: 'the claims are unknown' }
  if (reason.code === 'claimed') return { ...reason, holder: '', session: null, message: 'claimed by another holder' }
  if (reason.code === 'elsewhere')
    return { ...reason, worktree: '', message: `another worktree of the clone has it as ${reason.state}` }
  if (reason.code === 'elsewhere_unread')
    return {
      ...reason,
      worktree: '',
      path: '',
      message: 'another worktree of the clone may have it and cannot be read',
    }
  if (reason.code === 'conflicts_with' || reason.code === 'area')
    return {
      ...reason,
      message: holders.reduce((text, holder) => text.replaceAll(`claimed by ${holder}`, 'claimed'), reason.message),
    }
  return reason
}
