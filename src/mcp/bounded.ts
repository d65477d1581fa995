/**
 * Cuts documents to a size that a model can read: lists, texts and keys; and says what was left out.
 *
 * Invariant: the result of `fitted` is below its limit whatever the document holds, and has every top-level field that the
 * document has. Nothing is left out in silence: `left_out` counts it. Pure.
 */

/** What a document may have at most: entries of a list of its own, entries of a list inside those, and so on. */
export interface Bounds {
  entries: number
  problems: number
  nested: number
  characters: number
  /** Keys of an object below the document. */
  keys: number
  /** Columns, and cells of a row. */
  cells: number
}

/** How to get what is missing; an answer that was cut to its size says so instead. */
export interface Remedies {
  /** Entries of a list. */
  entries: string
  /** Texts, and entries of lists inside an entry. */
  nested: string
}

/** Most clients refuse an answer of more than 25,000 tokens, where four bytes are one; the rest is for the envelope. */
export const MAX_BYTES = 98_000
export const DEFAULT_BOUNDS: Bounds = {
  entries: 50,
  problems: 10,
  nested: 10,
  characters: 2000,
  keys: 100,
  cells: 2000,
}
export const TOOL_REMEDIES: Remedies = {
  entries: 'a larger limit returns more',
  nested: 'the resource ticketplan://ticket/{id} has more',
}
const FULL = 'an answer has at most 25,000 tokens; ask for less at once'

/** Returns the document, cut further and further until `bytesOf` of it is at most `maxBytes`. */
export function fitted(
  document: object,
  bounds: Bounds,
  remedies: Remedies,
  bytesOf: (document: object) => number,
  maxBytes = MAX_BYTES,
): Record<string, unknown> {
  const first = bounded(document, bounds, remedies)
  if (bytesOf(first) <= maxBytes) return first
  for (const smaller of smallerBounds(bounds)) {
    const cut = bounded(document, smaller, { entries: FULL, nested: FULL })
    if (bytesOf(cut) <= maxBytes) return cut
  }
  throw new RangeError(`a document with ${Object.keys(document).length} fields does not fit`)
}

/** Yields bounds for less and less: first shorter texts and inner lists, then fewer entries, at last hardly anything. */
function* smallerBounds(bounds: Bounds): Generator<Bounds> {
  let { entries, problems, nested, characters, keys, cells } = bounds
  while (characters > 250 || nested > 4) {
    characters = Math.min(characters, Math.max(250, characters >> 1))
    nested = Math.min(nested, Math.max(4, nested >> 1))
    yield { entries, problems, nested, characters, keys, cells }
  }
  while (entries > 8) {
    entries = Math.max(8, Math.floor(entries * 0.75))
    yield { entries, problems, nested, characters, keys, cells }
  }
  cells = Math.min(cells, 64)
  for (;;) {
    yield { entries, problems, nested, characters, keys, cells }
    if (entries + problems + nested + characters + keys + cells === 0) return
    entries >>= 1
    problems >>= 1
    nested >>= 1
    characters >>= 1
    keys >>= 1
    cells >>= 1
  }
}

/**
 * Returns the document with its lists and texts cut; `left_out` says what is missing and how to get it. If the document was
 * cut before, its `total` has the lengths of the complete lists, and `truncated` says that there are more rows.
 */
export function bounded(document: object, bounds: Bounds, remedies: Remedies): Record<string, unknown> {
  const { total, truncated } = document as { total?: Record<string, number>; truncated?: boolean }
  const leftOut = missingParts()
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(document)) {
    const isList = Array.isArray(value) && name !== 'columns'
    kept[name] = isList ? cutList(value, name, total?.[name] ?? 0) : cut(value, name, 1)
  }
  const lines = leftOut.lines()
  if (truncated) lines.push(`more rows: ${remedies.entries}`)
  return lines.length ? { ...kept, left_out: lines } : kept

  function cutList(list: unknown[], name: string, wholeLength: number): unknown[] {
    const isProblems = name === 'problems'
    const most = isProblems ? bounds.problems : bounds.entries
    const how = isProblems ? 'the command "ticketplan verify" lists all' : remedies.entries
    leftOut.add(name, Math.max(wholeLength, list.length) - Math.min(list.length, most), how)
    return list.slice(0, most).map(entry => cut(entry, name, 1))
  }

  function cut(value: unknown, name: string, depth: number): unknown {
    if (typeof value === 'string') {
      leftOut.add(`characters of ${name}`, value.length - bounds.characters, remedyOf(name))
      return shortened(value, bounds.characters)
    }
    if (typeof value !== 'object' || value === null) return value
    if (depth > MAX_DEPTH) {
      leftOut.add(`parts of ${name}`, 1, remedies.nested)
      return Array.isArray(value) ? [] : {}
    }
    if (Array.isArray(value)) {
      const most = name === 'rows' || name === 'columns' ? bounds.cells : bounds.nested
      leftOut.add(name === 'rows' ? 'cells' : name, value.length - most, remedyOf(name))
      return value.slice(0, most).map(entry => cut(entry, name, depth + 1))
    }
    const entries = Object.entries(value)
    leftOut.add(`fields of ${name}`, entries.length - bounds.keys, remedies.nested)
    return Object.fromEntries(
      entries.slice(0, bounds.keys).map(([key, entry]) => [shortened(key, KEY_CHARACTERS), cut(entry, key, depth + 1)]),
    )
  }

  function remedyOf(name: string): string {
    if (remedies.nested === FULL) return FULL
    return name === 'rows' || name === 'columns' ? 'substr() returns parts' : remedies.nested
  }
}

/** Deeper values come only from fields that this version does not know. */
const MAX_DEPTH = 8
const KEY_CHARACTERS = 200

/** Counts what is left out, by what it is. */
function missingParts() {
  const counts = new Map<string, { count: number; how: string }>()
  return {
    add(what: string, count: number, how: string): void {
      const name = counts.has(what) || counts.size < MOST_LINES ? shortened(what, KEY_CHARACTERS) : 'other parts'
      if (count > 0) counts.set(name, { count: (counts.get(name)?.count ?? 0) + count, how })
    },
    lines: () => [...counts].map(([what, { count, how }]) => `${count} ${what}: ${how}`),
  }
}

/** Fields that this version does not know can have any number of names. */
const MOST_LINES = 20

/** Returns a text cut to a number of UTF-16 code units, with an ellipsis, never inside a character. */
export function shortened(text: string, characters: number): string {
  if (text.length <= characters) return text
  return `${text.slice(0, characters).replace(/[\ud800-\udbff]$/, '')}…`
}
