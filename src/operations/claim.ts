import * as z from 'zod/mini'
import {
  type Kept,
  type ListedClaim,
  type LiveClaims,
  type ReleaseBy,
  type SeenState,
  withoutToken,
} from '../claims/claims.ts'
import { isHeldBy, poolFor } from '../model/asking.ts'
import { isPlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import type { Reason, ReasonCode } from '../model/reasons.ts'
import type { Ticket } from '../model/ticket.ts'
import { verdictOn } from '../model/verdict.ts'
import type { Store } from '../store/store.ts'
import { askedPoolField, askingOf, askingTokenField, sessionField } from './asking.ts'
import { fileAndClaim, inState, withStateOf } from './file-and-claim.ts'
import { filledLine, flag, operation, text, ticketName } from './operation.ts'
import { checkPool } from './pools.ts'
import { type ClaimRefusal, claimRefusalShape, claimShape, reasonShape } from './shapes.ts'
import { stateWarnings } from './warnings.ts'

/** Fields that `claim` and `accept` share. */
export const ttlField = {
  schema: z.optional(z.number().check(z.positive(), z.maximum(30 * 24 * 3600))),
  help: 'how long until the claim expires unless renewed: seconds, or 30m, 2h, 1d (default: claimTtlSeconds in ticketplan.json, else 1800)',
  value: 'time',
  span: true,
} as const
export const holderField = { schema: filledLine, help: 'the worker who holds the claim', value: 'name' } as const
const tokenField = {
  schema: z.int().check(z.positive()),
  help: 'the token of the claim',
  value: 'n',
} as const

const claimed = lazy(() =>
  z.object({
    claim: z.nullable(claimShape()),
    /** Set if refused. */
    refused: z.optional(claimRefusalShape()),
    reasons: z.optional(z.array(reasonShape())),
    /** `release`: the state that was set with it. */
    state: z.optional(z.string()),
    warnings: z.optional(z.array(z.string())),
  }),
)
type Claimed = z.infer<ReturnType<typeof claimed>>
const claimExit = ({ refused }: Claimed) => (refused === undefined ? 0 : 3)

/** The holds that a claim without a plan enforces; `accept` enforces all of them. */
const ENFORCED: ReasonCode[] = ['quarantined', 'claimed', 'conflicts_with', 'area', 'pool_full']

/** Takes a claim without a plan. */
export const claim = operation({
  name: 'claim',
  summary: 'Claim a Ticket without a plan',
  details:
    'Enforces one live holder for each Ticket, strict conflicts, areas, and the slots of pools. It does not check blockers and order: "accept" does. A Ticket in a terminal state cannot be claimed. A claim by the holder of the live claim renews it and returns the same token. The same name in another session is another holder, unless it presents the token: that moves the claim to it. Exit status 3 if refused.',
  writes: true,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    holder: holderField,
    pool: askedPoolField,
    ttl: ttlField,
    session: sessionField,
    token: askingTokenField,
    worktree: {
      schema: z.optional(filledLine),
      help: "the worker's worktree",
      value: 'path',
      completes: 'folder',
    },
    pid: { schema: z.optional(z.int().check(z.positive())), help: "the worker's process id", value: 'n' },
  },
  output: claimed,
  examples: ['ticketplan claim T-2 --holder pod-3 --ttl 600'],
  run(store, { ticket: name, ttl, worktree, pid, ...given }): Claimed {
    checkPool(store, given.pool)
    const asking = askingOf(store, given)
    return store.locked(() => {
      const { id, row, pool, area, refusals, live } = store.read(view => {
        const { id, row } = view.resolve(name)
        const live = view.claims.find(id)
        const own = live && isHeldBy(live, asking) ? live : undefined
        // A renewal keeps its slot whatever holds the Ticket by now; only a slot in another pool must be free.
        const pool = poolFor(id, view.facts, asking)
        const enforced: ReasonCode[] = own ? (pool === (own.pool ?? undefined) ? [] : ['pool_full']) : ENFORCED
        const { reasons } = verdictOn(id, view.facts, asking)
        const isTerminal = row?.phase === 'terminal'
        const refusals = reasons.filter(({ code, severity }) => {
          return severity === 'hold' && (enforced.includes(code) || (isTerminal && code === 'not_queued'))
        })
        return { id, row, pool, area: view.facts.area(id), refusals, live }
      })
      const held = live ? withoutToken(live) : null
      if (row?.phase === 'terminal') return { claim: held, refused: 'terminal', reasons: refusals }
      if (asking.token !== undefined && asking.token !== live?.token) return { claim: held, refused: 'stale_token' }
      if (refusals.length > 0) return { claim: held, ...refusal(refusals) }
      const { session, token } = asking
      const ttlMs = ttlOf(store, ttl)
      const lease = { ticket: id, holder: given.holder, session, token, pool, worktree, pid, area, ttlMs }
      return { claim: store.claims.acquire(lease).claim }
    })
  },
  exitStatus: claimExit,
})

