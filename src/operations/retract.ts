import * as z from 'zod/mini'
import { findActive, retractDecision } from '../model/change.ts'
import { isStoredRelation } from '../model/decision.ts'
import { isRelationKind, OTHER_KINDS, RELATION_KINDS } from '../model/decision-kinds.ts'
import type { Ticket } from '../model/ticket.ts'
import type { Store } from '../store/store.ts'
import { kindSchema } from './kind-schema.ts'
import {
  decisionById,
  decisionsBySense,
  isDecisionPrefix,
  type NamedDecision,
  SHORTEST_PREFIX,
} from './named-decisions.ts'
import { operation, text, ticketName } from './operation.ts'
import { recorded } from './record.ts'
import { decisionShape } from './shapes.ts'
import { homePathWarnings } from './warnings.ts'

/** The kinds that can be retracted by what they say. */
const KINDS = [...RELATION_KINDS, ...OTHER_KINDS] as const

/** Withdraws a decision, or every decision that says a relation. */
export const retract = operation({
  name: 'retract',
  summary: 'Withdraw a decision',
  details: `Name it by its id, by the first ${SHORTEST_PREFIX} or more characters of the id, or by what it says: a Ticket, a kind and the other Ticket of a relation, from either side. Then every decision that says that relation is withdrawn; of another kind there must be exactly one. A decision stays in its file, and a retraction is added. Retracting the retraction makes the decision active again.`,
  writes: true,
  fields: {
    decision: {
      schema: ticketName,
      help: 'the id of the decision or its beginning ("show" and "log" print ids), or with a kind the Ticket',
      positional: true,
      completes: 'decision',
    },
    kind: {
      schema: z.optional(kindSchema(KINDS, 'kind of decision')),
      help: 'the kind of decision, such as hold or blocked_by',
      positional: true,
      completes: 'kind',
    },
    other: {
      schema: z.optional(ticketName),
      help: 'the other Ticket of a relation',
      positional: true,
      completes: 'ticket',
    },
    reason: { schema: z.optional(text), help: 'why', value: 'text', stdin: true },
  },
  output: () =>
    z.extend(recorded(), {
      /** Where several decisions were withdrawn: the retractions of the others. */
      others: z.optional(z.array(z.object({ created: z.boolean(), decision: decisionShape(), ticket: z.string() }))),
    }),
  examples: [
    'ticketplan retract 01JX8Z3V7Q4T9K2M5N6P7R8S9T --reason "the schema has landed"',
    'ticketplan retract B blocked_by A',
    'ticketplan retract T-3 hold --reason "the author agrees"',
  ],
  check({ decision, kind, other }, nameOf) {
    const isRelation = kind !== undefined && isRelationKind(kind)
    if (kind === undefined && !isDecisionPrefix(decision)) {
      const message = `"${decision}" is not the id of a decision, nor ${SHORTEST_PREFIX} or more characters of its beginning; or give a Ticket, a kind and the other Ticket`
      return { field: 'decision', message }
    }
    if (isRelation && other === undefined)
      return { field: 'other', message: `"${kind}" needs ${nameOf('other')}, the other Ticket` }
    if (!isRelation && other !== undefined)
      return {
        field: 'other',
        message: kind ? `"${kind}" takes no ${nameOf('other')}` : `${nameOf('other')} needs ${nameOf('kind')}`,
      }
    return undefined
  },
  run(store, { decision: given, kind, other, reason }) {
    return store.noting('retract', () => {
      const found = store.read(view =>
        kind === undefined ? [decisionById(view, given)] : decisionsBySense(view, given, kind, other),
      )
      const warnings = homePathWarnings({ reason })
      const [first, ...others] = found.map(named => retractOne(store, named, reason, found, warnings))
      return { ...first!, warnings, ...(others.length > 0 && { others }) }
    })
  },
})

function retractOne(
  store: Store,
  { id, ticket: holder }: NamedDecision,
  reason: string | undefined,
  all: readonly NamedDecision[],
  warnings: string[],
) {
  const file = store.getFile(holder)
  const stamp = store.stamp()
  const retracting = (ticket: Ticket) => retractDecision(ticket, id, reason, stamp)
  const { created, decision, ticket } = store.edit(file.path, retracting, file)
  const retracted = ticket.decisions.find(decision => decision.id === id)!
  const again = isStoredRelation(retracted) && findActive(ticket, { ...retracted, supersedes: undefined })
  if (again && !all.some(({ id }) => id === again.id))
    warnings.push(`the same relation is still active as decision ${again.id}; to end it, retract that decision too`)
  return { created, decision, ticket: ticket.id }
}
