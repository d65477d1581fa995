/**
 * Runs the command line once: parses the arguments, runs the operation, prints its output and sets the exit status.
 *
 * Standard output carries the output of the operation and nothing else; notices, progress and errors go to standard error.
 * A stack trace is printed only with TICKETPLAN_DEBUG.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { allowFolderChange } from '../files/file-system.ts'
import { systemError } from '../files/io-error.ts'
import { packageRoot } from '../files/package-root.ts'
import { isPlanError } from '../model/errors.ts'
import { escapeText } from '../model/escape-text.ts'
import { jsonLine } from '../model/json-line.ts'
import { didYouMean, nearestNames } from '../model/nearest-names.ts'
import { type Command, type Fields, type InputOf, type Operation, parseInput } from '../operations/operation.ts'
import type { OperationName } from '../operations/registry.ts'
import { runOperation } from '../operations/run-operation.ts'
import type { AgentName } from '../setup/agent-names.ts'
import { openStore, type Store } from '../store/store.ts'
import { followClaims } from '../watch/follow-claims.ts'
import { commandNames, loadCommand, loadCommandGroups } from './commands.ts'
import { EXIT_STATUS } from './exit-status.ts'
import {
  argumentNames,
  flagName,
  type GlobalOptions,
  inputFrom,
  similarOptions,
  splitCommandLine,
  usage,
} from './parse-arguments.ts'
import { print, terminalOf } from './print.ts'
import { progressLine } from './progress-line.ts'
import type { StreamingCommand } from './watch.ts'
import { helpWidth } from './wrap.ts'

/**
 * Runs the command that the arguments of this process name, and sets the exit status. Ends the process once nothing is left to do:
 * Node would take a millisecond first to free what the end of a process frees anyway.
 */
export async function main(): Promise<void> {
  const args = process.argv.slice(2)
  allowFolderChange()
  process.once('beforeExit', status => process.exit(status))
  try {
    process.exitCode = await run(args)
  } catch (error) {
    process.exitCode = await report(error, asksForJson(args))
  }
}

/** True where the command line asks for JSON; what comes after `--` belongs to another program. */
function asksForJson(args: string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? undefined : end).includes('--json')
}

async function run(args: string[]): Promise<number> {
  if (args[0] === '__complete') {
    const { complete } = await import('./complete.ts')
    await complete(args.slice(1))
    return 0
  }
  const { global, command, rest } = splitCommandLine(args)
  if (command === undefined) return runWithoutCommand(global, rest)
  const name = commandNames.find(name => name === command)
  if (name === undefined) {
    const known = didYouMean(nearestNames(command, commandNames)) || `; the commands are ${commandNames.join(', ')}`
    throw usage(null, `unknown command "${command}"${known}`)
  }
  if (global.help) {
    const { commandHelp } = await import('./help.ts')
    print(1, commandHelp(await loadCommand(name), helpWidth(terminalOf(1).width)))
    return 0
  }
  if (name === 'mcp') {
    const { mcpCommand, serve } = await import('./mcp-command.ts')
    return serve(global, parseCommand(mcpCommand, rest))
  }
  if (name === 'completion') {
    const { completionCommand, completionText } = await import('./completion-command.ts')
    return printText(completionText(parseCommand(completionCommand, rest).shell), global)
  }
  if (name === 'help') {
    const { helpCommand, helpText } = await import('./help-command.ts')
    const { topic } = parseCommand(helpCommand, rest)
    const width = helpWidth(terminalOf(1).width)
    return printText(
      await helpText(topic, { version: version(), commandNames, loadCommand, loadCommandGroups }, width),
      global,
    )
  }
  const operation = formOf(await loadCommand(name), rest)
  if (name === 'brief' && !global.json) {
    const { hook, budget } = parseCommand(operation, rest) as { hook?: AgentName; budget?: number }
    if (hook) {
      const { runHook } = await import('./hook-command.ts')
      return runHook(hook, budget, global)
    }
  }
  try {
    return await runOverStore(operation, global, rest)
  } catch (error) {
    if (name !== 'doctor' || !isPlanError(error, 'bad_config')) throw error
    const { doctorOfBadConfig } = await import('../operations/doctor.ts')
    return printOutput(operation as Operation, doctorOfBadConfig(error, global.folder ?? '.'), {}, global)
  }
}

