/**
 * Splits a command line as a shell does, as far as completion needs it, and quotes a candidate for it.
 *
 * Nothing is expanded or run: `$x`, `$(x)` and backticks are text. Pure.
 */

export interface ShellLine {
  /** The words before the one at the cursor, without their quotes. */
  words: string[]
  /** The word at the cursor, without its quotes. */
  current: string
  /** The quote that is open at the cursor. */
  quote: '' | "'" | '"'
  /** How much of `current` is before the part that bash replaces: it breaks words at more than blanks. */
  replacedFrom: number
  /** False where the word at the cursor has a closed quote: bash then replaces something else. */
  isPlain: boolean
}

/** Splits a line that ends at the cursor. `breaks` has bash's COMP_WORDBREAKS. */
export function splitShellLine(line: string, breaks = ''): ShellLine {
  const words: string[] = []
  let current = ''
  let started = false
  let quote: ShellLine['quote'] = ''
  let replacedFrom = 0
  let isPlain = true
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!
    if (quote !== '') {
      if (character === quote) {
        quote = ''
        isPlain = false
      } else if (quote === '"' && character === '\\' && /["$`\\]/.test(line[i + 1] ?? '')) current += line[++i]
      else current += character
    } else if (/\s/.test(character)) {
      if (started) words.push(current)
      current = ''
      started = false
      replacedFrom = 0
      isPlain = true
    } else {
      started = true
      if (character === "'" || character === '"') {
        quote = character
        replacedFrom = current.length
      } else if (character === '\\') current += line[++i] ?? ''
      else {
        current += character
        if (breaks.includes(character)) replacedFrom = current.length
      }
    }
  }
  return { words, current, quote, replacedFrom, isPlain }
}

/** Returns a candidate as bash must insert it; undefined where the open quote cannot contain it. */
export function insertedInBash(candidate: string, { quote, replacedFrom }: ShellLine): string | undefined {
  const text = candidate.slice(replacedFrom)
  if (quote === "'") return text.includes("'") ? undefined : text
  if (quote === '"') return /["$`\\!]/.test(text) ? undefined : text
  return text.replace(/[^\w@%+=:,./-]/gu, '\\$&')
}
