/** The first issue of a value that does not fit a schema, in plain English. */
import * as z from 'zod/mini'
import en from 'zod/v4/locales/en.js'

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
  const parent = path.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string | number, unknown>)?.[key], value)
  const missing =
    path.length > 0 && typeof parent === 'object' && parent !== null && !Object.hasOwn(parent, path.at(-1)!)
  return {
    path,
    message: missing ? 'is missing' : words(issue),
    missing,
    unknownKeys: issue.code === 'unrecognized_keys' ? issue.keys : [],
  }
}

/** Returns a message for people where the library's own is for programmers. */
function words(issue: z.core.$ZodIssue): string {
  if (!/^(Too|Invalid)/.test(issue.message ?? '')) return issue.message ?? '' // the schema has a message of its own
  if (issue.code === 'too_small' && (issue.origin === 'string' || issue.origin === 'array')) return 'must not be empty'
  if (issue.code === 'too_small') return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`
  if (issue.code === 'too_big' && issue.origin !== 'string') return `must be at most ${issue.maximum}`
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`
  return issue.message ?? ''
}
