/** Sends one request to the resident of a worktree, and waits for its answer for a bounded time. */
import type { ResidentPlace } from './place.ts'
import { SOCKET } from './place.ts'
import { MAX_ANSWER_BYTES, WAIT_MS } from './wire.ts'

/** Returns the text that the resident sent until it ended the connection; undefined where none answers in time. */
export function exchange(place: ResidentPlace, request: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const { connect } = process.getBuiltinModule('node:net') // loaded when a resident is asked
    const socket = connect(place.path(SOCKET))
    const chunks: Buffer[] = []
    let sizeBytes = 0
    const end = (text?: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(text)
    }
    let timer = setTimeout(end, WAIT_MS.started)
    socket.on('data', chunk => {
      if (sizeBytes === 0) {
        clearTimeout(timer)
        timer = setTimeout(end, WAIT_MS.whole)
      }
      chunks.push(chunk)
      sizeBytes += chunk.length
      if (sizeBytes > MAX_ANSWER_BYTES) end()
    })
    socket.on('end', () => end(Buffer.concat(chunks).toString()))
    socket.on('error', () => end())
    socket.write(request)
  })
}
