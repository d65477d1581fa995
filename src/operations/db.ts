import * as z from 'zod/mini'
import { operation } from './operation.ts'

/** Returns the paths of the databases. */
export const db = operation({
  name: 'db',
  summary: 'Print the path of the index, for SQLite programs',
  details:
    'The index is brought up to date first. Open it read-only. It is derived from the Ticket files and may be deleted at any time.',
  writes: false,
  fields: {},
  output: () => z.object({ path: z.string(), local: z.string() }),
  examples: ['ticketplan db', 'sqlite3 -readonly "$(ticketplan db)" "select * from blockers"'],
  run(store) {
    store.read(() => {})
    return { path: store.index.path, local: store.localPath }
  },
})
