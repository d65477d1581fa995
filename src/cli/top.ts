/** Defines `ticketplan top`, which shows the overview in the terminal, again whenever something changes. */
import { jsonLine } from '../model/json-line.ts'
import { command, flag } from '../operations/operation.ts'
import { OVERVIEW_CLAIMS, overviewOf } from '../operations/overview.ts'
import type { Store } from '../store/store.ts'
import { watchTickets } from '../watch/watch.ts'
import { print } from './print.ts'
import { overviewLines, screenLines } from './render-overview.ts'
import { painter } from './terminal.ts'
import { terminalOf } from './terminal-of.ts'
import { type StreamingCommand, untilStopped } from './watch.ts'

/** Times on the screen change without an event. */
const REDRAW_MS = 5000
/** Changes within this time are drawn once. */
const GATHER_MS = 100
const LIST_LIMIT = 100
const ALTERNATE_SCREEN = '\u001b[?1049h\u001b[?25l'
const NORMAL_SCREEN = '\u001b[?25h\u001b[?1049l'

const topCommand = command({
  name: 'top',
  summary: 'Show what is going on in the terminal, and keep it current',
  details:
    'The same as "ticketplan overview", fitted to the terminal and drawn again whenever something changes. q or ctrl-c ends it. With --once, or where the output is no terminal, it prints one screen and ends.',
  fields: { once: { schema: flag, help: 'print it once and end' } },
  examples: ['ticketplan top', 'ticketplan top --once'],
})

export const top: StreamingCommand = {
  isResident: true,
  ...topCommand,
  follows: OVERVIEW_CLAIMS,
  async stream(store, { json }, given) {
    const { once } = topCommand.input.parse(given)
    const terminal = terminalOf(1)
    if (json) print(1, jsonLine(read(store)))
    else if (once || !terminal.isTerminal) {
      const page = { paint: painter(terminal), width: terminal.width, input: {}, nowMs: store.now() }
      print(1, `${overviewLines(read(store), page).join('\n')}\n`)
    } else return showUntilStopped(store)
    return 0
  },
}

function read(store: Store) {
  return overviewOf(store, { limit: LIST_LIMIT, noPast: true })
}

async function showUntilStopped(store: Store): Promise<number> {
  const paint = painter(terminalOf(1))
  const draw = () => {
    const { columns = 80, rows = 24 } = process.stdout
    const lines = screenLines(read(store), { paint, width: columns }, rows)
    print(1, `\u001b[H${lines.map(line => `${line}\u001b[K`).join('\r\n')}\u001b[J`)
  }
  print(1, ALTERNATE_SCREEN)
  let gathering: NodeJS.Timeout | undefined
  const redraw = setInterval(draw, REDRAW_MS)
  process.stdout.on('resize', draw)
  const { stdin } = process
  try {
    draw()
    return await untilStopped(end => {
      if (stdin.isTTY) stdin.setRawMode(true)
      stdin.on('data', keys => {
        if (/[qQ\u0003\u0004]/.test(keys.toString())) end()
      })
      return watchTickets(store, () => {
        gathering ??= setTimeout(() => {
          gathering = undefined
          draw()
        }, GATHER_MS)
      })
    })
  } finally {
    clearInterval(redraw)
    clearTimeout(gathering)
    process.stdout.off('resize', draw)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
    print(1, NORMAL_SCREEN)
  }
}
