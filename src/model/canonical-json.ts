/**
 * The codec: Ticket to bytes and back.
 *
 * Invariant: the bytes are a function of the content. So a file whose re-encoded content equals its bytes is canonical,
 * without duplicate keys, odd numbers or lone surrogates: one step proves all of it. Only a file that fails is parsed
 * again by the strict parser, which finds the place of the fault. Must not touch the disk.
 */
import { isUtf8 } from 'node:buffer'
import { type Decision, decisionProblem } from './decision.ts'
import type { Place, RefusalCode } from './errors.ts'
import { FORMAT } from './format.ts'
import { isTicketId } from './names.ts'
import { isObject } from './objects.ts'
import { byId } from './order.ts'
import { parseStrict, Refusal } from './strict-json.ts'
import { LIMITS } from './text.ts'
import { type Ticket, ticketProblem } from './ticket.ts'

/** The content of a Ticket file. */
export interface DecodedTicket {
  ticket: Ticket
  /** True where the bytes are those that `encodeTicket` would write. */
  canonical: boolean
}

/** Returns the canonical bytes of a Ticket, as text. @throws RangeError where the value is nested too deeply. */
export function encodeTicket(ticket: Ticket): string {
  return `${encodeTop(ticket)}\n`
}

/**
 * Reads a Ticket from the bytes of its file. `id` is the one in the file's name.
 *
 * Of a file of a later format it returns what this version understands: identity, the known fields of the right shape, and
 * the decisions that it can read.
 * @throws Refusal with the code and, where there is one, the place.
 */
export function decodeTicket(bytes: Uint8Array, id: string): DecodedTicket {
  if (bytes.length > LIMITS.fileBytes) throw new Refusal('too_large', `larger than ${LIMITS.fileBytes} bytes`, null)
  if (!isUtf8(bytes)) throw new Refusal('invalid_utf8', 'not valid UTF-8', firstInvalidUtf8(bytes))
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  let value = canonicalValue(text)
  const proved = value !== undefined
  if (!proved) {
    value = parseStrict(text, LIMITS.depth).value
    if (isObject(value) && value.decisions === undefined) value.decisions = []
  }
  const refuse = (code: RefusalCode, message: string, path: (string | number)[]): never => {
    throw new Refusal(code, message, parseStrict(text, LIMITS.depth).locate(path))
  }
  const later = laterFormat(value)
  if (!later) {
    const problem = ticketProblem(value)
    if (problem) refuse('schema', `${pathText(problem.path)}: ${problem.message}`, problem.path)
  } else if (typeof later.id !== 'string' || !isTicketId(later.id)) {
    refuse('schema', 'id: not a Ticket id', ['id'])
  }
  const ticket = later ?? (value as Ticket)
  if (ticket.id !== id) refuse('id_mismatch', `the id is "${ticket.id}", the file is named after "${id}"`, ['id'])
  if (!proved) ticket.decisions.sort(byId)
  return { ticket, canonical: proved || later !== null || encodeTicket(ticket) === text }
}

/** Returns the value of a text that is certainly canonical; undefined where the strict parser has to decide. */
function canonicalValue(text: string): unknown {
  // A lone surrogate survives JSON.stringify as an escape, and `__proto__` as an own key: both need the strict parser.
  if (text.includes('\\ud') || text.includes('__proto__')) return undefined
  try {
    const value = JSON.parse(text)
    return isObject(value) && Array.isArray(value.decisions) && `${encodeTop(value)}\n` === text ? value : undefined
  } catch {
    return undefined // the strict parser reports it with its place
  }
}

function laterFormat(value: unknown): Ticket | null {
  if (!isObject(value) || typeof value.format !== 'number' || value.format <= FORMAT) return null
  const known: Record<string, unknown> = { ...value, format: FORMAT, decisions: [] }
  for (;;) {
    const key = ticketProblem(known)?.path[0]
    if (key === undefined || key === 'id') break
    if (key === 'title') known.title = ''
    else if (key === 'state') known.state = 'unknown'
    else delete known[key]
  }
  const readable = new Map<string, Decision>()
  for (const decision of Array.isArray(value.decisions) ? value.decisions : []) {
    if (!decisionProblem(decision) && !readable.has(decision.id)) readable.set(decision.id, decision)
  }
  return { ...known, format: value.format, decisions: [...readable.values()] } as unknown as Ticket
}

