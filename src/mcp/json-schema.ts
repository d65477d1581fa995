/**
 * Makes the JSON Schemas of tools from the schemas of operations, shortened: a model reads all of them before it starts.
 *
 * Invariant: every document that the schema of the operation accepts is accepted here too.
 */
import * as z from 'zod/mini'
import type { Fields } from '../operations/operation.ts'

interface JsonSchema {
  [keyword: string]: unknown
}

/** The schema of an object, the form that a tool needs. */
export interface ObjectSchema extends JsonSchema {
  type: 'object'
  properties: Record<string, JsonSchema>
  required?: string[]
}

/** Returns the schema of a tool's arguments, each with its help. */
export function inputSchema(fields: Fields): ObjectSchema {
  const shape = Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]))
  const { properties, required } = z.toJSONSchema(z.strictObject(shape), { io: 'input', unrepresentable: 'any' })
  const described = Object.entries((properties ?? {}) as Record<string, JsonSchema>).map(([name, schema]) => {
    const short = shortened(schema)
    const { help } = fields[name]!
    // The keyword `default` says it already.
    return [name, { ...short, description: 'default' in short ? help.replace(/ \(default[ :][^)]*\)$/, '') : help }]
  })
  return {
    type: 'object',
    properties: Object.fromEntries(described),
    ...(required?.length && { required }),
    additionalProperties: false,
  }
}

/** Returns the schema of a tool's structured content, with `left_out`. Other keys, such as the label, are allowed. */
export function outputSchema(output: z.ZodMiniType): ObjectSchema {
  const { properties, required } = z.toJSONSchema(output, { io: 'output', unrepresentable: 'any' })
  const fields = Object.entries((properties ?? {}) as Record<string, JsonSchema>)
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(fields.map(([name, schema]) => [name, described(name, schema)])),
      left_out: { type: 'array' },
    },
    ...(required?.length && { required }),
  }
}

/** Problems are the same in every answer, each with its message: they are only named. */
function described(name: string, schema: JsonSchema): JsonSchema {
  return name === 'problems' ? { type: 'array' } : shortened(schema, 0)
}

/** Objects are described down to this depth below a property of the answer; deeper ones are only named. */
const MAX_DEPTH = 2

function shortened(schema: JsonSchema, depth?: number): JsonSchema {
  const {
    oneOf,
    anyOf = oneOf,
    allOf,
    properties,
    items,
    type,
    enum: values,
    default: preset,
    minimum,
    maximum,
    required,
  } = schema
  if (Array.isArray(anyOf)) return united(anyOf as JsonSchema[], depth)
  if (Array.isArray(type)) return { anyOf: type.map(type => ({ type })) }
  if (Array.isArray(allOf)) return shortened(merged(allOf as JsonSchema[]), depth)
  const deeper = depth === undefined ? undefined : depth + 1
  const open = depth === undefined || depth < MAX_DEPTH
  const named = Object.entries((properties ?? {}) as Record<string, JsonSchema>)
  // In an answer, optional and nullable properties are left out: a model sees them when they are there.
  const kept =
    depth === undefined ? named : named.filter(([name, schema]) => isRequired(name, required) && !isNullable(schema))
  return {
    ...(type !== undefined && { type }),
    // Deeper in an answer the values are left out: a model sees the one that is there.
    ...(values !== undefined && !depth && { enum: values }),
    ...(preset !== undefined && { default: preset }),
    ...(isLimit(minimum) && { minimum }),
    ...(isLimit(maximum) && { maximum }),
    ...(items !== undefined && open && { items: shortened(items as JsonSchema, deeper) }),
    ...(kept.length > 0 &&
      open && { properties: Object.fromEntries(kept.map(([name, schema]) => [name, shortened(schema, deeper)])) }),
  }
}

/**
 * Returns the schema of one of several types, mostly a type or null. If one is not a plain type, anything is allowed. No
 * keyword `type` has a list: some clients refuse it.
 */
function united(schemas: JsonSchema[], depth: number | undefined): JsonSchema {
  const types = schemas.map(schema => schema.type ?? (schema.allOf ? 'object' : undefined))
  if (types.every(type => type === 'object')) return shortened(common(schemas), depth)
  if (types.some(type => typeof type !== 'string')) return {}
  // In an answer a model sees what an object that may be null has in it.
  return {
    anyOf: schemas.map((schema, position) => (depth === undefined ? shortened(schema) : { type: types[position] })),
  }
}

/** Returns the schema of an object that fits all of several. */
function merged(schemas: JsonSchema[]): JsonSchema {
  const properties = Object.assign({}, ...schemas.map(({ properties }) => properties))
  return { type: 'object', properties, required: schemas.flatMap(({ required }) => (required as string[]) ?? []) }
}

/** An object that is one of several: the properties that all of them require. */
function common(schemas: JsonSchema[]): JsonSchema {
  const required = schemas
    .map(schema => (schema.required as string[]) ?? [])
    .reduce((shared, names) => shared.filter(name => names.includes(name)))
  const properties = schemas[0]!.properties as Record<string, JsonSchema>
  return { type: 'object', properties: Object.fromEntries(required.map(name => [name, properties[name]!])), required }
}

function isRequired(name: string, required: unknown): boolean {
  return Array.isArray(required) && required.includes(name)
}

function isNullable({ type, oneOf, anyOf = oneOf }: JsonSchema): boolean {
  if (Array.isArray(anyOf)) return anyOf.some(isNullable)
  return type === 'null' || (Array.isArray(type) && type.includes('null'))
}

function isLimit(bound: unknown): bound is number {
  return typeof bound === 'number' && Math.abs(bound) < Number.MAX_SAFE_INTEGER
}
