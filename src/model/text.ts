/** The limits of texts in a Ticket file, in UTF-8 bytes, and the form of a time. */

/** The limits of docs/format.md. */
export const LIMITS = {
  lineBytes: 1024,
  textBytes: 16 * 1024,
  fileBytes: 1024 * 1024,
  depth: 32,
  decisions: 10_000,
} as const

/** The form of a time in a Ticket file; not every text of that form names a moment. */
export const TIMESTAMP = /^\d{4}-(?:0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/

/** True for ISO 8601 in UTC with milliseconds, naming a moment that exists. */
export function isTimestamp(text: string): boolean {
  const day = TIMESTAMP.exec(text)?.[1]
  if (day === undefined) return false
  return day <= '28' || new Date(text).toISOString() === text // JavaScript takes 30 February for 2 March
}

/** Returns a moment, in milliseconds since 1970, in the form of Ticket files. */
export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

/**
 * Returns the moment that a text names, as a timestamp; undefined where it names none. A date alone means 00:00 UTC; a time
 * needs a zone.
 */
export function parseMoment(text: string): string | undefined {
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text)
  if (!isDate && !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/.test(text)) return undefined
  // JavaScript takes 30 February for 2 March.
  if (!isTimestamp(`${text.slice(0, 10)}T00:00:00.000Z`)) return undefined
  const timeMs = Date.parse(text)
  return Number.isNaN(timeMs) ? undefined : isoTime(timeMs)
}

// A character takes at most three bytes a code unit, so most texts need no count.
const fits = (bytes: number) => (text: string) => text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes

/** True where the text fits a one-line field. */
export const isLine = fits(LIMITS.lineBytes)
/** True where the text fits a reason or a summary. */
export const isText = fits(LIMITS.textBytes)
