/**
 * Sends calls to the server of a fleet: bounded in time, on a connection that is made again when it breaks.
 *
 * Every call that goes through here is safe to repeat, so an answer that is lost is asked for again. Calls run one after the
 * other. No message has a password: the text of the server and of the system is shown, the settings are not.
 */
import { monotonicMs } from '../files/pause.ts'
import { PlanError, type ServerAddress } from '../model/errors.ts'
import type { PostgresConnection, ServerSettings } from './postgres.ts'
import { isUndone, passingReason, serverError } from './server-error.ts'

/** How long a call may take by default. */
export const CALL_TIMEOUT_MS = 5000

/** The server of a fleet. */
export interface FleetServer {
  readonly address: ServerAddress
  /** Runs a statement that is safe to repeat. @throws PlanError fleet_unreachable, fleet_denied, fleet_unknown, fleet_schema, fleet_failed. */
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
  /** Begins to connect, where nothing is connected: the next query waits for less. A failure is that query's to report. */
  prepare(): void
  /** Opens a connection for other uses. @throws as query. */
  connect(): Promise<PostgresConnection>
  /** Ends the connection. Calls that run, and later ones, fail as those to a server that does not answer. */
  close(): Promise<void>
}

/** Returns the server. Connects at the first call. */
export function fleetServer(settings: ServerSettings, timeoutMs = CALL_TIMEOUT_MS): FleetServer {
  const { address } = settings
  let current: PostgresConnection | undefined
  let last: Promise<unknown> = Promise.resolve()
  let isClosed = false
  /** What breaks off that which runs. */
  const stops = new Set<() => void>()

  const connect = async (timeoutMs: number): Promise<PostgresConnection> => {
    // dist/fleet.cjs in the bundles.
    const { connectPostgres } = await import('./postgres.ts')
    const connection = isClosed ? undefined : await connectPostgres(settings, timeoutMs, stops)
    if (!connection || isClosed) {
      connection?.destroy()
      throw new Error('the plan was closed')
    }
    connection.onEnd(() => {
      if (current === connection) current = undefined
    })
    return connection
  }

  const attempt = async (text: string, values: readonly unknown[] | undefined, timeoutMs: number, sent: () => void) => {
    const deadline = monotonicMs() + timeoutMs
    const connection = current ?? (await connect(timeoutMs))
    current = connection
    sent()
    const timer = setTimeout(connection.destroy, Math.max(1, deadline - monotonicMs()))
    stops.add(connection.destroy)
    try {
      return await connection.query(text, values)
    } catch (error) {
      // After an error of the statement itself the connection is as good as before.
      if (!isStatementError(error)) {
        current = undefined
        connection.destroy()
      }
      throw error
    } finally {
      clearTimeout(timer)
      stops.delete(connection.destroy)
    }
  }

  const pause = (ms: number) =>
    new Promise<void>(done => {
      const end = () => {
        clearTimeout(timer)
        stops.delete(end)
        done()
      }
      const timer = setTimeout(end, ms)
      stops.add(end)
    })

  const retried = async (text: string, values: readonly unknown[] | undefined, startedAt: number) => {
    const deadline = startedAt + timeoutMs
    let mayHaveArrived = false
    for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, 500)) {
      // A connection that was idle may be dead without a word: half of the time remains for a new one.
      const remainingMs = Math.max(1, deadline - monotonicMs())
      let isSent = false
      try {
        return await attempt(text, values, current ? remainingMs / 2 : remainingMs, () => (isSent = true))
      } catch (error) {
        const waitMs = pauseMs * (0.5 + Math.random())
        const known = serverError(error, address)
        if (known) throw known
        mayHaveArrived ||= isSent && !isUndone(error)
        if (!isClosed && monotonicMs() + waitMs < deadline) {
          await pause(waitMs)
          continue
        }
        throw unreachable(error, address, Math.round(monotonicMs() - startedAt), mayHaveArrived)
      }
    }
  }

  return {
    address,
    query(text, values) {
      const startedAt = monotonicMs()
      const result = last.then(() => retried(text, values, startedAt))
      last = result.catch(() => {})
      return result
    },
    prepare() {
      last = last.then(async () => (current ??= await connect(timeoutMs))).catch(() => {})
    },
    async connect() {
      try {
        return await connect(timeoutMs)
      } catch (error) {
        throw serverError(error, address) ?? unreachable(error, address, timeoutMs, false)
      }
    },
    async close() {
      isClosed = true
      for (const stop of stops) stop()
      await last
      const connection = current
      current = undefined
      connection?.close(500)
    },
  }
}

function isStatementError(error: unknown): boolean {
  return /^(?:TP|22|23|42|P0)/.test(String((error as { code?: unknown }).code ?? ''))
}

function unreachable(
  error: unknown,
  address: ServerAddress,
  waitedMs: number,
  sent: boolean,
): PlanError<'fleet_unreachable'> {
  const { host, port, database, user } = address
  const unsure = sent ? '; the request may have arrived, and asking again is safe' : ''
  const message = `the server of the fleet at ${host}:${port} (database ${database}, user ${user}) ${passingReason(error)}, and run the command again${unsure}`
  return new PlanError('fleet_unreachable', message, { ...address, waitedMs, sent }, error)
}
