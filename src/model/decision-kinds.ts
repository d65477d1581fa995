/**
 * The kinds of decision: one entry each, from which the types, the checks, the lists of `record` and `query`, the output
 * shapes and the SQL of the views derive; a test compares the table in docs/format.md.
 *
 * Invariant: a relation is stored once, in the file of the Ticket that it holds back. A new kind is one entry here and what
 * the compiler and the tests then ask for; CONTRIBUTING.md has the list of files.
 */
import {
  ANYTHING,
  DECISION_ID,
  FILLED_LINE,
  type FieldType,
  type FieldTypes,
  FLAG,
  GLOB,
  LINE,
  listOf,
  objectOf,
  optional,
  POOL_NAME,
  RELATIVE_PATH,
  TEXT,
  TEXT_LIST,
  TICKET_ID,
  TIMESTAMP,
  type ValuesOf,
} from './fields.ts'

/** What there is to say about a kind. */
interface KindDefinition {
  /** One line for people: what the decision says. */
  help: string
  /** The fields that only this kind has. */
  fields: FieldTypes
  /**
   * Of a relation: how it reads from the other Ticket, and who stores it. `holder` is the Ticket that comes first in
   * "A kind B"; `smaller` is the one with the smaller id.
   */
  relation?: { inverse: string; storedBy: 'holder' | 'smaller' }
  /** True where of several on one Ticket only the last is active. */
  lastCounts?: true
  /** True where a verdict needs more of the decision than a row of the index has. */
  bodyInVerdict?: true
  /** True where `record` takes the kind; every relation is taken. */
  recordable?: true
}

/** The most globs that one decision may have. */
export const MOST_GLOBS = 100

const relationFields = { target: TICKET_ID }

/** The plan with which a Ticket is accepted. The worktree is relative to the repository. */
const planFields = {
  summary: TEXT,
  branch: optional(LINE),
  worktree: optional(RELATIVE_PATH),
  role_plan: optional(TEXT),
  pool: optional(POOL_NAME),
}

/** The plan with which a Ticket is accepted. */
export interface AcceptedPlan extends ValuesOf<typeof planFields> {}
const planField: FieldType<AcceptedPlan> = objectOf(planFields)

/** Every kind that a Ticket file can hold in this format, in alphabetical order. */
export const DECISION_KINDS = {
  accepted_plan: {
    help: 'the Ticket is accepted, with this plan',
    fields: { plan: planField, overrides: optional(TEXT_LIST) },
    lastCounts: true,
    bodyInVerdict: true,
  },
  after: {
    help: 'the Ticket comes after the target, while both are in play',
    fields: relationFields,
    relation: { inverse: 'before', storedBy: 'holder' },
  },
  blocked_by: {
    help: 'the Ticket waits until the target is terminal',
    fields: relationFields,
    relation: { inverse: 'blocks', storedBy: 'holder' },
  },
  conflicts_with: {
    help: 'the two Tickets must not run side by side; advisory: better not',
    fields: { ...relationFields, advisory: optional(FLAG) },
    relation: { inverse: 'conflicts_with', storedBy: 'smaller' },
  },
  contested: {
    help: 'a merge set this field; the losing value is kept (without `lost`: the losing side had removed the field)',
    fields: { field: LINE, lost: { ...ANYTHING, optional: true } },
    bodyInVerdict: true,
  },
  hold: {
    help: 'the Ticket is on hold until somebody retracts this, or until a time',
    fields: { not_before: optional(TIMESTAMP) },
    bodyInVerdict: true,
    recordable: true,
  },
  note: { help: 'a routing note', fields: {}, recordable: true },
  part_of: {
    help: 'the Ticket is a part of the target (epic, parent, milestone) and inherits what holds it',
    fields: relationFields,
    relation: { inverse: 'contains', storedBy: 'holder' },
  },
  related: {
    help: 'the two Tickets belong together; never holds',
    fields: { ...relationFields, label: optional(LINE) },
    relation: { inverse: 'related', storedBy: 'holder' },
  },
  retraction: { help: 'withdraws another decision of the same file', fields: { retracts: DECISION_ID } },
  touches: {
    help: 'the area in which the Ticket works: paths that no other Ticket may touch at the same time',
    fields: { paths: listOf(GLOB, MOST_GLOBS), shared: optional(FLAG) },
    bodyInVerdict: true,
    recordable: true,
  },
  waiting_for_capacity: {
    help: 'the Ticket is ready and waits for a slot of a pool, or until one of some Tickets leaves play',
    fields: { pool: optional(POOL_NAME), until: optional(listOf(TICKET_ID)) },
    lastCounts: true,
    bodyInVerdict: true,
    recordable: true,
  },
} as const satisfies Record<string, KindDefinition>

