/**
 * Takes a command line apart: global options, the command, and the input of the command.
 *
 * Node's own parser does the syntax. Arguments and options come from the fields of the command, so there is no second list.
 * Values are not checked here: `parseInput` does that.
 */
import { parseArgs } from 'node:util'
import { DURATION_FORM, parseDuration } from '../model/duration.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { didYouMean, nearestNames } from '../model/nearest-names.ts'
import type { Command, Field, NameOf } from '../operations/operation.ts'
import { type CommandLine, splitWords } from './command-words.ts'
import { globalOptions } from './global-options.ts'
import { readStdinText } from './stdin-text.ts'

const GLOBAL_OPTIONS = globalOptions.flatMap(({ names }) => names.filter(name => name.startsWith('--')))

/** Separates the global options, which may be anywhere, from the command and its arguments. @throws PlanError usage. */
export function splitCommandLine(args: readonly string[]): CommandLine {
  const split = splitWords(args)
  if ('withoutValue' in split) throw usage(null, `${split.withoutValue} needs a value`)
  return split
}

/** Returns the name of a field on the command line, without dashes: `queuedBy` is `queued-by`. */
export function flagName(field: string): string {
  return field.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

/** Returns a function that names the fields of a command as a user types them: `<ticket>`, `--queued-by`. */
export function argumentNames({ fields }: Command): NameOf {
  return path => {
    const field = path.split('.')[0]!
    return fields[field]?.positional ? `<${flagName(field)}>` : `--${flagName(field)}`
  }
}

/** Returns the input that the arguments of a command give; only their syntax is checked. @throws PlanError usage. */
export function inputFrom(operation: Command, args: string[]): Record<string, unknown> {
  const entries = Object.entries(operation.fields).filter(([, field]) => !field.sdkOnly)
  const positionals = entries.filter(([, field]) => field.positional).map(([name]) => name)
  const rest = positionals.find(name => operation.fields[name]!.list)
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
    const given = withOptionalValues(operation.name, args, flags)
    parsed = parseArgs({ args: given, options, allowPositionals: true, strict: true })
  } catch (error) {
    if (isPlanError(error)) throw error
    throw usage(
      operation.name,
      syntaxMessage(error as NodeJS.ErrnoException, args, [
        ...flags.keys(),
        ...(operation.form ? [operation.form.flag] : []),
      ]),
    )
  }
  const extra = rest ? undefined : parsed.positionals[positionals.length]
  if (extra !== undefined) throw usage(operation.name, `unexpected argument "${extra}"`)
  const input: Record<string, unknown> = {}
  for (const [position, name] of positionals.entries()) {
    const given = parsed.positionals.slice(position)
    if (given.length > 0) input[name] = name === rest ? given : given[0]
  }
  for (const [flag, value] of Object.entries(parsed.values)) {
    const { name, field } = flags.get(flag)!
    input[name] = fieldValue(operation.name, flag, field, value)
  }
  for (const name of positionals) {
    if (name in input || isOptional(operation.fields[name]!)) continue
    throw usage(operation.name, `<${flagName(name)}> is required`)
  }
  return input
}

/** Gives an option whose value was left out an empty one, which Node's parser takes. */
function withOptionalValues(
  command: string,
  args: readonly string[],
  flags: ReadonlyMap<string, { field: Field }>,
): string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  return args.map((argument, position) => {
    const [, flag, equals] = /^--([^=]+)(=?)$/.exec(argument) ?? []
    if (position >= end || !flags.get(flag ?? '')?.field.optionalValue) return argument
    if (equals) throw usage(command, `--${flag}= has no value; name one, or leave out the "="`)
    return `${argument}=`
  })
}

/** Returns what Node's parser objects to, in the words of the other messages. */
function syntaxMessage({ code, message }: NodeJS.ErrnoException, args: readonly string[], flags: string[]): string {
  const option = /'(-[^' ]*)/.exec(message)?.[1]
  const options = flags.map(flag => `--${flag}`)
  const known = options.length ? `; the options are ${options.join(', ')}` : ''
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
    return `unknown option ${option}${similarOptions(option ?? '', options) || known}`
  if (message.includes('does not take')) return `${option} takes no value`
  const next = args[args.indexOf(option ?? '') + 1]
  // A text that begins with "-" could be an option that was forgotten.
  const hint = message.includes('ambiguous') && next !== undefined ? `; write ${option}=${next} for "${next}"` : ''
  return `${option} needs a value${hint}`
}

/** Returns the hint for a misspelt option, of the given ones and the global ones. */
export function similarOptions(option: string, options: readonly string[]): string {
  return didYouMean(nearestNames(option, [...options, ...GLOBAL_OPTIONS]))
}

function fieldValue(command: string, flag: string, field: Field, value: unknown): unknown {
  if (field.value === undefined) return value
  const given = value as string[]
  if (field.optionalValue && given.every(text => text === '')) return true
  if (field.list)
    return given
      .flatMap(text => text.split(','))
      .map(text => text.trim())
      .filter(Boolean)
  if (given.length > 1) throw usage(command, `--${flag} was given twice`)
  const text = given[0]!
  if (field.span) return secondsFrom(command, flag, text)
  if (field.stdin && text === '-') return readStdinText(flag)
  return expectsNumber(field) ? numberFrom(command, flag, text) : text
}

function secondsFrom(command: string, flag: string, text: string): number {
  const seconds = parseDuration(text)
  if (seconds === undefined) throw usage(command, `--${flag} takes ${DURATION_FORM}, not "${text}"`)
  return seconds
}

function numberFrom(command: string, flag: string, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isNaN(number)) throw usage(command, `--${flag} takes a number, not "${text}"`)
  return number
}

/** Returns true if the field may be left out. */
export function isOptional(field: Field): boolean {
  return field.schema.safeParse(undefined).success
}

function expectsNumber(field: Field): boolean {
  const [issue] = field.schema.safeParse('1').error?.issues ?? []
  return issue?.code === 'invalid_type' && ['int', 'number'].includes(issue.expected)
}

/** Returns an error about the command line, with the help to read; `command` is null for the program itself. */
export function usage(command: string | null, message: string): PlanError<'usage'> {
  const help = command === null ? 'ticketplan --help' : `ticketplan ${command} --help`
  const see = message.endsWith('?') ? ` See "${help}".` : `; see "${help}"`
  return new PlanError('usage', `${command === null ? '' : `${command}: `}${message}${see}`, { command })
}
