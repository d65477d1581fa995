/** One JSON document on one line. */

// Valid inside JSON strings, but they control a terminal or reverse text; as escapes they mean the same.
const CONTROLS = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** Returns a value as one line of JSON that is safe to print, with its line feed. */
export function jsonLine(value: unknown): string {
  const asEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return `${JSON.stringify(value).replace(CONTROLS, asEscape)}\n`
}
