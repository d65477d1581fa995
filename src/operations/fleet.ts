/** Defines the command `fleet`. What it does is in fleet-actions.ts. */
import * as z from 'zod/mini'
import { command } from './operation.ts'

/** What `ticketplan fleet` can do. */
export const FLEET_ACTIONS = ['init', 'join', 'migrate', 'status', 'leave'] as const

/** What the command line must know of `ticketplan fleet`. */
export const fleetCommand = command({
  name: 'fleet',
  summary: 'Share claims between machines, on a PostgreSQL server',
  details: `In a fleet a Ticket has one holder over all machines. The server is in TICKETPLAN_FLEET_URL or in "git config ticketplan.fleetUrl": postgres://user@host:5432/database?sslmode=verify-full. Its password is read from PGPASSWORD or ~/.pgpass, and is never printed.

migrate: creates or updates the schema, as its owner; nothing else changes it.
init: creates a fleet, as the owner of the schema, and writes its id to ticketplan.json, to be committed.
join: notes the fleet and the server in this clone, for all its worktrees.
status: server, schema, clock, claims, the last entries of the log, and pools whose capacity is not the same in all clones.
leave: removes the note; claims of this clone end when they expire.

A clone that has not joined contacts no server. docs/fleet.md has a set-up in five minutes, and roles, encryption and failures.`,
  fields: {
    action: { schema: z.enum(FLEET_ACTIONS), help: 'what to do', positional: true },
    name: {
      schema: z.optional(
        z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'not lower-case letters, digits and "-", at most 40')),
      ),
      help: 'of init: a name for people, at the beginning of the id (default: the name of the folder)',
      value: 'name',
    },
  },
  examples: [
    'ticketplan fleet migrate',
    'ticketplan fleet init --name shop',
    'ticketplan fleet join',
    'ticketplan fleet status --json',
    'ticketplan fleet leave',
  ],
  check({ action, name }, nameOf) {
    if (name === undefined || action === 'init') return undefined
    return { field: 'name', message: `${nameOf('name')} is for "fleet init"` }
  },
})
