import * as z from 'zod/mini'
import { MOST_LOG_ENTRIES } from '../claims/claims.ts'
import { STORED_KINDS } from '../model/decision-kinds.ts'
import { parseDuration } from '../model/duration.ts'
import { PlanError } from '../model/errors.ts'
import { isTicketId } from '../model/names.ts'
import { isoTime, parseMoment } from '../model/text.ts'
import type { Store } from '../store/store.ts'
import { kindSchema } from './kind-schema.ts'
import { limitField } from './limit.ts'
import { filledLine, flag, operation, ticketName } from './operation.ts'
import { decisionShape, statusShape } from './shapes.ts'

/** Filters of `log`, and of what follows it. */
export const logFields = {
  tickets: {
    schema: z._default(z.array(ticketName).check(z.maxLength(1000)), []),
    help: 'ids or slugs; without any, all Tickets',
    positional: true,
    list: true,
    completes: 'ticket',
  },
  since: {
    schema: z.optional(filledLine),
    help: 'from then on: a date, a time, or how long ago, such as 2h or 3d',
    value: 'time',
  },
  by: {
    schema: z.optional(filledLine),
    help: 'only by this author; of claims, only of this holder',
    value: 'name',
  },
  kind: {
    schema: z.optional(
      kindSchema(STORED_KINDS, 'kind of stored decision') as z.ZodMiniType<(typeof STORED_KINDS)[number], string>,
    ),
    help: 'only decisions of this kind, as stored',
    value: 'kind',
    completes: 'kind',
  },
} as const

/** Lists what was decided, newest first. */
export const log = operation({
  name: 'log',
  summary: 'List decisions across Tickets, newest first',
  details:
    'Decisions of every status, each with its time, author, text and status. With --claims it lists instead who took which Ticket from whom, and who forced a release and why, without renewals; never a token.',
  writes: false,
  fields: {
    ...logFields,
    claims: { schema: flag, help: 'the history of claims in this clone, not decisions' },
    limit: limitField('at most this many entries', 50),
  },
  output: () =>
    z.object({
      decisions: z.optional(
        z.array(z.intersection(decisionShape(), z.looseObject({ ticket: z.string(), status: statusShape() }))),
      ),
      claims: z.optional(z.array(claimEntryShape)),
      /** True where there are older entries. */
      more: z.boolean(),
    }),
  claims: ({ claims, by }) => (claims ? { log: { filter: { holder: by }, limit: MOST_LOG_ENTRIES } } : undefined),
  needsClaims: true,
  examples: [
    'ticketplan log --since 2h',
    'ticketplan log T-1 T-2 --kind hold --json',
    'ticketplan log --claims --since 1d',
  ],
  check({ claims, kind }, nameOf) {
    return claims && kind !== undefined
      ? { field: 'kind', message: `${nameOf('claims')} takes no ${nameOf('kind')}` }
      : undefined
  },
  run(store, { tickets: names, since, by, kind, claims, limit }) {
    const from = sinceTime(store, since)
    if (claims) {
      const tickets = names.map(name => claimedTicket(store, name))
      const { entries, more } = firstOf(limit, most => store.claims.log({ tickets, since: from, holder: by }, most))
      return { claims: entries, more }
    }
    return store.read(({ queries, resolve }) => {
      const tickets = names.map(name => resolve(name).id)
      const { entries, more } = firstOf(limit, most => queries.decisionLog({ tickets, since: from, by, kind }, most))
      const decisions = entries.map(({ body, status, ticket_id }) => ({
        ...JSON.parse(body),
        ticket: ticket_id,
        status,
      }))
      return { decisions, more }
    })
  },
})

/** Returns the id of a Ticket, which may have no file in this checkout. @throws PlanError unknown_ticket, ambiguous_slug. */
function claimedTicket(store: Store, name: string): string {
  const isLogged = isTicketId(name) && store.claims.log({ tickets: [name] }, 1).length > 0
  return isLogged ? name : store.read(({ resolve }) => resolve(name).id)
}

const claimEntryShape = z.object({
  at: z.string(),
  action: z.enum(['acquired', 'moved', 'released', 'forced', 'taken_over']),
  ticket: z.string(),
  holder: z.string(),
  /** For `taken_over` and `moved`: who had it before. */
  previous_holder: z.nullable(z.string()),
  /** For `forced`: who ended the claim; null where that is not known. */
  by: z.nullable(z.string()),
  /** Why a release was forced. */
  reason: z.nullable(z.string()),
})

/** Returns the time that `since` means, as a timestamp. @throws PlanError invalid_input. */
export function sinceTime(store: Store, since: string | undefined): string | undefined {
  if (since === undefined) return undefined
  const seconds = parseDuration(since)
  const time = seconds === undefined ? parseMoment(since) : isoTime(Math.max(0, store.now() - seconds * 1000))
  if (time !== undefined) return time
  const message = `log: "${since}" is no time: write 2026-12-01, 2026-12-01T09:00:00Z, or how long ago, such as 90s, 30m, 2h or 3d`
  throw new PlanError('invalid_input', message, { field: 'since' })
}

function firstOf<T>(limit: number, list: (most: number) => T[]): { entries: T[]; more: boolean } {
  const entries = list(limit + 1)
  return { entries: entries.slice(0, limit), more: entries.length > limit }
}
