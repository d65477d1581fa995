import * as z from 'zod/mini'
import { count } from '../model/count.ts'
import type { Decision } from '../model/decision.ts'
import { anyFields } from '../model/decision.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import { isObject } from '../model/objects.ts'
import type { Ticket } from '../model/ticket.ts'
import type { Store } from '../store/store.ts'
import { decisionBatch } from './decision-batch.ts'
import { command, flag, type GivenInputOf, operation, parseInput } from './operation.ts'
import { cyclesOf, decisionId, record, recordOne } from './record.ts'
import { decisionShape } from './shapes.ts'

/** The most decisions at once. */
const MOST = 100_000
/** How many lines a message names. */
const MOST_NAMED = 5

/** One decision as `record` takes it, and an id of its own. */
export type DecisionLine = GivenInputOf<typeof record.fields> & { id?: string }

/** A decision to record, with its number; or what is wrong with its line. */
export type NumberedLine = { line: number } & ({ given: unknown } | { error: string })

const recordedAll = lazy(() =>
  z.object({
    /** How many decisions are new. */
    created: z.int(),
    recorded: z.array(z.object({ line: z.int(), created: z.boolean(), decision: decisionShape(), ticket: z.string() })),
    /** With `keepGoing`: what was not recorded, and why. */
    failed: z.array(z.object({ line: z.int(), code: z.string(), message: z.string() })),
    /** The files that were written. */
    files: z.array(z.string()),
    warnings: z.array(z.string()),
  }),
)
export type RecordedAll = z.infer<ReturnType<typeof recordedAll>>

/** A list whose entries are checked later, one by one. */
function uncheckedList<T>(): z.ZodMiniType<T[], T[]> {
  return z.array(z.unknown()).check(z.maxLength(MOST)) as unknown as z.ZodMiniType<T[], T[]>
}

/** Records many decisions: all are checked before anything is written. On the command line it is `record --stdin`. */
export const recordAll = operation({
  name: 'recordAll',
  summary: 'Record many decisions',
  writes: true,
  fields: {
    decisions: {
      // Written out, so that the published type needs no names of this house.
      schema: uncheckedList<
        { [K in keyof GivenInputOf<typeof record.fields>]: GivenInputOf<typeof record.fields>[K] } & { id?: string }
      >(),
      help: 'the decisions, each as record takes it, and perhaps with an id',
      sdkOnly: true,
    },
    keepGoing: { schema: flag, help: 'record the decisions that can be recorded, and report the others' },
  },
  output: recordedAll,
  examples: ['ticketplan record --stdin < decisions.jsonl'],
  run(store, { decisions, keepGoing }) {
    return recordLines(
      store,
      decisions.map((given, position) => ({ line: position + 1, given })),
      keepGoing,
    )
  },
  exitStatus: ({ failed }) => (failed.length > 0 ? 4 : 0),
})

type Failure = RecordedAll['failed'][number]

/** Records the decisions of all lines under one lock, with one write for each file. @throws PlanError not_recorded. */
export function recordLines(store: Store, lines: readonly NumberedLine[], keepGoing: boolean): RecordedAll {
  return store.noting('record', () => {
    const batch = decisionBatch(store)
    const ids = idsOf(store)
    const recorded: (RecordedAll['recorded'][number] & { path: string })[] = []
    let failed: Failure[] = []
    const warnings: string[] = []
    for (const { line, ...rest } of lines) {
      try {
        const one = 'error' in rest ? refuseLine(rest.error) : recordLine(batch.store, rest.given, ids)
        warnings.push(...one.warnings.map(warning => `line ${line}: ${warning}`))
        const { created, decision, ticket, path } = one
        recorded.push({ line, created, decision, ticket, path })
      } catch (error) {
        if (!isPlanError(error)) throw error
        failed.push({ line, code: error.code, message: error.message })
      }
    }
    const bad = new Set<string>()
    for (const [path, problem] of batch.problems()) {
      if (!problem) continue
      bad.add(path)
      const { code, message } = problem
      for (const { line } of recorded.filter(entry => entry.path === path && entry.created))
        failed.push({ line, code, message })
    }
    failed = failed.sort((a, b) => a.line - b.line)
    if (failed.length > 0 && !keepGoing) throw notRecorded(failed, lines.length)
    const files = batch.write(bad)
    const kept = recorded.filter(({ path, created }) => !created || !bad.has(path))
    warnings.push(
      ...cyclesOf(
        store,
        kept.filter(({ created }) => created).map(({ decision, ticket }) => ({ decision, ticket })),
      ),
    )
    const created = kept.filter(({ created }) => created).length
    return { created, recorded: kept.map(({ path: _, ...entry }) => entry), failed, files, warnings }
  })
}

