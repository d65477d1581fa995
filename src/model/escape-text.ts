/** Escapes text from files for a terminal. */

// Characters that control a terminal or reverse text: controls, format characters, line separators. Joiners are kept.
const CONTROLS = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu

/** Returns the text with control characters replaced by visible escapes. */
export function escapeText(text: string): string {
  return text.replace(CONTROLS, character => {
    if (character === '\u200c' || character === '\u200d') return character
    const code = character.codePointAt(0)!
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}
