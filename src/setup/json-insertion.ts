/**
 * Inserts members and elements into a JSON text, and removes them, without rewriting the rest. Comments and trailing commas are
 * kept.
 *
 * Texts are the file's bytes as latin1, and valid JSON but for those, so that its ASCII characters alone show the structure. A
 * new item becomes the first of its object or array, so that no existing line gets a comma: where items are on lines of their
 * own, a diff has only added lines.
 */
import { maskJsonc } from './jsonc-mask.ts'

/** The place of an item in the text; a member of an object begins with its key. */
interface Item {
  key?: string
  start: number
  /** Where the value begins: behind the key of a member, else at `start`. */
  value: number
  end: number
}

/** A path to an object or array: keys, the outermost first. */
export type JsonPath = readonly string[]

/** A text after an insertion, and the inserted part. */
export interface Grown {
  after: string
  added: string
}

/** Parses the text; undefined where it is not JSON. */
export function parseLatin1Json(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(maskJsonc(text.slice(rootOf(text))), 'latin1').toString())
  } catch {
    return undefined
  }
}

/** Inserts a member as the first one of the object at that path, which must exist. */
export function withFirstMember(text: string, path: JsonPath, key: string, value: unknown): Grown {
  return withFirst(text, path, (indent, unit, eol) => {
    const name = `${JSON.stringify(key)}: `
    return indent === null ? name + JSON.stringify(value) : name + spread(value, indent, unit, eol)
  })
}

/** Inserts an element as the first one of the array at that path, which must exist. */
export function withFirstElement(text: string, path: JsonPath, value: unknown): Grown {
  return withFirst(text, path, (indent, unit, eol) =>
    indent === null ? JSON.stringify(value) : spread(value, indent, unit, eol),
  )
}

/** Returns the text of a new file. */
export function newJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/** Removes the items of the array or object at that path for which `keep` is false. */
export function withoutItems(text: string, path: JsonPath, keep: (value: unknown, key?: string) => boolean): string {
  let rest = text
  for (;;) {
    const masked = maskJsonc(rest)
    const at = find(masked, path)
    if (at === undefined) return rest
    const items = itemsOf(masked, at)
    const gone = items.findIndex(({ key, value, end }) => !keep(parseLatin1Json(rest.slice(value, end)), key))
    if (gone === -1) return rest
    const [before, item, after] = [items[gone - 1], items[gone]!, items[gone + 1]]
    if (after) rest = rest.slice(0, item.start) + rest.slice(after.start)
    else if (before) rest = rest.slice(0, before.end) + rest.slice(item.end)
    else rest = rest.slice(0, at + 1) + rest.slice(endOf(masked, at) - 1)
  }
}

/** Renders the new item; `indent` is null where the items are on one line. */
type Render = (indent: string | null, unit: string, eol: string) => string

function withFirst(text: string, path: JsonPath, render: Render): Grown {
  const masked = maskJsonc(text)
  const open = find(masked, path)!
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n'
  const unit = unitOf(masked)
  const [first] = itemsOf(masked, open)
  const end = first ? first.start : endOf(masked, open) - 1
  const blank = masked.slice(open + 1, end)
  const hasComment = text.slice(open + 1, end) !== blank
  const lineBreak = blank.lastIndexOf('\n')
  const put = (at: number, added: string) => ({ after: text.slice(0, at) + added + text.slice(at), added })
  if (first) {
    if (lineBreak === -1) return put(first.start, `${render(null, unit, eol)}, `)
    const indent = blank.slice(lineBreak + 1)
    return put(first.start, `${render(indent, unit, eol)},${eol}${indent}`)
  }
  const outer = /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', open) + 1))![0]
  const line = outer + unit + render(outer + unit, unit, eol)
  // An object or array that opens and closes on different lines keeps both lines.
  if (lineBreak !== -1 && !hasComment) return put(open + 1 + blank.indexOf('\n') + 1, line + eol)
  return put(open + 1, eol + line + eol + outer)
}

/** Returns the value on several lines; the first is not indented. */
function spread(value: unknown, indent: string, unit: string, eol: string): string {
  return JSON.stringify(value, null, unit)
    .split('\n')
    .join(eol + indent)
}

/** Returns one step of indentation in this file: at most ten characters, the limit of JSON.stringify. */
function unitOf(text: string): string {
  const found = /^\s*[{[]\s*?\n([ \t]+)\S/.exec(text.slice(rootOf(text)))
  return found ? found[1]!.slice(0, 10) : '  '
}

/** Finds where the object or array at that path opens; undefined where there is none. */
function find(text: string, path: JsonPath): number | undefined {
  let at = rootOf(text) + /^\s*/.exec(text.slice(rootOf(text)))![0].length
  for (const key of path) {
    if (text[at] !== '{') return undefined
    // Of duplicate keys the last one counts.
    const member = itemsOf(text, at).findLast(item => item.key === key)
    if (!member) return undefined
    at = member.value
  }
  return text[at] === '{' || text[at] === '[' ? at : undefined
}

/** Returns where the JSON begins: behind a byte order mark. */
function rootOf(text: string): number {
  return text.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0
}

function itemsOf(text: string, open: number): Item[] {
  const items: Item[] = []
  const isObject = text[open] === '{'
  for (let at = skipBlank(text, open + 1); text[at] !== '}' && text[at] !== ']'; ) {
    const start = at
    let key: string | undefined
    if (isObject) {
      const keyEnd = endOf(text, at)
      key = parseLatin1Json(text.slice(at, keyEnd)) as string
      at = skipBlank(text, skipBlank(text, keyEnd) + 1)
    }
    const end = endOf(text, at)
    items.push({ key, start, value: at, end })
    at = skipBlank(text, end)
    if (text[at] === ',') at = skipBlank(text, at + 1)
  }
  return items
}

function skipBlank(text: string, from: number): number {
  let at = from
  while (' \t\r\n'.includes(text[at]!)) at++
  return at
}

/** Returns where the value that begins at `from` ends. */
function endOf(text: string, from: number): number {
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]|[^\s"{}[\],:]+/g
  token.lastIndex = from
  for (let depth = 0; ; ) {
    const found = token.exec(text)![0]
    if (found === '{' || found === '[') depth++
    else if (found === '}' || found === ']') depth--
    if (depth === 0) return token.lastIndex
  }
}
