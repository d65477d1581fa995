/**
 * A block of lines between two marker lines, in a text that has other content too.
 *
 * Invariant: replacing a block changes nothing outside of it. Half of a block, or two markers in the wrong order, is never
 * taken for one.
 */

/** Where a block begins, and where its last line ends, before the line break. */
export interface BlockPlace {
  start: number
  end: number
}

/** Why a text with half of a block is not changed. */
export const INCOMPLETE_BLOCK = 'one of the two marker comments of its ticketplan lines is missing'

/** Finds the block in a text: `absent` where it has no marker, `incomplete` where one is missing. */
export function findBlock(text: string, begin: string, end: string): BlockPlace | 'absent' | 'incomplete' {
  const start = `\n${text}`.indexOf(`\n${begin}`)
  const lastLine = text.indexOf(`\n${end}`, Math.max(0, start))
  if (start === -1) return lastLine === -1 ? 'absent' : 'incomplete'
  return lastLine === -1 ? 'incomplete' : { start, end: lastLine + 1 + end.length }
}

/** Returns the text with a block in the place of another one; `block` has no line break at its end. */
export function replaceBlock(text: string, { start, end }: BlockPlace, block: string): string {
  return text.slice(0, start) + block + text.slice(end)
}