function notRecorded(failed: Failure[], total: number): PlanError<'not_recorded'> {
  const named = failed.slice(0, MOST_NAMED).map(({ line, message }) => `line ${line}: ${message}`)
  const more = failed.length > named.length ? `; and ${failed.length - named.length} more` : ''
  const message = `${count(failed.length, 'line')} of ${total} cannot be recorded, so nothing was written: ${named.join('; ')}${more}`
  return new PlanError('not_recorded', message, { failed })
}

function refuseLine(message: string): never {
  throw new PlanError('invalid_input', message, { field: 'stdin' })
}

/** The Ticket of each decision with an id of its own that was given in the batch, or that the files have. */
interface KnownIds {
  holder(id: string): string | undefined
  add(id: string, ticket: string): void
}

function idsOf(store: Store): KnownIds {
  const given = new Map<string, string>()
  return {
    holder: id => given.get(id) ?? store.peek(({ queries }) => queries.holdersOf(id))[0],
    add: (id, ticket) => given.set(id, ticket),
  }
}

/** A line as `record` takes it, so that messages name its fields with the id. */
const lineCommand = command({
  name: 'record',
  summary: '',
  fields: { ...record.fields, id: { schema: z.optional(decisionId), help: 'an id of its own' } },
  examples: [],
  check: ({ id: _, ...input }, nameOf) => record.check?.(input, nameOf),
})

function recordLine(store: Store, given: unknown, ids: KnownIds) {
  if (!isObject(given)) return refuseLine('must be an object such as {"ticket":"B","kind":"blocked_by","other":"A"}')
  const { id, ...rest } = given
  if (id !== undefined && !decisionId.safeParse(id).success) return refuseLine('id: not the id of a decision (a ULID)')
  const input = parseInput(lineCommand, rest, undefined, 'field')
  if ((input.other?.length ?? 0) > 1) return refuseLine('other: one Ticket in each line')
  return recordOne(id === undefined ? store : withOwnId(store, id as string, ids), input, input.other?.[0])
}

/** Returns the store with edits that give a new decision the id, and that find the one which has it already. */
function withOwnId(store: Store, id: string, ids: KnownIds): Store {
  const edit: Store['edit'] = (path, change) =>
    store.edit(path, ticket => {
      const holder = ids.holder(id)
      if (holder !== undefined && holder !== ticket.id)
        return refuseLine(`the id ${id} is that of a decision in ${holder}`)
      ids.add(id, ticket.id)
      const existing = ticket.decisions.find(decision => decision.id === id)
      if (!existing) return change(ticket)
      const without: Ticket = { ...ticket, decisions: ticket.decisions.filter(decision => decision !== existing) }
      const wanted = change(without) as unknown as { ticket: Ticket; decision: Decision }
      if (contentOf(wanted.decision) !== contentOf(existing))
        return refuseLine(`the id ${id} is that of another decision in ${ticket.id}, which says something else`)
      return { ...wanted, ticket, decision: existing, created: false } as unknown as ReturnType<typeof change>
    })
  const stamp = () => ({ ...store.stamp(), newId: () => id })
  return Object.assign(Object.create(store), { edit, stamp }) as Store
}

/** What a decision says, without who said it when, and what it replaced. */
function contentOf(decision: Decision): string {
  const {
    id: _id,
    by: _by,
    at: _at,
    supersedes: _supersedes,
    ...content
  } = anyFields(decision) as unknown as Record<string, unknown>
  return JSON.stringify(Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1)))
}
