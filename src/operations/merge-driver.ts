import * as z from 'zod/mini'
import { mergeFiles } from '../merging/merge-files.ts'
import { operation } from './operation.ts'
import { decisionShape } from './shapes.ts'

const path = z.string().check(z.minLength(1))

/** The merge of three files, as git asks a driver for it. */
export const mergeDriver = operation({
  name: 'merge-driver',
  summary: 'Merge three versions of a Ticket file, for git',
  details:
    'The result takes the place of <ours>. Exit status 0 where it is merged; 1 where a side cannot be read: then <ours> holds git\'s text merge, with markers where the sides differ. "ticketplan init" sets git up to start the same merge in a smaller program of its own.',
  writes: true,
  fields: {
    base: { schema: path, help: 'the common version, %O; an empty file for none', positional: true },
    ours: { schema: path, help: 'our version, %A; replaced by the result', positional: true },
    theirs: { schema: path, help: 'their version, %B', positional: true },
    path: { schema: path, help: "the Ticket file's path in the repository, %P", positional: true },
  },
  output: () =>
    z.object({
      merged: z.boolean(),
      /** True where a conflict's markers were left. */
      markers: z.boolean(),
      contested: z.array(decisionShape()),
      message: z.nullable(z.string()),
    }),
  examples: ['ticketplan merge-driver %O %A %B %P'],
  run: (_, files) => mergeFiles(files),
  exitStatus: ({ merged }) => (merged ? 0 : 1),
})
