/**
 * Runs the command line once: parses the arguments, runs the operation, prints its output and sets the exit status.
 *
 * Standard output carries the output of the operation and nothing else; notices, progress and errors go to standard error.
 * A stack trace is printed only with TICKETPLAN_DEBUG.
 */
import { allowFolderChange } from '../files/file-system.ts'
import { packageVersion } from '../files/package-root.ts'
import { isPlanError } from '../model/errors.ts'
import { jsonLine } from '../model/json-line.ts'
import { didYouMean, nearestNames } from '../model/nearest-names.ts'
import type { Operation } from '../operations/operation.ts'
import { runOperation } from '../operations/run-operation.ts'
import type { AgentName } from '../setup/agent-names.ts'
import { openStore, type Store } from '../store/store.ts'
import { followClaims } from '../watch/follow-claims.ts'
import type { UnprintedAnswer } from './ask-resident.ts'
import {
  asksForJson,
  formOf,
  loadRender,
  ownOutput,
  parseCommand,
  printError,
  printNotice,
  printOutput,
} from './command-output.ts'
import type { GlobalOptions } from './command-words.ts'
import { commandNames, loadCommand, loadCommandGroups } from './commands.ts'
import { similarOptions, splitCommandLine, usage } from './parse-arguments.ts'
import { print } from './print.ts'
import { progressLine } from './progress-line.ts'
import { residentFor } from './resident-for.ts'
import { terminalOf } from './terminal-of.ts'
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
    process.exitCode = printError(error, asksForJson(args), ownOutput)
  }
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
    const input = parseCommand(mcpCommand, rest)
    const end = residentFor(global.folder ?? '.', global)
    return serve(global, input).finally(end)
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
      await helpText(topic, { version: packageVersion(), commandNames, loadCommand, loadCommandGroups }, width),
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
    if (name !== 'doctor' || !(isPlanError(error, 'bad_config') || isPlanError(error, 'unsafe_path'))) throw error
    const { doctorOfUnusable } = await import('../operations/doctor.ts')
    const output = doctorOfUnusable(error, global.folder ?? '.')
    return printOutput(operation as Operation, output, {}, ownOutput, await loadRender(global.json))
  }
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
          printNotice(message, global.json, ownOutput)
        },
        onProgress: progress.show,
      },
      { waits: true },
    ),
  )
  if ('stream' in operation) {
    using _ = operation.follows && (await followClaims(store, operation.follows))
    const end = operation.isResident ? residentFor(store.repository.root, global) : () => {}
    try {
      return await operation.stream(store, { json: global.json }, input)
    } finally {
      end()
    }
  }
  let output: unknown
  try {
    output = await runOperation(store, operation, input)
  } finally {
    progress.clear()
  }
  return printOutput(operation, output, input, ownOutput, await loadRender(global.json))
}

/** Prints the rest of an answer that could not be printed in one go; returns the exit status. */
export function printRest(rest: UnprintedAnswer): void {
  try {
    for (const [descriptor, bytes] of rest.writes) print(descriptor, bytes)
    process.exitCode = rest.status
  } catch (error) {
    process.exitCode = printError(error, asksForJson(process.argv.slice(2)), ownOutput)
  }
}

function printText(text: string, { json }: GlobalOptions): number {
  print(1, json ? jsonLine({ text }) : text)
  return 0
}

async function runWithoutCommand(global: GlobalOptions, rest: string[]): Promise<number> {
  if (rest[0] === '--version' || rest[0] === '-V') {
    print(1, global.json ? jsonLine({ version: packageVersion() }) : `${packageVersion()}\n`)
    return 0
  }
  if (rest[0] !== undefined) throw usage(null, `unknown option ${rest[0]}${similarOptions(rest[0], [])}`)
  const { programHelp } = await import('./help.ts')
  const descriptor = global.help ? 1 : 2
  print(descriptor, programHelp(packageVersion(), await loadCommandGroups(), helpWidth(terminalOf(descriptor).width)))
  return global.help ? 0 : 2
}

function disposable(store: Store): Store & AsyncDisposable {
  const close = async () => {
    store.close()
    await store.fleet?.close()
  }
  return Object.assign(store, { [Symbol.asyncDispose]: close })
}
