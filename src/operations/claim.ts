import * as z from 'zod/mini'
import type { ListedClaim, LiveClaims, ReleaseBy } from '../claims/claims.ts'
import { isPlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import { askedPoolField, askingTokenField, sessionField } from './asking.ts'
import { claimInFleet, releaseInFleet, renewInFleet } from './claim-in-fleet.ts'
import { type Claimed, claimed, findActor, judgeClaim, kept, released, seenState, wholeMs } from './claiming.ts'
import { fileAndClaim, writeState } from './file-and-claim.ts'
import { limited, moreShape, optionalLimit } from './limit.ts'
import { filledLine, flag, operation, text, ticketName } from './operation.ts'
import { checkPool } from './pools.ts'
import { claimShape } from './shapes.ts'
import { stateWarnings } from './warnings.ts'

/** Fields that `claim` and `accept` share. */
export const ttlField = {
  schema: z.optional(z.number().check(z.positive(), z.maximum(30 * 24 * 3600, 'must be at most 30 days'))),
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

const claimExit = ({ refused }: Claimed) => (refused === undefined ? 0 : 3)
const renewExit = (output: Claimed) => (output.refused === 'fleet_unreachable' ? 5 : claimExit(output))

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
  run(store, input): Claimed {
    checkPool(store, input.pool)
    return store.locked(() => {
      const judged = judgeClaim(store, input)
      return 'lease' in judged ? { claim: store.claims.acquire(judged.lease).claim } : judged
    })
  },
  runInFleet: claimInFleet,
  exitStatus: claimExit,
})

/** Extends a claim. */
export const renew = operation({
  name: 'renew',
  summary: 'Extend a claim',
  details:
    'Refused with stale_token and exit status 3 if the claim has expired or another holder has it. In a fleet: refused with fleet_unreachable and exit status 5 where the server cannot be reached and the claim may still be live; covered_until says until when.',
  writes: true,
  fields: { ticket: { schema: ticketName, help: 'id or slug', positional: true }, token: tokenField, ttl: ttlField },
  output: claimed,
  examples: ['ticketplan renew T-2 --token 1781234567'],
  run(store, { ticket: name, token, ttl }): Claimed {
    const ttlMs = ttl === undefined ? undefined : wholeMs(ttl)
    return kept(store.claims.renew(leasedTicket(store, name), token, ttlMs))
  },
  runInFleet: renewInFleet,
  exitStatus: renewExit,
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
    const by: ReleaseBy = force ? { force: true, reason: reason!, by: findActor(store) } : { token: token! }
    if (state !== undefined) return releaseInState(store, name, by, state)
    const id = leasedTicket(store, name)
    return released(store.claims.release(id, by, seenState(store, id)), by)
  },
  runInFleet: releaseInFleet,
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
    const result = store.claims.release(id, by, writeState(store, id, state, written))
    return { ...released(result, by), state, warnings: stateWarnings(store, state) }
  })
}

/** Lists the claims. */
export const claims = operation({
  name: 'claims',
  summary: 'List live and expired claims',
  details:
    'An expired claim holds nothing back and can be taken over. A claim on a Ticket that is terminal holds no slot; it is listed until it is released.',
  writes: false,
  fields: { all: { schema: flag, help: 'also list released claims' }, limit: optionalLimit('claims') },
  claims: ({ all }) => ({ withReleased: all }),
  needsClaims: true,
  output: () =>
    z.object({
      claims: z.array(
        z.extend(claimShape(), {
          released_at: z.nullable(z.string()),
          /** Set if the Ticket is in a terminal state. */
          terminal: z.optional(z.literal(true)),
        }),
      ),
      more: moreShape,
    }),
  examples: ['ticketplan claims', 'ticketplan claims --all --json'],
  run(store, { all, limit }) {
    return readClaims(store, (claims, isTerminal) => {
      const { entries, ...more } = limited(claims.all(all), limit)
      const listed = entries.map(claim => ({
        ...hideToken(claim, store.showsTokens),
        ...(isTerminal(claim.ticket) && { terminal: true as const }),
      }))
      return { claims: listed, ...more }
    })
  },
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