function refusal(reasons: Reason[]): { refused: ClaimRefusal; reasons: Reason[] } {
  const { code } = reasons[0]!
  return { refused: code === 'claimed' ? 'held' : (code as ClaimRefusal), reasons } // one of ENFORCED
}

/** Extends a claim. */
export const renew = operation({
  name: 'renew',
  summary: 'Extend a claim',
  details: 'Refused with stale_token and exit status 3 if the claim has expired or another holder has it.',
  writes: true,
  fields: { ticket: { schema: ticketName, help: 'id or slug', positional: true }, token: tokenField, ttl: ttlField },
  output: claimed,
  examples: ['ticketplan renew T-2 --token 1781234567'],
  run(store, { ticket: name, token, ttl }): Claimed {
    const ttlMs = ttl === undefined ? undefined : ttl * 1000
    return kept(store.claims.renew(leasedTicket(store, name), token, ttlMs))
  },
  exitStatus: claimExit,
})

/** Ends a claim. */
export const release = operation({
  name: 'release',
  summary: 'End a claim',
  details:
    'Refused with stale_token and exit status 3 if the claim has expired or another holder has it. --force with a --reason is for people: it ends any claim, and the claim log keeps the reason. --state sets the state of the Ticket and ends the claim as one step; a crash leaves both, neither, or the state with a claim that expires.',
  writes: true,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    token: { ...tokenField, schema: z.optional(tokenField.schema) },
    state: {
      schema: z.optional(filledLine),
      help: 'also set the state of the Ticket: done, or queued to give it back',
      value: 'state',
      completes: 'state',
    },
    force: { schema: flag, help: 'end the claim without its token' },
    reason: { schema: z.optional(text), help: 'why; required if forced', value: 'text', stdin: true },
  },
  output: claimed,
  examples: [
    'ticketplan release T-2 --token 1781234567',
    'ticketplan release T-2 --token 1781234567 --state done',
    'ticketplan release T-2 --force --reason "the pod is gone"',
  ],
  check({ token, force, reason }, nameOf) {
    if (force && !reason) return { field: 'reason', message: `${nameOf('force')} needs a ${nameOf('reason')}` }
    if (force || token !== undefined) return undefined
    const message = `${nameOf('token')} is required; without it, a person can give ${nameOf('force')} and a ${nameOf('reason')}`
    return { field: 'token', message }
  },
  run(store, { ticket: name, token, force, reason, state }): Claimed {
    const by: ReleaseBy = force ? { force: true, reason: reason! } : { token: token! }
    if (state !== undefined) return releaseInState(store, name, by, state)
    const id = leasedTicket(store, name)
    return released(store.claims.release(id, by, seenState(store, id)), by)
  },
  exitStatus: claimExit,
})

