import { resolve } from 'node:path'
import * as z from 'zod/mini'
import { readBeads } from '../importers/beads.ts'
import type { Imported } from '../importers/import-collector.ts'
import { descriptorOf } from '../importers/source-text.ts'
import { writeImport } from '../importers/write-import.ts'
import { readYoi } from '../importers/yoi.ts'
import { count } from '../model/count.ts'
import { anyFields } from '../model/decision.ts'
import { filledLine, flag, operation } from './operation.ts'
import { homePathWarnings } from './warnings.ts'

/** The reader of each system; it ignores options of others. */
const READERS = { yoi: readYoi, beads: readBeads }
const SYSTEMS = ['yoi', 'beads'] as const satisfies (keyof typeof READERS)[]

/** Imports Tickets and decisions from another system. */
export const importTickets = operation({
  name: 'import',
  summary: 'Import Tickets and decisions from another system',
  details:
    'A second run changes nothing. Fields and edges follow the source where it changed since its last import; what was decided here is kept. Exit status 4 if a source record, or a part of one, was left out; each is listed. docs/import.md has the rules.',
  writes: true,
  fields: {
    system: {
      schema: z.enum(SYSTEMS),
      help: 'yoi (a folder of <id>/item.md) or beads (a JSONL file)',
      positional: true,
    },
    path: {
      schema: z.string().check(z.minLength(1)),
      help: 'the folder or file; "-" reads standard input',
      positional: true,
      completes: 'file',
    },
    dryRun: { schema: flag, help: 'report what would be written, and write nothing' },
    name: {
      schema: z.optional(filledLine),
      help: 'the name of the source, where several of one system are imported',
      value: 'name',
    },
    prune: { schema: flag, help: 'cancel the Tickets of this source whose records are gone' },
    older: { schema: flag, help: 'accept a source that is older than its last import; newer records stay as they are' },
    all: { schema: flag, help: 'beads: import ephemeral and other records too that are no work of the project' },
    mapRoot: {
      schema: z.optional(z.string()),
      help: 'yoi: turn worktree paths of plans below this absolute path into relative ones',
      value: 'path',
      completes: 'folder',
    },
  },
  output: () =>
    z.object({
      /** Tickets and decisions of the source that are (with dryRun: would be) in the files. */
      tickets: z.int(),
      decisions: z.int(),
      /** Files written; with dryRun, files that would be written. */
      written: z.int(),
      /** Edges that the source no longer states and that this import retracted. */
      retracted: z.int(),
      /** Unsettled Tickets of this source that it no longer has. */
      gone: z.array(z.string()),
      /** Records that are no Tickets by design, and parts of records, by reason. */
      skipped: z.record(z.string(), z.int()),
      dropped: z.array(z.object({ source: z.string(), message: z.string() })),
      /** States of the source that are in no phase of the configuration; their Tickets count as open. */
      unphasedStates: z.array(z.string()),
      warnings: z.array(z.string()),
    }),
  examples: [
    'ticketplan import yoi ../yoi/.yoi/tickets --map-root /srv/yoi --dry-run',
    'ticketplan import beads .beads/issues.jsonl',
    'ticketplan import beads - --name shop',
  ],
  run(store, { system, path, dryRun, mapRoot, name, all, ...options }) {
    const source = descriptorOf(path) === undefined ? resolve(path) : path
    const imported = READERS[system](source, { name, mapRoot, all, phaseOf: store.phaseOf })
    const { warnings, ...done } = writeImport(store, imported, { dryRun, ...options })
    const seen = new Set(imported.tickets.map(({ fields }) => fields.state))
    return {
      ...done,
      unphasedStates: [...seen].filter(state => !store.states.isKnown(state)).sort(),
      warnings: [...warnings, ...pathWarnings(imported)],
    }
  },
  exitStatus: ({ dropped }) => (dropped.length > 0 ? 4 : 0),
})

function pathWarnings({ decisions }: Imported): string[] {
  const texts = decisions.filter(({ decision }) => {
    const { reason, plan } = anyFields(decision)
    return (
      homePathWarnings({ reason, summary: plan?.summary, branch: plan?.branch, role_plan: plan?.role_plan }).length > 0
    )
  })
  return texts.length
    ? [`absolute paths of one machine in ${count(texts.length, 'decision')}; "ticketplan verify" lists them`]
    : []
}
