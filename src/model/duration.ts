/** Time spans as people write them: seconds, or numbers with units. Pure. */

/** What a message says of the form. */
export const DURATION_FORM = 'seconds, or a time such as 90s, 30m, 2h, 1d or 1h30m'

const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const
const NUMBER = /^(?:\d+\.?\d*|\.\d+)$/
/** Each unit at most once, from the largest to the smallest. */
const WITH_UNITS =
  /^(?:(?<d>\d+(?:\.\d+)?)d)?(?:(?<h>\d+(?:\.\d+)?)h)?(?:(?<m>\d+(?:\.\d+)?)m)?(?:(?<s>\d+(?:\.\d+)?)s)?$/

/** Returns the seconds that a text means; undefined where it means none. */
export function parseDuration(text: string): number | undefined {
  const given = text.trim().toLowerCase()
  if (NUMBER.test(given)) return Number(given)
  const parts = given === '' ? undefined : WITH_UNITS.exec(given)?.groups
  if (!parts) return undefined
  const units = Object.entries(UNIT_SECONDS)
  return units.reduce((sum, [unit, seconds]) => sum + Number(parts[unit] ?? 0) * seconds, 0)
}
