import * as z from 'zod/mini'
import { withoutToken } from '../claims/claims.ts'
import { findTicketFile } from '../files/ticket-files.ts'
import { sourceOf } from '../importers/follow-fields.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { verdictOn } from '../model/verdict.ts'
import type { Store, View } from '../store/store.ts'
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

/** Returns what the file keeps of its source; null for a Ticket that was not imported, or that a sparse checkout leaves out. */
function sourceIn(store: Store, path: string | undefined): Record<string, unknown> | null {
  const file = path === undefined ? undefined : findTicketFile(store.repository.root, path)
  return (file?.readable && sourceOf(file.ticket)) || null
}

const shownShape = () =>
  z.object({
    ticket: ticketDetailsShape(),
    decisions: z.array(z.intersection(decisionShape(), z.looseObject({ status: statusShape() }))),
    relations: z.array(relationShape()),
    claim: z.nullable(claimWithoutTokenShape()),
    verdict: verdictShape(),
    reasons: z.array(reasonShape()),
    problems: z.array(problemShape()),
  })

const documentShape = () =>
  z.extend(shownShape(), {
    /** Where several were asked for: the Tickets after the first. */
    others: z.optional(z.array(shownShape())),
    /** Names that mean no Ticket, or more than one. */
    unknown: z.optional(
      z.array(
        z.object({
          code: z.enum(['unknown_ticket', 'ambiguous_slug']),
          name: z.string(),
          message: z.string(),
          /** The nearest names; of a slug, the Tickets that have it. */
          similar: z.array(z.string()),
        }),
      ),
    ),
  })
type Document = z.infer<ReturnType<typeof documentShape>>

/** Returns all that is known of one Ticket, or of several. */
export const show = operation({
  name: 'show',
  summary: 'Show Tickets: decisions, relations, claim and verdict',
  details:
    'It lists decisions of every status, and relations from both sides. Several Tickets are shown in the order given, each once. With --json the first one is the document, and "others" has the rest. If some of several names mean no Ticket, the other Tickets are shown, an error says which were not, and the exit status is 1.',
  writes: false,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    others: {
      schema: z.optional(z.array(ticketName).check(z.maxLength(1000))),
      help: 'more ids or slugs',
      positional: true,
      list: true,
    },
  },
  output: documentShape,
  claims: () => ({}),
  examples: [
    'ticketplan show A-17',
    'ticketplan show A-17 A-18 plan-tool',
    'ticketplan show A-17 --json | jq \'.decisions[] | select(.status == "active")\'',
  ],
  run(store, { ticket, others = [] }): Document {
    const [first, ...rest] = [...new Set([ticket, ...others])]
    return rest.length === 0 ? store.readFew(view => shown(store, view, first!)) : showSeveral(store, [first!, ...rest])
  },
  failure({ ticket, others = [], unknown = [] }) {
    const names = [ticket, ...others.map(other => other.ticket)].map(({ id }) => id)
    return unknown.length === 0 ? undefined : notShown(unknown, ` Shown: ${names.join(', ')}.`)
  },
})

function shown(store: Store, view: View, name: string) {
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
      source: sourceIn(store, row?.path),
    },
    decisions: queries.decisionsOf(id).map(({ body, status }) => ({ ...JSON.parse(body), status })),
    relations: relationsOf(queries.relations({ ticket: id }), false),
    claim: live ? withoutToken(live) : null,
    ...verdictOn(id, view.facts),
    problems: problemsOf(queries, row),
  }
}

type Shown = ReturnType<typeof shown>
type Unknown = NonNullable<Document['unknown']>[number]

/** Returns the Tickets in the order of their names, each once. @throws PlanError if no name means a Ticket. */
function showSeveral(store: Store, names: readonly string[]): Document {
  try {
    return documentOf(store.readFew(view => names.map(name => shown(store, view, name))))
  } catch (error) {
    if (!unknownOf('', error)) throw error
  }
  return store.read(view => {
    const unknown: Unknown[] = []
    const found = names.flatMap(name => {
      try {
        return [shown(store, view, name)]
      } catch (error) {
        const why = unknownOf(name, error)
        if (!why) throw error
        unknown.push(why)
        return []
      }
    })
    if (found.length === 0) throw notShown(unknown, '')
    return { ...documentOf(found), ...(unknown.length > 0 && { unknown }) }
  })
}

function documentOf(all: readonly Shown[]): Document {
  const [first, ...others] = new Map(all.map(one => [one.ticket.id, one])).values()
  return { ...first!, ...(others.length > 0 && { others }) }
}

/** Returns why a name means no one Ticket; undefined for any other error. */
function unknownOf(name: string, error: unknown): Unknown | undefined {
  if (isPlanError(error, 'unknown_ticket'))
    return { code: error.code, name, message: error.message, similar: error.data.similar }
  if (isPlanError(error, 'ambiguous_slug'))
    return { code: error.code, name, message: error.message, similar: error.data.tickets }
  return undefined
}

/** Returns the error about the first of the names, with the messages about all of them. */
function notShown([first, ...rest]: readonly Unknown[], ending: string): PlanError {
  const { code, name, similar } = first!
  const message = [first!, ...rest].map(({ message }) => (/[.?]$/.test(message) ? message : `${message}.`)).join(' ')
  return code === 'unknown_ticket'
    ? new PlanError(code, message + ending, { ticket: name, similar })
    : new PlanError(code, message + ending, { slug: name, tickets: similar })
}
