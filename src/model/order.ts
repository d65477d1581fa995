/** The order of texts: by code unit, as in Ticket files, never by a locale. */

/** Compares two texts for `sort`. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Compares two objects by their ids. */
export function byId(a: { id: string }, b: { id: string }): number {
  return compareText(a.id, b.id)
}
