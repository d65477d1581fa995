/** Splits a text that a merge left with conflict markers into its sides. */

/** The whole text of each side; `base` is null where the markers do not show it (only git's diff3 style does). */
export interface MarkedSides {
  base: string | null
  ours: string
  theirs: string
}

const MARKER = /^(<{7,}|\|{7,}|={7,}|>{7,})(?:[ \r][^\n]*)?$/

/** True where a line of the text has the form of a conflict marker. */
export function hasMarkers(text: string): boolean {
  return text.split('\n').some(line => MARKER.test(line))
}

/** Returns the sides of a text with markers; null where there are none, or where they are incomplete. */
export function splitMarkers(text: string): MarkedSides | null {
  const sides = { base: '', ours: '', theirs: '' }
  let within: keyof MarkedSides | null = null
  let size = 0
  let hunks = 0
  let hunksWithBase = 0
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const found: string | undefined = MARKER.exec(line.replace(/\n$/, ''))?.[1]
    // Longer markers within a hunk belong to an earlier merge, whose result is the base of this one.
    const marker = found !== undefined && (within === null || found.length === size) ? found[0] : undefined
    if (marker === '<' && within === null) {
      within = 'ours'
      size = found!.length
      hunks++
    } else if (marker === '|' && within === 'ours') {
      within = 'base'
      hunksWithBase++
    } else if (marker === '=' && (within === 'ours' || within === 'base')) within = 'theirs'
    else if (marker === '>' && within === 'theirs') within = null
    else if (marker !== undefined) return null
    else if (within !== null) sides[within] += line
    else for (const side of ['base', 'ours', 'theirs'] as const) sides[side] += line
  }
  if (within !== null || hunks === 0) return null
  return { ...sides, base: hunksWithBase === hunks ? sides.base : null }
}
