import * as z from 'zod/mini'
import { resolveConflicts } from '../merging/resolve-conflicts.ts'
import { operation } from './operation.ts'

/** The end of a merge that stopped. */
export const resolve = operation({
  name: 'resolve',
  summary: 'Finish a conflicted merge of Ticket files',
  details:
    "From git's three stages where there are any, and the result is staged; else from the markers that a text merge left in a file, and staging is left to you. What was deleted on one side and changed on the other is kept and named. A file that cannot be merged by meaning, or that was mended by hand, stays as it is: exit status 4. The merge itself is finished with git commit (or git rebase --continue).",
  writes: true,
  fields: {},
  output: () =>
    z.object({
      /** `staged` is false where git knows of no conflict, and the file is for you to stage. */
      resolved: z.array(
        z.object({
          path: z.string(),
          contested: z.int(),
          staged: z.boolean(),
          /** Nothing tells from which version the sides come: what one of them had removed is back. */
          withoutBase: z.optional(z.literal(true)),
        }),
      ),
      kept: z.array(z.object({ path: z.string(), message: z.string() })),
      unresolved: z.array(z.object({ path: z.string(), message: z.string() })),
      /** Conflicts of other files. */
      others: z.array(z.string()),
    }),
  examples: ['ticketplan resolve && git commit --no-edit', 'ticketplan resolve --json'],
  run(store) {
    return store.locked(() => {
      const marked = store.read(({ queries }) =>
        queries
          .quarantined()
          .filter(({ code }) => code === 'conflict_markers')
          .map(({ path }) => path),
      )
      const resolution = resolveConflicts(store.repository, marked, store.phaseOf)
      store.indexWritten([...resolution.resolved, ...resolution.kept].map(({ path }) => path))
      return resolution
    })
  },
  exitStatus: ({ unresolved }) => (unresolved.length > 0 ? 4 : 0),
})
