import { relative, resolve } from 'node:path'
import * as z from 'zod/mini'
import { descriptorOf } from '../importers/source-text.ts'
import { SOURCES, SYSTEMS } from '../importers/sources.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import type { Store } from '../store/store.ts'
import {
  checkSource,
  configuredSources,
  importSource,
  type SourceInput,
  type SourceReport,
  sourceFields,
} from './import-source.ts'
import { flag, operation } from './operation.ts'
import { decisionShape } from './shapes.ts'

const { system, path, ...options } = sourceFields

const reportShape = lazy(() =>
  z.object({
    /** Tickets and decisions of the source that are (with dryRun: would be) in the files. */
    tickets: z.int(),
    decisions: z.int(),
    /** Files written; with dryRun, files that would be written. */
    written: z.int(),
    /** Of the files written: those of new Tickets, and those that were there. */
    created: z.int(),
    changed: z.int(),
    /**
     * With verbose or dryRun: each file written, in the order of the source, with the decisions that are added to it, and how
     * many edges were retracted in it.
     */
    changes: z.optional(
      z.array(
        z.object({
          ticket: z.string(),
          change: z.enum(['new', 'changed']),
          retracted: z.int(),
          decisions: z.array(decisionShape()),
          /** Edges that were here before, each with the id of the retraction that took or brought it back. */
          moved: z.array(
            z.object({ change: z.enum(['retracted', 'restored']), edge: decisionShape(), by: z.string() }),
          ),
        }),
      ),
    ),
    /** Edges that the source no longer states and that this import retracted. */
    retracted: z.int(),
    /** Unsettled Tickets of this source that it no longer has. */
    gone: z.array(z.string()),
    /** Of these, the ones that are cancelled, with prune. */
    cancelled: z.array(z.string()),
    /** Records that are no Tickets by design, and parts of records, by reason. */
    skipped: z.record(z.string(), z.int()),
    /** With verbose or dryRun: each of them, with its place in the source. */
    skippedRecords: z.optional(z.array(z.object({ source: z.string(), reason: z.string() }))),
    dropped: z.array(z.object({ source: z.string(), message: z.string() })),
    /** States of the source that are in no phase of the configuration; their Tickets count as open. */
    unphasedStates: z.array(z.string()),
    warnings: z.array(z.string()),
    /** What to do about a result that is seldom wanted: open Tickets, none of them queued. */
    hints: z.array(z.string()),
  }),
)

/** Imports Tickets and decisions from another system. */
export const importTickets = operation({
  name: 'import',
  summary: 'Import Tickets and decisions from another system',
  details:
    'A second run changes nothing. Fields and edges follow the source where it changed since its last import; what was decided here is kept. Without a system it imports all "sources" of ticketplan.json. Exit status 4 if a source record, or a part of one, was left out; each is listed. docs/import.md has the rules.',
  writes: true,
  fields: {
    system: { ...system, schema: z.optional(system.schema) },
    path: { ...path, schema: z.optional(path.schema) },
    verbose: {
      schema: z.optional(z.boolean()),
      help: 'list each Ticket that is new or changed, with its decisions, and each record that is gone, skipped or left out',
    },
    dryRun: { schema: flag, help: 'list what would be written, and write nothing' },
    ...options,
  },
  output: () =>
    z.extend(reportShape(), {
      /** Without a system: the report of each source of the configuration. */
      sources: z.optional(z.array(z.extend(reportShape(), { system: z.string(), path: z.string() }))),
    }),
  examples: [
    ...SYSTEMS.map(system => SOURCES[system].example),
    'ticketplan import beads - --name shop',
    'ticketplan import',
  ],
  check({ system, path, verbose: _, dryRun: __, ...given }, nameOf) {
    if (system !== undefined) {
      if (path === undefined) return { field: 'path', message: `${nameOf('path')} is required with a system` }
      return checkSource({ system, ...given }, nameOf)
    }
    const field = Object.entries(given).find(([, value]) => value !== undefined && value !== false)?.[0]
    if (field === undefined) return undefined
    return {
      field,
      message: `${nameOf(field)} needs a system and a path; for "sources" of ticketplan.json write it there`,
    }
  },
  run(store, { system, path, verbose, dryRun, ...given }): Answer & { sources?: SourceAnswer[] } {
    const isListed = verbose === true || dryRun
    if (system !== undefined && path !== undefined) {
      const source = descriptorOf(path) === undefined ? resolve(path) : path
      return answerOf(importSource(store, { ...given, system, path: source }, dryRun, isListed), isListed)
    }
    const sources = configuredSources(store).map(input => ({
      system: input.system,
      path: relative(store.repository.root, input.path),
      ...answerOf(importOrReport(store, input, dryRun, isListed), isListed),
    }))
    if (sources.length === 0) {
      const message =
        'import: ticketplan.json has no "sources"; name a system and a path, or add them there (docs/import.md)'
      throw new PlanError('invalid_input', message, { field: 'system' })
    }
    return { ...sumOf(sources, isListed), sources }
  },
  exitStatus: ({ dropped }) => (dropped.length > 0 ? 4 : 0),
})

