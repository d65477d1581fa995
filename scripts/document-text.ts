/**
 * Describes the outputs of operations as text for docs/cli.md, from their schemas.
 *
 * The notation is that of TypeScript. A shape that several operations share is written once and named elsewhere.
 */
import type * as z from 'zod/mini'
import {
  claimShape,
  decisionShape,
  phaseShape,
  planShape,
  problemShape,
  reasonShape,
  relationKindShape,
  relationShape,
  statusShape,
  ticketShape,
  verdictShape,
} from '../src/operations/shapes.ts'

const SHARED = new Map<z.ZodMiniType, string>([
  [phaseShape(), 'Phase'],
  [verdictShape(), 'Verdict'],
  [statusShape(), 'Status'],
  [relationKindShape(), 'RelationKind'],
  [ticketShape(), 'Ticket'],
  [decisionShape(), 'Decision'],
  [planShape(), 'Plan'],
  [reasonShape(), 'Reason'],
  [claimShape(), 'Claim'],
  [relationShape(), 'Relation'],
  [problemShape(), 'Problem'],
])

/** What of a schema's definition is read here; which parts there are depends on the type. */
interface Definition {
  type: string
  shape: Record<string, z.ZodMiniType>
  catchall?: unknown
  element: z.ZodMiniType
  innerType: z.ZodMiniType
  valueType: z.ZodMiniType
  left: z.ZodMiniType
  right: z.ZodMiniType
  options: z.ZodMiniType[]
  entries: Record<string, string>
  values: unknown[]
}

/** Returns the shared shapes, each as `Name = { … }`. */
export function sharedShapes(): string[] {
  return [...SHARED].map(([schema, name]) => `${name} = ${structureOf(schema)}`)
}

/** Returns what a schema describes; a shared shape is named. */
export function shapeText(schema: z.ZodMiniType): string {
  return SHARED.get(schema) ?? structureOf(schema)
}

function structureOf(schema: z.ZodMiniType): string {
  const def = definitionOf(schema)
  switch (def.type) {
    case 'object':
      return objectText(def)
    case 'array': {
      const element = shapeText(def.element)
      return /^(\{.*\}|\(.*\)\[\]|\S+)$/.test(element) ? `${element}[]` : `(${element})[]`
    }
    case 'nullable':
      return `${shapeText(def.innerType)} | null`
    case 'optional':
      return shapeText(def.innerType)
    case 'intersection':
      return `${shapeText(def.left)} & ${shapeText(def.right)}`
    case 'union':
      return def.options.map(shapeText).join(' | ')
    case 'enum':
      return Object.values(def.entries)
        .map(value => `'${value}'`)
        .join(' | ')
    case 'record':
      return `{ [name: string]: ${shapeText(def.valueType)} }`
    case 'literal':
      return def.values.map(value => JSON.stringify(value).replaceAll('"', "'")).join(' | ')
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
    case 'unknown':
      return def.type
    default:
      throw new Error(`docs: no text for a schema of type ${def.type}`)
  }
}

/** Returns the fields of an object; those of a shared shape that it extends are named. "…" means any other fields. */
function objectText({ shape, catchall }: Definition): string {
  const base = [...SHARED.keys()].find(shared => isExtended(definitionOf(shared).shape ?? {}, shape))
  const inherited = base ? definitionOf(base).shape : {}
  const fields = Object.entries(shape)
    .filter(([name]) => !(name in inherited))
    .map(([name, schema]) => `${name}${definitionOf(schema).type === 'optional' ? '?' : ''}: ${shapeText(schema)}`)
  const text = `{ ${[...fields, ...(catchall ? ['…'] : [])].join(', ')} }`
  return base ? `${SHARED.get(base)} & ${text}` : text
}

/** Returns true if the shape has every field of the base, and more. */
function isExtended(base: Definition['shape'], shape: Definition['shape']): boolean {
  const names = Object.keys(base)
  return names.length > 0 && names.length < Object.keys(shape).length && names.every(name => shape[name] === base[name])
}

function definitionOf(schema: z.ZodMiniType): Definition {
  return schema._zod.def as unknown as Definition
}
