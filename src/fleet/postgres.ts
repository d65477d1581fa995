/// <reference path="./pg-client.d.ts" />
/**
 * Connects to PostgreSQL. A bundle of its own, dist/fleet.cjs, which is loaded only where a server is asked.
 *
 * No startup options, no names for prepared statements and no locks of a session, so that PgBouncer may be in between in its
 * transaction mode. Nothing here is an error of ticketplan: this bundle would have an error class of its own.
 */
import Client from 'pg/lib/client.js'
import { monotonicMs } from '../files/pause.ts'
import type { ServerAddress } from '../model/errors.ts'
import type { SslMode } from './server-url.ts'

/** The server, and how to connect to it. */
export interface ServerSettings {
  address: ServerAddress
  ssl: { mode: SslMode; ca?: string; cert?: string; key?: string }
  /** The password of the URL. */
  password: string | undefined
  /** True where PGPASSWORD and ~/.pgpass may be used: never for a URL that only a file of the repository names. */
  usesPasswordFiles: boolean
}

/** A connection. Not for two queries at once. */
export interface PostgresConnection {
  /** Runs one statement with parameters, or several without; returns the rows of the last one. */
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
  /** Called with the payload of each notification. */
  onNotification(listener: (payload: string) => void): void
  /** Called when the connection breaks or is closed. */
  onEnd(listener: () => void): void
  /** Breaks the connection at once: a query that runs fails. */
  destroy(): void
  /** Sends the end of the connection, and breaks it after the timeout if the server still keeps it. Keeps no process running. */
  close(timeoutMs: number): void
}

/**
 * Connects within the timeout. Meanwhile `stops` has what breaks the attempt off.
 * @throws the error of the system, of TLS or of the server.
 */
export async function connectPostgres(
  settings: ServerSettings,
  timeoutMs: number,
  stops = new Set<() => void>(),
): Promise<PostgresConnection> {
  const { mode } = settings.ssl
  const deadline = monotonicMs() + timeoutMs
  const connect = (encrypted: boolean) => connectOnce(settings, encrypted, Math.max(1, deadline - monotonicMs()), stops)
  // A socket of this machine is not encrypted, as in libpq.
  if (mode === 'disable' || settings.address.host.startsWith('/')) return connect(false)
  if (mode === 'allow')
    return connect(false).catch(error => {
      if ((error as { code?: string }).code !== '28000') throw error
      return connect(true)
    })
  return connect(true).catch(error => {
    if (mode !== 'prefer' || !/does not support SSL/.test(String((error as Error).message))) throw error
    return connect(false)
  })
}

async function connectOnce(
  { address, ssl, password, usesPasswordFiles }: ServerSettings,
  encrypted: boolean,
  timeoutMs: number,
  stops: Set<() => void>,
): Promise<PostgresConnection> {
  const { host, port, database, user } = address
  const client = new Client({
    host,
    port,
    database,
    user,
    password: () => password ?? (usesPasswordFiles ? findPassword(address) : ''),
    ssl: encrypted && tlsOptions(ssl),
    application_name: 'ticketplan',
    client_encoding: 'UTF8',
    keepAlive: true,
    connectionTimeoutMillis: timeoutMs,
  })
  // PGOPTIONS would be sent as startup options, which PgBouncer refuses.
  Object.assign((client as unknown as { connectionParameters: object }).connectionParameters, { options: undefined })
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void; unref(): void } } }).connection
  client.on('error', () => {}) // the query that runs reports it, and `end` follows
  const destroy = () => stream.destroy()
  stops.add(destroy)
  try {
    await client.connect()
  } catch (error) {
    destroy()
    throw error
  } finally {
    stops.delete(destroy)
  }
  return {
    async query(text, values) {
      const result = await client.query(values ? { text, values: [...values] } : text)
      const last = Array.isArray(result) ? result.at(-1) : result
      return last.rows
    },
    onNotification: listener => void client.on('notification', ({ payload }) => listener(payload ?? '')),
    onEnd: listener => void client.on('end', listener),
    destroy,
    close(timeoutMs) {
      const timer = setTimeout(destroy, timeoutMs).unref()
      client.end().then(
        () => clearTimeout(timer),
        () => {},
      )
      stream.unref()
    },
  }
}

/** Only `verify-ca` and `verify-full` check who the server is, and only the latter its name. */
function tlsOptions({ mode, ca, cert, key }: ServerSettings['ssl']) {
  const own = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  }
  // Loaded where it is needed: it costs milliseconds of each start.
  if (mode === 'verify-full')
    return { ...own, checkServerIdentity: process.getBuiltinModule('node:tls').checkServerIdentity }
  if (mode === 'verify-ca') return { ...own, checkServerIdentity: () => undefined }
  return { ...own, rejectUnauthorized: false }
}

async function findPassword(address: ServerAddress): Promise<string> {
  if (process.env.PGPASSWORD !== undefined) return process.env.PGPASSWORD
  const { default: pgpass } = await import('pgpass')
  const found = await new Promise<string | undefined>(resolve => pgpass(address, resolve))
  return found ?? ''
}
