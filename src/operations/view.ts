import * as z from 'zod/mini'
import { command, flag } from './operation.ts'

/** Serves the page. Not an operation: it has no output of its own. */
export const viewCommand = command({
  name: 'view',
  summary: 'Serve a page that shows what is going on',
  details:
    'Prints the link to the page and runs until ctrl-c or SIGTERM. The page is served on 127.0.0.1 alone, only reads, and loads nothing from elsewhere. The link has a token of this start: anybody with the link can read the plan. docs/view.md explains the page.',
  fields: {
    port: {
      schema: z.optional(z.int().check(z.minimum(0), z.maximum(65_535))),
      help: 'listen on this port; 0 for any free one (default: one that depends on the folder, or the next free one)',
      value: 'n',
    },
    host: {
      schema: z.optional(z.string().check(z.minLength(1), z.maxLength(255))),
      help: 'listen on this address instead of 127.0.0.1; other machines can then connect, and nothing is encrypted',
      value: 'address',
    },
    open: { schema: flag, help: 'also open the page in a browser' },
  },
  examples: ['ticketplan view', 'ticketplan view --open', 'ticketplan view --port 4400'],
})
