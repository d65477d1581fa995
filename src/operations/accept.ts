import * as z from 'zod/mini'
import { addDecision, retractDecision } from '../model/change.ts'
import type { Decision, DecisionOf } from '../model/decision.ts'
import type { AcceptedPlan } from '../model/decision-kinds.ts'
import { PlanError } from '../model/errors.ts'
import { poolName } from '../model/fields.ts'
import { isRelativePath } from '../model/names.ts'
import { withoutUndefined } from '../model/objects.ts'
import { poolFor, verdictOn } from '../model/verdict.ts'
import type { Store } from '../store/store.ts'
import { holderField, ttlField, ttlOf } from './claim.ts'
import { activePlan } from './consult.ts'
import { filledLine, flag, operation, text, ticketName } from './operation.ts'
import { checkPool } from './pools.ts'
import { claimShape, planDecisionShape, reasonShape } from './shapes.ts'
import { homePathWarnings } from './warnings.ts'

/** What no force overrides: somebody else's claim, and what cannot be known. */
const NOT_FORCED = ['claimed', 'quarantined']

const worktree = filledLine.check(
  z.refine<string>(isRelativePath, 'must be relative to the repository: an absolute path names one machine'),
)

/** Consult, claim and plan, as one step. */
export const accept = operation({
  name: 'accept',
  summary: 'Accept a queued Ticket: consult, claim and record the plan as one step',
  details:
    'Refused with the reasons of "consult" and exit status 3, or done: the claim is taken and the plan stands in the file. Of any number that try at once, exactly one succeeds. --force with a --reason overrides every hold but claimed and quarantined, and the plan says which. The holder of the live claim renews it and keeps its token.',
  writes: true,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    holder: holderField,
    summary: { schema: z.optional(text), help: "what is to be done (default: the Ticket's title)", value: 'text' },
    branch: { schema: z.optional(filledLine), help: 'the branch of the work', value: 'name' },
    worktree: { schema: z.optional(worktree), help: 'its worktree, relative to the repository', value: 'path' },
    rolePlan: { schema: z.optional(text), help: 'who does what', value: 'text' },
    pool: { schema: z.optional(poolName()), help: 'the pool whose slot is taken', value: 'name' },
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
      help: 'the same five as one object',
      sdkOnly: true,
    },
    ttl: ttlField,
    session: { schema: z.optional(filledLine), help: "the worker's session; local, never in the file", value: 'name' },
    token: { schema: z.optional(z.int().check(z.positive())), help: 'only as the holder of this claim', value: 'n' },
    force: { schema: flag, help: 'override holds' },
    reason: { schema: z.optional(text), help: 'why; needed with --force', value: 'text' },
  },
  output: () =>
    z.object({
      accepted: z.boolean(),
      claim: z.nullable(claimShape()),
      /** The plan as recorded; null where it was refused. */
      decision: z.nullable(planDecisionShape()),
      reasons: z.array(reasonShape()),
      /** stale_token, where a token was given that is no longer that of the live claim. */
      refused: z.optional(z.literal('stale_token')),
      warnings: z.array(z.string()),
    }),
  examples: [
    'ticketplan accept T-2 --holder pod-3 --summary "typed plan tool" --branch impl/t-2',
    'ticketplan accept T-2 --holder pod-3 --force --reason "the blocker is a duplicate"',
  ],
  run(store, { ticket: name, holder, ttl, session, token, force, reason, plan: given, ...flat }) {
    if (force && !reason) throw new PlanError('invalid_input', 'accept: --force needs a --reason', { field: 'reason' })
    const { rolePlan, ...rest } = flat
    const asked = withoutUndefined({ ...rest, role_plan: rolePlan, ...given })
    checkPool(store, asked.pool)
    const warnings = homePathWarnings({ reason, summary: asked.summary, role_plan: asked.role_plan })
    return acceptOnce(store, planned => {
      const { id, row, claim, standing, reasons, pool } = store.read(view => {
        const { id, row } = view.resolve(name)
        const claim = view.claims.find(id) ?? null
        const own = claim?.holder === holder ? claim.pool : null
        const pool = asked.pool ?? own ?? poolFor(id, view.facts, undefined)
        const { reasons } = verdictOn(id, view.facts, { holder, pool })
        return { id, row, claim, standing: activePlan(view, id), reasons, pool }
      })
      const refused = (why: object = {}) => ({ accepted: false, claim, decision: null, reasons, warnings, ...why })
      if (token !== undefined && token !== claim?.token) return refused({ refused: 'stale_token' as const })
      // Accepted already under this claim: what came up since does not matter. A bare claim has not asked for blockers and order.
      const isRenewal = claim?.holder === holder && standing !== null && standing.at >= claim.acquired_at
      const holds = reasons.filter(
        ({ code, severity }) => severity === 'hold' && (!isRenewal || (code === 'pool_full' && claim.pool !== pool)),
      )
      if (holds.some(({ code }) => !force || NOT_FORCED.includes(code))) return refused()
      if (!row) return refused()

      const lease = store.claims.acquire({
        ticket: id,
        holder,
        pool,
        session,
        worktree: asked.worktree,
        ttlMs: ttlOf(store, ttl),
      })
      const earlier = isRenewal ? standing.plan : undefined
      if (earlier && Object.entries(asked).every(([key, value]) => earlier[key as keyof AcceptedPlan] === value)) {
        return { accepted: true, claim: lease.claim, decision: standing, reasons, warnings }
      }
      const overrides = force ? [...new Set(holds.map(({ code }) => code))].sort() : []
      const plan: AcceptedPlan = { ...(earlier ?? { summary: row.title }), ...asked }
      const stamp = store.stamp()
      // Never before its claim, so that a plan that is older than the claim is one of another claim.
      stamp.nowMs = Math.max(stamp.nowMs, Date.parse(lease.claim.acquired_at))
      const { decision } = store.edit(row.path, ticket =>
        addDecision(ticket, { kind: 'accepted_plan', plan, overrides, reason }, stamp),
      )
      planned(row.path, decision)
      return {
        accepted: true,
        claim: lease.claim,
        decision: decision as DecisionOf<'accepted_plan'>,
        reasons,
        warnings,
      }
    })
  },
  exitStatus: ({ accepted }) => (accepted ? 0 : 3),
})

/**
 * Runs the step under the write lock. The plan is in its file before the claim is committed, so a crash in between leaves a plan
 * without a claim, which the next accept supersedes; a commit that fails is made up for by withdrawing the plan.
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
