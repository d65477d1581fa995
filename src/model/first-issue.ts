/** The first issue of a value that does not fit a schema, in plain English. */
import * as z from 'zod/mini'
import en from 'zod/v4/locales/en.js'
import { didYouMean, nearestNames } from './nearest-names.ts'

export interface Issue {
  path: (string | number)[]
  message: string
  /** True where the value at the path is absent. */
  missing: boolean
  /** The keys that the schema does not know, if that is the issue. */
  unknownKeys: string[]
}

/** Returns the first issue; null where the value fits. */
export function firstIssue(schema: z.ZodMiniType, value: unknown): Issue | null {
  if (schema.safeParse(value).success) return null
  z.config(en()) // the messages are loaded on first use
  const { issues } = schema.safeParse(value).error!
  // A misspelt key explains the one that is missing.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!
  const path = issue.path as (string | number)[]
  const parent = valueAt(value, path.slice(0, -1))
  const missing =
    path.length > 0 && typeof parent === 'object' && parent !== null && !Object.hasOwn(parent, path.at(-1)!)
  return {
    path,
    message: missing ? 'is missing' : words(issue) + hint(issue, valueAt(value, path)),
    missing,
    unknownKeys: issue.code === 'unrecognized_keys' ? issue.keys : [],
  }
}

function valueAt(value: unknown, path: (string | number)[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)?.[key], value)
}

/** Returns the nearest of the values that are allowed, for a misspelt one. */
function hint(issue: z.core.$ZodIssue, given: unknown): string {
  const isOurs = issue.code === 'invalid_value' && /^Invalid/.test(issue.message ?? '')
  if (!isOurs || typeof given !== 'string') return ''
  const names = issue.values.filter(value => typeof value === 'string')
  return didYouMean(nearestNames(given, names))
}

const TYPE_NAMES: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  string: 'a text',
}

/** Returns a message for people where the library's own is for programmers. */
function words(issue: z.core.$ZodIssue): string {
  if (!/^(Too|Invalid)/.test(issue.message ?? '')) return issue.message ?? '' // the schema has a message of its own
  if (issue.code === 'invalid_key' && issue.issues[0]) return words(issue.issues[0])
  if (issue.code === 'too_small' && (issue.origin === 'string' || issue.origin === 'array')) return 'must not be empty'
  if (issue.code === 'too_small') return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`
  if (issue.code === 'too_big')
    return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters long' : ''}`
  if (issue.code === 'invalid_type') return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_value' && typeof issue.values[0] === 'number')
    return `must be the number ${issue.values.join(' or ')}`
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`
  return issue.message ?? ''
}