/** What is listed only where it is asked for. */
type Listed = Pick<SourceReport, 'changes' | 'skippedRecords'>
type Answer = Omit<SourceReport, keyof Listed> & { created: number; changed: number } & Partial<Listed>
type SourceAnswer = Answer & { system: string; path: string }

function answerOf({ changes, skippedRecords, ...report }: SourceReport, isListed: boolean): Answer {
  const created = changes.filter(({ change }) => change === 'new').length
  return { ...report, created, changed: changes.length - created, ...(isListed && { changes, skippedRecords }) }
}

/** Imports a source; one that cannot be read is reported, and does not keep the others from being imported. */
function importOrReport(store: Store, input: SourceInput, dryRun: boolean, isListed: boolean): SourceReport {
  try {
    return importSource(store, input, dryRun, isListed)
  } catch (error) {
    if (!isPlanError(error, 'import_source') && !isPlanError(error, 'invalid_input')) throw error
    const { message } = error as Error
    // Most messages begin with the path.
    const lost = { source: message.includes(input.path) ? input.system : `${input.system} ${input.path}`, message }
    return {
      tickets: 0,
      decisions: 0,
      written: 0,
      retracted: 0,
      changes: [],
      gone: [],
      cancelled: [],
      skipped: {},
      skippedRecords: [],
      dropped: [lost],
      unphasedStates: [],
      warnings: [],
      hints: [],
    }
  }
}

function sumOf(answers: readonly Answer[], isListed: boolean): Answer {
  const sum = (name: 'tickets' | 'decisions' | 'written' | 'retracted' | 'created' | 'changed') =>
    answers.reduce((total, answer) => total + answer[name], 0)
  const skipped: Record<string, number> = {}
  for (const [reason, n] of answers.flatMap(answer => Object.entries(answer.skipped)))
    skipped[reason] = (skipped[reason] ?? 0) + n
  return {
    tickets: sum('tickets'),
    decisions: sum('decisions'),
    written: sum('written'),
    created: sum('created'),
    changed: sum('changed'),
    retracted: sum('retracted'),
    gone: answers.flatMap(({ gone }) => gone),
    cancelled: answers.flatMap(({ cancelled }) => cancelled),
    skipped,
    dropped: answers.flatMap(({ dropped }) => dropped),
    unphasedStates: [...new Set(answers.flatMap(({ unphasedStates }) => unphasedStates))].sort(),
    warnings: answers.flatMap(({ warnings }) => warnings),
    hints: answers.flatMap(({ hints }) => hints),
    ...(isListed && {
      changes: answers.flatMap(({ changes = [] }) => changes),
      skippedRecords: answers.flatMap(({ skippedRecords = [] }) => skippedRecords),
    }),
  }
}
