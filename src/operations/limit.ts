/** The option `limit` of commands that list. */
import * as z from 'zod/mini'

/** Returns the field of a command that lists everything without it; `what` names the entries. */
export function optionalLimit(what: string) {
  return {
    schema: z.optional(z.int().check(z.positive(), z.maximum(1_000_000))),
    help: `at most this many ${what} (default: all)`,
    value: 'n',
  }
}

/** Returns the field of a command that lists `usual` entries without it; `help` says what it bounds. */
export function limitField(help: string, usual: number) {
  return {
    schema: z._default(z.int().check(z.positive(), z.maximum(10_000)), usual),
    help: `${help} (default ${usual})`,
    value: 'n',
  }
}

/** In an output: true where the limit left entries out; absent without one. */
export const moreShape = z.optional(z.boolean())

/** Returns the first entries, and whether there are more, where there is a limit. */
export function limited<T>(entries: readonly T[], limit: number | undefined): { entries: T[]; more?: boolean } {
  if (limit === undefined) return { entries: [...entries] }
  return { entries: entries.slice(0, limit), more: entries.length > limit }
}
