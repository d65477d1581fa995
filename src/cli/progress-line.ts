/** Shows the progress of long work in a line on the terminal; prints nothing off a terminal and in the first second. */
import { monotonicMs } from '../files/pause.ts'
import { print } from './print.ts'
import { type Terminal, terminalOf } from './terminal-of.ts'

const QUIET_MS = 1000
const REFRESH_MS = 100

/** Starts a progress line; `show` updates it, `clear` removes it. */
export function progressLine() {
  const startedAt = monotonicMs()
  let shownAt = startedAt + QUIET_MS - REFRESH_MS
  let shown = false
  let terminal: Terminal | undefined
  return {
    show(done: number, total: number) {
      const now = monotonicMs()
      if (now - shownAt < REFRESH_MS) return
      shownAt = now
      terminal ??= terminalOf(2)
      if (!terminal.isTerminal) return
      shown = true
      print(2, `\r\u001b[K${done.toLocaleString('en')} of ${total.toLocaleString('en')} files`)
    },
    clear() {
      if (shown) print(2, '\r\u001b[K')
      shown = false
    },
  }
}
