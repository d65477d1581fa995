import * as z from 'zod/mini'
import type { Kept } from '../claims/claims.ts'
import { poolFor } from '../model/asking.ts'
import { poolName } from '../model/fields.ts'
import { lazy } from '../model/lazy.ts'
import type { Reason, ReasonCode } from '../model/reasons.ts'
import { verdictOn } from '../model/verdict.ts'
import type { Store } from '../store/store.ts'
import { filledLine, flag, operation, text, ticketName } from './operation.ts'
import { checkPool } from './pools.ts'
import { type ClaimRefusal, claimRefusalShape, claimShape, reasonShape } from './shapes.ts'

/** Fields that `claim` and `accept` share. */
export const ttlField = {
  schema: z.optional(z.number().check(z.positive(), z.maximum(30 * 24 * 3600))),
  help: 'seconds until the claim expires unless renewed (default: claimTtlSeconds in ticketplan.json, else 1800)',
  value: 'seconds',
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
  }),
)
type Claimed = z.infer<ReturnType<typeof claimed>>
const claimExit = ({ refused }: Claimed) => (refused === undefined ? 0 : 3)

/** The holds that a claim without a plan enforces; `accept` enforces all of them. */
const ENFORCED: ReasonCode[] = ['quarantined', 'claimed', 'conflicts_with', 'pool_full']

/** Takes a claim without a plan. */
export const claim = operation({
  name: 'claim',
  summary: 'Claim a Ticket without a plan',
  details:
    'Enforces one live holder for each Ticket, strict conflicts, and the slots of pools. It does not check blockers and order: "accept" does. A claim by the holder of the live claim renews it and returns the same token. Exit status 3 if refused.',
  writes: true,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    holder: holderField,
    pool: { schema: z.optional(poolName()), help: 'the pool to take a slot of', value: 'name' },
    ttl: ttlField,
    session: {
      schema: z.optional(filledLine),
      help: "the worker's session; kept locally, like all of a claim",
      value: 'name',
    },
    worktree: { schema: z.optional(filledLine), help: "the worker's worktree", value: 'path' },
    pid: { schema: z.optional(z.int().check(z.positive())), help: "the worker's process id", value: 'n' },
  },
  output: claimed,
  examples: ['ticketplan claim T-2 --holder pod-3 --ttl 600'],
  run(store, { ticket: name, pool: asked, ttl, ...who }): Claimed {
    checkPool(store, asked)
    return store.locked(() => {
      const { id, pool, refusals, live } = store.read(view => {
        const { id } = view.resolve(name)
        const live = view.claims.find(id)
        const own = live?.holder === who.holder ? live : undefined
        // A renewal keeps its slot whatever holds the Ticket by now; only a slot in another pool must be free.
        const pool = asked ?? own?.pool ?? poolFor(id, view.facts, { holder: who.holder, pool: asked })
        const enforced: ReasonCode[] = own ? (pool === own.pool ? [] : ['pool_full']) : ENFORCED
        const { reasons } = verdictOn(id, view.facts, { holder: who.holder, pool })
        const refusals = reasons.filter(({ code, severity }) => severity === 'hold' && enforced.includes(code))
        return { id, pool, refusals, live }
      })
      if (refusals.length > 0) return { claim: live ?? null, ...refusal(refusals) }
      return { claim: store.claims.acquire({ ticket: id, pool, ttlMs: ttlOf(store, ttl), ...who }).claim }
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
    return store.locked(() => {
      const id = leasedTicket(store, name)
      const ttlMs = ttl === undefined ? undefined : ttl * 1000
      return kept(store.claims.renew(id, token, ttlMs))
    })
  },
  exitStatus: claimExit,
})

/** Ends a claim. */
export const release = operation({
  name: 'release',
  summary: 'End a claim',
  details:
    'Refused with stale_token and exit status 3 if the claim has expired or another holder has it. --force with a --reason is for people: it ends any claim, and the claim log keeps the reason.',
  writes: true,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    token: { ...tokenField, schema: z.optional(tokenField.schema) },
    force: { schema: flag, help: 'end the claim without its token' },
    reason: { schema: z.optional(text), help: 'why; required if forced', value: 'text' },
  },
  output: claimed,
  examples: ['ticketplan release T-2 --token 1781234567', 'ticketplan release T-2 --force --reason "the pod is gone"'],
  check({ token, force, reason }, nameOf) {
    if (force && !reason) return { field: 'reason', message: `${nameOf('force')} needs a ${nameOf('reason')}` }
    if (force || token !== undefined) return undefined
    const message = `${nameOf('token')} is required; without it, a person can give ${nameOf('force')} and a ${nameOf('reason')}`
    return { field: 'token', message }
  },
  run(store, { ticket: name, token, force, reason }): Claimed {
    return store.locked(() => {
      const id = leasedTicket(store, name)
      const by = force ? ({ force: true, reason: reason! } as const) : { token: token! }
      return kept(store.claims.release(id, by))
    })
  },
  exitStatus: claimExit,
})

/** Lists the claims. */
export const claims = operation({
  name: 'claims',
  summary: 'List live and expired claims',
  details: 'An expired claim holds nothing back and can be taken over.',
  writes: false,
  fields: { all: { schema: flag, help: 'also list released claims' } },
  output: () => z.object({ claims: z.array(z.extend(claimShape(), { released_at: z.nullable(z.string()) })) }),
  examples: ['ticketplan claims', 'ticketplan claims --all --json'],
  run: (store, { all }) => store.read(view => ({ claims: view.claims.all(all) })),
})

/** Returns the id that a name stands for. A claim can outlive its Ticket's file. */
function leasedTicket(store: Store, name: string): string {
  return store.read(view =>
    view.claims.all(true).some(({ ticket }) => ticket === name) ? name : view.resolve(name).id,
  )
}

function kept(result: Kept): Claimed {
  return result.status === 'kept' ? { claim: result.claim } : { claim: result.claim, refused: 'stale_token' }
}

/** Returns the time to live of a claim: the one given, else the configured one. */
export function ttlOf(store: Store, ttlSeconds: number | undefined): number {
  return (ttlSeconds ?? store.repository.config.claimTtlSeconds) * 1000
}
