/**
 * Entries of ours in a JSON file of an agent, which may have comments: added one by one, removed by the inserted texts or, where
 * the file was reformatted since, by their structure. From texts to texts.
 */
import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../model/objects.ts'
import { type Added, type AgentFile, withoutTexts } from './agent-file.ts'
import {
  type Grown,
  newJson,
  parseLatin1Json,
  withFirstElement,
  withFirstMember,
  withoutItems,
} from './json-insertion.ts'

/** An entry: a member of the object at a path, or an element of the array there. */
export type JsonEntry =
  | {
      at: readonly string[]
      key: string
      value: unknown
      /** Any value that is there is kept. */
      ifMissing?: true
    }
  | {
      at: readonly string[]
      element: unknown
      /** True for an element that does the same. */
      isThere(value: unknown): boolean
    }

interface JsonAgentFile {
  path: string
  entries: readonly JsonEntry[]
  /** Elements that an earlier version added and that are removed. */
  retired?: readonly { at: readonly string[]; element: unknown }[]
}

/** Returns the file with these entries. */
export function jsonAgentFile(file: JsonAgentFile): AgentFile {
  const { path, entries, retired = [] } = file
  return {
    path,
    add(text, earlier = []) {
      const cleared = text === null || retired.length === 0 ? undefined : withoutEarlier(text, earlier, retired)
      return cleared === undefined ? withEntries(text, file) : { ...withEntries(cleared, file), isReplaced: true }
    },
    remove: (text, inserted) => takeOut(text, inserted, [...entries, ...retired.map(asEntry)]),
  }
}

function withEntries(text: string | null, { entries, retired = [] }: JsonAgentFile): Added | { message: string } {
  if (text === null) {
    const after = newJson(entries.reduce(withEntry, {}))
    return { after, inserted: [after] }
  }
  const document = parseLatin1Json(text)
  const problem = isObject(document) ? problemOf(document, entries) : notJson(document)
  if (problem) return { message: problem.isEntry ? problem.message : `${problem.message}${byHand(entries)}` }
  let after = retired.reduce((rest, { at, element }) => withoutRetired(rest, at, element), text)
  const inserted: string[] = []
  // Each insertion becomes the first item, so the last one is inserted first.
  for (const entry of entries.toReversed()) {
    const grown = insertion(after, entry)
    if (!grown) continue
    after = grown.after
    inserted.push(grown.added)
  }
  return { after, inserted }
}

/** What an earlier version added is removed like an entry, and never added. */
function asEntry({ at, element }: NonNullable<JsonAgentFile['retired']>[number]): JsonEntry {
  return { at, element, isThere: () => true }
}

/**
 * Returns the file as it was before an earlier version wrote to it, null for none; undefined where nothing of that version is there,
 * or the file was reformatted since. So `--undo` gives the first bytes back after an upgrade too.
 */
function withoutEarlier(
  text: string,
  earlier: readonly string[],
  retired: NonNullable<JsonAgentFile['retired']>,
): string | null | undefined {
  const document = parseLatin1Json(text)
  const isThere = retired.some(({ at, element }) => {
    const elements = valueAt(document, at)
    return Array.isArray(elements) && elements.some(value => isDeepStrictEqual(value, element))
  })
  if (!isThere) return undefined
  const { rest, isWhole } = withoutTexts(text, earlier)
  if (isWhole && rest === '') return null
  return isWhole && isObject(parseLatin1Json(rest)) ? rest : undefined
}

/**
 * Returns the text without an inserted one; undefined where it is not there. Of several that are alike, as in hooks that
 * somebody has put aside under another key, the one goes that the insertion of an entry would put back.
 */
function withoutText(text: string, added: string, entries: readonly JsonEntry[]): string | undefined {
  const last = text.lastIndexOf(added)
  if (last === -1) return undefined
  const without = (at: number) => text.slice(0, at) + text.slice(at + added.length)
  for (let at = last; at !== -1 && text.indexOf(added) !== last; at = at === 0 ? -1 : text.lastIndexOf(added, at - 1)) {
    const cut = without(at)
    const document = parseLatin1Json(cut)
    if (!isObject(document) || problemOf(document, entries)) continue
    if (entries.some(entry => insertion(cut, entry)?.after === text)) return cut
  }
  return without(last)
}

/** Returns the document with the entry in it; the document of a new file is made of these. */
function withEntry(document: Record<string, unknown>, entry: JsonEntry): Record<string, unknown> {
  const [first, ...rest] = entry.at
  if (first === undefined) return 'key' in entry ? { ...document, [entry.key]: entry.value } : document
  const inner = document[first]
  if (rest.length === 0 && 'element' in entry) {
    return { ...document, [first]: [...((inner as unknown[] | undefined) ?? []), entry.element] }
  }
  return { ...document, [first]: withEntry((inner as Record<string, unknown>) ?? {}, { ...entry, at: rest }) }
}

