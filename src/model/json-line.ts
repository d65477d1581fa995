/** One JSON document on one line. */

// Valid inside JSON strings, but they steer a terminal or turn text round; as escapes they mean the same.
const STEERING = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

export function jsonLine(value: unknown): string {
  const asEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return `${JSON.stringify(value).replace(STEERING, asEscape)}\n`
}
