import * as z from 'zod/mini'
import { setFields, type TicketFields } from '../model/change.ts'
import type { Ticket } from '../model/ticket.ts'
import type { Store } from '../store/store.ts'
import { checkSlug, slugField } from './add.ts'
import { ticketSummary } from './answers.ts'
import { decisionBatch } from './decision-batch.ts'
import { filledLine, line, oneOrMore, operation, ticketName } from './operation.ts'
import { type TicketSummary, ticketShape } from './shapes.ts'
import { stateWarnings } from './warnings.ts'

const fieldsToSet = {
  title: { schema: z.optional(filledLine), help: 'the title, one line', value: 'text' },
  slug: { schema: slugField, help: 'a second, readable name; "" removes it', value: 'slug' },
  state: {
    schema: z.optional(filledLine),
    help: 'the state in the Ticket system',
    value: 'state',
    completes: 'state',
  },
  queuedBy: { schema: z.optional(line), help: 'who queued it; "" removes it', value: 'who' },
  requeue: { schema: z.optional(z.boolean()), help: 'queue it again, at the end of the queue' },
} as const

/** How many Tickets one command changes. */
const MAX_TICKETS = 1000

/** Changes fields of a Ticket. */
export const set = operation({
  name: 'set',
  summary: "Change a Ticket's title, slug, state or queued-by",
  details:
    'A new state sets state_at. The first queued state sets queued_at, which is kept from then on, so that a correction does not cost the place in the queue; a requeued Ticket goes to the end. An empty slug or queued-by removes the field. Of several Tickets all are checked before anything is written, and each file is written once.',
  writes: true,
  fields: {
    ticket: {
      schema: oneOrMore(ticketName, MAX_TICKETS),
      help: 'id or slug; several with --state',
      positional: true,
      list: true,
    },
    ...fieldsToSet,
  },
  output: () =>
    z.object({
      changed: z.boolean(),
      ticket: ticketShape(),
      warnings: z.array(z.string()),
      /** Of several: all of them, of which the first is repeated above; `changed` is then true if any has changed. */
      tickets: z.optional(z.array(z.object({ changed: z.boolean(), ticket: ticketShape() }))),
    }),
  examples: [
    'ticketplan set A-17 --state in_progress',
    'ticketplan set A-17 A-18 A-19 --state done',
    'ticketplan set A-17 --state queued --requeue',
    'ticketplan set plan-tool --title "Plan tool, typed" --slug typed-plan-tool',
  ],
  check({ ticket, ...fields }, nameOf) {
    const own = (['title', 'slug'] as const).find(name => fields[name] !== undefined)
    if (ticket.length > 1 && own)
      return { field: own, message: `${nameOf(own)} is for one Ticket; ${ticket.length} are named` }
    if (Object.values(fields).some(value => value !== undefined)) return undefined
    const names = Object.keys(fieldsToSet).map(nameOf).join(', ')
    return { field: 'title', message: `nothing to change; give at least one of ${names}` }
  },
  run(store, { ticket: names, ...fields }) {
    return store.noting('set', () => {
      const warnings = stateWarnings(store, fields.state)
      const batch = names.length > 1 ? decisionBatch(store) : undefined
      const ids = [...new Set(names.map(name => (batch?.store ?? store).getFile(name).ticket.id))]
      const changes = ids.map(id => setOne(batch?.store ?? store, id, fields))
      for (const problem of batch?.problems().values() ?? []) if (problem) throw problem
      batch?.write()
      const tickets = ids.map((id, position) => ({ changed: changes[position]!, ticket: summaryOf(store, id) }))
      const changed = changes.includes(true)
      return { changed, ticket: tickets[0]!.ticket, warnings, ...(names.length > 1 && { tickets }) }
    })
  },
})

/** Changes one Ticket; returns false where it has those fields already. */
function setOne(store: Store, id: string, fields: TicketFields): boolean {
  const file = store.getFile(id)
  if (fields.slug) store.read(view => checkSlug(view, fields.slug, id))
  const stamp = store.stamp()
  let changed = false
  const setting = (ticket: Ticket) => {
    const next = setFields(ticket, fields, stamp, store.phaseOf)
    changed = next !== ticket
    return { ticket: next }
  }
  store.edit(file.path, setting, file)
  return changed
}

function summaryOf(store: Store, id: string): TicketSummary {
  return store.index.peek(queries => ticketSummary(id, queries.ticket(id) ?? null))
}
