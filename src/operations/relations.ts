import * as z from 'zod/mini'
import { INVERSE, isStoredRelationKind, RELATION_KINDS } from '../model/decision-kinds.ts'
import { problemsOf, relationsOf } from './answers.ts'
import { kindSchema } from './kind-schema.ts'
import { limited, moreShape, optionalLimit } from './limit.ts'
import { operation, ticketName } from './operation.ts'
import { problemShape, relationShape, statusShape } from './shapes.ts'

/** Lists relations: those of one Ticket from its side, or each once. */
export const relations = operation({
  name: 'relations',
  summary: 'List relations: those of one Ticket, or each once as stored',
  writes: false,
  fields: {
    ticket: {
      schema: z.optional(ticketName),
      help: 'id or slug; only its relations, as seen from it',
      value: 'ticket',
    },
    kind: {
      schema: z.optional(kindSchema(RELATION_KINDS, 'kind of relation')),
      help: RELATION_KINDS.join(', '),
      value: 'kind',
      completes: 'kind',
    },
    status: {
      schema: z._default(z.enum([...statusShape().options, 'all']), 'active'),
      help: 'active (default), satisfied, superseded, retracted or all',
      value: 'status',
    },
    limit: optionalLimit('relations'),
  },
  output: () => z.object({ relations: z.array(relationShape()), more: moreShape, problems: z.array(problemShape()) }),
  examples: ['ticketplan relations --ticket A-17', 'ticketplan relations --kind conflicts_with --status all --json'],
  run(store, { ticket: name, kind, status, limit }) {
    return store.read(({ queries, resolve }) => {
      const named = name === undefined ? undefined : resolve(name)
      const ticket = named?.id
      // Without a Ticket, a relation has the direction in which it is stored.
      const isStored = kind === undefined || isStoredRelationKind(kind)
      const asStored = kind === undefined || isStored ? kind : INVERSE[kind]
      const rows = queries.relations({
        ticket,
        kind: ticket === undefined ? asStored : kind,
        status: status === 'all' ? undefined : status,
      })
      const { entries, ...more } = limited(relationsOf(rows, ticket === undefined), limit)
      return { relations: entries, ...more, problems: problemsOf(queries, named?.row) }
    })
  },
})
