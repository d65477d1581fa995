import * as z from 'zod/mini'
import { withoutToken } from '../claims/claims.ts'
import { type Asking, isRenewal, poolFor } from '../model/asking.ts'
import { addDecision, retractDecision, type Stamp } from '../model/change.ts'
import type { DecisionOf } from '../model/decision.ts'
import type { AcceptedPlan } from '../model/decision-kinds.ts'
import { poolName } from '../model/fields.ts'
import { lazy } from '../model/lazy.ts'
import { isRelativePath } from '../model/names.ts'
import { withoutUndefined } from '../model/objects.ts'
import type { Ticket } from '../model/ticket.ts'
import { verdictOn } from '../model/verdict.ts'
import type { Store, View } from '../store/store.ts'
import type { TicketRow } from '../ticket-index/query.ts'
import { firstAcceptable, type NoneAcceptable } from './accept-next.ts'
import { askedPoolField, askingOf, askingTokenField, sessionField } from './asking.ts'
import { holderField, ttlField, ttlOf } from './claim.ts'
import { activePlan } from './consult.ts'
import { checkActiveState, fileAndClaim, inState, withStateOf } from './file-and-claim.ts'
import { filledLine, flag, operation, text, ticketName } from './operation.ts'
import { checkPool } from './pools.ts'
import { claimShape, planDecisionShape, reasonShape } from './shapes.ts'
import { homePathWarnings } from './warnings.ts'

/** Holds that no force overrides: the claim of another holder, and a file that cannot be read. */
const NOT_FORCED = ['claimed', 'quarantined']

const worktree = filledLine.check(
  z.refine<string>(isRelativePath, 'must be relative to the repository: an absolute path names one machine'),
)

const accepted = lazy(() =>
  z.object({
    accepted: z.boolean(),
    claim: z.nullable(claimShape()),
    /** The plan as recorded; null if it was refused. */
    decision: z.nullable(planDecisionShape()),
    reasons: z.array(reasonShape()),
    /** Set if the given token is no longer that of the live claim. */
    refused: z.optional(z.literal('stale_token')),
    /** With `next`, if none can be accepted: the first queued Tickets, each with the first reasons that hold it. */
    held: z.optional(z.array(z.object({ ticket: z.string(), reasons: z.array(reasonShape()), total: z.int() }))),
    /** With `next`, if none can be accepted: how many Tickets are queued. */
    queued: z.optional(z.int()),
    warnings: z.array(z.string()),
  }),
)
type Accepted = z.infer<ReturnType<typeof accepted>>

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
  run(store, { ticket, next, ...given }): Accepted {
    const asked = planAsked(given)
    checkPool(store, asked.pool)
    checkActiveState(store, given.state)
    const { reason } = given
    const warnings = homePathWarnings({ reason, summary: asked.summary, role_plan: asked.role_plan })
    const asking = askingOf(store, { ...given, pool: asked.pool })
    const request = { ...given, asked, asking, warnings }
    if (!next) return acceptOne(store, () => ticket!, request)
    // Without the lock first: workers that poll a queue of held Tickets delay nobody.
    const choose = (view: View) => firstAcceptable(view, asking)
    const seen = store.read(choose)
    return typeof seen === 'string' ? acceptOne(store, choose, request) : noneAccepted(seen, warnings)
  },
  exitStatus: ({ accepted }) => (accepted ? 0 : 3),
})

type GivenPlan = Partial<AcceptedPlan> & { rolePlan?: string; plan?: Partial<AcceptedPlan> }

/** Returns the fields of the plan that were given, as one object or one by one. */
function planAsked({ summary, branch, worktree, rolePlan, pool, plan }: GivenPlan): Partial<AcceptedPlan> {
  return withoutUndefined({ summary, branch, worktree, role_plan: rolePlan, pool, ...plan })
}

interface Request {
  holder: string
  ttl?: number
  state?: string
  force: boolean
  reason?: string
  asked: Partial<AcceptedPlan>
  asking: Asking
  warnings: string[]
}

