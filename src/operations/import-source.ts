/**
 * Imports one source: reads it, plans and writes, and remembers the result: of a source that has not changed, only the stat data
 * of its files and of the Ticket files is read again.
 */
import { realpathSync } from 'node:fs'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import * as z from 'zod/mini'
import { packageVersion } from '../files/package-root.ts'
import type { Imported } from '../importers/import-collector.ts'
import {
  findLastImport,
  type LastImport,
  rememberImport,
  sourcePrint,
  ticketsPrint,
} from '../importers/last-imports.ts'
import type { Source } from '../importers/source.ts'
import { descriptorOf } from '../importers/source-text.ts'
import { optionFields, SOURCES, SYSTEMS, systemsWith, unreadOption } from '../importers/sources.ts'
import { type WrittenImport, writeImport } from '../importers/write-import.ts'
import { count } from '../model/count.ts'
import { anyFields } from '../model/decision.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import { command, filledLine, flag, type InputOf, type NameOf, parseInput } from './operation.ts'
import { decisionPathWarnings } from './warnings.ts'

/** What names a source and says how to read it: an entry of `sources` in the configuration. */
export const sourceFields = {
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
  name: {
    schema: z.optional(filledLine),
    help: 'the name of the source, where several of one system are imported',
    value: 'name',
  },
  prune: { schema: flag, help: 'cancel the Tickets of this source whose records are gone' },
  older: { schema: flag, help: 'accept a source that is older than its last import; newer records stay as they are' },
  ...optionFields(),
} as const

const sourceCommand = command({ name: 'import', summary: '', fields: sourceFields, examples: [], check: checkSource })

export type SourceInput = InputOf<typeof sourceFields>

/** Returns an objection to an option that the system does not read. */
export function checkSource({ system, ...given }: { system: SourceInput['system'] } & object, nameOf: NameOf) {
  const field = unreadOption(system, given as Record<string, unknown>)
  if (!field) return undefined
  return { field, message: `${nameOf(field)} is for ${systemsWith(field).join(', ')}; ${system} does not read it` }
}

/** Returns the sources of the configuration, with paths from the root. @throws PlanError bad_config. */
export function configuredSources(store: Store): SourceInput[] {
  store.read(() => null) // the configuration may have changed since the last answer
  const { repository } = store
  const sources = repository.config.sources.map((entry, at) => {
    try {
      const source = parseInput(sourceCommand, entry)
      if (descriptorOf(source.path) === undefined) return { ...source, path: resolve(repository.root, source.path) }
      throw new PlanError('bad_config', 'a path is needed, not standard input', { path: repository.root })
    } catch (error) {
      if (!(error instanceof PlanError)) throw error
      const message = `ticketplan.json: sources[${at}]: ${error.message.replace(/^import: /, '')}`
      throw new PlanError('bad_config', message, { path: repository.root }, error)
    }
  })
  refuseRepeated(sources, repository.root)
  return sources
}

/** Refuses two sources of one system and name: each would find the Tickets of the other gone. @throws PlanError bad_config. */
function refuseRepeated(sources: readonly SourceInput[], path: string): void {
  const positions = new Map<string, number>()
  for (const [at, { system, name }] of sources.entries()) {
    const key = JSON.stringify([system, name ?? null])
    const first = positions.get(key)
    positions.set(key, at)
    if (first === undefined) continue
    const what = name === undefined ? 'have no name' : `have the name ${JSON.stringify(name)}`
    const message = `ticketplan.json: sources[${first}] and sources[${at}] are both ${system} and ${what}; give each a "name" of its own`
    throw new PlanError('bad_config', message, { path })
  }
}

/** The report of one source. */
export interface SourceReport extends Omit<WrittenImport, 'settled'> {
  unphasedStates: string[]
  hints: string[]
}

/**
 * Imports a source whose path is absolute, or standard input. With `isListed` the report has each record that was skipped, which
 * is not remembered. @throws PlanError import_source.
 */
export function importSource(store: Store, input: SourceInput, dryRun: boolean, isListed = false): SourceReport {
  const source: Source = SOURCES[input.system]
  const tickets = ticketsNow(store) // first, because it reads the configuration again
  const print = sourcePrint(input.path, source.beside)
  const context = contextOf(store, input)
  const last = findLastImport(store.repository, keyOf(input))
  const isSame = print !== undefined && last?.source === print && last.context === context
  if (isSame && last.pending === 0 && last.tickets === tickets) {
    const kept = last.report as SourceReport
    if (!isListed || Object.keys(kept.skipped).length === 0) return kept
  }
  const { path, prune, older, ...options } = input
  const imported = source.read(path, { ...options, phaseOf: store.phaseOf })
  const { settled, warnings, ...done } = writeImport(store, imported, { dryRun, prune, older })
  const seen = new Set(imported.tickets.map(({ fields }) => fields.state))
  const report: SourceReport = {
    ...done,
    unphasedStates: [...seen].filter(state => !store.states.isKnown(state)).sort(),
    warnings: [...warnings, ...queuedWarnings(store, imported, input.queued), ...pathWarnings(imported)],
    hints: queuedHints(store, input, imported),
  }
  if (print !== undefined && settled !== undefined && sourcePrint(input.path, source.beside) === print) {
    const kept = { ...report, written: 0, retracted: 0, changes: [], skippedRecords: [] }
    rememberImport(store.repository, keyOf(input), {
      source: print,
      context,
      tickets: settled,
      pending: 0,
      report: kept,
    })
  }
  return report
}

