import * as z from 'zod/mini'
import type { ReadTicket } from '../files/ticket-files.ts'
import { addDecision, type DecisionDraft, findActive } from '../model/change.ts'
import {
  isRelationKind,
  MOST_GLOBS,
  RECORDABLE_KINDS,
  RELATION_KINDS,
  type RecordableKind,
  type RelationKind,
} from '../model/decision-kinds.ts'
import { PlanError } from '../model/errors.ts'
import { GLOB, poolName } from '../model/fields.ts'
import { lazy } from '../model/lazy.ts'
import { isDecisionId } from '../model/names.ts'
import { storedRelation } from '../model/stored-relation.ts'
import { ONE_TICKET, waitGraph } from '../model/wait-graph.ts'
import type { Store } from '../store/store.ts'
import { decisionBatch } from './decision-batch.ts'
import { findTicket } from './find-ticket.ts'
import { aliasesOf, kindSchema } from './kind-schema.ts'
import { flag, type InputOf, moment, oneOrMore, operation, text, ticketName } from './operation.ts'
import { refuseRing } from './parent-ring.ts'
import { poolWarnings } from './pools.ts'
import { decisionShape } from './shapes.ts'
import { touchedPaths } from './touched-paths.ts'
import { homePathWarnings } from './warnings.ts'

/** The kinds that `record` takes: relations from either side, and what else people decide. */
const KINDS = [...RELATION_KINDS, ...RECORDABLE_KINDS] as const
const NAMES = [...KINDS, ...aliasesOf(KINDS)].join(', ')

/** How many Tickets or decisions one decision may name. */
const MAX_NAMED = 1000

export const decisionId = z.string().check(z.refine<string>(isDecisionId, 'not the id of a decision (a ULID)'))

export const recorded = lazy(() =>
  z.object({
    created: z.boolean(),
    decision: decisionShape(),
    /** The Ticket whose file holds the decision. */
    ticket: z.string(),
    /** What a person may want to change. */
    warnings: z.array(z.string()),
    /** Of several others: all decisions, of which the first is repeated above; `created` is then true if any is new. */
    recorded: z.optional(z.array(z.object({ created: z.boolean(), decision: decisionShape(), ticket: z.string() }))),
  }),
)
export type Recorded = z.infer<ReturnType<typeof recorded>>

