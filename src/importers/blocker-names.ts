/** Names of fields that look like blockers: one that a reader does not know is reported, since it may hold work back. */

export const LIKE_BLOCKERS = /block|depend|^deps?$|_deps$|require|prereq|^waits?_|^waiting_|predecessor/i

const HARMLESS = /(?:_count|_reason|_at|_until)$/

/** True where the field holds nothing, or is a count, a reason or a time. */
export function isHarmless(name: string, value: unknown): boolean {
  const isEmpty = value == null || value === '' || value === false || value === 0
  return isEmpty || HARMLESS.test(name) || (Array.isArray(value) && value.length === 0)
}
