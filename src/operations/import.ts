import { resolve } from 'node:path'
import * as z from 'zod/mini'
import { readBeads } from '../importers/beads.ts'
import type { Imported } from '../importers/import-collector.ts'
import { writeImport } from '../importers/write-import.ts'
import { readYoi } from '../importers/yoi.ts'
import { anyFields } from '../model/decision.ts'
import { flag, operation } from './operation.ts'
import { homePathWarnings } from './warnings.ts'

/** Tickets and decisions from another system. */
export const importTickets = operation({
  name: 'import',
  summary: 'Import Tickets and decisions from another system',
  details:
    'Idempotent: a second run changes nothing. Fields follow the source; decisions recorded here since are kept. Exit status 4 where a source record, or a part of one, had to be left out; each is listed.',
  writes: true,
  fields: {
    system: {
      schema: z.enum(['yoi', 'beads']),
      help: 'yoi (a folder of <id>/item.md) or beads (a JSONL file)',
      positional: true,
    },
    path: { schema: z.string().check(z.minLength(1)), help: 'the folder or file', positional: true },
    dryRun: { schema: flag, help: 'report, and write nothing' },
    mapRoot: {
      schema: z.optional(z.string()),
      help: 'yoi: make plan worktrees below this absolute path relative to it',
      value: 'path',
    },
  },
  output: () =>
    z.object({
      /** Source Tickets and decisions that have (or with dryRun would have) a place in the files. */
      tickets: z.int(),
      decisions: z.int(),
      /** Files written; with dryRun, files that would be. */
      written: z.int(),
      dropped: z.array(z.object({ source: z.string(), message: z.string() })),
      /** States in the source that the configuration puts in no phase: their Tickets are open. */
      unphasedStates: z.array(z.string()),
      warnings: z.array(z.string()),
    }),
  examples: [
    'ticketplan import yoi ../yoi/.yoi/tickets --map-root /srv/yoi --dry-run',
    'ticketplan import beads .beads/issues.jsonl',
  ],
  run(store, { system, path, dryRun, mapRoot }) {
    const source = resolve(path)
    const imported = system === 'yoi' ? readYoi(source, mapRoot, store.phaseOf) : readBeads(source)
    const done = writeImport(store, imported, dryRun)
    const { states } = store.repository.config
    const phased = new Set([...states.active, ...states.queued, ...states.terminal])
    const seen = new Set(imported.tickets.map(({ fields }) => fields.state))
    return {
      ...done,
      unphasedStates: [...seen].filter(state => !phased.has(state)).sort(),
      warnings: warnings(imported),
    }
  },
  exitStatus: ({ dropped }) => (dropped.length > 0 ? 4 : 0),
})

function warnings({ decisions }: Imported): string[] {
  const texts = decisions.filter(({ decision }) => {
    const { reason, plan } = anyFields(decision)
    return (
      homePathWarnings({ reason, summary: plan?.summary, branch: plan?.branch, role_plan: plan?.role_plan }).length > 0
    )
  })
  return texts.length
    ? [
        `${texts.length} decisions have a text that names an absolute path of one machine; "ticketplan verify" lists them`,
      ]
    : []
}
