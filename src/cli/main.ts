/**
 * One run of the command line: parse, call the operation, print, exit status.
 *
 * Standard output carries the answer and nothing else; notices, progress and errors go to standard error. No failure prints
 * a stack trace unless TICKETPLAN_DEBUG asks for it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../database/open.ts'
import { isPlanError } from '../model/errors.ts'
import { parseInput } from '../operations/operation.ts'
import { openStore } from '../store.ts'
import { commandNames, loadCommand } from './commands.ts'
import { EXIT_STATUS } from './exit-status.ts'
import { jsonLine } from './json-line.ts'
import { type GlobalOptions, inputFrom, splitCommandLine, usage } from './parse-arguments.ts'
import { progressLine } from './progress-line.ts'

/** Runs the program's own arguments and sets the exit status. */
export async function main(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit() // the reader has had enough
    throw error
  })
  const args = process.argv.slice(2)
  try {
    process.exitCode = await run(args)
  } catch (error) {
    process.exitCode = await report(error, args.includes('--json'))
  }
}

async function run(args: string[]): Promise<number> {
  const { global, command, rest } = splitCommandLine(args)
  if (command === undefined) return runWithoutCommand(global, rest)
  const name = commandNames.find(name => name === command)
  if (name === undefined) {
    if (command === 'help') return runWithoutCommand({ ...global, help: true }, [])
    throw usage(null, `unknown command "${command}"; the commands are ${commandNames.join(', ')}`)
  }
  const operation = await loadCommand(name)
  if (global.help) {
    const { commandHelp } = await import('./help.ts')
    process.stdout.write(commandHelp(operation))
    return 0
  }
  const input = parseInput(operation, inputFrom(operation, rest))
  const progress = progressLine(process.stderr)
  using store = disposable(
    openStore({
      root: global.folder,
      actor: global.actor,
      onNotice: message => {
        progress.clear()
        process.stderr.write(`note: ${message}\n`)
      },
      onProgress: progress.show,
    }),
  )
  let output: unknown
  try {
    output = operation.run(store, input)
  } finally {
    progress.clear()
  }
  if (global.json) process.stdout.write(jsonLine(output))
  else {
    const { render } = await import('./render.ts')
    process.stdout.write(render(name, output as never, input, process.stdout))
  }
  return operation.exitStatus?.(output) ?? 0
}

async function runWithoutCommand(global: GlobalOptions, rest: string[]): Promise<number> {
  const version = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')).version as string
  if (rest[0] === '--version' || rest[0] === '-V') {
    process.stdout.write(global.json ? jsonLine({ version }) : `${version}\n`)
    return 0
  }
  if (rest[0] !== undefined) throw usage(null, `unknown option ${rest[0]}`)
  const { programHelp } = await import('./help.ts')
  if (!global.help) {
    process.stderr.write(programHelp(version))
    return 2
  }
  process.stdout.write(programHelp(version))
  return 0
}

async function report(error: unknown, json: boolean): Promise<number> {
  const known = isPlanError(error)
  const message = error instanceof Error ? error.message : String(error)
  if (json) {
    const code = known ? error.code : 'internal'
    process.stderr.write(jsonLine({ error: { ...(known && error.data), code, message } }))
  } else {
    const { escapeText } = await import('./terminal.ts')
    const text = message.split('\n').map(escapeText).join('\n')
    process.stderr.write(
      known
        ? `ticketplan: ${text}\n`
        : `ticketplan: internal error: ${text}\nPlease report it; TICKETPLAN_DEBUG=1 shows where it happened.\n`,
    )
  }
  if (!known && process.env.TICKETPLAN_DEBUG) process.stderr.write(`${(error as Error).stack}\n`)
  return known ? EXIT_STATUS[error.code] : 1
}

function disposable<T extends { close(): void }>(resource: T): T & Disposable {
  return Object.assign(resource, { [Symbol.dispose]: () => resource.close() })
}