function ticketsNow(store: Store): string {
  return store.read(({ queries }) => ticketsPrint(queries.fileStates()))
}

function keyOf({ system, name, path }: SourceInput): string {
  return JSON.stringify([system, name ?? null, path])
}

/** Returns what else an import depends on. */
function contextOf({ repository }: Store, input: SourceInput): string {
  return JSON.stringify([packageVersion(), input, repository.config])
}

/** A configured source inside the repository that has changed since its last import. */
interface ChangedSource {
  /** System and path, from the root. */
  source: string
  /** How many Ticket files an import would write; null where the source cannot be read. */
  files: number | null
  problem?: string
}

/**
 * Returns the sources in the repository of which an import would write something. Nobody asked for a look at them, so one
 * outside, or behind a link that leads out, is not read. Writes no Ticket file.
 */
function changedSources(store: Store): ChangedSource[] {
  const { root } = store.repository
  return configuredSources(store).flatMap((input): ChangedSource[] => {
    if (!isBelow(root, input.path) || !isBelow(root, realPathOf(input.path))) return []
    const place = relative(root, input.path)
    const source = `${input.system} ${place}`
    try {
      const files = pendingFiles(store, input)
      return files === 0 ? [] : [{ source, files }]
    } catch (error) {
      if (!isPlanError(error)) throw error
      return [{ source, files: null, problem: (error as Error).message }]
    }
  })
}

function isBelow(root: string, path: string): boolean {
  const place = relative(root, path)
  return place !== '..' && !place.startsWith(`..${sep}`) && !isAbsolute(place)
}

/** Follows links: a repository can have one that leads out of it. A path that cannot be followed is returned as it is. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** Returns how many files an import would write. What it found for the same source is not computed again. */
function pendingFiles(store: Store, input: SourceInput): number {
  const { beside }: Source = SOURCES[input.system]
  const print = sourcePrint(input.path, beside)
  const context = contextOf(store, input)
  const last = findLastImport(store.repository, keyOf(input))
  const isSame = print !== undefined && last?.source === print && last.context === context
  // After an import, what was decided here since is not the source's to say.
  if (isSame && last.pending === 0) return 0
  const tickets = ticketsNow(store)
  if (isSame && last.tickets === tickets) return last.pending
  const report = importSource(store, input, true)
  if (print !== undefined && report.written > 0) {
    const pending: LastImport = { source: print, context, tickets, pending: report.written, report: null }
    rememberImport(store.repository, keyOf(input), pending)
  }
  return report.written
}

/** Returns one sentence for each source that has changed. */
export function changedSourceNotes(store: Store): string[] {
  return changedSources(store).map(({ source, files, problem }) =>
    files === null
      ? `the source ${source} cannot be read: ${problem}`
      : `the source ${source} has changed since its last import (${count(files, 'Ticket file')} to write); run "ticketplan import"`,
  )
}

/** Warns where none of the words that should count as queued is in the source: a misspelt one would empty the queue unseen. */
function queuedWarnings(store: Store, { tickets }: Imported, words: readonly string[] = []): string[] {
  if (words.length === 0 || hasQueued(store, tickets)) return []
  const named = words.map(word => JSON.stringify(word)).join(', ')
  return [`no open record has the label or state ${named}, so none is queued; check how the source spells it`]
}

/** Says how open records become queued, where none is: without that the queue stays empty. */
function queuedHints(store: Store, { system, queued = [] }: SourceInput, { tickets }: Imported): string[] {
  const open = tickets.map(({ fields }) => fields.state).filter(state => store.phaseOf(state) === 'open')
  const remedy = queuedRemedy(system, open[0])
  if (queued.length > 0 || open.length === 0 || !remedy || hasQueued(store, tickets)) return []
  return [`${count(open.length, 'open Ticket')}, none of them queued; ${remedy}`]
}

function queuedRemedy(system: SourceInput['system'], state = ''): string | undefined {
  const { options, needsQueuedState }: Source = SOURCES[system]
  if (options.includes('queued')) return 'name the labels or states that count as queued (--queued)'
  if (!needsQueuedState) return undefined
  return `add {"states": {"queued": [${JSON.stringify(state)}]}} to ticketplan.json to queue those in the state ${state}`
}

function hasQueued(store: Store, tickets: Imported['tickets']): boolean {
  return tickets.some(({ fields }) => store.phaseOf(fields.state) === 'queued')
}

function pathWarnings({ decisions }: Imported): string[] {
  const found = decisions.filter(({ decision }) => decisionPathWarnings(anyFields(decision)).length > 0)
  if (found.length === 0) return []
  return [`absolute paths of one machine in ${count(found.length, 'decision')}; "ticketplan verify" lists them`]
}
