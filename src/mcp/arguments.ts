/**
 * Reads the arguments of a tool as clients send them: some send every number, truth value and list as a string, and null for
 * an argument that is absent.
 *
 * Invariant: an argument that fits its schema is not changed, and nothing is guessed: a value is read only in the one way in
 * which it fits. Pure.
 */
import { parseDuration } from '../model/duration.ts'
import { isObject } from '../model/objects.ts'
import type { Field, Fields } from '../operations/operation.ts'

/** Returns the arguments with each value in the type of its field where it can be read so; `parseInput` refuses the others. */
export function argumentsFrom(fields: Fields, given: unknown): unknown {
  const all = given ?? {}
  if (!isObject(all)) return all
  const known = Object.entries(all).filter(([name, value]) => value !== null || !Object.hasOwn(fields, name))
  return Object.fromEntries(
    known.map(([name, value]) => [name, Object.hasOwn(fields, name) ? valueFor(fields[name]!, value) : value]),
  )
}

function valueFor({ schema, span }: Field, value: unknown): unknown {
  if (schema.safeParse(value).success) return value
  if (span && typeof value === 'string') return parseDuration(value) ?? value
  return readings(value).find(reading => schema.safeParse(reading).success) ?? value
}

/** Returns what else a value can mean. */
function readings(value: unknown): unknown[] {
  if (typeof value === 'number') return [String(value), [String(value)]]
  if (typeof value !== 'string') return []
  const text = value.trim()
  if (text === '') return []
  const word = text.toLowerCase()
  if (word === 'true' || word === 'false') return [word === 'true']
  if (/^[[{]/.test(text)) return jsonOf(text)
  const list = text.split(',').map(part => part.trim())
  return [...(NUMBER.test(text) ? [Number(text)] : []), ...(list.includes('') ? [] : [list])]
}

const NUMBER = /^-?\d+(?:\.\d+)?$/

function jsonOf(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value)
      ? [value, value.map(entry => (typeof entry === 'number' ? String(entry) : entry))]
      : [value]
  } catch {
    return []
  }
}
