/** Notifies open pages that something changed, over streams of server-sent events. */
import type { ServerResponse } from 'node:http'
import type { PlanChange } from '../plan-source.ts'

/** More pages than these are not served. */
const MOST_STREAMS = 32
/** A proxy or a sleeping network ends a silent stream; a comment keeps it. */
const BEAT_MS = 15_000
/** Changes within this time are one event: a pull changes many files. */
const GATHER_MS = 20
const MOST_NAMED = 200

export interface ChangeStreams {
  /** Keeps the response open as a stream; false where there are too many. */
  add(response: ServerResponse): boolean
  /** Sends a change, together with those that follow at once. */
  send(change: PlanChange): void
  close(): void
}

/** Returns streams without a page. `onSend` is called before each event is sent. */
export function changeStreams(onSend: () => void): ChangeStreams {
  const open = new Set<ServerResponse>()
  let gathered: PlanChange[] = []
  let timer: NodeJS.Timeout | undefined
  const beat = setInterval(() => {
    for (const response of open) response.write(': beat\n\n')
  }, BEAT_MS).unref()
  const flush = () => {
    timer = undefined
    onSend()
    const data = JSON.stringify({
      tickets: [...new Set(gathered.map(({ ticket }) => ticket))].slice(0, MOST_NAMED),
      verdicts: gathered
        .flatMap(({ verdicts }) => verdicts.map(({ ticket, to }) => ({ ticket, to })))
        .slice(0, MOST_NAMED),
    })
    gathered = []
    for (const response of open) response.write(`event: changed\ndata: ${data}\n\n`)
  }
  return {
    add(response) {
      if (open.size >= MOST_STREAMS) return false
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
      response.write(': open\n\n')
      open.add(response)
      response.on('close', () => open.delete(response))
      return true
    },
    send(change) {
      gathered.push(change)
      timer ??= setTimeout(flush, GATHER_MS)
    },
    close() {
      clearInterval(beat)
      clearTimeout(timer)
      for (const response of open) response.end()
      open.clear()
    },
  }
}