function noneAccepted(none: NoneAcceptable, warnings: string[]): Accepted {
  return { accepted: false, claim: null, decision: null, reasons: [], ...none, warnings }
}

/** Accepts the Ticket that is chosen under the lock, or refuses it, as one step. */
function acceptOne(store: Store, choose: (view: View) => string | NoneAcceptable, request: Request): Accepted {
  const { holder, ttl, force, asked, asking, warnings } = request
  return fileAndClaim(store, written => {
    const situation = store.read(view => {
      const chosen = choose(view)
      return typeof chosen === 'string' ? situationOf(view, chosen, asking) : chosen
    })
    if ('held' in situation) return noneAccepted(situation, warnings)
    const { id, row, claim, reasons, pool, area } = situation
    const refused = (why: object = {}) => {
      const seen = claim && withoutToken(claim)
      return { accepted: false, claim: seen, decision: null, reasons, warnings, ...why }
    }
    const holds = reasons.filter(({ severity }) => severity === 'hold').map(({ code }) => code)
    if (holds.includes('stale_token')) return refused({ refused: 'stale_token' as const })
    const isForced = force && row?.phase !== 'terminal'
    if (!row || holds.some(code => !isForced || NOT_FORCED.includes(code))) return refused()
    if (holds.length > 0) store.read(({ facts }) => store.holdGuard?.checkForce(id, facts))

    const { session, token } = asking
    const { worktree } = asked
    const ttlMs = ttlOf(store, ttl)
    const lease = store.claims.acquire({ ticket: id, holder, pool, session, token, worktree, area, ttlMs })
    const overrides = force ? [...new Set(holds)].sort() : []
    const stamp = store.stamp()
    // Not before the claim: a plan that is older than the claim was recorded under another one.
    stamp.nowMs = Math.max(stamp.nowMs, Date.parse(lease.claim.acquired_at))
    const decision = writePlan(store, { ...situation, row }, { ...request, overrides }, stamp, written)
    return { accepted: true, claim: lease.claim, decision, reasons, warnings }
  })
}

/** Writes plan and state into the Ticket's file, in one write. Returns the active plan, which may be there already. */
function writePlan(
  store: Store,
  { row, renewed }: { row: TicketRow; renewed: DecisionOf<'accepted_plan'> | null },
  { asked, overrides, reason, state }: Request & { overrides: string[] },
  stamp: Stamp,
  written: (path: string, undo: (ticket: Ticket) => Ticket) => void,
): DecisionOf<'accepted_plan'> {
  const earlier = renewed?.plan
  const isSaid = earlier && Object.entries(asked).every(([key, value]) => earlier[key as keyof AcceptedPlan] === value)
  const plan: AcceptedPlan = { ...(earlier ?? { summary: row.title }), ...asked }
  const draft = { kind: 'accepted_plan', plan, overrides, reason } as const
  const { before, ticket, decision } = store.edit(row.path, before => {
    const decided = isSaid ? { ticket: before, decision: renewed! } : addDecision(before, draft, stamp)
    return { before, decision: decided.decision, ticket: inState(decided.ticket, state, stamp, store.phaseOf) }
  })
  written(row.path, now => {
    const back = withStateOf(before, ticket, now)
    return isSaid ? back : retractDecision(back, decision.id, 'the claim could not be taken', store.stamp()).ticket
  })
  return decision as DecisionOf<'accepted_plan'>
}

/** Returns what an accept depends on. `renewed` is the plan that this holder has recorded under the live claim, or null. */
function situationOf(view: View, name: string, asking: Asking) {
  const { facts } = view
  const { id, row } = view.resolve(name)
  const { reasons } = verdictOn(id, facts, asking)
  const renewed = isRenewal(id, facts, asking) ? activePlan(view, id) : null
  return {
    id,
    row,
    claim: view.claims.find(id) ?? null,
    reasons,
    pool: poolFor(id, facts, asking),
    area: facts.area(id),
    renewed,
  }
}
