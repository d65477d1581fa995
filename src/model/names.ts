/** Names: ids of Tickets and decisions, slugs, pools, and paths that mean the same on every machine. */

/** The grammars, for checks here and for the JSON Schemas. */
export const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
export const SLUG = /^[a-z0-9][a-z0-9-]{0,127}$/
export const WINDOWS_DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i

/** The id of a Ticket, checked against the grammar of docs/format.md. */
export type TicketId = string & { readonly __ticketId: unique symbol }

/** True where the text can be a Ticket's id, and so a file's name on every system. */
export function isTicketId(text: string): text is TicketId {
  return ID.test(text) && !text.endsWith('.') && !WINDOWS_DEVICE.test(text)
}

/** True where the text can be a Ticket's slug. */
export function isSlug(text: string): boolean {
  return SLUG.test(text)
}

/** Returns the key of an id: Tickets with equal keys share a file on a case-insensitive file system. */
export function idKey(id: string): string {
  return id.toLowerCase()
}

/** A ULID. */
export const DECISION_ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/
export const ABSOLUTE = /^([/\\~]|[A-Za-z][A-Za-z0-9+.-]*:)/
export const POOL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** True where the text can be a decision's id. */
export function isDecisionId(text: string): boolean {
  return DECISION_ID.test(text)
}

/** True where the text can be a pool's name. */
export function isPoolName(text: string): boolean {
  return POOL.test(text)
}

/** True for a path that does not depend on one machine. */
export function isRelativePath(text: string): boolean {
  return text !== '' && !ABSOLUTE.test(text)
}

/** The id of a fleet: a name for people, and a ULID. */
export const FLEET_ID = /^[a-z0-9][a-z0-9-]{0,39}-[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** True where the text can be a fleet's id. */
export function isFleetId(text: string): boolean {
  return FLEET_ID.test(text)
}

/** True for the name of a Ticket file, and for one that would be, were its ending in lower case: on many disks these are one file. */
export function isTicketFileName(path: string): boolean {
  return path.slice(-'.json'.length).toLowerCase() === '.json'
}