function pathText(path: (string | number)[]): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i ? `.${part}` : part)).join('') || 'file'
}

function encodeTop(value: Record<string, unknown>): string {
  let text = ''
  for (const key of sortedKeys(value)) {
    const item = value[key]
    if (item === undefined) continue
    const encoded = key === 'decisions' ? encodeDecisions(value) : pretty(item, '  ', 2)
    text += `${text === '' ? '' : ',\n'}  ${JSON.stringify(key)}: ${encoded}`
  }
  return `{\n${text}\n}`
}

/** Returns the keys in the order of their code units; without sorting where they are in it, as in a canonical file. */
function sortedKeys(object: Record<string, unknown>): string[] {
  const keys = Object.keys(object)
  for (let i = 1; i < keys.length; i++) if (keys[i]! < keys[i - 1]!) return keys.sort()
  return keys
}

/** True where JSON.stringify writes the value as `compact` would: all keys are in order, and nothing is undefined or too deep. */
function isInOrder(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined
  if (depth > LIMITS.depth) return false
  if (Array.isArray(value)) {
    for (const item of value) if (!isInOrder(item, depth + 1)) return false
    return true
  }
  let last = ''
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key]
    if (key < last || typeof item === 'function' || !isInOrder(item, depth + 1)) return false
    last = key
  }
  return true
}

function encodeDecisions(value: Record<string, unknown>): string {
  const decisions = value.decisions as Decision[]
  if (decisions.length === 0) return '[]'
  let sorted = decisions
  for (let i = 1; i < decisions.length; i++) {
    if (decisions[i - 1]!.id < decisions[i]!.id) continue
    sorted = [...decisions].sort(byId)
    break
  }
  let text = ''
  for (const decision of sorted)
    text += `${text === '' ? '' : ',\n'}    ${isInOrder(decision, 3) ? JSON.stringify(decision) : compact(decision, 3)}`
  return `[\n${text}\n  ]`
}

/** Returns a value as canonical text in one line: equal texts mean equal values. @throws RangeError where it is nested too deeply. */
export function canonicalText(value: unknown): string {
  return compact(value, 1)
}

function compact(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  checkDepth(depth)
  if (Array.isArray(value)) return `[${value.map(item => compact(item, depth + 1)).join(',')}]`
  const object = value as Record<string, unknown>
  const parts: string[] = []
  for (const key of sortedKeys(object)) {
    if (object[key] !== undefined) parts.push(`${JSON.stringify(key)}:${compact(object[key], depth + 1)}`)
  }
  return `{${parts.join(',')}}`
}

function pretty(value: unknown, indent: string, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  checkDepth(depth)
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[\n${value.map(item => inner + pretty(item, inner, depth + 1)).join(',\n')}\n${indent}]`
  }
  const object = value as Record<string, unknown>
  const lines: string[] = []
  for (const key of sortedKeys(object)) {
    if (object[key] !== undefined)
      lines.push(`${inner}${JSON.stringify(key)}: ${pretty(object[key], inner, depth + 1)}`)
  }
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`
}

function checkDepth(depth: number): void {
  if (depth > LIMITS.depth) throw new RangeError(`nested deeper than ${LIMITS.depth}`)
}

function firstInvalidUtf8(bytes: Uint8Array): Place {
  let start = 0
  let line = 1
  for (;;) {
    const newline = bytes.indexOf(10, start)
    const end = newline === -1 ? bytes.length : newline
    const content = bytes.subarray(start, end)
    if (!isUtf8(content) || newline === -1) {
      const decoded = Buffer.from(content).toString('utf8')
      let bytesBefore = 0
      let column = 1
      for (const character of decoded) {
        const length = Buffer.byteLength(character)
        if (character === '\ufffd' && !isUtf8(content.subarray(bytesBefore, bytesBefore + length))) break
        bytesBefore += length
        column += character.length
      }
      return { line, column }
    }
    start = newline + 1
    line++
  }
}
