import { resolve } from 'node:path'
import * as z from 'zod/mini'
import type { Imported } from '../importers/import-collector.ts'
import { descriptorOf } from '../importers/source-text.ts'
import { optionFields, SOURCES, SYSTEMS, systemsWith, unreadOption } from '../importers/sources.ts'
import { writeImport } from '../importers/write-import.ts'
import { count } from '../model/count.ts'
import { anyFields } from '../model/decision.ts'
import { filledLine, flag, operation } from './operation.ts'
import { homePathWarnings } from './warnings.ts'

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
      help: SYSTEMS.map(system => `${system} (${SOURCES[system].what})`).join(', '),
      positional: true,
    },
    path: {
      schema: z.string().check(z.minLength(1)),
      help: 'the folder or file; "-" reads standard input',
      positional: true,
      completes: 'file',
    },
    verbose: { schema: z.optional(z.boolean()), help: 'list each Ticket that is new or changed' },
    dryRun: { schema: flag, help: 'report what would be written, and write nothing' },
    name: {
      schema: z.optional(filledLine),
      help: 'the name of the source, where several of one system are imported',
      value: 'name',
    },
    prune: { schema: flag, help: 'cancel the Tickets of this source whose records are gone' },
    older: { schema: flag, help: 'accept a source that is older than its last import; newer records stay as they are' },
    ...optionFields(),
  },
  output: () =>
    z.object({
      /** Tickets and decisions of the source that are (with dryRun: would be) in the files. */
      tickets: z.int(),
      decisions: z.int(),
      /** Files written; with dryRun, files that would be written. */
      written: z.int(),
      /** Of the files written: those of new Tickets, and those that were there. */
      created: z.int(),
      changed: z.int(),
      /** With verbose: each file written, in the order of the source, with how many edges were retracted in it. */
      changes: z.optional(
        z.array(z.object({ ticket: z.string(), change: z.enum(['new', 'changed']), retracted: z.int() })),
      ),
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
  examples: [...SYSTEMS.map(system => SOURCES[system].example), 'ticketplan import beads - --name shop'],
  check({ system, ...given }, nameOf) {
    const field = unreadOption(system, given)
    if (!field) return undefined
    return { field, message: `${nameOf(field)} is for ${systemsWith(field).join(', ')}; ${system} does not read it` }
  },
  run(store, { system, path, verbose, dryRun, prune, older, ...options }) {
    const source = descriptorOf(path) === undefined ? resolve(path) : path
    const imported = SOURCES[system].read(source, { ...options, phaseOf: store.phaseOf })
    const { warnings, changes, ...done } = writeImport(store, imported, { dryRun, prune, older })
    const created = changes.filter(({ change }) => change === 'new').length
    const seen = new Set(imported.tickets.map(({ fields }) => fields.state))
    return {
      ...done,
      created,
      changed: changes.length - created,
      ...(verbose && { changes }),
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
