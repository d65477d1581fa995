/**
 * The options of the readers, each defined once. A source names those that it reads; the help and the check derive from that.
 */
import * as z from 'zod/mini'
import { oneLine } from '../model/fields.ts'

const text = () => z.optional(oneLine().check(z.minLength(1)))
const flag = z._default(z.boolean(), false)

/** What an option is: its schema, and how the command line shows it. */
export const SOURCE_OPTIONS = {
  all: { schema: flag, help: 'import ephemeral and other records too that are no work of the project' },
  areas: { schema: z.optional(z.boolean()), help: 'the files that a task modifies become the area that it touches' },
  body: { schema: z.optional(z.boolean()), help: 'read "Blocked by #n" in the text of issues too' },
  idPrefix: { schema: text(), help: 'what ids begin with, before "-" and the number', value: 'prefix' },
  map: {
    schema: z.optional(z.array(oneLine().check(z.minLength(1)))),
    help: 'which field is which: id=key,title=name and so on',
    value: 'map',
    list: true,
  },
  mapRoot: {
    schema: z.optional(z.string()),
    help: 'turn worktree paths of plans below this absolute path into relative ones',
    value: 'path',
    completes: 'folder',
  },
  queued: {
    schema: z.optional(z.array(oneLine().check(z.minLength(1)))),
    help: 'the labels or states of the source that count as queued',
    value: 'word',
    list: true,
  },
  tag: {
    schema: z.optional(z.array(oneLine().check(z.minLength(1)))),
    help: 'read only these tags',
    value: 'tag',
    list: true,
  },
} as const

export type SourceOption = keyof typeof SOURCE_OPTIONS
/** The options as a reader gets them, checked and with defaults. */
export type SourceOptionValues = z.infer<z.ZodMiniObject<{ [O in SourceOption]: (typeof SOURCE_OPTIONS)[O]['schema'] }>>
