import * as z from 'zod/mini'
import { resolveConflicts } from '../merging/resolve-conflicts.ts'
import { operation } from './operation.ts'

/** Resolves the conflicts of a merge in Ticket files. */
export const resolve = operation({
  name: 'resolve',
  summary: 'Resolve merge conflicts in Ticket files',
  details: `Merges the three stages that git keeps of a conflicted file, and stages the result. Without stages it merges the sides of the conflict markers in the file, and leaves staging to you. A file that one side deleted and the other changed is kept and reported. A file that cannot be merged by meaning, or that was edited by hand, is not changed: exit status 4.

It does not finish the merge itself: use git commit, or git rebase --continue.`,
  writes: true,
  fields: {},
  output: () =>
    z.object({
      /** `staged` is false if git had no conflict for the file: the user must stage it. */
      resolved: z.array(
        z.object({
          path: z.string(),
          contested: z.int(),
          staged: z.boolean(),
          /** Set if the common version of the sides is unknown: what one side had removed is back. */
          withoutBase: z.optional(z.literal(true)),
        }),
      ),
      kept: z.array(z.object({ path: z.string(), message: z.string() })),
      unresolved: z.array(z.object({ path: z.string(), message: z.string() })),
      /** Conflicts in other files. */
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
