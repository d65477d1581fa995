import { existsSync } from 'node:fs'
import * as z from 'zod/mini'
import type { Asking } from '../model/asking.ts'
import type { AcceptedPlan } from '../model/decision-kinds.ts'
import { poolName } from '../model/fields.ts'
import { isRelativePath } from '../model/names.ts'
import { withoutUndefined } from '../model/objects.ts'
import type { Store } from '../store/store.ts'
import { acceptInFleet } from './accept-in-fleet.ts'
import { firstAcceptable } from './accept-next.ts'
import {
  type Accepted,
  type AcceptRequest,
  accepted,
  type Choice,
  judge,
  leaseFor,
  noneAccepted,
  writePlan,
} from './acceptance.ts'
import { askedPoolField, askingOf, askingTokenField, sessionField } from './asking.ts'
import { holderField, ttlField } from './claim.ts'
import { checkActiveState, fileAndClaim } from './file-and-claim.ts'
import { filledLine, flag, operation, text, ticketName } from './operation.ts'
import { checkPool } from './pools.ts'
import { homePathWarnings } from './warnings.ts'

const worktree = filledLine.check(
  z.refine<string>(isRelativePath, 'must be relative to the repository: an absolute path names one machine'),
)

/** Consults, takes the claim and records the plan, as one step. */
export const accept = operation({
  name: 'accept',
  summary: 'Accept a queued Ticket: verdict, claim and plan in one step',
  details:
    'Either takes the claim and records the plan, or refuses with the reasons of "consult" and exit status 3. Of several processes that accept a Ticket at once, exactly one succeeds. --force with a --reason overrides every hold except claimed and quarantined; the plan lists the holds that it overrode. An accept by the holder of the live claim renews it and returns the same token.\n\n--next takes the first Ticket of the queue that can be accepted and that nobody holds, also not this holder; where there is none, it is refused with the first of the queue and why each is held. --state sets the state in the same write as the plan; a crash leaves plan and state, neither, or both without the claim.',
  writes: true,
  fields: {
    ticket: { schema: z.optional(ticketName), help: 'id or slug; not with --next', positional: true },
    next: { schema: flag, help: 'the first Ticket of the queue that can be accepted' },
    holder: holderField,
    summary: { schema: z.optional(text), help: "what is to be done (default: the Ticket's title)", value: 'text' },
    branch: { schema: z.optional(filledLine), help: "the worker's branch", value: 'name' },
    worktree: {
      schema: z.optional(worktree),
      help: "the worker's worktree, relative to the repository",
      value: 'path',
      completes: 'folder',
    },
    rolePlan: { schema: z.optional(text), help: 'who does what', value: 'text' },
    pool: askedPoolField,
    plan: {
      schema: z.optional(
        z.strictObject({
          summary: z.optional(text),
          branch: z.optional(filledLine),
          worktree: z.optional(worktree),
          role_plan: z.optional(text),
          pool: z.optional(poolName()),
        }),
      ),
      help: 'summary, branch, worktree, role_plan and pool as one object',
      sdkOnly: true,
    },
    ttl: ttlField,
    session: sessionField,
    token: askingTokenField,
    state: {
      schema: z.optional(filledLine),
      help: 'also set the state of the Ticket, to an active one such as in_progress',
      value: 'state',
      completes: 'state',
    },
    force: { schema: flag, help: 'override holds' },
    reason: { schema: z.optional(text), help: 'why; required if forced', value: 'text', stdin: true },
  },
  output: accepted,
  examples: [
    'ticketplan accept T-2 --holder pod-3 --summary "plan tool" --branch impl/t-2',
    'ticketplan accept --next --holder pod-3 --state in_progress --ttl 30m',
    'ticketplan accept T-2 --holder pod-3 --force --reason "A-17 is a duplicate"',
  ],
  check({ ticket, next, token, force, reason }, nameOf) {
    const rules: [broken: boolean, field: string, message: string][] = [
      [ticket === undefined && !next, 'ticket', `${nameOf('ticket')} is required, or ${nameOf('next')}`],
      [ticket !== undefined && next, 'next', `${nameOf('next')} chooses the Ticket; leave ${nameOf('ticket')} out`],
      [next && force, 'force', `${nameOf('next')} takes no ${nameOf('force')}: name the Ticket to force`],
      [
        next && token !== undefined,
        'token',
        `${nameOf('next')} takes no ${nameOf('token')}: a token belongs to one Ticket`,
      ],
      [force && !reason, 'reason', `${nameOf('force')} needs a ${nameOf('reason')}`],
    ]
    const [, field, message] = rules.find(([broken]) => broken) ?? []
    return field && message ? { field, message } : undefined
  },
  run(store, input): Accepted {
    const request = requestOf(store, input)
    const choose = choiceOf(input, request)
    if (!input.next) return acceptOne(store, choose, request, store.readFew)
    if (seemsToHaveOne(store, choose)) return acceptOne(store, choose, request)
    // Without the lock first: workers that poll a queue of held Tickets delay nobody.
    const seen = store.read(choose)
    return typeof seen === 'string' ? acceptOne(store, choose, request) : noneAccepted(seen, request.warnings)
  },
  async runInFleet(store, fleet, input) {
    const request = requestOf(store, input)
    return acceptInFleet(store, fleet, choiceOf(input, request), request)
  },
  exitStatus: ({ accepted }) => (accepted ? 0 : 3),
})

