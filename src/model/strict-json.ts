/**
 * A strict JSON parser that knows where everything stands.
 *
 * JSON.parse takes the last of duplicate keys, rounds numbers, follows any depth and gives no line; this one refuses with a
 * code and a place. It is slower by far and runs only on files that are not canonical, to read or to refuse them.
 */
import type { Place, RefusalCode } from './errors.ts'

/** Why the bytes of a file are refused, and where; the file's path is added by whoever read it. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly place: Place | null

  constructor(code: RefusalCode, message: string, place: Place | null) {
    super(message)
    this.code = code
    this.place = place
  }
}

/** A parsed value that can tell where each of its parts stands in the text. */
export interface Located {
  value: unknown
  /** The place of the value at a path; where that is absent, of the nearest part around it. */
  locate(path: readonly (string | number)[]): Place
}

const CONFLICT_MARKER = /^(?:<{7}|={7}|>{7}|\|{7})(?=[ \r\n]|$)/m
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const PLAIN = /[^"\\\u0000-\u001f]*/y
const ESCAPES: Record<string, string> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** Parses one JSON document. @throws Refusal with the place of the first thing that is wrong. */
export function parseStrict(text: string, maxDepth: number): Located {
  const offsets = new Map<string, number>()
  let at = 0

  const placeOf = (offset: number): Place => {
    const before = text.slice(0, offset)
    const lineStart = before.lastIndexOf('\n') + 1
    return { line: before.split('\n').length, column: offset - lineStart + 1 }
  }
  const refuse = (code: RefusalCode, message: string, offset: number): never => {
    const marker = code === 'syntax' ? CONFLICT_MARKER.exec(text) : null
    if (marker)
      throw new Refusal(
        'conflict_markers',
        'an unfinished merge: conflict markers; "ticketplan resolve" finishes it',
        placeOf(marker.index),
      )
    throw new Refusal(code, message, placeOf(offset))
  }
  const skipSpace = () => {
    while (at < text.length && ' \n\r\t'.includes(text[at]!)) at++
  }
  const found = () => (at >= text.length ? 'the end of the file' : JSON.stringify(text[at]))

  const parseString = (): string => {
    const start = at++
    let result = ''
    for (;;) {
      PLAIN.lastIndex = at
      const plain = PLAIN.exec(text)![0]
      result += plain
      at += plain.length
      const character = text[at]
      if (character === '"') break
      if (character === undefined) refuse('syntax', 'a string that does not end', start)
      if (character !== '\\') refuse('syntax', 'a control character in a string', at)
      const letter = text[at + 1] ?? ''
      if (letter === 'u') {
        const hex = text.slice(at + 2, at + 6)
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) refuse('syntax', 'a \\u that is not followed by four hexadecimal digits', at)
        result += String.fromCharCode(Number.parseInt(hex, 16))
        at += 6
      } else {
        if (!Object.hasOwn(ESCAPES, letter)) refuse('syntax', `an unknown escape: \\${letter}`, at)
        result += ESCAPES[letter]
        at += 2
      }
    }
    at++
    if (!result.isWellFormed()) refuse('lone_surrogate', 'half of a surrogate pair, which is no character', start)
    return result
  }

  const parseNumber = (): number => {
    NUMBER.lastIndex = at
    const source = NUMBER.exec(text)?.[0]
    if (source === undefined) return refuse('syntax', `expected a value, found ${found()}`, at)
    const value = Number(source)
    if (!Number.isFinite(value) || Object.is(value, -0) || decimal(source) !== decimal(String(value))) {
      refuse('number', `the number ${source.slice(0, 40)} would not survive being read and written`, at)
    }
    at += source.length
    return value
  }

  const parseValue = (path: string, depth: number): unknown => {
    skipSpace()
    offsets.set(path, at)
    const character = text[at]
    if (character === '"') return parseString()
    if (character === '{' || character === '[') {
      if (depth > maxDepth) refuse('too_deep', `nested deeper than ${maxDepth}`, at)
      return character === '{' ? parseObject(path, depth) : parseArray(path, depth)
    }
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (text.startsWith(word, at)) {
        at += word.length
        return value
      }
    }
    return parseNumber()
  }

  const parseArray = (path: string, depth: number): unknown[] => {
    const items: unknown[] = []
    at++
    skipSpace()
    if (text[at] === ']') {
      at++
      return items
    }
    for (;;) {
      items.push(parseValue(`${path}/${items.length}`, depth + 1))
      skipSpace()
      if (text[at] === ',') at++
      else if (text[at] === ']') break
      else refuse('syntax', `expected "," or "]", found ${found()}`, at)
    }
    at++
    return items
  }

  const parseObject = (path: string, depth: number): Record<string, unknown> => {
    const object: Record<string, unknown> = {}
    at++
    skipSpace()
    if (text[at] === '}') {
      at++
      return object
    }
    for (;;) {
      skipSpace()
      const keyAt = at
      if (text[at] !== '"') refuse('syntax', `expected a key in double quotes, found ${found()}`, at)
      const key = parseString()
      if (key === '__proto__') refuse('proto_key', 'the key "__proto__" is not allowed', keyAt)
      if (Object.hasOwn(object, key)) refuse('duplicate_key', `the key ${JSON.stringify(key)} stands twice`, keyAt)
      skipSpace()
      if (text[at] !== ':') refuse('syntax', `expected ":", found ${found()}`, at)
      at++
      object[key] = parseValue(path + step(key), depth + 1)
      skipSpace()
      if (text[at] === ',') at++
      else if (text[at] === '}') break
      else refuse('syntax', `expected "," or "}", found ${found()}`, at)
    }
    at++
    return object
  }

  if (text.startsWith('\ufeff')) refuse('bom', 'the file starts with a byte order mark', 0)
  const value = parseValue('', 1)
  skipSpace()
  if (at < text.length) refuse('syntax', `expected the end of the file, found ${found()}`, at)
  return {
    value,
    locate(path) {
      for (let length = path.length; length > 0; length--) {
        const offset = offsets.get(path.slice(0, length).map(step).join(''))
        if (offset !== undefined) return placeOf(offset)
      }
      return placeOf(offsets.get('')!)
    },
  }
}

/** One step of a path, written so that no key looks like two of them (RFC 6901). */
function step(part: string | number): string {
  return `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`
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
