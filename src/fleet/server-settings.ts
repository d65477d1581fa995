/**
 * Finds the server of a fleet and how to connect to it.
 *
 * The URL is in TICKETPLAN_FLEET_URL or in `ticketplan.fleetUrl` of git's configuration, the user's included, else it is what
 * the clone noted when it joined. A clone that has joined asks its own configuration alone, and uses it only for the server that
 * was joined: it comes with an unpacked archive, and what the user has for other clones does not concern this one.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ioError } from '../files/io-error.ts'
import type { Repository } from '../files/repository.ts'
import { findCloneConfig, findGitConfig } from '../git/git.ts'
import { PlanError } from '../model/errors.ts'
import type { JoinedFleet } from './joined-fleet.ts'
import type { ServerSettings } from './postgres.ts'
import { isSameServer, isSslMode, parseServerUrl, type ServerUrl, SSL_MODES, serverName } from './server-url.ts'

const VARIABLE = 'TICKETPLAN_FLEET_URL'
const KEY = 'ticketplan.fleetUrl'

/** A URL with its source: `environment`, or `git` for its configuration. */
export interface FoundUrl extends ServerUrl {
  from: 'environment' | 'git'
}

/** Returns the URL for a command that names the server for the first time. @throws PlanError fleet_url. */
export function getUrl(repository: Repository): FoundUrl {
  const found = ofEnvironment() ?? ofGit(findGitConfig(repository.root, KEY))
  if (found) return found
  const message = `the server is not known; set ${VARIABLE}, or "git config ${KEY} postgres://user@host/database", without a password in either: PGPASSWORD and ~/.pgpass are read`
  throw new PlanError('fleet_url', message, { source: VARIABLE })
}

/**
 * Returns how to connect to the server of the fleet that the clone has joined: by a URL, which names that server, else by the
 * note. @throws PlanError fleet_url, io.
 */
export function joinedSettings(
  repository: Repository,
  joined: JoinedFleet,
  found = ofEnvironment() ?? ofClone(repository),
): ServerSettings {
  if (!found) return settingsOf({ address: joined.server, password: null, parameters: joined.parameters }, true)
  if (found.from === 'git' && !isSameServer(found.address, joined.server)) {
    const message = `${KEY} of git names ${serverName(found.address)}, and this clone joined ${serverName(joined.server)}; correct it, or run "ticketplan fleet join" again`
    throw new PlanError('fleet_url', message, { source: KEY })
  }
  return settingsOf(found, true)
}

/** Returns how to connect to a server by a URL. @throws PlanError fleet_url, io. */
export function settingsOf({ address, password, parameters }: ServerUrl, usesPasswordFiles: boolean): ServerSettings {
  const file = (name: string, variable: string, standard: string): string | undefined => {
    const path = parameters[name] ?? process.env[variable]
    if (path === 'system') return undefined // the certificates that Node trusts
    return path !== undefined && path !== '' ? readText(path) : readIfExists(join(homedir(), '.postgresql', standard))
  }
  const asked = parameters.sslmode ?? (process.env.PGSSLMODE || 'prefer')
  if (!isSslMode(asked)) {
    const message = `PGSSLMODE: unknown sslmode; it is one of ${SSL_MODES.join(', ')}`
    throw new PlanError('fleet_url', message, { source: 'PGSSLMODE' })
  }
  const isEncrypted = asked !== 'disable'
  const ca = isEncrypted ? file('sslrootcert', 'PGSSLROOTCERT', 'root.crt') : undefined
  const cert = isEncrypted ? file('sslcert', 'PGSSLCERT', 'postgresql.crt') : undefined
  const key = isEncrypted && cert !== undefined ? file('sslkey', 'PGSSLKEY', 'postgresql.key') : undefined
  // As in libpq: with a certificate of an authority, "require" checks it too.
  const mode = asked === 'require' && ca !== undefined ? 'verify-ca' : asked
  if (mode === 'verify-ca' && ca === undefined) {
    const message = `sslmode=verify-ca needs the certificate of your own authority, in sslrootcert or ~/.postgresql/root.crt: public ones certify any host; with those use sslmode=verify-full`
    throw new PlanError('fleet_url', message, { source: 'sslmode' })
  }
  const ssl = {
    mode,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  }
  return { address, ssl, password: password ?? undefined, usesPasswordFiles }
}

function ofEnvironment(): FoundUrl | undefined {
  const url = process.env[VARIABLE]
  return url ? { ...parseServerUrl(url, VARIABLE), from: 'environment' } : undefined
}

function ofGit(url: string | undefined): FoundUrl | undefined {
  return url === undefined ? undefined : { ...parseServerUrl(url, `${KEY} of git`), from: 'git' }
}

function ofClone(repository: Repository): FoundUrl | undefined {
  return mayHaveKey(repository) ? ofGit(findCloneConfig(repository.root, KEY)) : undefined
}

/** False where the clone's configuration cannot have the key: starting git costs as much as the rest of a query. */
function mayHaveKey({ commonDir }: Repository): boolean {
  if (commonDir === null) return false
  const text = readIfExists(join(commonDir, 'config')) ?? ''
  return /fleeturl|^\s*\[include|worktreeconfig/im.test(text)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw ioError(error, path)
  }
}

function readIfExists(path: string): string | undefined {
  return existsSync(path) ? readText(path) : undefined
}
