/**
 * The types of value that a Ticket file can hold, each with two checks: a schema, which names what is wrong, and a quick
 * test for the values that are in order, which are nearly all.
 *
 * Invariant: a value that passes the quick test fits the schema; one that fails it is for the schema to judge. Schemas are
 * made on first use: making all of them takes 8 ms, a fifth of Node's own start.
 */
import * as z from 'zod/mini'
import { globProblem } from './glob.ts'
import { lazy } from './lazy.ts'
import { isDecisionId, isPoolName, isRelativePath, isSlug, isTicketId } from './names.ts'
import { isObject } from './objects.ts'
import { isLine, isText, isTimestamp } from './text.ts'

/** One type of value. */
export interface FieldType<T, O extends boolean = false> {
  schema: () => z.ZodMiniType<T, T>
  isPlain: (value: unknown) => boolean
  optional: O
}
/** Named fields of an object. */
export type FieldTypes = Record<string, FieldType<unknown, boolean>>

/** The object type that a list of fields describes. */
export type ValuesOf<F extends FieldTypes> = {
  -readonly [N in keyof F as F[N]['optional'] extends true ? never : N]: F[N] extends FieldType<infer T, boolean>
    ? T
    : never
} & {
  -readonly [N in keyof F as F[N]['optional'] extends true ? N : never]?: F[N] extends FieldType<infer T, boolean>
    ? T
    : never
}

/** A text that passes a test; `message` says what is wrong with any other. */
function textField(test: (text: string) => boolean, message: string): FieldType<string> {
  return {
    schema: lazy(() => z.string().check(z.refine(test, message))),
    isPlain: value => typeof value === 'string' && test(value),
    optional: false,
  }
}

/** The same field, which may be absent. */
export function optional<T>({ schema, isPlain }: FieldType<T>): FieldType<T, true> {
  return {
    schema: lazy(() => z.optional(schema()) as unknown as z.ZodMiniType<T, T>),
    isPlain: value => value === undefined || isPlain(value),
    optional: true,
  }
}

/** A list of one or more. */
export function listOf<T>({ schema, isPlain }: FieldType<T>, most = Number.POSITIVE_INFINITY): FieldType<T[]> {
  return {
    schema: lazy(() => {
      const list = z.array(schema()).check(z.minLength(1))
      return (most < Number.POSITIVE_INFINITY ? list.check(z.maxLength(most)) : list) as unknown as z.ZodMiniType<
        T[],
        T[]
      >
    }),
    isPlain: value => Array.isArray(value) && value.length > 0 && value.length <= most && value.every(isPlain),
    optional: false,
  }
}

/** An object that has these fields and may have others, which are kept. */
export function objectOf<F extends FieldTypes>(fields: F): FieldType<ValuesOf<F>> {
  return {
    schema: lazy(() => looseSchema(fields) as unknown as z.ZodMiniType<ValuesOf<F>, ValuesOf<F>>),
    isPlain: value => isObject(value) && hasPlainFields(value, Object.entries(fields)),
    optional: false,
  }
}

/** Returns the schema of an object with these fields and perhaps others. */
export function looseSchema(fields: FieldTypes): z.ZodMiniType {
  return z.looseObject(Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema()])))
}

/** True where every field of the object passes its quick test. */
export function hasPlainFields(
  object: Record<string, unknown>,
  fields: readonly [name: string, type: Pick<FieldType<unknown, boolean>, 'isPlain'>][],
): boolean {
  for (const [name, { isPlain }] of fields) if (!isPlain(object[name])) return false
  return true
}

export const TICKET_ID = textField(isTicketId, 'not a Ticket id')
export const DECISION_ID = textField(isDecisionId, 'not a ULID')
export const SLUG = textField(isSlug, 'not a slug: a-z, 0-9 and "-", at most 128')
/** Of an area too. */
export const POOL_NAME = textField(isPoolName, 'not a name: letters, digits, ".", "_" and "-", at most 64')
export const TIMESTAMP = textField(isTimestamp, 'not a time like 2026-06-07T03:57:10.000Z')
export const LINE = textField(isLine, 'longer than 1 KiB')
export const TEXT = textField(isText, 'longer than 16 KiB')
/** A path that means the same on every machine. */
export const RELATIVE_PATH: FieldType<string> = {
  schema: lazy(() =>
    LINE.schema().check(
      z.refine<string>(isRelativePath, 'not relative to the repository: an absolute path names one machine'),
    ),
  ),
  isPlain: value => typeof value === 'string' && isLine(value) && isRelativePath(value),
  optional: false,
}
/** A glob of paths from the root of the repository. */
export const GLOB: FieldType<string> = {
  schema: lazy(() =>
    z.string().check(
      z.superRefine<string>((text, context) => {
        const problem = globProblem(text)
        if (problem !== null) context.addIssue(`the path ${problem}`)
      }),
    ),
  ),
  isPlain: value => typeof value === 'string' && globProblem(value) === null,
  optional: false,
}
export const FILLED_LINE: FieldType<string> = {
  schema: lazy(() => z.string().check(z.refine(isLine, 'longer than 1 KiB'), z.minLength(1))),
  isPlain: value => typeof value === 'string' && value !== '' && isLine(value),
  optional: false,
}
export const FLAG: FieldType<boolean> = {
  schema: lazy(() => z.boolean()),
  isPlain: value => typeof value === 'boolean',
  optional: false,
}
/** A list of texts, which may be empty. */
export const TEXT_LIST: FieldType<string[]> = {
  schema: lazy(() => z.array(z.string())),
  isPlain: value => Array.isArray(value) && value.every(item => typeof item === 'string'),
  optional: false,
}
/** Any JSON value. */
export const ANYTHING: FieldType<unknown> = { schema: lazy(() => z.unknown()), isPlain: () => true, optional: false }

/** The schemas of texts that operations take too. */
export const poolName = POOL_NAME.schema
export const oneLine = LINE.schema
export const longText = TEXT.schema
