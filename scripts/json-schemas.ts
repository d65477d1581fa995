/**
 * Makes the JSON Schemas of `ticketplan.json` and of a Ticket file from the schemas with which the program checks them.
 *
 * Invariant: what the program accepts fits. The reverse holds for all that a JSON Schema can say; it cannot say that a text is
 * counted in bytes, that a day exists, that ids are unique, or that the file has the Ticket's name. Draft 7, which editors know.
 */
import * as z from 'zod/mini'
import { configSchema } from '../src/files/config.ts'
import { decisionSchema, LOCAL_KEYS } from '../src/model/decision.ts'
import { COMMON_FIELDS, DECISION_KINDS, STORED_KINDS } from '../src/model/decision-kinds.ts'
import {
  DECISION_ID,
  FILLED_LINE,
  GLOB,
  LINE,
  POOL_NAME,
  RELATIVE_PATH,
  SLUG,
  TEXT,
  TICKET_ID,
  TIMESTAMP,
} from '../src/model/fields.ts'
import { GLOB_BYTES } from '../src/model/glob.ts'
import * as names from '../src/model/names.ts'
import { LIMITS, TIMESTAMP as TIME } from '../src/model/text.ts'
import { ticketSchema } from '../src/model/ticket.ts'

interface JsonSchema {
  [keyword: string]: unknown
  properties?: Record<string, JsonSchema>
  required?: string[]
}

/** What `globProblem` accepts: no absolute path, no "//", "." or "..", and "**" as a whole segment only. */
const GLOB_PATTERN =
  '^(?!/)(?!.*//)(?!(?:.*/)?\\.{1,2}(?:/|$))(?!.*[^/]\\*\\*)(?!.*\\*\\*[^/])[^{}\\\\\\u0000-\\u001f\\u007f]+$'

/** What the checks of a text are in a JSON Schema. A length in bytes is never less than one in characters. */
const TEXTS = new Map<z.ZodMiniType, JsonSchema>([
  [TICKET_ID.schema(), { pattern: `^(?!.*\\.$)(?!${caseless(inner(names.WINDOWS_DEVICE))})${inner(names.ID)}` }],
  [DECISION_ID.schema(), { pattern: names.DECISION_ID.source }],
  [SLUG.schema(), { pattern: names.SLUG.source }],
  [POOL_NAME.schema(), { pattern: names.POOL.source }],
  [GLOB.schema(), { minLength: 1, maxLength: GLOB_BYTES, pattern: GLOB_PATTERN }],
  [TIMESTAMP.schema(), { pattern: TIME.source }],
  [LINE.schema(), { maxLength: LIMITS.lineBytes }],
  [FILLED_LINE.schema(), { minLength: 1, maxLength: LIMITS.lineBytes }],
  [TEXT.schema(), { maxLength: LIMITS.textBytes }],
  [RELATIVE_PATH.schema(), { minLength: 1, maxLength: LIMITS.lineBytes, pattern: `^(?!${inner(names.ABSOLUTE)})` }],
])

const CONFIG_HELP: Record<string, string> = {
  $schema: 'This schema, for editors.',
  areas: 'Names of areas of work, each with its paths: globs from the root.',
  claimTtlSeconds: 'Seconds until a claim expires unless it is renewed. Default 1800.',
  fleet: 'The fleet whose server has the claims: the id that `ticketplan fleet init` writes. Never a URL.',
  pools: 'How many claims may be live at once, for each pool. Without it, capacity is unlimited.',
  sources: 'What `ticketplan import` without arguments imports: system and path, and the options of that system.',
  states: 'What the states of the Ticket system mean. A list here replaces the default one.',
  ticketsDir: 'The folder of the Ticket files, from the root, with "/". Default "tickets".',
}
const TICKET_HELP: Record<string, string> = {
  format: 'The version of the file format.',
  id: 'The id. The file is named after it.',
  title: 'The title, one line.',
  state: 'The state in the Ticket system.',
  state_at: 'When the state was set.',
  slug: 'A second, readable name.',
  created_at: 'When the Ticket was created.',
  queued_at: 'When it was first queued: its place in the queue.',
  queued_by: 'Who queued it.',
  decisions: 'The decisions about the Ticket, in the order of their ids.',
}
const DECISION_HELP: Record<string, string> = {
  id: 'A ULID.',
  by: 'Who decided.',
  at: 'When.',
  reason: 'Why; the text of a note.',
  supersedes: 'The decisions of this file that this one replaces.',
}

