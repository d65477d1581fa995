/**
 * JSON Schemas of tools, made from the schemas of operations and made short: a model reads them all before it does anything.
 *
 * What is dropped is what a reader can do without; a document that the operation's schema admits is always admitted here.
 */
import * as z from 'zod/mini'
import type { Fields } from '../operations/operation.ts'

export interface JsonSchema {
  [keyword: string]: unknown
}

/** The schema of an object, as tools have to give it. */
export interface ObjectSchema extends JsonSchema {
  type: 'object'
  properties: Record<string, JsonSchema>
  required?: string[]
}

/** The schema of a tool's arguments, each with its help. */
export function inputSchema(fields: Fields): ObjectSchema {
  const shape = Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]))
  const { properties, required } = z.toJSONSchema(z.strictObject(shape), { io: 'input', unrepresentable: 'any' })
  const described = Object.entries((properties ?? {}) as Record<string, JsonSchema>).map(([name, schema]) => {
    return [name, { ...shortened(schema), description: fields[name]!.help }]
  })
  return {
    type: 'object',
    properties: Object.fromEntries(described),
    ...(required?.length && { required }),
    additionalProperties: false,
  }
}

/** The schema of a tool's structured content, and what was left out of an answer. Other keys may come, the label for one. */
export function outputSchema(output: z.ZodMiniType): ObjectSchema {
  const { properties, required } = z.toJSONSchema(output, { io: 'output', unrepresentable: 'any' })
  const fields = Object.entries((properties ?? {}) as Record<string, JsonSchema>)
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(fields.map(([name, schema]) => [name, shortened(schema, 0)])),
      left_out: { type: 'array' },
    },
    ...(required?.length && { required }),
  }
}

/** Objects are described down to this depth below a property of the answer; what is deeper is only named. */
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
  if (Array.isArray(allOf)) return shortened(merged(allOf as JsonSchema[]), depth)
  const deeper = depth === undefined ? undefined : depth + 1
  const open = depth === undefined || depth < MAX_DEPTH
  const named = Object.entries((properties ?? {}) as Record<string, JsonSchema>)
  // What an answer may lack, or have as null, is not promised to a model that has yet to ask.
  const kept =
    depth === undefined ? named : named.filter(([name, schema]) => isRequired(name, required) && !isNullable(schema))
  return {
    ...(type !== undefined && { type }),
    // Whoever reads an answer sees the value.
    ...(values !== undefined && !depth && { enum: values }),
    ...(preset !== undefined && { default: preset }),
    ...(isLimit(minimum) && { minimum }),
    ...(isLimit(maximum) && { maximum }),
    ...(items !== undefined && open && { items: shortened(items as JsonSchema, deeper) }),
    ...(kept.length > 0 &&
      open && { properties: Object.fromEntries(kept.map(([name, schema]) => [name, shortened(schema, deeper)])) }),
  }
}

/** One of several types; null is the usual second. What is not a plain type is left open. */
function united(schemas: JsonSchema[], depth: number | undefined): JsonSchema {
  const others = schemas.filter(({ type }) => type !== 'null').map(schema => shortened(schema, depth))
  const types = schemas.map(schema => schema.type ?? (schema.allOf ? 'object' : undefined))
  if (types.every(type => type === 'object')) return shortened(common(schemas), depth)
  if (types.some(type => typeof type !== 'string')) return {}
  const { enum: values, ...rest } = others.length === 1 ? others[0]! : {}
  return { ...rest, type: types, ...(Array.isArray(values) && { enum: [...values, null] }) }
}

/** An object that is all of several. */
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
