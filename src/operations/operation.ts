/**
 * Defines what an operation is: one thing that ticketplan does, defined once for the SDK, the command line and MCP.
 *
 * The fields say how the input is named, checked and explained; `run` does the work over a store. Readable output belongs
 * to the command line. A message about the input names fields as the caller knows them: `NameOf` is the one place for that.
 */
import * as z from 'zod/mini'
import type { SnapshotRequest } from '../fleet/fleet-claims.ts'
import { alternatives } from '../model/alternatives.ts'
import { PlanError } from '../model/errors.ts'
import { longText, oneLine } from '../model/fields.ts'
import { firstIssue } from '../model/first-issue.ts'
import { isTimestamp, parseMoment } from '../model/text.ts'
import type { Store } from '../store/store.ts'
import type { StoreFleet } from '../store/store-fleet.ts'

/** What a value names, where a shell can complete it. */
export type Completes = 'area' | 'decision' | 'file' | 'folder' | 'kind' | 'pool' | 'state' | 'ticket' | 'topic'

/** One input of an operation. */
export interface Field<S extends z.ZodMiniType = z.ZodMiniType> {
  schema: S
  help: string
  /** On the command line: given by position rather than by `--name`. */
  positional?: true
  /** On the command line: the placeholder for the value in the help; a field without one is a switch. */
  value?: string
  /** On the command line: several values, separated by commas; of a positional field, all arguments from there on. */
  list?: true
  /** Of a positional list: its values follow `--`, because they can look like options. */
  afterDashes?: true
  /** A time span in seconds; the command line and MCP also take `30m`, `2h` and the like. */
  span?: true
  /** On the command line: `-` reads the text from standard input. */
  stdin?: true
  /** On the command line: the value follows "=", and may be left out. */
  optionalValue?: true
  /** Not on the command line, whose arguments are flat. */
  sdkOnly?: true
  /** With it the command runs alone: a resident must not start git, or wait for input, for another process. */
  alone?: true
  /** For completion in a shell. Not needed for a `ticketName`, nor for a schema that lists its values. */
  completes?: Completes
}
export type Fields = Record<string, Field>
export type InputOf<F extends Fields> = z.infer<z.ZodMiniObject<{ [K in keyof F]: F[K]['schema'] }>>
export type GivenInputOf<F extends Fields> = z.input<z.ZodMiniObject<{ [K in keyof F]: F[K]['schema'] }>>

/**
 * Returns the name of a field as the caller knows it: `queuedBy` in the SDK and MCP, `--queued-by` on the command line.
 * The field may be a path into one, such as `until.0`.
 */
export type NameOf = (field: string) => string

/** What is wrong with an input whose fields fit their schemas one by one. */
export interface Objection {
  field: string
  message: string
}

/** What the command line must know of a command to parse and explain it. */
export interface Command<F extends Fields = Fields> {
  name: string
  /** One line, for a list of commands. */
  summary: string
  /** What else a user must know, for the help of the command: paragraphs; an indented line is kept as it is. */
  details?: string
  fields: F
  input: z.ZodMiniType<InputOf<F>, GivenInputOf<F>>
  /** Returns the first rule over several fields that the input breaks; undefined if it breaks none. */
  check?(input: InputOf<F>, nameOf: NameOf): Objection | undefined
  /** Complete command lines. */
  examples: string[]
  /** On the command line: another form of the command, with fields of its own, chosen by a flag among them. */
  form?: { flag: string; command: Command }
}

export interface Operation<F extends Fields = Fields, O = unknown> extends Command<F> {
  /** True if Ticket files or claims may change. */
  writes: boolean
  /** True for one that reads but is never answered by a resident: it starts processes, or is about the process that runs it. */
  alone?: true
  /** The schema of the output, built on demand: a run of the command line does not need it. */
  output(): z.ZodMiniType<O>
  /** Does the work. The input has passed `parseInput`. */
  run(store: Store, input: InputOf<F>): O
  /** Where a server has the claims: which of them `run` needs; undefined for none. */
  claims?(input: InputOf<F>): SnapshotRequest | undefined
  /** Where there is no answer while the claims are unknown. */
  needsClaims?: true
  /** Does the work in steps where a server has the claims. Without it `run` does it. */
  runInFleet?(store: Store, fleet: StoreFleet, input: InputOf<F>): Promise<O>
  /** Returns the exit status of the command line; without it, the status is 0. */
  exitStatus?(output: O): 0 | 1 | 3 | 4 | 5
  /** Returns what failed although there is an output. On the command line it is reported after the output, as an error. */
  failure?(output: O): PlanError | undefined
}