interface Problem {
  message: string
  /** True where an entry of ours is there in another form. */
  isEntry?: true
}

function problemOf(document: Record<string, unknown>, entries: readonly JsonEntry[]): Problem | undefined {
  for (const entry of entries) {
    const { at } = entry
    for (const depth of at.keys()) {
      const value = valueAt(document, at.slice(0, depth + 1))
      if (value === undefined) break
      const isArray = 'element' in entry && depth === at.length - 1
      if (isArray ? !Array.isArray(value) : !isObject(value)) {
        return { message: `its "${at[depth]}" is not an ${isArray ? 'array' : 'object'}` }
      }
    }
    if (!('key' in entry) || entry.ifMissing) continue
    const value = valueAt(document, [...at, entry.key])
    if (value === undefined || isDeepStrictEqual(value, entry.value)) continue
    const message = `its entry "${entry.key}" differs from the one that init adds and is kept as it is; to replace it, remove it and run "ticketplan init --agents" again`
    return { message, isEntry: true }
  }
  return undefined
}

/** Inserts an entry with what is missing of the objects around it; nothing where it is there already. */
function insertion(text: string, entry: JsonEntry): Grown | undefined {
  const document = parseLatin1Json(text)
  const { at } = entry
  const depth = [...at.keys()].find(depth => valueAt(document, at.slice(0, depth + 1)) === undefined)
  if (depth !== undefined) {
    const value = withEntry({}, { ...entry, at: at.slice(depth) })[at[depth]!]
    return withFirstMember(text, at.slice(0, depth), at[depth]!, value)
  }
  if ('key' in entry) {
    if (valueAt(document, [...at, entry.key]) !== undefined) return undefined
    return withFirstMember(text, at, entry.key, entry.value)
  }
  if ((valueAt(document, at) as unknown[]).some(entry.isThere)) return undefined
  return withFirstElement(text, at, entry.element)
}

function valueAt(document: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    return isObject(value) && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
  }, document)
}

function withoutRetired(text: string, at: readonly string[], element: unknown): string {
  const rest = withoutItems(text, at, value => !isDeepStrictEqual(value, element))
  return rest === text ? text : withoutEmpty(rest, at.slice(0, -1), at.at(-1)!)
}

/** Removes the inserted texts; where the file was reformatted since, removes the entries by their structure. */
function takeOut(text: string, inserted: readonly string[], entries: readonly JsonEntry[]): string | null {
  const { rest: cut, isWhole } = withoutTexts(text, inserted, (text, added) => withoutText(text, added, entries))
  let rest = cut
  if (rest === '' && text !== '') return null
  const isJson = parseLatin1Json(rest) !== undefined
  if (isWhole && isJson) return rest
  const from = isJson ? rest : text
  if (parseLatin1Json(from) === undefined) return text
  const wasOurs = (opening: string) => inserted.some(added => added.replace(/\s/g, '').includes(opening))
  rest = entries.reduce((rest, entry) => withoutEntry(rest, entry, wasOurs), from)
  const wasNew = inserted.some(added => added.startsWith('{') && added.endsWith('}\n'))
  return wasNew && isDeepStrictEqual(parseLatin1Json(rest), {}) ? null : rest
}

/** Removes an entry by its structure, and the objects around it that are empty then and were ours. */
function withoutEntry(text: string, entry: JsonEntry, wasOurs: (opening: string) => boolean): string {
  const { at } = entry
  let rest: string
  if ('key' in entry) {
    const isOurs = !entry.ifMissing || wasOurs(`"${entry.key}":${JSON.stringify(entry.value)}`)
    rest = withoutItems(
      text,
      at,
      (value, key) => key !== entry.key || !isOurs || !isDeepStrictEqual(value, entry.value),
    )
  } else rest = withoutItems(text, at, value => !isDeepStrictEqual(value, entry.element))
  if (rest === text) return text
  for (const depth of [...at.keys()].reverse()) {
    const opening = 'element' in entry && depth === at.length - 1 ? '[' : '{'
    if (wasOurs(`"${at[depth]}":${opening}`)) rest = withoutEmpty(rest, at.slice(0, depth), at[depth]!)
  }
  return rest
}

function withoutEmpty(text: string, path: readonly string[], key: string): string {
  return withoutItems(
    text,
    path,
    (value, name) => name !== key || !(isDeepStrictEqual(value, {}) || isDeepStrictEqual(value, [])),
  )
}

function notJson(document: unknown): Problem {
  return { message: document === undefined ? 'it is not valid JSON' : 'it is not a JSON object' }
}

function byHand(entries: readonly JsonEntry[]): string {
  return `; add to it by hand: ${JSON.stringify(entries.reduce(withEntry, {}))}`
}
