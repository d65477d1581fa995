/** The schema of an input that names a kind of decision. */
import * as z from 'zod/mini'
import { canonicalKind, KIND_ALIASES, type SpellingOf } from '../model/decision-kinds.ts'
import { didYouMean, nearestNames } from '../model/nearest-names.ts'

/** Returns the schema of one of these kinds, with "-" or "_" or by a second name; `what` names them in the message. */
export function kindSchema<const K extends string>(kinds: readonly K[], what: string) {
  const names = [...kinds, ...aliasesOf(kinds)]
  const error = ({ input }: { input?: unknown }) => {
    const nearest = typeof input === 'string' ? didYouMean(nearestNames(input, names)) : ''
    return `not a ${what}${nearest}; the kinds are ${names.join(', ')}`
  }
  const canonical = z.pipe(z.string(), z.transform(canonicalKind))
  return z.pipe(canonical, z.enum(kinds, { error })) as unknown as z.ZodMiniType<
    K,
    SpellingOf<K | keyof typeof KIND_ALIASES>
  >
}

/** Returns the second names of the kinds that have one. */
export function aliasesOf(kinds: readonly string[]): string[] {
  return Object.entries(KIND_ALIASES).flatMap(([alias, kind]) => (kinds.includes(kind) ? [alias] : []))
}
