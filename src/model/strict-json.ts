/**
 * A strict JSON parser that knows line and column.
 *
 * JSON.parse takes the last of duplicate keys, rounds numbers, follows any depth and reports no line; this parser refuses
 * with a code and a place. It is slower by far, and runs only on files that are not canonical. Its time is proportional to
 * the length of the text, whatever its shape; it must not keep anything for each value that grows with the text around it.
 */
import type { Place, RefusalCode } from './errors.ts'

/** Why the bytes of a file are refused, and where. The caller adds the file's path. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly place: Place | null

  constructor(code: RefusalCode, message: string, place: Place | null) {
    super(message)
    this.code = code
    this.place = place
  }
}

/** A parsed value, and the places of its parts. */
export interface Located {
  value: unknown
  /** Returns the place of the value at a path; where that is absent, of the nearest part around it. Reads the text again. */
  locate(path: readonly (string | number)[]): Place
}

/** A text and how far it has been read. */
interface Cursor {
  readonly text: string
  readonly maxDepth: number
  at: number
}

const CONFLICT_MARKER = /^(?:<{7}|={7}|>{7}|\|{7})(?=[ \r\n]|$)/m
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const PLAIN = /[^"\\\u0000-\u001f]*/y
const ESCAPES: Record<string, string> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }
const WORDS: [word: string, value: unknown][] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

/** Parses one JSON document. @throws Refusal with the place of the first thing that is wrong. */
export function parseStrict(text: string, maxDepth: number): Located {
  const cursor: Cursor = { text, maxDepth, at: 0 }
  if (text.startsWith('\ufeff')) refuse(cursor, 'bom', 'the file starts with a byte order mark', 0)
  const value = parseValue(cursor, 1)
  skipSpace(cursor)
  if (cursor.at < text.length) refuse(cursor, 'syntax', `expected the end of the file, found ${found(cursor)}`)
  return { value, locate: path => placeOf(text, findOffset({ text, maxDepth, at: 0 }, path)) }
}

function parseValue(cursor: Cursor, depth: number): unknown {
  skipSpace(cursor)
  const { text, at, maxDepth } = cursor
  const character = text[at]
  if (character === '"') return parseString(cursor)
  if (character === '{' || character === '[') {
    if (depth > maxDepth) refuse(cursor, 'too_deep', `nested deeper than ${maxDepth}`)
    return character === '{' ? parseObject(cursor, depth) : parseArray(cursor, depth)
  }
  for (const [word, value] of WORDS) {
    if (!text.startsWith(word, at)) continue
    cursor.at += word.length
    return value
  }
  return parseNumber(cursor)
}

function parseObject(cursor: Cursor, depth: number): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  if (isEmpty(cursor, '}')) return object
  do {
    const keyAt = skipSpace(cursor)
    const key = parseKey(cursor)
    if (key === '__proto__') refuse(cursor, 'proto_key', 'the key "__proto__" is not allowed', keyAt)
    if (Object.hasOwn(object, key)) refuse(cursor, 'duplicate_key', `duplicate key ${JSON.stringify(key)}`, keyAt)
    object[key] = parseValue(cursor, depth + 1)
  } while (hasMore(cursor, '}'))
  return object
}

function parseArray(cursor: Cursor, depth: number): unknown[] {
  const items: unknown[] = []
  if (isEmpty(cursor, ']')) return items
  do items.push(parseValue(cursor, depth + 1))
  while (hasMore(cursor, ']'))
  return items
}

/** Steps over the opening bracket, and over the closing one where nothing is between. */
function isEmpty(cursor: Cursor, close: string): boolean {
  cursor.at++
  skipSpace(cursor)
  if (cursor.text[cursor.at] !== close) return false
  cursor.at++
  return true
}

/** Steps over a comma, or over the closing bracket. */
function hasMore(cursor: Cursor, close: string): boolean {
  skipSpace(cursor)
  const character = cursor.text[cursor.at]
  if (character !== ',' && character !== close) {
    refuse(cursor, 'syntax', `expected "," or "${close}", found ${found(cursor)}`)
  }
  cursor.at++
  return character === ','
}

/** Reads a key and the colon after it. */
function parseKey(cursor: Cursor): string {
  if (cursor.text[cursor.at] !== '"')
    refuse(cursor, 'syntax', `expected a key in double quotes, found ${found(cursor)}`)
  const key = parseString(cursor)
  skipSpace(cursor)
  if (cursor.text[cursor.at] !== ':') refuse(cursor, 'syntax', `expected ":", found ${found(cursor)}`)
  cursor.at++
  return key
}