/** Records a decision about a Ticket: a relation, a note, or that it waits for capacity. */
export const record = operation({
  name: 'record',
  summary: 'Record a decision about a Ticket',
  details: `Kinds: ${NAMES} ("-" and "_" are the same). A relation is stored once, with the Ticket that it holds back, and shown from both sides. Recording a relation that is already active returns it and writes nothing, but a new reason replaces it. An advisory conflict never replaces a strict one unless --supersedes names it. A Ticket is in play while it is queued, active or claimed.`,
  writes: true,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    kind: {
      schema: kindSchema(KINDS, 'kind of decision'),
      help: 'the kind of decision',
      positional: true,
      completes: 'kind',
    },
    other: {
      schema: z.optional(oneOrMore(ticketName, MAX_NAMED)),
      help: 'the other Ticket of a relation, or several: a relation to each',
      positional: true,
      list: true,
    },
    reason: { schema: z.optional(text), help: 'why; the text of a note', value: 'text', stdin: true },
    pool: {
      schema: z.optional(poolName()),
      help: 'waiting_for_capacity: the pool it waits for',
      value: 'name',
      completes: 'pool',
    },
    until: {
      schema: z.optional(z.array(ticketName).check(z.maxLength(MAX_NAMED))),
      help: 'waiting_for_capacity: wait until one of these Tickets is no longer in play',
      value: 'tickets',
      list: true,
    },
    advisory: { schema: flag, help: 'conflicts_with: warn instead of hold' },
    notBefore: {
      schema: z.optional(moment),
      help: 'hold: until this time; a date alone means 00:00 UTC',
      value: 'time',
    },
    paths: {
      schema: z.optional(z.array(GLOB.schema()).check(z.minLength(1), z.maxLength(MOST_GLOBS))),
      help: 'touches: paths and globs from the root ("*", "?", "**"), or names of areas in ticketplan.json',
      value: 'globs',
      list: true,
    },
    shared: { schema: flag, help: 'touches: others who say so too may work there at the same time' },
    future: { schema: flag, help: 'the Tickets named may have no file yet' },
    supersedes: {
      schema: z.optional(z.array(decisionId).check(z.maxLength(MAX_NAMED))),
      help: 'decisions in the same file that this one replaces',
      value: 'ids',
      list: true,
      completes: 'decision',
    },
  },
  output: recorded,
  examples: [
    'ticketplan record B blocked_by A --reason "needs the record schema"',
    'ticketplan record B blocked_by A-1 A-2 A-3 --reason "all change it"',
    'ticketplan record C do-not-parallelize D --reason "both rewrite the parser"',
    'ticketplan record E waiting_for_capacity --until A,B --reason "two at a time"',
    'ticketplan record F note --reason "ask the author before routing"',
    'ticketplan record G part_of EPIC-1',
    "ticketplan record G touches --paths 'app/menu/**,app/menu.md'",
    'ticketplan record H hold --not-before 2026-12-01 --reason "after the release"',
  ],
  check({ kind, other, reason, pool, until, advisory, notBefore, paths, shared, supersedes }, nameOf) {
    const isRelation = isRelationKind(kind)
    const waits = kind === 'waiting_for_capacity'
    const rules: [broken: boolean, field: string, message: string][] = [
      [isRelation && other === undefined, 'other', `"${kind}" needs ${nameOf('other')}, the other Ticket`],
      [
        other !== undefined && other.length > 1 && supersedes !== undefined,
        'supersedes',
        `${nameOf('supersedes')} takes one ${nameOf('other')}`,
      ],
      [!isRelation && other !== undefined, 'other', `"${kind}" takes no ${nameOf('other')}`],
      [advisory && kind !== 'conflicts_with', 'advisory', `only conflicts_with takes ${nameOf('advisory')}`],
      [pool !== undefined && !waits, 'pool', `only waiting_for_capacity takes ${nameOf('pool')}`],
      [until !== undefined && !waits, 'until', `only waiting_for_capacity takes ${nameOf('until')}`],
      [notBefore !== undefined && kind !== 'hold', 'notBefore', `only hold takes ${nameOf('notBefore')}`],
      [paths !== undefined && kind !== 'touches', 'paths', `only touches takes ${nameOf('paths')}`],
      [shared && kind !== 'touches', 'shared', `only touches takes ${nameOf('shared')}`],
      [kind === 'touches' && paths === undefined, 'paths', `touches needs ${nameOf('paths')}`],
      [
        kind === 'hold' && !reason && notBefore === undefined,
        'reason',
        `a hold needs ${nameOf('reason')} or ${nameOf('notBefore')}`,
      ],
      [kind === 'note' && !reason, 'reason', `a note needs ${nameOf('reason')}, its text`],
    ]
    const [, field, message] = rules.find(([broken]) => broken) ?? []
    return field && message ? { field, message } : undefined
  },
  run(store, input): Recorded {
    return store.noting('record', () => {
      const others = input.other ?? [undefined]
      if (others.length === 1) return withCycles(store, recordOne(store, input, others[0]))
      const batch = decisionBatch(store)
      const recorded = others.map(other => recordOne(batch.store, input, other))
      for (const problem of batch.problems().values()) if (problem) throw problem
      batch.write()
      return severalOf(store, recorded)
    })
  },
})

type RecordInput = InputOf<typeof record.fields>
type RecordedAt = Recorded & { path: string }

/** Records one decision with one other Ticket, or with none. Called under the write lock. */
export function recordOne(store: Store, input: RecordInput, other: string | undefined): RecordedAt {
  const { ticket: name, kind } = input
  const warnings = [...homePathWarnings({ reason: input.reason }), ...poolWarnings(store, input.pool)]
  const shared = { reason: input.reason, supersedes: input.supersedes }
  if (isRelationKind(kind)) {
    const draft = { ...shared, advisory: input.advisory }
    return recordRelation(store, [name, kind, other!], draft, input.future, warnings)
  }
  const file = store.getFile(name)
  const { ticket } = file
  const until = input.until?.map(name => findTicket(store, name, input.future).id)
  if (until?.includes(ticket.id)) {
    throw new PlanError('invalid_input', `record: ${ticket.id} cannot wait for itself`, { field: 'until' })
  }
  const paths = input.paths && touchedPaths(store, input.paths, warnings)
  return decide(store, file, otherDraft(kind, { ...shared, until }, { ...input, paths }), warnings)
}

function withCycles(store: Store, { path: _, ...recorded }: RecordedAt): Recorded {
  return { ...recorded, warnings: [...recorded.warnings, ...cyclesOf(store, [recorded])] }
}

function severalOf(store: Store, all: RecordedAt[]): Recorded {
  const [first] = all as [RecordedAt]
  const recorded = all.map(({ created, decision, ticket }) => ({ created, decision, ticket }))
  const warnings = [...new Set([...all.flatMap(({ warnings }) => warnings), ...cyclesOf(store, recorded)])]
  const { decision, ticket } = first
  return { created: all.some(({ created }) => created), decision, ticket, warnings, recorded }
}

