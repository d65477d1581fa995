import * as z from 'zod/mini'
import { tryGit } from '../git/git.ts'
import { shellArgument } from '../git/shell-word.ts'
import { createTicket } from '../model/change.ts'
import { PlanError } from '../model/errors.ts'
import { idKey, isSlug, isTicketId } from '../model/names.ts'
import { otherWithName } from '../store/resolve-name.ts'
import type { Store, View } from '../store/store.ts'
import { ticketSummary } from './answers.ts'
import { filledLine, line, operation, ticketName } from './operation.ts'
import { ticketShape } from './shapes.ts'
import { stateWarnings } from './warnings.ts'

export const slugField = z.optional(
  z
    .string()
    .check(
      z.refine<string>(
        text => text === '' || isSlug(text),
        'not a slug: at most 128 of a-z, 0-9 and "-", no "-" first',
      ),
    ),
)

/** Creates a Ticket file. */
export const add = operation({
  name: 'add',
  summary: 'Create a Ticket file',
  writes: true,
  fields: {
    id: {
      schema: ticketName.check(
        z.refine<string>(
          text => isTicketId(text),
          'not a Ticket id: a letter or digit, then at most 63 letters, digits, ".", "_" or "-"; no "." at the end, no Windows device name',
        ),
      ),
      help: 'the id; the file is named after it',
      positional: true,
    },
    title: { schema: filledLine, help: 'the title, one line', value: 'text' },
    slug: { schema: slugField, help: 'a second, readable name: a-z, 0-9 and "-"', value: 'slug' },
    state: {
      schema: z.optional(filledLine),
      help: 'the state in the Ticket system (default: open)',
      value: 'state',
      completes: 'state',
    },
    queuedBy: {
      schema: z.optional(line),
      help: 'who queued it (default: the actor, if the state is a queued one)',
      value: 'who',
    },
  },
  output: () =>
    z.object({ created: z.literal(true), ticket: ticketShape(), path: z.string(), warnings: z.array(z.string()) }),
  examples: [
    'ticketplan add A-17 --title "Record schema" --state queued',
    'ticketplan add A-18 --title "Plan tool" --slug plan-tool',
  ],
  run(store, { id, ...fields }) {
    if (!isTicketId(id)) throw new PlanError('invalid_input', `add: "${id}" is not a Ticket id`, { field: 'id' })
    return store.noting('add', () => {
      store.read(view => {
        const path = view.queries.pathsOfKey(idKey(id))[0]
        if (path !== undefined)
          throw ticketExists(id, store.index.findLeftOut(path) ? `${path}, which the sparse checkout leaves out` : path)
        checkId(view, id)
        checkSlug(view, fields.slug, id)
      })
      checkUntracked(store, id)
      const ticket = createTicket(id, fields, store.stamp(), store.phaseOf)
      if (!store.create(ticket)) throw ticketExists(id, store.pathOf(id))
      return {
        created: true as const,
        ticket: store.index.peek(queries => ticketSummary(id, queries.ticket(id) ?? null)),
        path: store.pathOf(id),
        warnings: stateWarnings(store, fields.state),
      }
    })
  },
})

function ticketExists(id: string, path: string): PlanError {
  const message = `a Ticket with the id ${id} already exists (${path}); "ticketplan set" changes its fields`
  return new PlanError('ticket_exists', message, { ticket: id, path })
}

/**
 * Checks that git's index has no file of the Ticket, which the work tree then has lost: a new file in its place would drop the
 * decisions that are in git. @throws PlanError not_checked_out.
 */
function checkUntracked({ repository: { root, gitDir, config } }: Store, id: string): void {
  if (!gitDir) return
  const folder = config.ticketsDir.replace(/[*?[\]\\]/g, '\\$&')
  const patterns = ['', '**/'].map(folders => `:(icase,glob)${folder}/${folders}${id}.json`)
  const { status, stdout } = tryGit(root, ['ls-files', '-z', '--', ...patterns])
  const [path] = stdout.toString().split('\0')
  if (status !== 0 || !path) return
  const file = shellArgument(path)
  const message = `${path}: git has it, and the work tree does not; "git restore ${file}" brings it back, "git rm --cached ${file}" says that it is meant to be gone`
  throw new PlanError('not_checked_out', message, { path })
}

/** Checks that no other Ticket has the slug, as its slug or as its id. @throws PlanError slug_taken. */
export function checkSlug({ queries }: View, slug: string | undefined, id: string): void {
  const other = slug ? otherWithName(queries, slug, id) : undefined
  if (!slug || !other) return
  const { ticket, has } = other
  const what =
    has === 'slug' ? `already belongs to ${ticket}` : `is the id of ${ticket === slug ? 'another Ticket' : ticket}`
  throw new PlanError('slug_taken', `the slug "${slug}" ${what}; choose another`, { slug, ticket })
}

/** Checks that no Ticket has the new id as its slug: names of the slug would then mean the new Ticket. @throws PlanError slug_taken. */
function checkId({ queries }: View, id: string): void {
  const other = otherWithName(queries, id, id)
  if (other?.has !== 'slug') return
  const message = `the id ${id} is the slug of ${other.ticket}; choose another, or change that slug with "ticketplan set"`
  throw new PlanError('slug_taken', message, { slug: id.toLowerCase(), ticket: other.ticket })
}
