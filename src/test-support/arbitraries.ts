/**
 * Generators of Ticket files, for property tests. Those of whole plans are in plan-arbitraries.ts.
 *
 * Ids and times are drawn from small pools as often as from everything allowed, so that decisions name each other, relations
 * form cycles and times are equal. Whatever comes out passes `ticketProblem`.
 */

import fc from 'fast-check'
import type { Decision } from '../model/decision.ts'
import { isTicketId, type TicketId } from '../model/names.ts'
import { LIMITS } from '../model/text.ts'
import type { Ticket } from '../model/ticket.ts'
import { loose } from './loose-decision.ts'

const TICKET_POOL = ['A', 'B', 'C', 'D', 'E', 'a-1', 'Z.9', '00001KTG3MDFG'] as TicketId[]
/** The few ids of decisions that are often drawn. */
export const DECISION_POOL = Array.from({ length: 10 }, (_, i) => `01JX8Z3V7Q4T9K2M5N6P7R8S0${i}`)
/** The few times that are often drawn. */
export const TIME_POOL = ['2026-06-08T11:30:00.000Z', '2026-06-08T11:30:00.001Z', '2026-06-08T12:02:11.000Z']
const POOL_NAMES = ['default', 'gpu', 'review']
const STATES = ['open', 'planning', 'queued', 'in_progress', 'review', 'done', 'wontfix']
const KNOWN_KEYS = new Set(
  [
    ['advisory', 'at', 'branch', 'by', 'created_at', 'decisions', 'field', 'format', 'id', 'kind', 'label', 'lost'],
    [
      'not_before',
      'overrides',
      'plan',
      'pool',
      'queued_at',
      'queued_by',
      'reason',
      'retracts',
      'role_plan',
      'slug',
      'state',
    ],
    ['paths', 'shared', 'state_at', 'summary', 'supersedes', 'target', 'title', 'until', 'worktree'],
    // Refused: they are local to one machine.
    ['claim', 'claims', 'expires_at', 'fencing_token', 'holder', 'host', 'hostname', 'lease', 'pid', 'session'],
    ['socket', 'token'],
  ].flat(),
)

const letters = (alphabet: string, min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: min, maxLength: max })

const ALPHANUMERIC = 'ABCXYZabcxyz0189'

/** Any id that the grammar allows, often one of a few. */
export const ticketIds: fc.Arbitrary<TicketId> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...TICKET_POOL) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(letters(ALPHANUMERIC, 1, 1), letters(`${ALPHANUMERIC}._-`, 0, 63))
      .map(parts => parts.join(''))
      .filter(isTicketId),
  },
)

/** Any slug that the grammar allows. */
export const slugs: fc.Arbitrary<string> = fc
  .tuple(letters('abz019', 1, 1), letters('abz019-', 0, 127))
  .map(parts => parts.join(''))

/** Any ULID, often one of a few. */
export const decisionIds: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...DECISION_POOL) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(letters('01234567', 1, 1), letters('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 25, 25))
      .map(parts => parts.join('')),
  },
)

/** Any time that a file can hold, often one of a few. */
export const timestamps: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...TIME_POOL) },
  {
    weight: 1,
    arbitrary: fc
      .date({
        min: new Date('0000-01-01T00:00:00.000Z'),
        max: new Date('9999-12-31T23:59:59.999Z'),
        noInvalidDate: true,
      })
      .map(date => date.toISOString()),
  },
)

/** Text of every script, without halves of surrogate pairs, and what a codec can stumble over. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 24 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      'C:\\udder\\u0000',
      'the key "__proto__"',
      '<<<<<<< ours\n=======\n>>>>>>> theirs',
      '\u2028\u2029\u0000\u007f\ufeff\ufffd',
      'żółw 🐢 カメ',
      '// not a comment, /* nor this */',
      '1e400',
    ),
  },
)

const lines = texts.filter(text => text !== '')
const names = fc.oneof(
  fc.constantFrom('10', '9', '01', '-1', '', 'constructor', 'toString', 'ż', 'x/y', '🐢', 'a.b', 'hasOwnProperty'),
  texts,
)
/** Keys that the format neither uses nor refuses. */
const unknownKeys = names.filter(name => name !== '__proto__' && !KNOWN_KEYS.has(name))

const numbers = fc
  .oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(1e21, 1e-7, 5e-324, Number.MAX_VALUE, 0.1, 100),
  )
  .map(number => (Object.is(number, -0) ? 0 : number))

const leaves: fc.Arbitrary<unknown> = fc.oneof(texts, numbers, fc.boolean(), fc.constant(null))

/** A value that is `levels` objects and arrays deep. */
export function nested(levels: number): unknown {
  let value: unknown = levels % 3
  for (let level = 0; level < levels; level++) value = level % 2 ? { 10: value, 9: level } : [level, value]
  return value
}

/** What an unknown key may hold: JSON with awkward keys, at most `levels` deep. */
function extensionValues(levels: number): fc.Arbitrary<unknown> {
  const { value } = fc.letrec<{ value: unknown }>(tie => ({
    value: fc.oneof(
      { depthSize: 'small', maxDepth: 4 },
      leaves,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        names.filter(name => name !== '__proto__'),
        tie('value'),
        { maxKeys: 4, noNullPrototype: true },
      ),
    ),
  }))
  return fc.oneof(
    { weight: 9, arbitrary: value },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: levels }).map(nested) },
  )
}

