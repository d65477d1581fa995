import * as z from 'zod/mini'
import { idFromPath, type ReadTicket } from '../files/ticket-files.ts'
import { addDecision, type DecisionDraft, findActive } from '../model/change.ts'
import {
  canonicalKind,
  isRelationKind,
  KIND_ALIASES,
  RECORDABLE_KINDS,
  RELATION_KINDS,
  type RelationKind,
  type SpellingOf,
} from '../model/decision-kinds.ts'
import { PlanError } from '../model/errors.ts'
import { poolName } from '../model/fields.ts'
import { lazy } from '../model/lazy.ts'
import { idKey, isDecisionId, isTicketId, type TicketId } from '../model/names.ts'
import { storedRelation } from '../model/stored-relation.ts'
import type { Store } from '../store/store.ts'
import { flag, operation, text, ticketName } from './operation.ts'
import { poolWarnings } from './pools.ts'
import { decisionShape } from './shapes.ts'
import { homePathWarnings } from './warnings.ts'

/** The kinds that `record` takes: relations from either side, and what else people decide. */
const KINDS = [...RELATION_KINDS, ...RECORDABLE_KINDS] as const
const NAMES = [...KINDS, ...Object.keys(KIND_ALIASES)].join(', ')

/** A kind as a caller may write it. */
type GivenKind = SpellingOf<(typeof KINDS)[number] | keyof typeof KIND_ALIASES>

const kind = z.pipe(
  z.pipe(z.string(), z.transform(canonicalKind)),
  z.enum(KINDS, `not a kind of decision; the kinds are ${NAMES}`),
) as unknown as z.ZodMiniType<(typeof KINDS)[number], GivenKind>

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
  }),
)
export type Recorded = z.infer<ReturnType<typeof recorded>>

/** A relation or a note. */
export const record = operation({
  name: 'record',
  summary: 'Record a decision about a Ticket',
  details: `Kinds: ${NAMES} ("-" or "_" alike). A relation is stored once, with the Ticket that it holds back, and seen from both. Recording one that stands already returns it and writes nothing.`,
  writes: true,
  fields: {
    ticket: { schema: ticketName, help: 'id or slug', positional: true },
    kind: { schema: kind, help: 'the kind of decision', positional: true },
    other: {
      schema: z.optional(ticketName),
      help: 'the other Ticket of a relation; it may have no file yet',
      positional: true,
    },
    reason: { schema: z.optional(text), help: 'why; the text of a note', value: 'text' },
    pool: { schema: z.optional(poolName()), help: 'waiting_for_capacity: the pool it waits for', value: 'name' },
    until: {
      schema: z.optional(z.array(ticketName).check(z.maxLength(MAX_NAMED))),
      help: 'waiting_for_capacity: Tickets, the first of which to leave play frees the capacity',
      value: 'tickets',
      list: true,
    },
    advisory: { schema: flag, help: 'conflicts_with: only warn' },
    supersedes: {
      schema: z.optional(z.array(decisionId).check(z.maxLength(MAX_NAMED))),
      help: 'decisions of the same file that this one replaces',
      value: 'ids',
      list: true,
    },
  },
  output: recorded,
  examples: [
    'ticketplan record B blocked_by A --reason "needs the record schema"',
    'ticketplan record C do-not-parallelize D --reason "both rewrite the parser"',
    'ticketplan record E waiting_for_capacity --until A,B --reason "two reviewers are enough"',
    'ticketplan record F note --reason "ask the author before routing"',
  ],
  run(store, input): Recorded {
    const { ticket: name, kind, other } = input
    const relation = isRelationKind(kind) ? kind : undefined
    refuse(
      relation !== undefined && other === undefined,
      'other',
      `"${kind}" needs the other Ticket: record ${name} ${kind} <other>`,
    )
    refuse(relation === undefined && other !== undefined, 'other', `"${kind}" takes no other Ticket`)
    refuse(input.advisory && kind !== 'conflicts_with', 'advisory', 'only conflicts_with can be advisory')
    refuse(
      (input.pool !== undefined || input.until !== undefined) && kind !== 'waiting_for_capacity',
      'pool',
      'pool and until belong to waiting_for_capacity',
    )
    refuse(kind === 'note' && !input.reason, 'reason', 'a note needs its text: --reason "…"')
    const warnings = [...homePathWarnings({ reason: input.reason }), ...poolWarnings(store, input.pool)]
    const shared = { reason: input.reason, supersedes: input.supersedes }
    return store.locked(() => {
      if (relation !== undefined)
        return recordRelation(store, name, relation, other!, { ...shared, advisory: input.advisory }, warnings)
      const { ticket, path } = store.getFile(name)
      const until = input.until?.map(name => nameOrFuture(store, name, warnings).id)
      refuse(until?.includes(ticket.id) ?? false, 'until', 'a Ticket cannot wait for itself')
      const draft: DecisionDraft =
        kind === 'waiting_for_capacity' ? { ...shared, kind, pool: input.pool, until } : { ...shared, kind: 'note' }
      return decide(store, path, draft, warnings)
    })
  },
})

