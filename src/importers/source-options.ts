/**
 * The options of the readers, each defined once. A source names those that it reads; the help and the check derive from that.
 */
import * as z from 'zod/mini'

const flag = z._default(z.boolean(), false)

/** What an option is: its schema, and how the command line shows it. */
export const SOURCE_OPTIONS = {
  all: { schema: flag, help: 'import ephemeral and other records too that are no work of the project' },
  mapRoot: {
    schema: z.optional(z.string()),
    help: 'turn worktree paths of plans below this absolute path into relative ones',
    value: 'path',
    completes: 'folder',
  },
} as const

export type SourceOption = keyof typeof SOURCE_OPTIONS
/** The options as a reader gets them, checked and with defaults. */
export type SourceOptionValues = z.infer<z.ZodMiniObject<{ [O in SourceOption]: (typeof SOURCE_OPTIONS)[O]['schema'] }>>
