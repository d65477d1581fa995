/**
 * Reads what a yoi Ticket says of other ones outside of its plan: `artifacts/relations.json`, and fields of the front matter.
 *
 * Invariant: what may be a blocker and cannot be read is reported, and holds the Ticket.
 */
import { join } from 'node:path'
import { isTicketId } from '../model/names.ts'
import { isObject } from '../model/objects.ts'
import { isEmpty, unknownBlockers, unreadReason } from './blocker-names.ts'
import { type Collector, quoted } from './import-collector.ts'
import { folded } from './queued-words.ts'
import { type RelationWord, relationOfField, relationOfKind } from './relation-words.ts'
import { exists, readText } from './source-folder.ts'
import { checkMarkers, timeOf } from './source-text.ts'

type Json = Record<string, unknown>

/** The Ticket whose files are read. */
export interface YoiTicket {
  id: string
  /** The time of what has no usable one of its own. */
  ownAt: string | undefined
  /** False where its item.md could not be read: there is nothing to hold then. */
  isRead: boolean
  /** The places that hold it already. */
  unread: Set<string>
  /** True for the id of a folder beside this one. */
  isKnown(id: string): boolean
}

/** Adds a hold on the Ticket, because a place that may name its blockers could not be read. */
export function holdUnread(collector: Collector, { id, ownAt, isRead, unread }: YoiTicket, place: string): void {
  if (!isRead || unread.has(place)) return
  unread.add(place)
  const reason = unreadReason(place)
  collector.addDecision({ ticket: id, kind: 'hold', at: undefined, ownAt, by: undefined, reason, source: place })
}

/** Where entries are, and what to do with one that cannot be read. */
interface Place {
  source: string
  lose(source: string, problem: string): void
}

const FILE = 'relations.json'

/** Reads relations.json, where there is one. @throws PlanError import_source where it has a conflict. */
export function readRelations(collector: Collector, folder: string, ticket: YoiTicket): void {
  const source = `${ticket.id}/artifacts/${FILE}`
  if (!exists(join(folder, source))) return
  const lose = (source: string, problem: string) => {
    collector.drop(source, problem)
    holdUnread(collector, ticket, FILE)
  }
  const text = readText(collector, folder, source, 'no relations')
  if (text === undefined) return holdUnread(collector, ticket, FILE)
  checkMarkers(text, join(folder, source))
  const document = parse(text)
  const relations = isObject(document) ? (document.relations ?? withoutVersion(document)) : document
  if (!addRelations(collector, ticket, relations, { source, lose }))
    lose(source, 'no relations: not a JSON object with a list "relations"')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the caller reports the place
  }
}

function withoutVersion({ version: _, ...others }: Json): Json | undefined {
  return Object.keys(others).length > 0 ? others : undefined
}

/**
 * Reads the fields of the front matter that name other Tickets. Returns their names; a field that looks like blockers and cannot
 * be read is not among them.
 */
export function readFields(collector: Collector, source: string, ticket: YoiTicket, fields: Json): string[] {
  const stated = Object.fromEntries(Object.entries(fields).filter(([, value]) => !isNothing(value)))
  const isOne = (name: string) => /^relations?$/.test(folded(name))
  const read: string[] = []
  for (const [name, value] of Object.entries(stated)) {
    const word = relationOfField(name)
    const lose = (source: string, problem: string) => {
      collector.drop(source, problem)
      holdUnread(collector, ticket, name)
    }
    if (isOne(name)) {
      if (addRelations(collector, ticket, value, { source: `${source}: ${name}`, lose })) read.push(name)
      else lose(source, `${name} left out: it names no relations in a form that is known: ${quoted(value)}`)
      continue
    }
    const ids = word && idsOf(value)
    // A text of another kind may have such a name: "needs: a review", "after: 2026-06-01".
    const isMeant = looksLikeBlocker(name) || (ids?.every(ticket.isKnown) && timeOf(value) === undefined)
    if (!word || !ids || !isMeant) continue
    for (const other of ids) addRelation(collector, ticket, word, { target: other }, `${source}: ${name}`)
    read.push(name)
  }
  for (const [name, value] of unknownBlockers(stated, name => read.includes(name) || isOne(name))) {
    collector.drop(source, `${name} left out: it looks like blockers, and no ids can be read from it: ${quoted(value)}`)
    holdUnread(collector, ticket, name)
  }
  return read
}

