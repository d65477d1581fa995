import * as z from 'zod/mini'
import { withoutToken } from '../claims/claims.ts'
import { verdictOn } from '../model/verdict.ts'
import { problemsOf, quarantinedPath, relationsOf, ticketSummary } from './answers.ts'
import { operation, ticketName } from './operation.ts'
import {
  claimWithoutTokenShape,
  decisionShape,
  problemShape,
  reasonShape,
  relationShape,
  statusShape,
  ticketDetailsShape,
  verdictShape,
} from './shapes.ts'

/** Returns all that is known of one Ticket. */
export const show = operation({
  name: 'show',
  summary: 'Show a Ticket: decisions, relations, claim and verdict',
  details: 'It lists decisions of every status, and relations from both sides.',
  writes: false,
  fields: { ticket: { schema: ticketName, help: 'id or slug', positional: true } },
  output: () =>
    z.object({
      ticket: ticketDetailsShape(),
      decisions: z.array(z.intersection(decisionShape(), z.looseObject({ status: statusShape() }))),
      relations: z.array(relationShape()),
      claim: z.nullable(claimWithoutTokenShape()),
      verdict: verdictShape(),
      reasons: z.array(reasonShape()),
      problems: z.array(problemShape()),
    }),
  examples: ['ticketplan show A-17', 'ticketplan show A-17 --json | jq \'.decisions[] | select(.status == "active")\''],
  run(store, { ticket: name }) {
    return store.readFew(view => {
      const { id, row } = view.resolve(name)
      const { queries } = view
      const live = view.claims.find(id)
      return {
        ticket: {
          ...ticketSummary(id, row),
          state_at: row?.state_at ?? null,
          created_at: row?.created_at ?? null,
          queued_at: row?.queued_at ?? null,
          queued_by: row?.queued_by ?? null,
          changed_at: row?.changed_at ?? null,
          path: row?.path ?? quarantinedPath(queries, id),
        },
        decisions: queries.decisionsOf(id).map(({ body, status }) => ({ ...JSON.parse(body), status })),
        relations: relationsOf(queries.relations({ ticket: id }), false),
        claim: live ? withoutToken(live) : null,
        ...verdictOn(id, view.facts),
        problems: problemsOf(queries, row),
      }
    })
  },
})
