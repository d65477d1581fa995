import * as z from 'zod/mini'
import { listChangedFiles } from '../git/changed-files.ts'
import { notInGit } from '../git/git.ts'
import { matchesGlob } from '../model/glob.ts'
import { ticketSummary } from './answers.ts'
import { filledLine, operation, ticketName } from './operation.ts'
import { ticketShape } from './shapes.ts'

/** Returns the area of a Ticket, and the changed files that are outside of it. */
export const scope = operation({
  name: 'scope',
  summary: "Show a Ticket's area, and which changed files are outside of it",
  details:
    'The area is all that active decisions of kind touches say. With --diff, each file that differs in the range must be in it: a moved file counts with both names, files of the tickets folder do not count. Of a Ticket without an area every changed file is outside. Exit status 4 if a file is outside.',
  writes: false,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    diff: {
      schema: z.optional(filledLine),
      help: 'compare the files that differ in this range of commits, such as main...HEAD',
      value: 'range',
      alone: true,
    },
  },
  output: () =>
    z.object({
      ticket: ticketShape(),
      /** Sorted by pattern; names of areas are expanded. */
      area: z.array(z.object({ pattern: z.string(), shared: z.boolean(), decision: z.string() })),
      /** How many files of the range were compared; absent without a range. */
      files: z.optional(z.int()),
      /** Those of them that are outside of the area, sorted. */
      outside: z.optional(z.array(z.string())),
    }),
  examples: ['ticketplan scope T-2', 'ticketplan scope T-2 --diff main...HEAD'],
  run(store, { ticket: name, diff }) {
    const { ticket, area } = store.readFew(({ resolve, facts }) => {
      const { id, row } = resolve(name)
      const area = facts.area(id).map(({ pattern, shared, decision }) => ({ pattern, shared, decision: decision! }))
      return { ticket: ticketSummary(id, row), area: area.sort((a, b) => (a.pattern < b.pattern ? -1 : 1)) }
    })
    if (diff === undefined) return { ticket, area }
    const { root, gitDir, config } = store.repository
    if (!gitDir) throw notInGit(root, 'no files can be compared; run "git init" there first')
    const files = listChangedFiles(root, diff).filter(path => !path.startsWith(`${config.ticketsDir}/`))
    const outside = files.filter(path => !area.some(({ pattern }) => matchesGlob(pattern, path)))
    return { ticket, area, files: files.length, outside }
  },
  exitStatus: ({ outside }) => (outside?.length ? 4 : 0),
})