/** Defines a command; builds its input schema from its fields. */
export function command<const F extends Fields>(definition: Omit<Command<F>, 'input'>): Command<F> {
  const shape = Object.fromEntries(Object.entries(definition.fields).map(([name, { schema }]) => [name, schema]))
  return { ...definition, input: z.strictObject(shape) as unknown as Command<F>['input'] }
}

/** Defines an operation; builds its input schema from its fields. */
export function operation<const F extends Fields, O>(definition: Omit<Operation<F, O>, 'input'>): Operation<F, O> {
  return { ...definition, ...command(definition) }
}

/**
 * Returns a caller's input, checked and with its defaults. `nameOf` names the fields in messages; without it they have the
 * names of the SDK. `noun` is the caller's word for a field.
 * @throws PlanError invalid_input; its data has the SDK's name of the field.
 */
export function parseInput<F extends Fields>(
  command: Command<F>,
  given: unknown,
  nameOf: NameOf = asInSdk,
  noun: 'field' | 'argument' = 'field',
): InputOf<F> {
  const { name, input, fields } = command
  const { success, data: parsed } = input.safeParse(given)
  if (success) {
    const objection = command.check?.(parsed, nameOf)
    if (objection) throw invalidInput(name, objection)
    return parsed
  }
  const issue = firstIssue(input, given)!
  const [unknown] = issue.unknownKeys
  if (unknown !== undefined) {
    const field = unknown.slice(0, 100)
    const known = Object.keys(fields)
    const rest = known.length ? alternatives(field, known, `the ${noun}s`) : `; it has no ${noun}s`
    throw invalidInput(name, { field, message: `unknown ${noun} "${field}"${rest}` })
  }
  const field = issue.path.join('.') || 'input'
  const message = issue.missing ? `${nameOf(field)} is required` : `${nameOf(field)}: ${issue.message}`
  throw invalidInput(name, { field, message })
}

function asInSdk(field: string): string {
  return field
}

function invalidInput(command: string, { field, message }: Objection): PlanError<'invalid_input'> {
  return new PlanError('invalid_input', `${command}: ${message}`, { field })
}

// What a person or a program says in one line: no line break, no control character.
const singleLine = z.refine<string>(
  text => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text),
  'must be one line without control characters',
)

/** The schemas that inputs are made of. */
export const line = oneLine().check(singleLine)
export const filledLine = line.check(
  z.minLength(1),
  z.refine(text => text.trim() !== '', 'must not be empty'),
)
export const text = longText()
export const ticketName = z.string().check(z.minLength(1), z.maxLength(128))
/** One value or a list of them, as a list. */
export function oneOrMore<T>(schema: z.ZodMiniType<T, T>, most: number): z.ZodMiniType<T[], T | T[]> {
  const list = z.transform((given: unknown) => (Array.isArray(given) ? given : [given]))
  const items = z.array(schema).check(z.minLength(1), z.maxLength(most))
  return z.pipe(list, items as never) as unknown as z.ZodMiniType<T[], T | T[]>
}
export const flag = z._default(z.boolean(), false)
/** A moment as a caller may write it, as a timestamp. */
export const moment = z.pipe(
  z.pipe(
    z.string(),
    z.transform(text => parseMoment(text) ?? ''),
  ),
  z.string().check(z.refine(isTimestamp, 'not a time: write 2026-12-01 or 2026-12-01T09:00:00Z')),
) as unknown as z.ZodMiniType<string, string>

// For the commands that the command line defines itself: it imports no zod.
export const optionalLine = z.optional(filledLine)
/** Returns the schema of one of several texts. */
export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values)
}
