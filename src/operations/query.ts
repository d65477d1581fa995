import * as z from 'zod/mini'
import type { Decision } from '../model/decision.ts'
import { OTHER_KINDS, RELATION_KINDS, type RelationKind } from '../model/decision-kinds.ts'
import { operation, ticketName } from './operation.ts'
import { relations } from './relations.ts'
import { decisionShape, problemShape, relationShape, statusShape } from './shapes.ts'

/** Lists relations and all other decisions. For MCP: one tool instead of two, since a model reads the list of tools. */
export const query = operation({
  name: 'query',
  summary: 'List relations and other decisions by Ticket, kind and status',
  writes: false,
  fields: {
    ticket: {
      schema: z.optional(ticketName),
      help: 'id or slug: its decisions, and relations as seen from it',
    },
    kind: { schema: z.optional(z.enum([...RELATION_KINDS, ...OTHER_KINDS])), help: 'only this kind' },
    status: { schema: z._default(z.enum([...statusShape().options, 'all']), 'active'), help: 'status of the decision' },
    limit: {
      schema: z._default(z.int().check(z.minimum(1), z.maximum(500)), 50),
      help: 'entries per list',
    },
  },
  output: () =>
    z.object({
      relations: z.array(relationShape()),
      /** Newest first. */
      decisions: z.array(z.intersection(decisionShape(), z.looseObject({ ticket: z.string(), status: statusShape() }))),
      /** How many there are without the limit. */
      total: z.object({ relations: z.int(), decisions: z.int() }),
      problems: z.array(problemShape()),
    }),
  examples: [],
  run(store, { ticket: name, kind, status, limit }) {
    const others = kind === undefined ? OTHER_KINDS : OTHER_KINDS.filter(other => other === kind)
    const wantsRelations = kind === undefined || others.length === 0
    const found = relations.run(store, {
      ticket: name,
      kind: wantsRelations ? (kind as RelationKind) : undefined,
      status,
    })
    return store.read(({ queries, resolve }) => {
      const ticket = name === undefined ? undefined : resolve(name).id
      const filter = { ticket, kinds: others, status: status === 'all' ? undefined : status }
      const { rows, count } = others.length ? queries.decisionsOfKinds(filter, limit) : { rows: [], count: 0 }
      return {
        relations: wantsRelations ? found.relations.slice(0, limit) : [],
        decisions: rows.map(({ body, ticket_id, status }) => ({
          ...(JSON.parse(body) as Decision),
          ticket: ticket_id,
          status,
        })),
        total: { relations: wantsRelations ? found.relations.length : 0, decisions: count },
        problems: found.problems,
      }
    })
  },
})
