/** The area of a Ticket: the paths that it touches, as globs. Pure. */
import { type Glob, haveCommonPath, parseGlob, prefixOf } from './glob.ts'
import { lazy } from './lazy.ts'

/** One glob of an area. */
export interface AreaPattern {
  pattern: string
  /** True where others who say so too may work there at the same time. */
  shared: boolean
  /** The decision that says it; absent in the area of a claim. */
  decision?: string
}

/** The areas of the configuration, by name. */
export type NamedAreas = Readonly<Record<string, readonly string[]>>

/** True for what may be the name of an area: neither a path of several segments nor a wildcard. */
export function isBareWord(path: string): boolean {
  return !/[/*?]/.test(path)
}

/** Returns the globs of a path as a decision has it: those of the area of that name, or the path itself. */
export function expandPath(path: string, areas: NamedAreas): readonly string[] {
  return isBareWord(path) && Object.hasOwn(areas, path) ? areas[path]! : [path]
}

/** Returns the patterns of a decision of kind `touches`. */
export function patternsOf(
  { id, paths, shared = false }: { id: string; paths: readonly string[]; shared?: boolean },
  areas: NamedAreas,
): AreaPattern[] {
  const patterns: AreaPattern[] = []
  for (const path of paths)
    for (const pattern of expandPath(path, areas)) patterns.push({ pattern, shared, decision: id })
  return patterns
}

/** Patterns that overlap: one of a Ticket, and one of another Ticket. */
export interface Overlap {
  ticket: string
  own: AreaPattern
  other: AreaPattern
}

/** Finds who else is in an area. */
export interface AreaMap {
  /** Yields the first overlap with each Ticket. Two shared patterns do not overlap. */
  overlaps(area: readonly AreaPattern[]): Generator<Overlap>
}

interface Entry {
  ticket: string
  pattern: AreaPattern
  prefix: string
  /** Parsed when it is first compared. */
  glob: () => Glob
}

/**
 * Returns a map of areas. It finds patterns by what they have before their first wildcard, since patterns whose beginnings differ
 * cannot overlap: a question costs what has a beginning in common with it, not the number of all patterns.
 */
export function areaMap(areas: Iterable<{ ticket: string; area: readonly AreaPattern[] }>): AreaMap {
  const entries = [...areas].flatMap(({ ticket, area }) => area.map((pattern): Entry => entryOf(ticket, pattern)))
  const byPrefix = Map.groupBy(entries, ({ prefix }) => prefix)
  const prefixes = [...byPrefix.keys()].sort()
  const beginnings = longestBeginnings(prefixes)

  /** Yields the entries of which the prefix is a beginning of this one, or this one a beginning of theirs. */
  function* candidates(prefix: string): Generator<Entry> {
    const next = firstAfter(prefixes, prefix)
    // In a sorted list, the beginnings of a text are also beginnings of all that is between them and the text.
    for (let at = next - 1; at >= 0; at = beginnings[at]!)
      if (prefix.startsWith(prefixes[at]!)) yield* byPrefix.get(prefixes[at]!)!
    for (let at = next; prefixes[at]?.startsWith(prefix); at++) yield* byPrefix.get(prefixes[at]!)!
  }
  return {
    *overlaps(area) {
      const found = new Set<string>()
      for (const own of area) {
        let glob: Glob | undefined
        for (const { ticket, pattern: other, glob: otherGlob } of candidates(prefixOf(own.pattern))) {
          if (found.has(ticket) || (own.shared && other.shared)) continue
          glob ??= parseGlob(own.pattern)
          if (!haveCommonPath(glob, otherGlob())) continue
          found.add(ticket)
          yield { ticket, own, other }
        }
      }
    },
  }
}

function entryOf(ticket: string, pattern: AreaPattern): Entry {
  return { ticket, pattern, prefix: prefixOf(pattern.pattern), glob: lazy(() => parseGlob(pattern.pattern)) }
}

/** Returns for each text of a sorted list the position of the longest other one that is a beginning of it, or -1. */
function longestBeginnings(sorted: readonly string[]): number[] {
  const open: number[] = []
  return sorted.map((text, at) => {
    while (open.length > 0 && !text.startsWith(sorted[open.at(-1)!]!)) open.pop()
    const longest = open.at(-1) ?? -1
    open.push(at)
    return longest
  })
}

/** Returns the position of the first text after the given one, in a sorted list. */
function firstAfter(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! <= text) low = middle + 1
    else high = middle
  }
  return low
}
