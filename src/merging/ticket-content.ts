/**
 * What the Ticket files of a commit contain, as far as losses are concerned: decisions, retractions and fields.
 *
 * Also reads a file that is no valid Ticket, such as a merge that was committed with its conflict markers. Texts are JSON with
 * sorted keys, so that a file in another form has the same content.
 */
import { getBlobs } from '../git/blobs.ts'
import { decodeTicket, encodeTicket } from '../model/canonical-json.ts'
import { isObject } from '../model/objects.ts'
import { Refusal } from '../model/strict-json.ts'
import type { Ticket } from '../model/ticket.ts'
import type { TicketFile } from './commit-history.ts'

/** The content of one Ticket in one commit, of all its files together. */
export interface TicketContent {
  exists: boolean
  /** The text of each decision, by id; null where the file is not JSON. */
  decisions: ReadonlyMap<string, string | null>
  /** The ids of retracted decisions. */
  retracted: ReadonlySet<string>
  /** The texts of the other members; of a file that is not JSON, the whole text under an empty name. */
  fields: ReadonlyMap<string, string>
}

const ABSENT: TicketContent = { exists: false, decisions: new Map(), retracted: new Set(), fields: new Map() }

/**
 * Reads the files in two runs of git; returns a function from the files of one Ticket to its content.
 * @throws PlanError git_failed where an object is missing.
 */
export function readContents(
  root: string,
  files: readonly TicketFile[],
): (files: readonly TicketFile[]) => TicketContent {
  const blobs = getBlobs(
    root,
    files.map(({ blob }) => blob),
  )
  const contents = new Map([...blobs].map(([blob, bytes]) => [blob, parseContent(bytes)]))
  return files => {
    const [first, ...more] = files.flatMap(({ blob }) => contents.get(blob) ?? [])
    return more.reduce(union, first ?? ABSENT)
  }
}

/**
 * Returns what differs between two versions, as one text; equal to that of another pair where both make the same change.
 * Of the two versions in reverse order it is the text of the change that inverts it.
 */
export function changeText(before: TicketContent, after: TicketContent): string {
  const [from, to] = [membersOf(before), membersOf(after)]
  const names = [...new Set([...from.keys(), ...to.keys()])].sort()
  const changed = names.filter(name => from.get(name) !== to.get(name))
  return JSON.stringify(changed.map(name => [name, from.get(name) ?? null, to.get(name) ?? null]))
}

/** The text of no change. */
export const NO_CHANGE = '[]'

/** Returns the Ticket of a content; null where it is no Ticket that this version can read in full. */
export function ticketOf({ decisions, fields }: TicketContent, id: string): Ticket | null {
  const members = [...fields].map(([name, text]) => `${JSON.stringify(name)}:${text}`)
  try {
    const text = `{${[...members, `"decisions":[${[...decisions.values()].join()}]`].join()}}`
    return decodeTicket(Buffer.from(text), id).ticket
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}

/** Returns the content of a Ticket. */
export function contentOfTicket(ticket: Ticket): TicketContent {
  return parseContent(Buffer.from(encodeTicket(ticket)))
}

function membersOf({ exists, decisions, fields }: TicketContent): Map<string, string | null> {
  const members = new Map<string, string | null>(exists ? [['exists', '']] : [])
  for (const [name, text] of fields) members.set(`field ${name}`, text)
  for (const [id, text] of decisions) members.set(`decision ${id}`, text)
  return members
}

function union(one: TicketContent, other: TicketContent): TicketContent {
  return {
    exists: true,
    decisions: new Map([...one.decisions, ...other.decisions]),
    retracted: new Set([...one.retracted, ...other.retracted]),
    fields: new Map([...one.fields, ...other.fields]),
  }
}

function parseContent(bytes: Buffer | 'too_large'): TicketContent {
  const text = bytes === 'too_large' ? '' : bytes.toString()
  const document = parseObject(text)
  if (document === null) {
    const ids = [...text.matchAll(/"id"\s*:\s*"([0-7][0-9A-HJKMNP-TV-Z]{25})"/g)].map(match => match[1]!)
    const decisions = new Map(ids.map(id => [id, null]))
    return { exists: true, decisions, retracted: new Set(), fields: new Map([['', text]]) }
  }
  const { decisions: listed, ...fields } = document
  const decisions = (Array.isArray(listed) ? listed : []).filter(
    (one): one is { id: string; kind?: unknown; retracts?: unknown } => isObject(one) && typeof one.id === 'string',
  )
  const retracted = decisions.flatMap(({ kind, retracts }) =>
    kind === 'retraction' && typeof retracts === 'string' ? [retracts] : [],
  )
  return {
    exists: true,
    decisions: new Map(decisions.map(decision => [decision.id, sortedText(decision)])),
    retracted: new Set(retracted),
    fields: new Map(Object.entries(fields).map(([name, value]) => [name, sortedText(value)])),
  }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const document: unknown = JSON.parse(text)
    return isObject(document) ? document : null
  } catch {
    return null
  }
}

function sortedText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  )
}
