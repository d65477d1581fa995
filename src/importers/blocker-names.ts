/** Names of fields that look like blockers: one that a reader does not know is reported, since it may hold work back. */

export const LIKE_BLOCKERS = /block|depend|^deps?$|_deps$|require|prereq|^waits?_|^waiting_|predecessor/i

const HARMLESS = /_(?:count|reason|at|until)$/i

/** Returns the fields of a record that look like blockers and hold something, but for those that the reader knows. */
export function unknownBlockers(record: object, isKnown: (name: string) => boolean): [name: string, value: unknown][] {
  return Object.entries(record).filter(([name, value]) => {
    const parts = name.replaceAll('-', '_').replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
    return !isKnown(name) && LIKE_BLOCKERS.test(parts) && !HARMLESS.test(parts) && !isEmpty(value)
  })
}

/** True for a value that states nothing: null, false, 0, an empty text or an empty list. */
export function isEmpty(value: unknown): boolean {
  return value == null || value === '' || value === false || value === 0 || (Array.isArray(value) && value.length === 0)
}

/** Returns the reason of the hold on a Ticket that has blockers in a place where they could not be read. */
export function unreadReason(place: string): string {
  return `what it waits for could not be read: ${place}`
}
