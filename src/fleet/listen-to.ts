/** Listens to the notifications of a fleet's server. A hint: what is missed is found by polling. */
import type { FleetServer } from './fleet-server.ts'
import type { PostgresConnection } from './postgres.ts'

const MOST_PAUSE_MS = 30_000

/**
 * Calls the listener after changes of claims, until the returned function is called. Connects again while the server cannot be
 * reached, and then calls the listener once: something may have been missed. Keeps no process running.
 */
export function listenTo(server: FleetServer, fleet: string, listener: () => void): () => void {
  let connection: PostgresConnection | undefined
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let pauseMs = 500

  const connect = async (isAgain: boolean): Promise<void> => {
    try {
      const opened = await server.connect()
      connection = opened
      if (isStopped) return opened.destroy()
      opened.onNotification(payload => {
        if (payload === fleet && !isStopped) listener()
      })
      opened.onEnd(later)
      await opened.query('listen ticketplan')
      pauseMs = 500
      if (isAgain && !isStopped) listener()
    } catch {
      connection?.destroy()
      if (connection === undefined) later()
    }
  }
  const later = () => {
    connection = undefined
    if (isStopped) return
    clearTimeout(timer)
    timer = setTimeout(() => void connect(true), pauseMs)
    timer.unref()
    pauseMs = Math.min(pauseMs * 2, MOST_PAUSE_MS)
  }

  void connect(false)
  return () => {
    isStopped = true
    clearTimeout(timer)
    connection?.destroy()
  }
}
