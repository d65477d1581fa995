/** Text from files, made safe to print. */

// Everything that steers a terminal or turns text round: controls, format characters, line separators. The joiners stay.
const STEERING = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu

/** Text from a file, safe to print: steering characters become visible escapes. */
export function escapeText(text: string): string {
  return text.replace(STEERING, character => {
    if (character === '\u200c' || character === '\u200d') return character
    const code = character.codePointAt(0)!
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}