/** Returns the form of the command that the arguments choose. @throws PlanError usage for an option of the other form. */
function formOf(command: Operation | StreamingCommand, args: string[]): Operation | StreamingCommand {
  const { form, fields } = command
  if (!form || !args.includes(`--${form.flag}`)) return command
  const flags = Object.keys(fields).filter(name => !fields[name]!.positional && !(name in form.command.fields))
  const foreign = flags.map(name => `--${flagName(name)}`).find(flag => args.some(arg => arg.split('=')[0] === flag))
  if (foreign !== undefined) throw usage(command.name, `--${form.flag} takes no ${foreign}`)
  return form.command as Operation
}

async function runOverStore(
  operation: Operation | StreamingCommand,
  global: GlobalOptions,
  args: string[],
): Promise<number> {
  const input = parseCommand(operation, args)
  const progress = progressLine()
  await using store = disposable(
    openStore(
      {
        root: global.folder,
        actor: global.actor,
        onNotice: message => {
          progress.clear()
          print(2, global.json ? jsonLine({ note: message }) : `note: ${escapeText(message)}\n`)
        },
        onProgress: progress.show,
      },
      { waits: true },
    ),
  )
  if ('stream' in operation) {
    using _ = operation.follows && (await followClaims(store, operation.follows))
    return await operation.stream(store, { json: global.json }, input)
  }
  let output: unknown
  try {
    output = await runOperation(store, operation, input)
  } finally {
    progress.clear()
  }
  if (input.csv && (output as { truncated?: boolean }).truncated)
    print(2, 'note: there are more rows; raise --limit to get them\n')
  return printOutput(operation, output, input, global)
}

/** Prints the output of an operation; returns the exit status. */
async function printOutput(
  operation: Operation,
  output: unknown,
  input: Record<string, unknown>,
  global: GlobalOptions,
): Promise<number> {
  if (global.json) print(1, jsonLine(output))
  else {
    const { render } = await import('./render.ts')
    print(1, render(operation.name as OperationName, output as never, input, terminalOf(1)))
  }
  const failure = operation.failure?.(output)
  return failure ? report(failure, global.json) : (operation.exitStatus?.(output) ?? 0)
}

function printText(text: string, { json }: GlobalOptions): number {
  print(1, json ? jsonLine({ text }) : text)
  return 0
}

function version(): string {
  return JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')).version
}

async function runWithoutCommand(global: GlobalOptions, rest: string[]): Promise<number> {
  if (rest[0] === '--version' || rest[0] === '-V') {
    print(1, global.json ? jsonLine({ version: version() }) : `${version()}\n`)
    return 0
  }
  if (rest[0] !== undefined) throw usage(null, `unknown option ${rest[0]}${similarOptions(rest[0], [])}`)
  const { programHelp } = await import('./help.ts')
  const descriptor = global.help ? 1 : 2
  print(descriptor, programHelp(version(), await loadCommandGroups(), helpWidth(terminalOf(descriptor).width)))
  return global.help ? 0 : 2
}

function parseCommand<F extends Fields>(command: Command<F>, args: string[]): InputOf<F> {
  return parseInput(
    command,
    inputFrom(command as unknown as Command, args),
    argumentNames(command as unknown as Command),
  )
}

async function report(thrown: unknown, json: boolean): Promise<number> {
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

function disposable(store: Store): Store & AsyncDisposable {
  const close = async () => {
    store.close()
    await store.fleet?.close()
  }
  return Object.assign(store, { [Symbol.asyncDispose]: close })
}
