/** Takes the requests that come over a socket, one at a time, and lets the process do its other work in between. */
import { createServer, type Server, type Socket } from 'node:net'
import { MAX_REQUEST_BYTES } from './wire.ts'

/** With more waiting, a command is faster by itself. */
const MAX_WAITING = 32
/** How long a whole request may take to arrive. */
const REQUEST_MS = 1000

/** Returns a server that is not listening yet. `answer` gets the text of a request and the socket, and ends the connection. */
export function requestServer(answer: (text: string, socket: Socket) => Promise<void>): Server {
  const waiting: { text: string; socket: Socket }[] = []
  let isWorking = false
  const work = async () => {
    isWorking = true
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      if (!next.socket.destroyed) await answer(next.text, next.socket).catch(() => next.socket.destroy())
      await new Promise(resolve => setImmediate(resolve))
    }
    isWorking = false
  }
  return createServer({ allowHalfOpen: true }, socket => {
    let text = ''
    const timer = setTimeout(() => socket.destroy(), REQUEST_MS)
    socket.on('error', () => socket.destroy()) // the asker has gone
    socket.on('close', () => clearTimeout(timer))
    socket.on('end', () => {
      if (!text.endsWith('\n')) socket.destroy()
    })
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const isWhole = text.endsWith('\n')
      text += chunk
      if (isWhole || text.length > MAX_REQUEST_BYTES || waiting.length >= MAX_WAITING) {
        socket.destroy()
        return
      }
      if (!text.endsWith('\n')) return
      clearTimeout(timer)
      waiting.push({ text, socket })
      if (!isWorking) void work()
    })
  })
}
