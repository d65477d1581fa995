/**
 * The types of what each operation takes and returns: the SDK's methods are made of them. Types alone, nothing at run
 * time.
 */
import type * as z from 'zod/mini'
import type { GivenInputOf } from './operation.ts'
import type { Operations } from './registry.ts'

/**
 * Input and output of each operation, by its name. It names every room of the house, zod and SQLite; in the published
 * declarations it is a plain type (scripts/plain-types.ts).
 */
export type Signatures = {
  [N in keyof Operations]: {
    input: GivenInputOf<Operations[N]['fields']>
    output: z.infer<ReturnType<Operations[N]['output']>>
  }
}
