import * as z from 'zod/mini'
import { withoutToken } from '../claims/claims.ts'
import { type Asking, isRenewal, poolFor } from '../model/asking.ts'
import { addDecision, retractDecision } from '../model/change.ts'
import type { Decision, DecisionOf } from '../model/decision.ts'
import type { AcceptedPlan } from '../model/decision-kinds.ts'
import { poolName } from '../model/fields.ts'
import { isRelativePath } from '../model/names.ts'
import { withoutUndefined } from '../model/objects.ts'
import { verdictOn } from '../model/verdict.ts'
import type { Store, View } from '../store/store.ts'
import { askedPoolField, askingOf, askingTokenField, sessionField } from './asking.ts'
import { holderField, ttlField, ttlOf } from './claim.ts'
import { activePlan } from './consult.ts'
import { filledLine, flag, operation, text, ticketName } from './operation.ts'
import { checkPool } from './pools.ts'
import { claimShape, planDecisionShape, reasonShape } from './shapes.ts'
import { homePathWarnings } from './warnings.ts'

/** Holds that no force overrides: the claim of another holder, and a file that cannot be read. */
const NOT_FORCED = ['claimed', 'quarantined']

const worktree = filledLine.check(
  z.refine<string>(isRelativePath, 'must be relative to the repository: an absolute path names one machine'),
)

/** Consults, takes the claim and records the plan, as one step. */
export const accept = operation({
  name: 'accept',
  summary: 'Accept a queued Ticket: verdict, claim and plan in one step',
  details:
    'Either takes the claim and records the plan, or refuses with the reasons of "consult" and exit status 3. Of several processes that accept a Ticket at once, exactly one succeeds. --force with a --reason overrides every hold except claimed and quarantined; the plan lists the holds that it overrode. An accept by the holder of the live claim renews it and returns the same token.',
  writes: true,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
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
    force: { schema: flag, help: 'override holds' },
    reason: { schema: z.optional(text), help: 'why; required if forced', value: 'text' },
  },
  output: () =>
    z.object({
      accepted: z.boolean(),
      claim: z.nullable(claimShape()),
      /** The plan as recorded; null if it was refused. */
      decision: z.nullable(planDecisionShape()),
      reasons: z.array(reasonShape()),
      /** Set if the given token is no longer that of the live claim. */
      refused: z.optional(z.literal('stale_token')),
      warnings: z.array(z.string()),
    }),
  examples: [
    'ticketplan accept T-2 --holder pod-3 --summary "plan tool" --branch impl/t-2',
    'ticketplan accept T-2 --holder pod-3 --force --reason "A-17 is a duplicate"',
  ],
  check({ force, reason }, nameOf) {
    if (!force || reason) return undefined
    return { field: 'reason', message: `${nameOf('force')} needs a ${nameOf('reason')}` }
  },
  run(store, { ticket, holder, ttl, session, token, force, reason, plan: given, ...flat }) {
    const { rolePlan, ...rest } = flat
    const asked = withoutUndefined({ ...rest, role_plan: rolePlan, ...given })
    checkPool(store, asked.pool)
    const warnings = homePathWarnings({ reason, summary: asked.summary, role_plan: asked.role_plan })
    const asking = askingOf(store, { holder, session, token, pool: asked.pool })
    return acceptOnce(store, planned => {
      const { id, row, claim, reasons, pool, area, renewed } = store.read(view => situationOf(view, ticket, asking))
      const refused = (why: object = {}) => {
        const seen = claim && withoutToken(claim)
        return { accepted: false, claim: seen, decision: null, reasons, warnings, ...why }
      }
      const holds = reasons.filter(({ severity }) => severity === 'hold').map(({ code }) => code)
      if (holds.includes('stale_token')) return refused({ refused: 'stale_token' as const })
      const isForced = force && row?.phase !== 'terminal'
      if (!row || holds.some(code => !isForced || NOT_FORCED.includes(code))) return refused()
      if (holds.length > 0) store.read(({ facts }) => store.holdGuard?.checkForce(id, facts))

      const { worktree } = asked
      const lease = store.claims.acquire({
        ticket: id,
        holder,
        pool,
        session: asking.session,
        token,
        worktree,
        ttlMs: ttlOf(store, ttl),
        area,
      })
      const accepted = (decision: DecisionOf<'accepted_plan'>) => {
        return { accepted: true, claim: lease.claim, decision, reasons, warnings }
      }
      const earlier = renewed?.plan
      if (earlier && Object.entries(asked).every(([key, value]) => earlier[key as keyof AcceptedPlan] === value))
        return accepted(renewed)
      const overrides = force ? [...new Set(holds)].sort() : []
      const plan: AcceptedPlan = { ...(earlier ?? { summary: row.title }), ...asked }
      const stamp = store.stamp()
      // Not before the claim: a plan that is older than the claim was recorded under another one.
      stamp.nowMs = Math.max(stamp.nowMs, Date.parse(lease.claim.acquired_at))
      const draft = { kind: 'accepted_plan', plan, overrides, reason } as const
      const { decision } = store.edit(row.path, ticket => addDecision(ticket, draft, stamp))
      planned(row.path, decision)
      return accepted(decision as DecisionOf<'accepted_plan'>)
    })
  },
  exitStatus: ({ accepted }) => (accepted ? 0 : 3),
})

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

/**
 * Runs the step under the write lock. The plan is written to its file before the claim is committed, so a crash in between
 * leaves a plan without a claim, which the next accept supersedes. If the commit fails, the plan is retracted.
 */
function acceptOnce<T>(store: Store, step: (planned: (path: string, decision: Decision) => void) => T): T {
  let written: { path: string; decision: Decision } | undefined
  try {
    return store.locked(() =>
      step((path, decision) => {
        written = { path, decision }
      }),
    )
  } catch (error) {
    if (written) {
      const { path, decision } = written
      const reason = 'the claim could not be taken'
      store.locked(() => store.edit(path, ticket => retractDecision(ticket, decision.id, reason, store.stamp())))
    }
    throw error
  }
}