/** Returns the schema of `ticketplan.json`. */
export function configJsonSchema(): JsonSchema {
  const schema = converted(configSchema())
  const properties = described(schema, CONFIG_HELP)
  // A path inside the repository: no part of it is empty, ".", ".." or ".git".
  properties.ticketsDir!.pattern = '^(?!(?:.*/)?(?:\\.|\\.\\.|\\.git)(?:/|$))[^\\\\:/]+(?:/[^\\\\:/]+)*$'
  properties.fleet!.pattern = names.FLEET_ID.source
  const { $schema, ...rest } = schema
  return { $schema, title: 'ticketplan.json', description: 'The configuration of ticketplan.', ...rest, properties }
}

/** Returns the schema of a Ticket file. */
export function ticketJsonSchema(): JsonSchema {
  const { $schema, ...rest } = converted(ticketSchema())
  const properties = described(rest, TICKET_HELP)
  properties.decisions!.items = decisionJsonSchema()
  return { $schema, title: 'A Ticket of ticketplan', ...rest, properties, propertyNames: notLocal() }
}

/** A decision: the fields of all kinds, and where the kind is known, its own. */
function decisionJsonSchema(): JsonSchema {
  const { $schema: _, ...common } = converted(decisionSchema(undefined))
  const properties = described(common, DECISION_HELP)
  properties.kind = {
    description: 'The kind. One that this version does not know is kept.',
    anyOf: [
      ...STORED_KINDS.map(kind => ({ const: kind, description: DECISION_KINDS[kind].help.replaceAll('`', '"') })),
      properties.kind,
    ],
  }
  return { ...common, properties, propertyNames: notLocal(), allOf: STORED_KINDS.map(ownFields) }
}

/** "If it is of this kind, it has these fields." */
function ownFields(kind: (typeof STORED_KINDS)[number]): JsonSchema {
  const { properties, required } = converted(decisionSchema({ kind }))
  const own = Object.entries(properties!).filter(([name]) => !Object.hasOwn(COMMON_FIELDS, name))
  const needed = required!.filter(name => own.some(([field]) => field === name))
  return {
    if: { properties: { kind: { const: kind } }, required: ['kind'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      properties: Object.fromEntries(
        own.map(([name, schema]) => [name, name === 'plan' ? { ...schema, propertyNames: notLocal() } : schema]),
      ),
      ...(needed.length > 0 && { required: needed }),
    },
  }
}

/** What belongs to one machine and one run is never in a Ticket file. */
function notLocal(): JsonSchema {
  return { not: { enum: LOCAL_KEYS } }
}

function converted(schema: z.ZodMiniType): JsonSchema & { required?: string[] } {
  return z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      Object.assign(jsonSchema, TEXTS.get(zodSchema as unknown as z.ZodMiniType))
    },
  }) as JsonSchema
}

/** The properties of a schema, each with its description. @throws Error where one has none. */
function described(schema: JsonSchema, help: Record<string, string>): Record<string, JsonSchema> {
  const entries = Object.entries(schema.properties!).map(([name, property]) => {
    const description = help[name]
    if (description === undefined && name !== 'kind') throw new Error(`no description of "${name}"`)
    return [name, { description, ...property }]
  })
  return Object.fromEntries(entries)
}

/** The pattern without its "^". */
function inner({ source }: RegExp): string {
  return source.replace(/^\^/, '')
}

/** The pattern for either case: a JSON Schema has no flags. */
function caseless(pattern: string): string {
  return pattern.replace(/[a-z]/g, letter => `[${letter}${letter.toUpperCase()}]`)
}
