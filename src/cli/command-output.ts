/**
 * What a command prints and returns, wherever its output goes: to this process's streams, or to a process that asked a resident.
 *
 * Standard output gets the output of the operation and nothing else; notices and errors go to standard error.
 */
import { systemError } from '../files/io-error.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { escapeText } from '../model/escape-text.ts'
import { jsonLine } from '../model/json-line.ts'
import { type Command, type Fields, type InputOf, type Operation, parseInput } from '../operations/operation.ts'
import type { OperationName } from '../operations/registry.ts'
import { EXIT_STATUS } from './exit-status.ts'
import { argumentNames, flagName, inputFrom, usage } from './parse-arguments.ts'
import { print } from './print.ts'
import { type Terminal, terminalOf } from './terminal-of.ts'
import type { StreamingCommand } from './watch.ts'

/** Where output goes. */
export interface Output {
  print(descriptor: 1 | 2, text: string): void
  /** Returns what standard output leads to. */
  terminal(): Terminal
}

/** The streams of this process. */
export const ownOutput: Output = { print, terminal: () => terminalOf(1) }

/** True where the command line asks for JSON; what comes after `--` belongs to another program. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? undefined : end).includes('--json')
}

/** Returns the form of the command that the arguments choose. @throws PlanError usage for an option of the other form. */
export function formOf(command: Operation | StreamingCommand, args: readonly string[]): Operation | StreamingCommand {
  const { form, fields } = command
  if (!form || !args.includes(`--${form.flag}`)) return command
  const flags = Object.keys(fields).filter(name => !fields[name]!.positional && !(name in form.command.fields))
  const foreign = flags.map(name => `--${flagName(name)}`).find(flag => args.some(arg => arg.split('=')[0] === flag))
  if (foreign !== undefined) throw usage(command.name, `--${form.flag} takes no ${foreign}`)
  return form.command as Operation
}

/** Returns the input that the arguments give, checked. @throws PlanError usage, invalid_input. */
export function parseCommand<F extends Fields>(command: Command<F>, args: string[]): InputOf<F> {
  return parseInput(
    command,
    inputFrom(command as unknown as Command, args),
    argumentNames(command as unknown as Command),
  )
}

/** Prints a notice. */
export function printNotice(message: string, json: boolean, { print }: Output): void {
  print(2, json ? jsonLine({ note: message }) : `note: ${escapeText(message)}\n`)
}

type Render = typeof import('./render.ts').render

/** Loads what makes output readable; undefined where JSON is asked for. */
export async function loadRender(json: boolean): Promise<Render | undefined> {
  return json ? undefined : (await import('./render.ts')).render
}

/** Prints the output of an operation, as JSON where there is no renderer; returns the exit status. */
export function printOutput(
  operation: Operation,
  output: unknown,
  input: Record<string, unknown>,
  to: Output,
  render: Render | undefined,
): number {
  if (input.csv && (output as { truncated?: boolean }).truncated)
    to.print(2, 'note: there are more rows; raise --limit to get them\n')
  const text = render?.(operation.name as OperationName, output as never, input, to.terminal()) ?? jsonLine(output)
  try {
    to.print(1, text)
  } catch (error) {
    if (!operation.writes || !isPlanError(error, 'io')) throw error
    const message = `the answer cannot be printed (${error.data.syscallCode} on standard output), but the command was carried out: do not run it again`
    const status = printError(
      new PlanError('io', message, { ...error.data, answer: output }, error),
      render === undefined,
      to,
    )
    if (render) to.print(2, text)
    return status
  }
  const failure = operation.failure?.(output)
  return failure ? printError(failure, render === undefined, to) : (operation.exitStatus?.(output) ?? 0)
}

/** Prints an error; returns the exit status. */
export function printError(thrown: unknown, json: boolean, { print }: Output): number {
  const error = systemError(thrown)
  const known = isPlanError(error)
  const message = error instanceof Error ? error.message : String(error)
  if (json) {
    const code = known ? error.code : 'internal'
    print(2, jsonLine({ error: { ...(known && error.data), code, message } }))
  } else {
    const text = escapeText(message)
    print(
      2,
      known
        ? `ticketplan: ${text}\n`
        : `ticketplan: internal error: ${text}\nPlease report it, with the stack trace that TICKETPLAN_DEBUG=1 prints.\n`,
    )
  }
  if (!known && process.env.TICKETPLAN_DEBUG) print(2, `${(error as Error).stack}\n`)
  return known ? EXIT_STATUS[error.code] : 1
}
