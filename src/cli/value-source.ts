/** Says what a field's value can be, for completion in a shell: a list of choices, or names of a kind. */
import { type Completes, type Field, ticketName } from '../operations/operation.ts'

export interface ValueSource {
  completes?: Completes
  /** The values that the schema lists. */
  choices: string[]
}

/** What of a schema's definition is read here; which parts there are depends on the type. */
interface Definition {
  type: string
  innerType?: Field['schema']
  element?: Field['schema']
  out?: Field['schema']
  options?: Field['schema'][]
  entries?: Record<string, string | number>
}

/** Returns where the values of a field come from. A field that is free text has no source and no choices. */
export function valueSource({ schema, completes }: Field): ValueSource {
  const core = coreOf(schema)
  const choices = Object.values(definitionOf(core).entries ?? {}).map(String)
  return { completes: completes ?? (core === ticketName ? 'ticket' : undefined), choices }
}

/** Returns the schema inside of optional ones, defaults, lists and pipes; of a union, the last one. */
function coreOf(schema: Field['schema']): Field['schema'] {
  const { innerType, element, out, options } = definitionOf(schema)
  const inner = innerType ?? element ?? out ?? options?.at(-1)
  return inner ? coreOf(inner) : schema
}

function definitionOf(schema: Field['schema']): Definition {
  return schema._zod.def as unknown as Definition
}