/** Returns a warning for each cycle that the recorded decisions are part of. */
export function cyclesOf(store: Store, recorded: readonly Pick<Recorded, 'decision' | 'ticket'>[]): string[] {
  const ordering = recorded.filter(
    ({ decision: { kind } }) => kind === 'after' || kind === 'blocked_by' || kind === 'part_of',
  )
  return cycleWarnings(store, [...new Set(ordering.map(({ ticket }) => ticket))])
}

/** Returns the draft of a decision that is no relation. */
function otherDraft(
  kind: RecordableKind,
  shared: { reason?: string; supersedes?: string[]; until?: string[] },
  {
    pool,
    notBefore,
    paths = [],
    shared: isShared = false,
  }: { pool?: string; notBefore?: string; paths?: string[]; shared?: boolean },
): DecisionDraft {
  const { until, ...draft } = shared
  if (kind === 'waiting_for_capacity') return { ...draft, kind, pool, until }
  if (kind === 'touches') return { ...draft, kind, paths, ...(isShared && { shared: true }) }
  return kind === 'hold' ? { ...draft, kind, not_before: notBefore } : { ...draft, kind }
}

function recordRelation(
  store: Store,
  [name, kind, otherName]: [name: string, kind: RelationKind, otherName: string],
  { advisory, ...draft }: { reason?: string; supersedes?: string[]; advisory: boolean },
  future: boolean,
  warnings: string[],
): RecordedAt {
  const subject = findTicket(store, name, future)
  const other = findTicket(store, otherName, future)
  if (!subject.file && !other.file) store.getFile(name) // throws the reason
  if (subject.id === other.id) {
    throw new PlanError('self_relation', `${subject.id} cannot have a relation to itself`, { ticket: subject.id })
  }
  const files = new Map([subject, other].map(({ id, file }) => [id, file]))
  let { holder, kind: storedKind, target } = storedRelation(subject.id, kind, other.id)
  if (storedKind === 'conflicts_with') {
    // A conflict is symmetric, so the other Ticket can store it: while the usual one has no file, and as long as it is active there.
    const other = files.get(target)
    const inOther = [true, false].some(
      advisory => other && findActive(other.ticket, { kind: storedKind, target: holder, advisory }),
    )
    if (inOther || !files.get(holder)) [holder, target] = [target, holder]
  }
  const file = files.get(holder)
  if (!file) {
    throw new PlanError(
      'no_ticket_file',
      `"${subject.id} ${kind} ${other.id}" is stored in the file of ${holder}, the Ticket that it holds back, but ${holder} has no file; add the Ticket first`,
      { ticket: holder },
    )
  }
  if (!files.get(target))
    warnings.push(`${target} has no file yet; the relation is active, and reported as dangling until the file exists`)
  if (storedKind === 'part_of') refuseRing(store, holder, target)
  const relation: DecisionDraft =
    storedKind === 'conflicts_with'
      ? { ...draft, kind: storedKind, target, advisory }
      : { ...draft, kind: storedKind, target }
  const recorded = decide(store, file, relation, warnings)
  if (advisory && !('advisory' in recorded.decision && recorded.decision.advisory)) {
    warnings.push(
      `${holder} and ${target} already have a strict conflict, which stays: recording it with supersedes ${recorded.decision.id} weakens it`,
    )
  }
  return recorded
}

/** Warnings where Tickets wait for themselves now, by the index as it is: a scan of all files would cost every record. */
function cycleWarnings(store: Store, ids: readonly string[]): string[] {
  if (ids.length === 0) return []
  const cycles = store.peek(({ facts }) => {
    const graph = waitGraph(facts)
    return ids.map(id => ({ id, cycle: graph.cycle(id, ONE_TICKET) }))
  })
  return cycles.flatMap(({ id, cycle }) => {
    if (!cycle) return []
    const names = cycle.list.length < cycle.total ? [...cycle.list, '…'] : [...cycle.list, id]
    return [`this closes a cycle, which holds all of it: ${names.join(' waits for ')}`]
  })
}

function decide(store: Store, file: ReadTicket, draft: DecisionDraft, warnings: string[]): RecordedAt {
  const { path } = file
  const stamp = store.stamp()
  const { created, decision, ticket } = store.edit(path, ticket => addDecision(ticket, draft, stamp), file)
  return { created, decision, ticket: ticket.id, path, warnings }
}
