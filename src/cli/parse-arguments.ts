/**
 * The command line, taken apart: global options, the command, and its input by the operation's fields.
 *
 * Node's own parser does the syntax; what belongs to a command is read from its definition, so there is no second list.
 */
import { parseArgs } from 'node:util'
import { PlanError } from '../model/errors.ts'
import type { Command, Field } from '../operations/operation.ts'

export interface GlobalOptions {
  folder: string
  actor: string | undefined
  json: boolean
  help: boolean
}

export interface CommandLine {
  global: GlobalOptions
  command: string | undefined
  rest: string[]
}

const GLOBAL_VALUES: Record<string, 'folder' | 'actor'> = { '-C': 'folder', '--actor': 'actor' }

/** The options that every command takes, in any place, and what is left. @throws PlanError usage. */
export function splitCommandLine(args: readonly string[]): CommandLine {
  const global: GlobalOptions = { folder: process.cwd(), actor: undefined, json: false, help: false }
  const rest: string[] = []
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!
    const [name, inline] = splitInline(argument)
    const option = GLOBAL_VALUES[name]
    if (argument === '--') {
      rest.push(...args.slice(i))
      break
    }
    if (option) {
      const value = inline ?? args[++i]
      if (!value || (inline === undefined && value.startsWith('-'))) throw usage(null, `${name} needs a value`)
      global[option] = value
    } else if (argument === '--json') global.json = true
    else if (argument === '--help' || argument === '-h') global.help = true
    else rest.push(argument)
  }
  const first = rest.findIndex(argument => !argument.startsWith('-'))
  const command = first === -1 ? undefined : rest.splice(first, 1)[0]
  return { global, command, rest }
}

function splitInline(argument: string): [name: string, value: string | undefined] {
  const equals = argument.startsWith('--') ? argument.indexOf('=') : -1
  return equals === -1 ? [argument, undefined] : [argument.slice(0, equals), argument.slice(equals + 1)]
}

/** How a field is named on the command line. */
export function flagName(field: string): string {
  return field.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

/** The input that the arguments of a command give, unchecked but for its syntax. @throws PlanError usage. */
export function inputFrom(operation: Command, args: string[]): Record<string, unknown> {
  const entries = Object.entries(operation.fields).filter(([, field]) => !field.sdkOnly)
  const positionals = entries.filter(([, field]) => field.positional).map(([name]) => name)
  const flags = new Map(
    entries.filter(([, field]) => !field.positional).map(([name, field]) => [flagName(name), { name, field }]),
  )
  const options = Object.fromEntries(
    [...flags].map(([flag, { field }]) => [
      flag,
      field.value === undefined ? { type: 'boolean' as const } : { type: 'string' as const, multiple: true as const },
    ]),
  )
  let parsed: { values: Record<string, unknown>; positionals: string[] }
  try {
    parsed = parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (error) {
    const known = flags.size ? `; its options are ${[...flags.keys()].map(flag => `--${flag}`).join(', ')}` : ''
    throw usage(operation.name, `${(error as Error).message.split(/\. |\n/)[0]}${known}`)
  }
  const extra = parsed.positionals[positionals.length]
  if (extra !== undefined) throw usage(operation.name, `one argument too many: "${extra}"`)
  const input: Record<string, unknown> = {}
  for (const [position, value] of parsed.positionals.entries()) input[positionals[position]!] = value
  for (const [flag, value] of Object.entries(parsed.values)) {
    const { name, field } = flags.get(flag)!
    input[name] = fieldValue(operation.name, flag, field, value)
  }
  for (const name of positionals) {
    if (name in input || isOptional(operation.fields[name]!)) continue
    throw usage(operation.name, `<${flagName(name)}> is missing`)
  }
  return input
}

function fieldValue(command: string, flag: string, field: Field, value: unknown): unknown {
  if (field.value === undefined) return value
  const given = value as string[]
  if (field.list)
    return given
      .flatMap(text => text.split(','))
      .map(text => text.trim())
      .filter(Boolean)
  if (given.length > 1) throw usage(command, `--${flag} stands twice`)
  return expectsNumber(field) ? numberFrom(command, flag, given[0]!) : given[0]
}

function numberFrom(command: string, flag: string, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isNaN(number)) throw usage(command, `--${flag} takes a number, not "${text}"`)
  return number
}

/** True where the field may be left out. */
export function isOptional(field: Field): boolean {
  return field.schema.safeParse(undefined).success
}

function expectsNumber(field: Field): boolean {
  const [issue] = field.schema.safeParse('1').error?.issues ?? []
  return issue?.code === 'invalid_type' && ['int', 'number'].includes(issue.expected)
}

export function usage(command: string | null, message: string): PlanError<'usage'> {
  const help = command === null ? 'ticketplan --help' : `ticketplan ${command} --help`
  return new PlanError('usage', `${command === null ? '' : `${command}: `}${message}; see "${help}"`, { command })
}
