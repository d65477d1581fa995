/** A line on a terminal that says how far long work has come; silent off a terminal and for the first second. */

const QUIET_MS = 1000
const EVERY_MS = 100

export function progressLine(stream: NodeJS.WriteStream) {
  const startedAt = performance.now()
  let shownAt = startedAt + QUIET_MS - EVERY_MS
  let shown = false
  return {
    show(done: number, total: number) {
      const now = performance.now()
      if (!stream.isTTY || now - shownAt < EVERY_MS) return
      shownAt = now
      shown = true
      stream.write(`\r\u001b[K${done.toLocaleString('en')} of ${total.toLocaleString('en')} files`)
    },
    clear() {
      if (shown) stream.write('\r\u001b[K')
      shown = false
    },
  }
}