type Kinds = typeof DECISION_KINDS

/** A kind of decision as a Ticket file stores it. */
export type StoredKind = keyof Kinds
/** The kinds of relation as stored. */
export type StoredRelationKind = { [K in StoredKind]: Kinds[K] extends { relation: object } ? K : never }[StoredKind]
/** The kinds of relation as seen from one of the two Tickets. */
export type RelationKind = StoredRelationKind | Kinds[StoredRelationKind]['relation']['inverse']
/** The kinds that `record` takes and that are no relations. */
export type RecordableKind = { [K in StoredKind]: Kinds[K] extends { recordable: true } ? K : never }[StoredKind]
/** The fields that only one kind has. */
export type OwnFieldsOf<K extends StoredKind> = ValuesOf<Kinds[K]['fields']>

/** The fields of every decision. */
export const COMMON_FIELDS = {
  id: DECISION_ID,
  kind: FILLED_LINE,
  by: FILLED_LINE,
  at: TIMESTAMP,
  reason: optional(TEXT),
  supersedes: optional(listOf(DECISION_ID)),
} as const satisfies FieldTypes

const all = Object.entries(DECISION_KINDS) as [StoredKind, KindDefinition][]
const kindsWhere = (test: (kind: KindDefinition) => boolean) =>
  all.filter(([, kind]) => test(kind)).map(([name]) => name)

export const STORED_KINDS = all.map(([name]) => name)
export const STORED_RELATION_KINDS = kindsWhere(({ relation }) => relation !== undefined) as StoredRelationKind[]
/** Kinds that are no relations. */
export const OTHER_KINDS = kindsWhere(({ relation }) => relation === undefined) as Exclude<
  StoredKind,
  StoredRelationKind
>[]
export const RECORDABLE_KINDS = kindsWhere(({ recordable }) => recordable === true) as RecordableKind[]
/** Kinds of which only the last on a Ticket is active. */
export const LAST_COUNTS = kindsWhere(({ lastCounts }) => lastCounts === true)
/** Kinds whose whole body a verdict may need. */
export const BODY_IN_VERDICT = kindsWhere(({ bodyInVerdict }) => bodyInVerdict === true)

/** How a relation reads from the other Ticket. */
export const INVERSE = Object.fromEntries(
  STORED_RELATION_KINDS.flatMap(kind => {
    const { inverse } = DECISION_KINDS[kind].relation
    return [
      [kind, inverse],
      [inverse, kind],
    ]
  }),
) as Record<RelationKind, RelationKind>
/** The kinds of relation as seen from one of the two Tickets, in alphabetical order. */
export const RELATION_KINDS = Object.keys(INVERSE).sort() as RelationKind[]

/** Returns what a kind says, of a relation from either side; undefined for an unknown kind. */
export function kindHelp(kind: string): string | undefined {
  const known: Record<string, KindDefinition> = DECISION_KINDS
  if (Object.hasOwn(known, kind)) return known[kind]!.help
  return Object.hasOwn(INVERSE, kind) ? `the inverse of ${INVERSE[kind as RelationKind]}` : undefined
}

/** Second names of kinds, as people and other systems say them. */
export const KIND_ALIASES = { do_not_parallelize: 'conflicts_with' } as const satisfies Record<string, RelationKind>

/** The ways to write a kind: with "_" or with "-". */
export type SpellingOf<K extends string> = K | Dashed<K>
type Dashed<K extends string> = K extends `${infer Head}_${infer Tail}` ? `${Head}-${Dashed<Tail>}` : K

/** Returns the name of a kind for any way to write it: with "-" or "_", or by its second name. Unknown names pass. */
export function canonicalKind(text: string): string {
  const name = text.replaceAll('-', '_')
  return Object.hasOwn(KIND_ALIASES, name) ? KIND_ALIASES[name as keyof typeof KIND_ALIASES] : name
}

/** True for a kind that this version knows. */
export function isStoredKind(kind: string): kind is StoredKind {
  return Object.hasOwn(DECISION_KINDS, kind)
}

export function isStoredRelationKind(kind: string): kind is StoredRelationKind {
  return isStoredKind(kind) && 'relation' in DECISION_KINDS[kind]
}

/** True for a kind of relation as seen from either Ticket. */
export function isRelationKind(kind: string): kind is RelationKind {
  return Object.hasOwn(INVERSE, kind)
}