/** Sets the state and ends the claim, as one step; a refusal changes neither. */
function releaseInState(store: Store, name: string, by: ReleaseBy, state: string): Claimed {
  return fileAndClaim(store, written => {
    const id = leasedTicket(store, name)
    const last = store.claims
      .snapshot()
      .all(false)
      .find(({ ticket }) => ticket === id)
    const isAllowed = 'force' in by ? last : last?.live && last.token === by.token
    if (!isAllowed) return released(store.claims.release(id, by), by)
    const file = store.getFile(id)
    const stamp = store.stamp()
    const change = (before: Ticket) => ({ before, ticket: inState(before, state, stamp, store.phaseOf) })
    const { before, ticket } = store.edit(file.path, change, file)
    written(file.path, now => withStateOf(before, ticket, now))
    const result = store.claims.release(id, by, { state: ticket.state, state_at: ticket.state_at ?? null })
    return { ...released(result, by), state, warnings: stateWarnings(store, state) }
  })
}

/** Returns the answer to a release; who forced one does not get the token. */
function released(result: Kept, by: ReleaseBy): Claimed {
  const answer = kept(result)
  return 'force' in by && result.claim ? { ...answer, claim: withoutToken(result.claim) } : answer
}

/** Lists the claims. */
export const claims = operation({
  name: 'claims',
  summary: 'List live and expired claims',
  details:
    'An expired claim holds nothing back and can be taken over. A claim on a Ticket that is terminal holds no slot; it is listed until it is released.',
  writes: false,
  fields: { all: { schema: flag, help: 'also list released claims' } },
  output: () =>
    z.object({
      claims: z.array(
        z.extend(claimShape(), {
          released_at: z.nullable(z.string()),
          /** Set if the Ticket is in a terminal state. */
          terminal: z.optional(z.literal(true)),
        }),
      ),
    }),
  examples: ['ticketplan claims', 'ticketplan claims --all --json'],
  run: (store, { all }) => ({
    claims: readClaims(store, (claims, isTerminal) =>
      claims.all(all).map(claim => ({
        ...hideToken(claim, store.showsTokens),
        ...(isTerminal(claim.ticket) && { terminal: true as const }),
      })),
    ),
  }),
})

function hideToken({ token, ...claim }: ListedClaim, isShown: boolean) {
  return { ...claim, ...(isShown && { token }) }
}

/**
 * Runs the action over the claims, with a function that says whether a Ticket is terminal. Claims belong to the clone: on a
 * branch without a tickets folder no Ticket is terminal.
 */
function readClaims<T>(store: Store, action: (claims: LiveClaims, isTerminal: (ticket: string) => boolean) => T): T {
  try {
    return store.read(view => action(view.claims, ticket => view.queries.ticket(ticket)?.phase === 'terminal'))
  } catch (error) {
    if (!isPlanError(error, 'not_initialized')) throw error
    const claims = store.claims.snapshot()
    if (claims.all(true).length === 0) throw error
    return action(claims, () => false)
  }
}

/** Returns the id that belongs to a name. A claim can outlive its Ticket's file. */
function leasedTicket(store: Store, name: string): string {
  const isId = store.claims
    .snapshot()
    .all(true)
    .some(({ ticket }) => ticket === name)
  return isId ? name : store.read(view => view.resolve(name).id)
}

/** Returns the state of a Ticket in this checkout; undefined where it has no readable file, or on a branch without Tickets. */
function seenState(store: Store, id: string): SeenState | undefined {
  try {
    const row = store.readFew(view => view.queries.ticket(id))
    return row && { state: row.state, state_at: row.state_at }
  } catch (error) {
    if (isPlanError(error, 'not_initialized')) return undefined
    throw error
  }
}

function kept(result: Kept): Claimed {
  if (result.status === 'kept') return { claim: result.claim }
  return { claim: result.claim && withoutToken(result.claim), refused: 'stale_token' }
}

/** Returns the time to live of a claim: the one given, else the configured one. */
export function ttlOf(store: Store, ttlSeconds: number | undefined): number {
  return (ttlSeconds ?? store.repository.config.claimTtlSeconds) * 1000
}