function looksLikeBlocker(name: string): boolean {
  return unknownBlockers({ [name]: true }, () => false).length > 0
}

/** True for a value that states nothing. Scalars of the front matter are texts. */
function isNothing(value: unknown): boolean {
  const isWord = typeof value === 'string' && /^(?:false|no|none|0|-|n\/a|)$/i.test(value.trim())
  return isWord || isEmpty(value) || (isObject(value) && Object.keys(value).length === 0)
}

/** Returns the ids that a value lists: a text with commas or spaces, a list of texts, or of objects that name one Ticket each. */
function idsOf(value: unknown): string[] | undefined {
  const entries = (Array.isArray(value) ? value : [value]).filter(entry => !isNothing(entry))
  const ids = entries.map(entry => {
    if (typeof entry === 'string') return entry.split(/[\s,;]+/).filter(Boolean)
    const target = isObject(entry) && entry.kind === undefined ? targetOf(entry, '') : undefined
    return target === undefined ? [''] : [target]
  })
  const all = [...new Set(ids.flat())]
  return all.length > 0 && all.every(isTicketId) ? all : undefined
}

/** Adds relations of any known form: a list of records, or an object with a list for each kind. Returns false for another form. */
function addRelations(collector: Collector, ticket: YoiTicket, value: unknown, place: Place): boolean {
  if (isObject(value) && kindOf(value) === undefined) return addByKind(collector, ticket, value, place)
  if (!Array.isArray(value) && !isObject(value)) return false
  for (const [position, entry] of (Array.isArray(value) ? value : [value]).entries()) {
    const source = `${place.source}: relation ${position + 1}`
    const kind = isObject(entry) ? kindOf(entry) : undefined
    const word = relationOfKind(kind)
    const target = isObject(entry) ? targetOf(entry, ticket.id) : undefined
    if (isObject(entry) && kind === undefined && addByKind(collector, ticket, entry, { ...place, source })) continue
    if (!word) place.lose(source, `no decision: unknown kind ${quoted(kind)}`)
    else if (entry.ticket_id !== undefined && entry.ticket_id !== ticket.id)
      place.lose(source, `no decision: the record names another Ticket, ${quoted(entry.ticket_id)}`)
    else if (target === undefined) place.lose(source, 'no decision: the relation has no target')
    else addRelation(collector, ticket, word, { ...entry, target }, source)
  }
  return true
}

/** Adds the relations of an object such as {"depends_on": ["T1"]}. Returns false where it has a field that is no kind. */
function addByKind(collector: Collector, ticket: YoiTicket, value: Json, { source, lose }: Place): boolean {
  const lists = Object.entries(value).map(([name, list]) => ({ name, word: relationOfField(name), list }))
  if (lists.length === 0 || lists.some(({ word }) => !word)) return false
  for (const { name, word, list } of lists) {
    if (isNothing(list)) continue
    const ids = idsOf(list)
    if (!ids) lose(source, `no decision: ${name} lists no ids: ${quoted(list)}`)
    for (const target of ids ?? []) addRelation(collector, ticket, word!, { target }, `${source}: ${name}`)
  }
  return true
}

function kindOf({ kind, type, relation }: Json): unknown {
  return kind ?? type ?? relation
}

/** Returns the one other Ticket that a record names; undefined where it names none, or several. */
function targetOf(record: Json, own: string): string | undefined {
  const { target, related_ticket, other, to, ticket, id } = record
  if (target !== undefined) return typeof target === 'string' ? target : undefined
  const found = new Set([related_ticket, other, to, ticket, id].filter(value => value != null && value !== own))
  const [only] = found
  return found.size === 1 && typeof only === 'string' ? only : undefined
}

function addRelation(
  collector: Collector,
  { id, ownAt }: YoiTicket,
  { kind, label }: RelationWord,
  { target, at, author, note }: Json & { target: string },
  source: string,
): void {
  const fields = label === undefined ? {} : { label }
  collector.addDecision({ ticket: id, kind, other: target, at, ownAt, by: author, reason: note, fields, source })
}