function recordRelation(
  store: Store,
  name: string,
  kind: RelationKind,
  otherName: string,
  { advisory, ...draft }: { reason?: string; supersedes?: string[]; advisory: boolean },
  warnings: string[],
): Recorded {
  const subject = nameOrFuture(store, name, [])
  const other = nameOrFuture(store, otherName, [])
  if (!subject.file && !other.file) store.getFile(name) // throws what is true of it
  if (subject.id === other.id) {
    throw new PlanError('self_relation', `${subject.id} cannot be in a relation to itself`, { ticket: subject.id })
  }
  const files = new Map([subject, other].map(({ id, file }) => [id, file]))
  let { holder, kind: storedKind, target } = storedRelation(subject.id, kind, other.id)
  if (storedKind === 'conflicts_with') {
    // It reads the same from both sides. So nothing is lost because the Ticket that usually keeps it has not arrived, and one
    // that the other file holds for that reason stands or is replaced there.
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
      `"${subject.id} ${kind} ${other.id}" is kept in the file of ${holder}, the Ticket that it holds back, and ${holder} has none: add it first`,
      { ticket: holder },
    )
  }
  if (!files.get(target))
    warnings.push(`${target} has no file here (yet): the relation counts, and is reported as dangling until it has`)
  const relation: DecisionDraft =
    storedKind === 'conflicts_with'
      ? { ...draft, kind: storedKind, target, advisory }
      : { ...draft, kind: storedKind, target }
  return decide(store, file.path, relation, warnings)
}

function decide(store: Store, path: string, draft: DecisionDraft, warnings: string[]): Recorded {
  const stamp = store.stamp()
  const { created, decision, ticket } = store.edit(path, ticket => addDecision(ticket, draft, stamp))
  return { created, decision, ticket: ticket.id, warnings }
}

/** The Ticket that a name stands for; a name that could be an id may stand for one that has yet to arrive. */
function nameOrFuture(store: Store, name: string, warnings: string[]): { id: TicketId; file: ReadTicket | undefined } {
  const found = store.findFile(name)
  if (!found.file) refuseOtherCase(store, name)
  if (!found.file && isTicketId(name)) warnings.push(`${name} has no file here (yet)`)
  return found
}

/** A name that differs from an id only in case can never get a file of its own. */
function refuseOtherCase(store: Store, name: string): void {
  const [path] = store.read(({ queries }) => queries.pathsOfKey(idKey(name)))
  if (path === undefined || idFromPath(path) === name) return
  const similar = [idFromPath(path)]
  throw new PlanError('unknown_ticket', `no Ticket has the id "${name}"; there is ${similar[0]}`, {
    ticket: name,
    similar,
  })
}

function refuse(wrong: boolean, field: string, message: string): void {
  if (wrong) throw new PlanError('invalid_input', `record: ${message}`, { field })
}
