import * as z from 'zod/mini'
import { mergeFiles } from '../merging/merge-files.ts'
import { operation } from './operation.ts'
import { decisionShape } from './shapes.ts'

const path = z.string().check(z.minLength(1))

/** Merges three files, as git calls a merge driver. */
export const mergeDriver = operation({
  name: 'merge-driver',
  summary: 'Merge three versions of a Ticket file, for git',
  details:
    'Writes the result to <ours>. Exit status 0 if it is merged; 1 if a side cannot be read: then <ours> has the text merge of git, with conflict markers. "ticketplan init" configures a smaller program with the same merge.',
  writes: true,
  fields: {
    base: {
      schema: path,
      help: 'the common ancestor, %O; an empty file if there is none',
      positional: true,
      completes: 'file',
    },
    ours: { schema: path, help: 'our version, %A; overwritten with the result', positional: true, completes: 'file' },
    theirs: { schema: path, help: 'their version, %B', positional: true, completes: 'file' },
    path: {
      schema: path,
      help: 'the path of the Ticket file in the repository, %P',
      positional: true,
      completes: 'file',
    },
  },
  output: () =>
    z.object({
      merged: z.boolean(),
      /** True if conflict markers were left. */
      markers: z.boolean(),
      contested: z.array(decisionShape()),
      message: z.nullable(z.string()),
    }),
  examples: ['ticketplan merge-driver %O %A %B %P'],
  run: (_, files) => mergeFiles(files),
  exitStatus: ({ merged }) => (merged ? 0 : 1),
})
