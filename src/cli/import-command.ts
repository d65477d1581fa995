/** Defines `ticketplan import`, which with `--watch` imports again whenever the source changes, until it is stopped. */
import { sourceStamp } from '../importers/last-imports.ts'
import { descriptorOf } from '../importers/source-text.ts'
import { SOURCES, type System } from '../importers/sources.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { jsonLine } from '../model/json-line.ts'
import { importTickets } from '../operations/import.ts'
import { configuredSources } from '../operations/import-source.ts'
import { command, flag, type Operation } from '../operations/operation.ts'
import type { Store } from '../store/store.ts'
import { ownOutput, printNotice } from './command-output.ts'
import { print } from './print.ts'
import { render } from './render.ts'
import { terminalOf } from './terminal-of.ts'
import { type StreamingCommand, untilStopped } from './watch.ts'

/** How often the sources are polled: a changed state changes verdicts within a second. */
const POLL_MS = 300

const { dryRun: _, ...fields } = importTickets.fields

const watch = command({
  name: 'import',
  summary: 'Import again whenever the source changes',
  fields: {
    watch: { schema: flag, help: 'import now, and again whenever the source changes, until ctrl-c' },
    ...fields,
  },
  examples: [],
  check: ({ watch: _, ...input }, nameOf) => importTickets.check?.({ ...input, dryRun: false }, nameOf),
})

const watchCommand: StreamingCommand = {
  ...watch,
  stream(store, { json }, given) {
    const { watch: _, ...input } = watch.input.parse(given)
    const places = placesOf(store, input)
    const stamps = () => places.map(({ path, beside }) => sourceStamp(path, beside)).join('\n\n')
    return untilStopped((end, fail) => {
      let known = ''
      let problem = ''
      const poll = () => {
        try {
          const now = stamps()
          if (now === known && problem === '') return
          const output = importTickets.run(store, { ...input, dryRun: false })
          const isFirst = known === ''
          known = now
          problem = ''
          if (!isFirst && output.written === 0) return
          const text = json ? jsonLine(output) : render('import', output as never, input, terminalOf(1))
          if (!print(1, text)) end()
        } catch (error) {
          if (!isPlanError(error)) return fail(error)
          // The source may be half written: the next poll tries again.
          if (error.message !== problem) printNotice(error.message, json, ownOutput)
          problem = error.message
        }
      }
      poll()
      const timer = setInterval(poll, POLL_MS)
      printNotice(`watching ${places.map(({ path }) => path).join(', ')}; stop with ctrl-c`, json, ownOutput)
      const close = () => clearInterval(timer)
      return { close, [Symbol.dispose]: close }
    })
  },
}

interface Place {
  path: string
  beside: readonly string[] | undefined
}

/** Returns the files and folders to watch. @throws PlanError invalid_input for standard input, or where there is none. */
function placesOf(store: Store, { system, path }: { system?: System | undefined; path?: string | undefined }): Place[] {
  const sources = system === undefined || path === undefined ? configuredSources(store) : [{ system, path }]
  if (sources.length === 0 || sources.some(({ path }) => descriptorOf(path) !== undefined)) {
    const message = 'import: --watch needs a file or folder, or "sources" in ticketplan.json'
    throw new PlanError('invalid_input', message, { field: 'watch' })
  }
  return sources.map(({ system, path }) => ({
    path,
    beside: (SOURCES[system] as { beside?: readonly string[] }).beside,
  }))
}

/** The operation `import`, with its form that watches. */
export const importCommand: Operation = {
  ...(importTickets as unknown as Operation),
  examples: [...importTickets.examples, 'ticketplan import backlog backlog --watch'],
  form: { flag: 'watch', command: watchCommand },
}