interface AcceptInput extends Omit<AcceptRequest, 'asked' | 'asking' | 'warnings'>, Asking, GivenPlan {
  holder: string
  pool?: string
  ticket?: string
  next: boolean
}

/** True where a Ticket can be chosen by the rows as they are. A hint: it costs no scan, and the choice is made again under the lock. */
function seemsToHaveOne(store: Store, choose: Choice): boolean {
  return existsSync(store.index.path) && typeof store.peek(choose) === 'string'
}

/** Returns the request of an input. @throws PlanError unknown_pool, invalid_input. */
function requestOf(store: Store, given: AcceptInput): AcceptRequest {
  const asked = planAsked(given)
  checkPool(store, asked.pool)
  checkActiveState(store, given.state)
  const { holder, ttl, state, force, reason } = given
  const warnings = homePathWarnings({ reason, summary: asked.summary, role_plan: asked.role_plan })
  const asking = askingOf(store, { ...given, pool: asked.pool })
  return { holder, ttl, state, force, reason, asked, asking, warnings }
}

/** Returns the choice of an input: the Ticket that it names, or the first of the queue that can be accepted. */
function choiceOf({ ticket, next }: AcceptInput, { asking }: AcceptRequest): Choice {
  return next ? view => firstAcceptable(view, asking) : () => ticket!
}

type GivenPlan = Partial<AcceptedPlan> & { rolePlan?: string; plan?: Partial<AcceptedPlan> }

/** Returns the fields of the plan that were given, as one object or one by one. */
function planAsked({ summary, branch, worktree, rolePlan, pool, plan }: GivenPlan): Partial<AcceptedPlan> {
  return withoutUndefined({ summary, branch, worktree, role_plan: rolePlan, pool, ...plan })
}

/** Accepts the Ticket that is chosen under the lock, or refuses it, as one step. */
function acceptOne(store: Store, choose: Choice, request: AcceptRequest, read = store.read): Accepted {
  return fileAndClaim(store, written => {
    const situation = judge(store, choose, request, read)
    if ('accepted' in situation) return situation
    const { claim } = store.claims.acquire(leaseFor(store, situation, request))
    const stamp = store.stamp()
    // Not before the claim: a plan that is older than the claim was recorded under another one.
    stamp.nowMs = Math.max(stamp.nowMs, Date.parse(claim.acquired_at))
    const decision = writePlan(store, situation, request, stamp, written)
    return { accepted: true, claim, decision, reasons: situation.reasons, warnings: request.warnings }
  })
}
