/**
 * The words with which sources name relations: a kind is read in any case, with "-", "_" or neither, and by common synonyms.
 *
 * Invariant: a word has one meaning. One that could be read in both directions, such as "blocker" as a kind, is not here.
 */
import type { RelationKind } from '../model/decision-kinds.ts'
import { folded } from './queued-words.ts'

/** What a word means. A label is kept where the kind says less than the word. */
export interface RelationWord {
  kind: RelationKind
  label?: string
}

const BLOCKED_BY =
  'blocked_by is_blocked_by depends depends_on depends_upon requires needs wait_for waits_for waiting_for wait_on waits_on waiting_on'
const BLOCKS = 'blocks blocking is_blocking required_by is_required_by needed_by depended_on_by'
const RELATED = 'related supersedes superseded_by duplicate_of duplicates relates_to related_to see_also'
/** As the name of a field these are what its Ticket waits for. */
const FIELDS =
  'dependencies dependency deps dep blockers blocker prerequisites prerequisite prereqs prereq predecessors predecessor require'

const WORDS = new Map<string, RelationWord>([
  ...words(BLOCKED_BY, () => ({ kind: 'blocked_by' })),
  ...words(BLOCKS, () => ({ kind: 'blocks' })),
  ...words('after comes_after', () => ({ kind: 'after' })),
  ...words('before comes_before', () => ({ kind: 'before' })),
  ...words('conflicts_with conflicts do_not_parallelize', () => ({ kind: 'conflicts_with' })),
  ...words('part_of child_of', () => ({ kind: 'part_of' })),
  ...words('contains parent_of', () => ({ kind: 'contains' })),
  ...words(RELATED, label => ({ kind: 'related', label })),
])
const FIELD_WORDS = new Map([...WORDS, ...words(FIELDS, () => ({ kind: 'blocked_by' }))])

function words(text: string, meaning: (word: string) => RelationWord): [string, RelationWord][] {
  return text.split(' ').map(word => [folded(word), meaning(word)])
}

/** Returns what the kind of a relation means; undefined where it is not plain. */
export function relationOfKind(kind: unknown): RelationWord | undefined {
  return typeof kind === 'string' ? WORDS.get(folded(kind)) : undefined
}

/** Returns what a field that lists other Tickets means; undefined where it is not plain. */
export function relationOfField(name: string): RelationWord | undefined {
  return FIELD_WORDS.get(folded(name))
}
