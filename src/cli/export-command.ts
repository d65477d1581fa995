/**
 * Defines `ticketplan export`: the operation, printed part by part.
 *
 * A part is printed while the snapshot is open that it comes from. On a shared file system that would keep writers waiting for
 * the reader of a pipe, so there the whole text comes first.
 */
import { databaseError } from '../database/sqlite-error.ts'
import { isSharedFileSystem } from '../files/file-system.ts'
import { jsonLine } from '../model/json-line.ts'
import { exportPlan, notifyUnread } from '../operations/export.ts'
import { exportParts } from '../operations/export-parts.ts'
import type { InputOf } from '../operations/operation.ts'
import { runOperation } from '../operations/run-operation.ts'
import type { Problem } from '../operations/shapes.ts'
import { print } from './print.ts'
import { escapeLines } from './terminal.ts'
import { terminalOf } from './terminal-of.ts'
import type { StreamingCommand } from './watch.ts'

/** Parts are printed when they have this many characters together. */
const PRINT_FROM = 65_536

/** Prints text as it comes, and what remains of it at the end. Both return false once the reader has closed the pipe. */
interface Printer {
  add(text: string): boolean
  end(problems: readonly Problem[]): boolean
  hasPrinted(): boolean
}

export const exportCommand: typeof exportPlan & StreamingCommand = {
  ...exportPlan,
  alone: true, // it prints as it reads
  async stream(store, { json }, given) {
    const input = given as InputOf<typeof exportPlan.fields>
    const { format, all } = input
    const newPrinter = () => (json ? jsonPrinter(format) : textPrinter())
    if (format === 'svg' || format === 'html' || isSharedFileSystem(store.repository.indexDir)) {
      const { text, problems } = await runOperation(store, exportPlan, input)
      const printer = newPrinter()
      if (printer.add(text)) printer.end(problems)
      return 0
    }
    let failure: { error: unknown } | undefined
    store.read(({ queries }) => {
      const printer = newPrinter()
      try {
        const { problems, parts } = exportParts(queries, format, all, store.notify)
        notifyUnread(store, problems)
        for (const part of parts) if (!printer.add(part)) return
        printer.end(problems)
      } catch (error) {
        if (!printer.hasPrinted()) throw error
        failure = { error } // thrown after the read, which would begin again on another index
      }
    })
    if (failure) throw databaseError(failure.error, store.index.path)
    return 0
  },
}

/** Prints the text of an export; on a terminal, what could control it is escaped. */
function textPrinter(): Printer {
  const { isTerminal } = terminalOf(1)
  return bufferedPrinter(isTerminal ? escapeLines : text => text, '', () => '')
}

/** Prints the document of the operation, with the text in it. */
function jsonPrinter(format: string): Printer {
  // Parts end where a character ends, so that each can be escaped alone.
  const escaped = (text: string) => jsonLine(text).slice(1, -2)
  const head = `${jsonLine({ format }).slice(0, -2)},"text":"`
  return bufferedPrinter(escaped, head, problems => `","problems":${jsonLine(problems).trimEnd()}}\n`)
}

function bufferedPrinter(
  escaped: (text: string) => string,
  head: string,
  tail: (problems: readonly Problem[]) => string,
): Printer {
  let isFirst = true
  let waiting: string[] = []
  let length = 0
  const flush = (last = '') => {
    const text = `${isFirst ? head : ''}${escaped(waiting.join(''))}${last}`
    isFirst = false
    waiting = []
    length = 0
    return print(1, text)
  }
  return {
    add(text) {
      waiting.push(text)
      length += text.length
      return length < PRINT_FROM || flush()
    },
    end: problems => flush(tail(problems)),
    hasPrinted: () => !isFirst,
  }
}