function parseString(cursor: Cursor): string {
  const { text } = cursor
  const start = cursor.at++
  let result = ''
  for (;;) {
    PLAIN.lastIndex = cursor.at
    const plain = PLAIN.exec(text)![0]
    result += plain
    cursor.at += plain.length
    const character = text[cursor.at]
    if (character === '"') break
    if (character === undefined) refuse(cursor, 'syntax', 'a string that does not end', start)
    if (character !== '\\') refuse(cursor, 'syntax', 'a control character in a string')
    result += parseEscape(cursor)
  }
  cursor.at++
  if (!result.isWellFormed()) refuse(cursor, 'lone_surrogate', 'half of a surrogate pair, which is no character', start)
  return result
}

function parseEscape(cursor: Cursor): string {
  const { text, at } = cursor
  const letter = text[at + 1] ?? ''
  if (letter === 'u') {
    const hex = text.slice(at + 2, at + 6)
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) refuse(cursor, 'syntax', 'a \\u that is not followed by four hexadecimal digits')
    cursor.at += 6
    return String.fromCharCode(Number.parseInt(hex, 16))
  }
  if (!Object.hasOwn(ESCAPES, letter)) refuse(cursor, 'syntax', `an unknown escape: \\${letter}`)
  cursor.at += 2
  return ESCAPES[letter]!
}

function parseNumber(cursor: Cursor): number {
  NUMBER.lastIndex = cursor.at
  const source = NUMBER.exec(cursor.text)?.[0]
  if (source === undefined) return refuse(cursor, 'syntax', `expected a value, found ${found(cursor)}`)
  const value = Number(source)
  if (!Number.isFinite(value) || Object.is(value, -0) || decimal(source) !== decimal(String(value))) {
    refuse(cursor, 'number', `the number ${source.slice(0, 40)} would not survive being read and written`)
  }
  cursor.at += source.length
  return value
}

/** Steps over white space; returns where it ends. */
function skipSpace(cursor: Cursor): number {
  const { text } = cursor
  while (cursor.at < text.length && ' \n\r\t'.includes(text[cursor.at]!)) cursor.at++
  return cursor.at
}

function found({ text, at }: Cursor): string {
  return at >= text.length ? 'the end of the file' : JSON.stringify(text[at])
}

function refuse(cursor: Cursor, code: RefusalCode, message: string, offset = cursor.at): never {
  const { text } = cursor
  const marker = code === 'syntax' ? CONFLICT_MARKER.exec(text) : null
  if (!marker) throw new Refusal(code, message, placeOf(text, offset))
  const advice = 'conflict markers of an unfinished merge; "ticketplan resolve" finishes it'
  throw new Refusal('conflict_markers', advice, placeOf(text, marker.index))
}

function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}

/** The offset of the value at a path in a text that has been parsed, or of the nearest part around it. */
function findOffset(cursor: Cursor, path: readonly (string | number)[]): number {
  let offset = skipSpace(cursor)
  for (const step of path) {
    const isFound = typeof step === 'number' ? findItem(cursor, step) : findMember(cursor, step)
    if (!isFound) break
    offset = skipSpace(cursor)
  }
  return offset
}

function findMember(cursor: Cursor, wanted: string): boolean {
  if (cursor.text[cursor.at] !== '{' || isEmpty(cursor, '}')) return false
  do {
    skipSpace(cursor)
    if (parseKey(cursor) === wanted) return true
    parseValue(cursor, 1)
  } while (hasMore(cursor, '}'))
  return false
}

function findItem(cursor: Cursor, wanted: number): boolean {
  if (cursor.text[cursor.at] !== '[' || isEmpty(cursor, ']')) return false
  for (let position = 0; position < wanted; position++) {
    parseValue(cursor, 1)
    if (!hasMore(cursor, ']')) return false
  }
  return true
}

/** A decimal number in one form, so that 1.50e1 and 15 are equal and 9007199254740993 and its rounding are not. */
function decimal(source: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(source)!
  const digits = (whole! + fraction).replace(/^0+/, '')
  let end = digits.length
  while (digits[end - 1] === '0') end-- // a regular expression would take the square of the time
  if (end === 0) return '0'
  return `${sign}${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`
}
