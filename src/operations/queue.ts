import * as z from 'zod/mini'
import { verdictOn } from '../model/verdict.ts'
import { MANY_TICKETS } from '../model/wait-graph.ts'
import { problemsOf, ticketSummary } from './answers.ts'
import { limited, moreShape, optionalLimit } from './limit.ts'
import { operation } from './operation.ts'
import { problemShape, reasonShape, ticketShape, verdictShape } from './shapes.ts'

/** Lists the queued Tickets, each with its verdict. */
export const queue = operation({
  name: 'queue',
  summary: 'List the queued Tickets, each with its verdict',
  details: 'Tickets are listed in the order in which they were queued.',
  writes: false,
  fields: { limit: optionalLimit('Tickets') },
  output: () =>
    z.object({
      queue: z.array(
        z.object({
          ticket: z.extend(ticketShape(), { queued_at: z.nullable(z.string()), queued_by: z.nullable(z.string()) }),
          verdict: verdictShape(),
          reasons: z.array(reasonShape()),
        }),
      ),
      more: moreShape,
      problems: z.array(problemShape()),
    }),
  claims: () => ({}),
  examples: ['ticketplan queue', 'ticketplan queue --json | jq \'.queue[] | select(.verdict == "accept")\''],
  run(store, { limit }) {
    return store.read(({ queries, facts }) => {
      const { entries, ...more } = limited(queries.queued(limit === undefined ? undefined : limit + 1), limit)
      const judged = entries.map(row => ({
        ticket: { ...ticketSummary(row.id, row), queued_at: row.queued_at, queued_by: row.queued_by },
        ...verdictOn(row.id, facts, {}, MANY_TICKETS),
      }))
      return { queue: judged, ...more, problems: problemsOf(queries) }
    })
  },
})
