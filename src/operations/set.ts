import * as z from 'zod/mini'
import { setFields } from '../model/change.ts'
import { checkSlug, slugField } from './add.ts'
import { ticketSummary } from './answers.ts'
import { filledLine, line, operation, ticketName } from './operation.ts'
import { ticketShape } from './shapes.ts'
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

/** Changes fields of a Ticket. */
export const set = operation({
  name: 'set',
  summary: "Change a Ticket's title, slug, state or queued-by",
  details:
    'A new state sets state_at. The first queued state sets queued_at, which is kept from then on, so that a correction does not cost the place in the queue; a requeued Ticket goes to the end. An empty slug or queued-by removes the field.',
  writes: true,
  fields: { ticket: { schema: ticketName, help: 'id or slug', positional: true }, ...fieldsToSet },
  output: () => z.object({ changed: z.boolean(), ticket: ticketShape(), warnings: z.array(z.string()) }),
  examples: [
    'ticketplan set A-17 --state in_progress',
    'ticketplan set A-17 --state queued --requeue',
    'ticketplan set plan-tool --title "Plan tool, typed" --slug typed-plan-tool',
  ],
  check({ ticket: _, ...fields }, nameOf) {
    if (Object.values(fields).some(value => value !== undefined)) return undefined
    const names = Object.keys(fieldsToSet).map(nameOf).join(', ')
    return { field: 'title', message: `nothing to change; give at least one of ${names}` }
  },
  run(store, { ticket: name, ...fields }) {
    return store.locked(() => {
      const file = store.getFile(name)
      const { id } = file.ticket
      if (fields.slug) store.read(view => checkSlug(view, fields.slug, id))
      const stamp = store.stamp()
      let changed = false
      store.edit(file.path, ticket => {
        const next = setFields(ticket, fields, stamp, store.phaseOf)
        changed = next !== ticket
        return { ticket: next }
      })
      const ticket = store.index.peek(queries => ticketSummary(id, queries.ticket(id) ?? null))
      return { changed, ticket, warnings: stateWarnings(store, fields.state) }
    })
  },
})
