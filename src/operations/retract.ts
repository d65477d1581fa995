import * as z from 'zod/mini'
import { findActive, retractDecision } from '../model/change.ts'
import { isStoredRelation } from '../model/decision.ts'
import { PlanError } from '../model/errors.ts'
import { didYouMean, nearestNames } from '../model/nearest-names.ts'
import { operation, text } from './operation.ts'
import { decisionId, type Recorded, recorded } from './record.ts'
import { homePathWarnings } from './warnings.ts'

/** Withdraws a decision. */
export const retract = operation({
  name: 'retract',
  summary: 'Withdraw a decision',
  details:
    'The decision stays in its file, and a retraction is added. Retracting the retraction makes the decision active again.',
  writes: true,
  fields: {
    decision: {
      schema: decisionId,
      help: 'the id of the decision: "show" and "relations --json" print ids',
      positional: true,
      completes: 'decision',
    },
    reason: { schema: z.optional(text), help: 'why', value: 'text', stdin: true },
  },
  output: recorded,
  examples: ['ticketplan retract 01JX8Z3V7Q4T9K2M5N6P7R8S9T --reason "the schema has landed"'],
  run(store, { decision: id, reason }): Recorded {
    return store.locked(() => {
      const holders = store.read(({ queries }) => queries.holdersOf(id))
      if (holders.length === 0) {
        const similar = didYouMean(
          nearestNames(
            id,
            store.read(({ queries }) => queries.allDecisionIds()),
          ),
        )
        const rest = similar || '; "ticketplan show <ticket>" lists the decisions of a Ticket'
        throw new PlanError('unknown_decision', `no Ticket file has a decision ${id}${rest}`, { decision: id })
      }
      if (holders.length > 1) {
        const message = `the decision ${id} is in the files of ${holders.join(' and ')}, so it cannot be retracted; see "ticketplan verify"`
        throw new PlanError('unknown_decision', message, { decision: id })
      }
      const { path } = store.getFile(holders[0]!)
      const stamp = store.stamp()
      const { created, decision, ticket } = store.edit(path, ticket => retractDecision(ticket, id, reason, stamp))
      const warnings = homePathWarnings({ reason })
      const retracted = ticket.decisions.find(decision => decision.id === id)!
      const again = isStoredRelation(retracted) && findActive(ticket, { ...retracted, supersedes: undefined })
      if (again)
        warnings.push(`the same relation is still active as decision ${again.id}; to end it, retract that decision too`)
      return { created, decision, ticket: ticket.id, warnings }
    })
  },
})
