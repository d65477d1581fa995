/**
 * Parses the URL of a server, as libpq does. No message contains the URL: it may have a password.
 */
import { PlanError, type ServerAddress } from '../model/errors.ts'

/** A URL taken apart. */
export interface ServerUrl {
  address: ServerAddress
  /** Null where the URL has none. */
  password: string | null
  /** The parameters that say how to connect; none of them is secret. */
  parameters: Record<string, string>
}

/** The parameters of a URL that are kept. `sslkey` is a path. */
const PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey']
/** Parameters that give a part of the URL, as in libpq. */
const PARTS = ['host', 'port', 'dbname', 'user', 'password']
/** How to encrypt, as `sslmode` of libpq. */
export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof SSL_MODES)[number]

/**
 * Parses a URL; `source` names where it comes from. A part that it leaves out has the default of libpq: PGPORT or 5432, PGUSER
 * or the system's user, PGDATABASE or the user's name. @throws PlanError fleet_url.
 */
export function parseServerUrl(text: string, source: string): ServerUrl {
  const refuse = (what: string): never => {
    throw new PlanError('fleet_url', `${source}: ${what}`, { source })
  }
  const form = 'write it as postgres://user@host:5432/database?sslmode=verify-full'
  if (!/^postgres(?:ql)?:\/\//.test(text)) refuse(`not a URL of PostgreSQL; ${form}`)
  if (/^[^/]+:\/\/(?:[^@/]*@)?[^/?]*,/.test(text)) refuse('several hosts in one URL; name one, such as that of a proxy')
  // A user and a socket, `postgres://kim@/plans?host=/run`, is no URL to JavaScript.
  const url = URL.parse(text.replace(/@(?=[/?])/, '@socket.invalid')) ?? refuse(`not a URL; ${form}`)
  const given = Object.fromEntries(url.searchParams)
  const unknown = Object.keys(given).find(name => !PARAMETERS.includes(name) && !PARTS.includes(name))
  if (unknown !== undefined) {
    const known = [...PARAMETERS, ...PARTS].join(', ')
    refuse(`unknown parameter "${unknown.slice(0, 40)}"; the parameters are ${known}`)
  }
  if (given.sslmode !== undefined && !isSslMode(given.sslmode))
    refuse(`unknown sslmode; it is one of ${SSL_MODES.join(', ')}`)
  const host = given.host ?? decoded(url.hostname === 'socket.invalid' ? '' : url.hostname.replace(/^\[(.*)\]$/, '$1'))
  if (!host) refuse(`it names no host; ${form}`)
  const port = Number(given.port ?? (url.port || process.env.PGPORT || 5432))
  if (!Number.isInteger(port) || port < 1 || port > 65_535) refuse('the port is not a number from 1 to 65535')
  const user = given.user ?? (decoded(url.username) || process.env.PGUSER || systemUser())
  const database = given.dbname ?? (decoded(url.pathname.slice(1)) || process.env.PGDATABASE || user)
  const password = given.password ?? decoded(url.password)
  if ([host, user, database].some(part => /\p{Cc}/u.test(part))) refuse('it has a control character')
  const parameters = Object.fromEntries(Object.entries(given).filter(([name]) => PARAMETERS.includes(name)))
  return { address: { host, port, database, user }, password: password || null, parameters }

  function decoded(part: string): string {
    try {
      return decodeURIComponent(part)
    } catch {
      return refuse('a "%" is not followed by two hexadecimal digits; write "%25" for the character itself')
    }
  }
}

export function isSslMode(text: string): text is SslMode {
  return SSL_MODES.some(mode => mode === text)
}

/** Returns a server as messages show it. */
export function serverName({ host, port, database, user }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}, database ${database}, user ${user}`
}

/** True where both are the same place; the user may differ. */
export function isSameServer(one: ServerAddress, other: ServerAddress): boolean {
  return one.host === other.host && one.port === other.port && one.database === other.database
}

function systemUser(): string {
  return process.getBuiltinModule('node:os').userInfo().username
}
