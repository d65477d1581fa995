/** Suggestions for a misspelt name: the nearest of those that exist. */
import { distance } from 'fastest-levenshtein'

/** How many are suggested. */
const MOST = 3

/**
 * Returns the names that are most like the given one, the most similar first: equal but for case, `-`, `_`, `.` and spaces;
 * at a small edit distance, where two swapped neighbours are one edit; or with the given name as a part. At most three; none
 * where nothing is alike.
 */
export function nearestNames(name: string, names: Iterable<string>): string[] {
  const wanted = plain(name)
  if (wanted === '') return []
  const tolerance = Math.max(1, Math.floor(wanted.length / 3))
  const candidates: { candidate: string; score: number }[] = []
  for (const candidate of new Set(names)) {
    const score = scoreOf(wanted, plain(candidate), tolerance)
    if (score !== undefined) candidates.push({ candidate, score })
  }
  candidates.sort((a, b) => a.score - b.score || (a.candidate < b.candidate ? -1 : 1))
  return candidates.slice(0, MOST).map(({ candidate }) => candidate)
}

/** How unlike two names are, from 0; undefined where they have nothing in common. */
function scoreOf(wanted: string, candidate: string, tolerance: number): number | undefined {
  if (Math.abs(candidate.length - wanted.length) <= tolerance) {
    const edits = isSwapped(wanted, candidate) ? 1 : distance(wanted, candidate)
    if (edits <= tolerance) return edits
  }
  const isPart =
    wanted.length >= 3 && (candidate.includes(wanted) || (candidate.length >= 3 && wanted.includes(candidate)))
  return isPart ? tolerance + 1 : undefined
}

/** True where the names are equal but for two neighbouring letters that are swapped. */
function isSwapped(wanted: string, candidate: string): boolean {
  const at = [...wanted].findIndex((letter, position) => letter !== candidate[position])
  const swapped = `${wanted.slice(0, at)}${wanted[at + 1] ?? ''}${wanted[at] ?? ''}${wanted.slice(at + 2)}`
  return at >= 0 && swapped === candidate
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, '')
}

/** Returns a hint for the end of a message: `; did you mean a or b?`, or nothing. */
export function didYouMean(similar: readonly string[]): string {
  if (similar.length === 0) return ''
  const last = similar.at(-1)!
  const names = similar.length === 1 ? last : `${similar.slice(0, -1).join(', ')} or ${last}`
  return `; did you mean ${names}?`
}
