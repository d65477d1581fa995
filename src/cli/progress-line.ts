/** A line on a terminal that says how far long work has come; silent off a terminal and for the first second. */

import { print, type Terminal, terminalOf } from './print.ts'

const QUIET_MS = 1000
const EVERY_MS = 100

export function progressLine() {
  const startedAt = performance.now()
  let shownAt = startedAt + QUIET_MS - EVERY_MS
  let shown = false
  let terminal: Terminal | undefined
  return {
    show(done: number, total: number) {
      const now = performance.now()
      if (now - shownAt < EVERY_MS) return
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
