import * as z from 'zod/mini'
import type { Kept } from '../claims/claims.ts'
import { PlanError } from '../model/errors.ts'
import { poolName } from '../model/fields.ts'
import { lazy } from '../model/lazy.ts'
import type { Reason, ReasonCode } from '../model/reasons.ts'
import { poolFor, verdictOn } from '../model/verdict.ts'
import type { Store } from '../store/store.ts'
import { filledLine, flag, operation, text, ticketName } from './operation.ts'
import { checkPool } from './pools.ts'
import { type ClaimRefusal, claimRefusalShape, claimShape, reasonShape } from './shapes.ts'

export const ttlField = {
  schema: z.optional(z.number().check(z.positive(), z.maximum(30 * 24 * 3600))),
  help: 'seconds until it expires unless renewed (default: claimTtlSeconds of ticketplan.json, 1800)',
  value: 'seconds',
} as const
export const holderField = { schema: filledLine, help: 'who claims: the name of a worker', value: 'name' } as const
const tokenField = {
  schema: z.int().check(z.positive()),
  help: 'the token that the claim was given',
  value: 'n',
} as const

const claimed = lazy(() =>
  z.object({
    claim: z.nullable(claimShape()),
    refused: z.optional(claimRefusalShape()),
    reasons: z.optional(z.array(reasonShape())),
  }),
)
type Claimed = z.infer<ReturnType<typeof claimed>>
const claimExit = ({ refused }: Claimed) => (refused === undefined ? 0 : 3)

/** What a bare claim enforces; the rest of a verdict is for `accept`. */
const ENFORCED: ReasonCode[] = ['quarantined', 'claimed', 'conflicts_with', 'pool_full']

/** A lease, without a plan. */
export const claim = operation({
  name: 'claim',
  summary: 'Take a lease on a Ticket, without a plan',
  details:
    'One live holder a Ticket, strict conflicts and pools are enforced; blockers and order are not: "accept" does all of it. The holder of the live claim renews it and keeps its token. Exit status 3 where it is refused.',
  writes: true,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    holder: holderField,
    pool: { schema: z.optional(poolName()), help: 'the pool whose slot it takes', value: 'name' },
    ttl: ttlField,
    session: {
      schema: z.optional(filledLine),
      help: "the worker's session; local, like all of a claim",
      value: 'name',
    },
    worktree: { schema: z.optional(filledLine), help: "the worker's worktree", value: 'path' },
    pid: { schema: z.optional(z.int().check(z.positive())), help: "the worker's process", value: 'n' },
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
        // A renewal keeps its slot, and what came up since; only a slot in another pool has to be free.
        const pool = asked ?? own?.pool ?? poolFor(id, view.facts, asked)
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

/** More time on a lease. */
export const renew = operation({
  name: 'renew',
  summary: 'Extend a claim',
  details: 'Refused with stale_token and exit status 3 where the claim has expired or belongs to somebody else by now.',
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

/** The end of a lease. */
export const release = operation({
  name: 'release',
  summary: 'End a claim',
  details:
    'Refused with stale_token and exit status 3 where the claim has expired or belongs to somebody else by now. --force with a --reason is for people: it ends whatever claim there is, and the log keeps the reason.',
  writes: true,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    token: { ...tokenField, schema: z.optional(tokenField.schema) },
    force: { schema: flag, help: 'end it without its token' },
    reason: { schema: z.optional(text), help: 'why it is forced', value: 'text' },
  },
  output: claimed,
  examples: ['ticketplan release T-2 --token 1781234567', 'ticketplan release T-2 --force --reason "the pod is gone"'],
  run(store, { ticket: name, token, force, reason }): Claimed {
    if (force ? !reason : token === undefined) {
      const message = force
        ? 'release: --force needs a --reason'
        : 'release: the token is missing (people may use --force --reason)'
      throw new PlanError('invalid_input', message, { field: force ? 'reason' : 'token' })
    }
    return store.locked(() => {
      const id = leasedTicket(store, name)
      const by = force ? ({ force: true, reason: reason! } as const) : { token: token! }
      return kept(store.claims.release(id, by))
    })
  },
  exitStatus: claimExit,
})

/** The leases. */
export const claims = operation({
  name: 'claims',
  summary: 'List live and expired claims',
  details: 'An expired claim holds nothing back and can be taken over.',
  writes: false,
  fields: { all: { schema: flag, help: 'released ones too' } },
  output: () => z.object({ claims: z.array(z.extend(claimShape(), { released_at: z.nullable(z.string()) })) }),
  examples: ['ticketplan claims', 'ticketplan claims --all --json'],
  run: (store, { all }) => store.read(view => ({ claims: view.claims.all(all) })),
})

/** The id that a name stands for; a lease outlives its Ticket's file. */
function leasedTicket(store: Store, name: string): string {
  return store.read(view =>
    view.claims.all(true).some(({ ticket }) => ticket === name) ? name : view.resolve(name).id,
  )
}

function kept(result: Kept): Claimed {
  return result.status === 'kept' ? { claim: result.claim } : { claim: result.claim, refused: 'stale_token' }
}

export function ttlOf(store: Store, ttlSeconds: number | undefined): number {
  return (ttlSeconds ?? store.repository.config.claimTtlSeconds) * 1000
}
