/** Answers a reading command for a process that asked a resident: the same work as in `main.ts`, with the output kept. */
import { isPlanError } from '../model/errors.ts'
import type { Operation } from '../operations/operation.ts'
import type { PreparedCommand } from '../resident/answering.ts'
import type { ResidentAnswer, ResidentRequest } from '../resident/wire.ts'
import { checkedSession } from '../store/store.ts'
import {
  asksForJson,
  formOf,
  loadRender,
  type Output,
  parseCommand,
  printError,
  printNotice,
  printOutput,
} from './command-output.ts'
import { splitWords } from './command-words.ts'
import { type CommandName, loadCommand, type ProgramCommand } from './commands.ts'
import { isReading } from './reading-commands.ts'

/** Understands the command line of a request, and loads its code; undefined for one that a resident does not answer. */
export async function prepareCommand({
  words,
  session,
  terminal,
}: ResidentRequest): Promise<PreparedCommand | undefined> {
  const line = splitWords(words)
  if ('withoutValue' in line || !isReading(line)) return undefined
  const name = line.command as Exclude<CommandName, ProgramCommand>
  const json = asksForJson(words)
  const writes: [1 | 2, string][] = []
  const to: Output = {
    print: (descriptor, text) => void writes.push([descriptor, text]),
    terminal: () => ({ width: undefined, ...terminal }),
  }
  /** Undefined for an error that is a mistake of this program: the command itself reports it best. */
  const failed = (error: unknown): ResidentAnswer | undefined =>
    isPlanError(error) ? { status: printError(error, json, to), writes } : undefined
  try {
    const operation = formOf(await loadCommand(name), line.rest) as Operation
    const input = parseCommand(operation, line.rest)
    const render = await loadRender(json)
    return {
      name,
      run(use) {
        try {
          return use(
            () => checkedSession(session),
            message => printNotice(message, json, to),
            store => ({ status: printOutput(operation, operation.run(store, input), input, to, render), writes }),
          )
        } catch (error) {
          return failed(error)
        }
      },
    }
  } catch (error) {
    return { name, run: () => failed(error) }
  }
}
