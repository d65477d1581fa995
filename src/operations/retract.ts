import * as z from 'zod/mini'
import { findActive, retractDecision } from '../model/change.ts'
import { isStoredRelation } from '../model/decision.ts'
import { PlanError } from '../model/errors.ts'
import { operation, text } from './operation.ts'
import { decisionId, type Recorded, recorded } from './record.ts'
import { homePathWarnings } from './warnings.ts'

/** The withdrawal of a decision. */
export const retract = operation({
  name: 'retract',
  summary: 'Withdraw a decision',
  details:
    'The decision stays in the file, with a retraction beside it. Retracting a retraction brings the decision back.',
  writes: true,
  fields: {
    decision: {
      schema: decisionId,
      help: 'the id of the decision, as "show" and "relations" print it',
      positional: true,
    },
    reason: { schema: z.optional(text), help: 'why', value: 'text' },
  },
  output: recorded,
  examples: ['ticketplan retract 01JX8Z3V7Q4T9K2M5N6P7R8S9T --reason "the schema has landed"'],
  run(store, { decision: id, reason }): Recorded {
    return store.locked(() => {
      const holders = store.read(({ queries }) => queries.holdersOf(id))
      if (holders.length === 0) {
        throw new PlanError(
          'unknown_decision',
          `no Ticket file holds a decision ${id}; "ticketplan show <ticket>" lists a Ticket's`,
          { decision: id },
        )
      }
      if (holders.length > 1) {
        const message = `the decision ${id} stands in the files of ${holders.join(' and ')}: "ticketplan verify" says more`
        throw new PlanError('unknown_decision', message, { decision: id })
      }
      const { path } = store.getFile(holders[0]!)
      const stamp = store.stamp()
      const { created, decision, ticket } = store.edit(path, ticket => retractDecision(ticket, id, reason, stamp))
      const warnings = homePathWarnings({ reason })
      const withdrawn = ticket.decisions.find(decision => decision.id === id)!
      const again = isStoredRelation(withdrawn) && findActive(ticket, { ...withdrawn, supersedes: undefined })
      if (again)
        warnings.push(`the same relation still stands as decision ${again.id}: retract that too if it should end`)
      return { created, decision, ticket: ticket.id, warnings }
    })
  },
})
