/**
 * Globs of paths: which paths one matches, and whether two can match the same path. Pure; no file is listed.
 *
 * A glob is a list of segments between "/". "*" is any run of characters within a segment and "?" is one; "**" is any number of
 * segments and, as the last one, at least one, as in .gitignore. A glob that ends in "/" is the folder with all below it. Case
 * counts. A comparison takes time in proportion to the product of the two lengths, whatever the wildcards.
 */

/** Returns what keeps a text from being a glob; null where nothing does. */
export function globProblem(text: string): string | null {
  if (text === '' || text === '/') return 'is empty'
  if (Buffer.byteLength(text) > GLOB_BYTES) return `is longer than ${GLOB_BYTES} bytes`
  if (text.startsWith('/')) return 'is absolute: write it from the root of the repository'
  const refused = /[{}\\\u0000-\u001f\u007f]/.exec(text)?.[0]
  if (refused !== undefined) return `has ${JSON.stringify(refused)}, which has no meaning here`
  for (const segment of segmentsOf(text)) {
    if (segment === '') return 'has an empty segment ("//")'
    if (segment === '.' || segment === '..')
      return `has the segment "${segment}": write it from the root of the repository`
    if (segment !== DEPTH && segment.includes(DEPTH)) return 'has "**" inside a segment: it must be a whole one'
  }
  return null
}

/** The most bytes of a glob. */
export const GLOB_BYTES = 256

/** A parsed glob. */
export type Glob = readonly Segment[]

/** Returns what a glob has before its first wildcard. Of two globs that overlap, one's prefix is the beginning of the other's. */
export function prefixOf(glob: string): string {
  const first = glob.search(/[*?]/)
  return first === -1 ? glob : glob.slice(0, first)
}

/** True where the glob matches a path, which is given from the root with "/". */
export function matchesGlob(glob: string, path: string): boolean {
  return haveCommonPath(parseGlob(glob), path.split('/').map(codePoints))
}

const DEPTH = '**'

function segmentsOf(glob: string): string[] {
  return glob.endsWith('/') ? [...glob.slice(0, -1).split('/'), DEPTH] : glob.split('/')
}

/** A segment: code points, ANY_ONE and ANY_RUN; null for any number of segments. */
type Segment = number[] | null
const ANY_ONE = -1
const ANY_RUN = -2

/** Parses a glob that has no problem. A last "**" becomes one segment of any name and any number of others. */
export function parseGlob(glob: string): Glob {
  const segments = segmentsOf(glob)
  if (segments.at(-1) === DEPTH) segments.splice(-1, 1, '*', DEPTH)
  return segments.map(segment => {
    if (segment === DEPTH) return null
    return [...segment].map(character =>
      character === '*' ? ANY_RUN : character === '?' ? ANY_ONE : character.codePointAt(0)!,
    )
  })
}

function codePoints(name: string): number[] {
  return [...name].map(character => character.codePointAt(0)!)
}

/** True where some path matches both parsed globs. */
export function haveCommonPath(one: Glob, other: Glob): boolean {
  return haveCommonList(one, other, null, (a, b) => haveCommonList(a!, b!, ANY_RUN, haveCommonCharacter))
}

function haveCommonCharacter(a: number, b: number): boolean {
  return a === ANY_ONE || b === ANY_ONE || a === b
}

/**
 * True where two patterns can both match one list. Looks at each pair of places in them at most once.
 * @param anyRun stands for any number of items.
 * @param meet says whether two other items can match the same.
 */
function haveCommonList<T>(one: readonly T[], other: readonly T[], anyRun: T, meet: (a: T, b: T) => boolean): boolean {
  const width = other.length + 1
  const seen = new Set([0])
  for (const place of seen) {
    const [i, j] = [Math.floor(place / width), place % width]
    if (i === one.length && j === other.length) return true
    const [hasA, hasB] = [i < one.length, j < other.length]
    const [isRunA, isRunB] = [hasA && one[i] === anyRun, hasB && other[j] === anyRun]
    // A run matches nothing more, or the next item of the other pattern.
    if (isRunA || (isRunB && hasA)) seen.add(place + width)
    if (isRunB || (isRunA && hasB)) seen.add(place + 1)
    if (hasA && hasB && !isRunA && !isRunB && meet(one[i]!, other[j]!)) seen.add(place + width + 1)
  }
  return false
}
