/**
 * What an operation is: one thing that ticketplan does, defined once for the SDK, the command line and MCP.
 *
 * The fields say how the input is named, checked and explained; `run` does the work over a store; readable output belongs
 * to the command line.
 */
import * as z from 'zod/mini'
import { PlanError } from '../model/errors.ts'
import { firstIssue } from '../model/first-issue.ts'
import { longText, oneLine } from '../model/text.ts'
import type { Store } from '../store/store.ts'

/** One input of an operation. */
export interface Field<S extends z.ZodMiniType = z.ZodMiniType> {
  schema: S
  help: string
  /** On the command line: given by position rather than by `--name`. */
  positional?: true
  /** On the command line: what stands for the value in the help; a field without one is a switch. */
  value?: string
  /** On the command line: several values, separated by commas. */
  list?: true
  /** Not on the command line, whose arguments are flat. */
  sdkOnly?: true
}
export type Fields = Record<string, Field>
export type InputOf<F extends Fields> = z.infer<z.ZodMiniObject<{ [K in keyof F]: F[K]['schema'] }>>
export type GivenInputOf<F extends Fields> = z.input<z.ZodMiniObject<{ [K in keyof F]: F[K]['schema'] }>>

/** What the command line needs to know of a command to parse and explain it. */
export interface Command<F extends Fields = Fields> {
  name: string
  /** One line, for a list of commands. */
  summary: string
  /** What else a user must know, for the help of the command. */
  details?: string
  fields: F
  input: z.ZodMiniType<InputOf<F>, GivenInputOf<F>>
  /** Complete command lines. */
  examples: string[]
}

export interface Operation<F extends Fields = Fields, O = unknown> extends Command<F> {
  /** True where Ticket files or claims may change. */
  writes: boolean
  /** Made when it is asked for: a command line run has no need of it. */
  output(): z.ZodMiniType<O>
  run(store: Store, input: InputOf<F>): O
  /** The exit status of the command line where it is not 0. */
  exitStatus?(output: O): 0 | 1 | 3 | 4
}

/** Defines a command; its input schema is made of its fields. */
export function command<const F extends Fields>(definition: Omit<Command<F>, 'input'>): Command<F> {
  const shape = Object.fromEntries(Object.entries(definition.fields).map(([name, { schema }]) => [name, schema]))
  return { ...definition, input: z.strictObject(shape) as unknown as Command<F>['input'] }
}

/** Defines an operation, as `command` does. */
export function operation<const F extends Fields, O>(definition: Omit<Operation<F, O>, 'input'>): Operation<F, O> {
  return { ...definition, ...command(definition) }
}

/** Checks a caller's input. @throws PlanError invalid_input with the field's name. */
export function parseInput<F extends Fields>({ name, input, fields }: Command<F>, given: unknown): InputOf<F> {
  const issue = firstIssue(input, given)
  if (!issue) return input.parse(given)
  const [unknown] = issue.unknownKeys
  if (unknown !== undefined) {
    const shown = unknown.slice(0, 100)
    const known = Object.keys(fields).join(', ') || 'nothing'
    throw new PlanError('invalid_input', `${name}: unknown field ${shown}; it takes ${known}`, { field: shown })
  }
  const field = issue.path.join('.') || 'input'
  throw new PlanError('invalid_input', `${name}: ${field}: ${issue.message}`, { field })
}

// What a person or a program says in one line: no line break, no control character.
const singleLine = z.refine<string>(
  text => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text),
  'must be one line without control characters',
)

/** The schemas that inputs are made of. */
export const line = oneLine().check(singleLine)
export const filledLine = line.check(z.minLength(1))
export const text = longText()
export const ticketName = z.string().check(z.minLength(1), z.maxLength(128))
export const flag = z._default(z.boolean(), false)