/** Unknown keys of an object `depth` levels deep in its file, the file itself counting as one. */
function extensions(depth: number): fc.Arbitrary<Record<string, unknown>> {
  const some = fc.dictionary(unknownKeys, extensionValues(LIMITS.depth - depth), { maxKeys: 3, noNullPrototype: true })
  return fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: some })
}

/** An object with some of the fields. */
export const optional = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T, keyof T>(shape, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Partial<T>>

/** An object with all of the fields. */
export const required = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(shape, { noNullPrototype: true })

/** An object with the fields of all parts. */
export const merged = <T extends object>(...parts: fc.Arbitrary<object>[]): fc.Arbitrary<T> =>
  fc.tuple(...parts).map(objects => Object.assign({}, ...objects) as T)

const someIds = (ids: fc.Arbitrary<string>) => fc.array(ids, { minLength: 1, maxLength: 3 })

const globs = fc.uniqueArray(fc.constantFrom('src/**', 'src/menu/', 'src/*.ts', 'docs/a.md', '**', 'menu', 'żółw/?'), {
  minLength: 1,
  maxLength: 3,
})

/** The name of a pool. */
export const pools = fc.constantFrom(...POOL_NAMES)

const plans = merged<object>(
  required({ summary: texts }),
  optional({
    branch: texts,
    worktree: fc.constantFrom('.worktree/plan-tool', '../wt', 'żółw'),
    role_plan: texts,
    pool: pools,
  }),
  extensions(4),
)

type Kind = { kind: string }

/** The fields that each kind adds to the common ones; the last is a kind that no version knows. */
function ownFields(targets: fc.Arbitrary<TicketId>): fc.Arbitrary<Kind> {
  const target = required({ target: targets })
  const kind = (name: string) => fc.constant({ kind: name })
  return fc.oneof(
    merged<Kind>(kind('after'), target),
    merged<Kind>(kind('blocked_by'), target),
    merged<Kind>(kind('conflicts_with'), target, optional({ advisory: fc.boolean() })),
    merged<Kind>(kind('related'), target, optional({ label: texts })),
    merged<Kind>(kind('part_of'), target),
    merged<Kind>(kind('hold'), optional({ not_before: timestamps })),
    merged<Kind>(kind('touches'), required({ paths: globs }), optional({ shared: fc.boolean() })),
    merged<Kind>(kind('waiting_for_capacity'), optional({ pool: pools, until: someIds(targets) })),
    merged<Kind>(
      kind('accepted_plan'),
      required({ plan: plans }),
      optional({ overrides: fc.array(fc.constantFrom('after', 'blocked_by', 'cycle'), { maxLength: 2 }) }),
    ),
    kind('note'),
    merged<Kind>(kind('retraction'), required({ retracts: decisionIds })),
    merged<Kind>(
      kind('contested'),
      required({ field: fc.constantFrom('state', 'title', 'created_at'), lost: extensionValues(LIMITS.depth - 3) }),
    ),
    merged<Kind>(
      required({ kind: fc.constantFrom('constructor', 'reviewed', 'żółw') }),
      optional({ target: leaves, until: leaves, plan: leaves, advisory: fc.boolean() }),
    ),
  )
}

/** One decision of any kind, known or not, about some of the Tickets. */
export function decisionsAbout(targets: fc.Arbitrary<TicketId>): fc.Arbitrary<Decision> {
  return merged<Decision>(
    required({ id: decisionIds, by: lines, at: timestamps }),
    optional({ reason: texts, supersedes: someIds(decisionIds) }),
    ownFields(targets),
    extensions(3),
  )
}

/** One decision of any kind, known or not. */
export const decisions: fc.Arbitrary<Decision> = decisionsAbout(ticketIds)

/** The order of decisions in a file. */
export const byId = (a: Decision, b: Decision) => (a.id < b.id ? -1 : 1)

/** The decisions of one file, in the order of their ids. They name each other, in cycles too. */
export const decisionLists: fc.Arbitrary<Decision[]> = listOf(decisions)

/** The decisions of one file, no id twice, in the order of their ids. */
export function listOf(decisions: fc.Arbitrary<Decision>, maxLength = 8): fc.Arbitrary<Decision[]> {
  return fc.uniqueArray(decisions, { selector: ({ id }) => id, maxLength }).map(list => list.sort(byId))
}

/** Any Ticket: unknown keys at every level, unknown kinds, text of every script. */
export const tickets: fc.Arbitrary<Ticket> = merged<Ticket>(
  required({
    format: fc.constant(1),
    id: ticketIds,
    title: texts,
    state: fc.oneof(fc.constantFrom(...STATES), lines),
    decisions: decisionLists,
  }),
  optional({ slug: slugs, created_at: timestamps, queued_at: timestamps, queued_by: texts, state_at: timestamps }),
  extensions(1),
).map(ticket => ({ ...ticket, decisions: ticket.decisions.filter(decision => loose(decision).target !== ticket.id) }))
