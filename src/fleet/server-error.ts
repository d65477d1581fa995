/** Turns what the server says into errors with what to do. No message has a password. */
import { PlanError, type ServerAddress } from '../model/errors.ts'
import { FLEET_SCHEMA_VERSION } from './migrations.ts'
import { serverName } from './server-url.ts'

/** What the server says of itself rather than of the request, so that asking again may help. */
const PASSING = /^(?:08|57P|40001|40P01|53|55P03|25006)/
/** Errors of TLS, by Node's codes and texts; asking again does not help. */
const TLS = /CERT|SELF_SIGNED|ERR_TLS|ERR_SSL|UNABLE_TO_(?:GET|VERIFY)|DEPTH_ZERO/

/** What an error of the server has; one of the system, or of TLS, has no severity. */
interface ServerMessage {
  code?: string
  severity?: string
  message: string
  detail?: string
  hint?: string
}

/** Returns the error that asking again cannot remove; undefined where the server may answer later. */
export function serverError(error: unknown, address: ServerAddress): PlanError | undefined {
  if (error instanceof PlanError) return error
  const { code, severity, message, detail, hint } = error as ServerMessage
  const at = serverName(address)
  // Codes of the system look the same: EPIPE, EPERM.
  const state = severity === undefined ? null : (code ?? null)
  if (/does not support SSL|password must be a|client password/i.test(message) || TLS.test(code ?? '')) {
    const what = /password/i.test(message)
      ? 'the server wants a password, and there is none'
      : `no encrypted connection: ${message}`
    const advice = /password/i.test(message)
      ? 'set PGPASSWORD or write a line to ~/.pgpass'
      : 'see "TLS" in docs/fleet.md'
    return new PlanError('fleet_denied', `${at}: ${what}; ${advice}`, { ...address, sqlState: state }, error)
  }
  if (state === null || PASSING.test(state)) return undefined
  switch (state) {
    case 'TP001':
      return new PlanError(
        'fleet_unknown',
        `${at}: ${message}; check the URL and "fleet" in ticketplan.json, or create it with "ticketplan fleet init"`,
        { ...address, fleet: message.replace('there is no fleet ', '') },
        error,
      )
    case 'TP002':
      return schemaError(address, Number(detail))
    case '3F000':
    case '42883':
    case '42P01':
      return schemaError(address, 0)
    case '28000':
    case '28P01':
    case '42501': {
      const advice = state === '42501' ? 'see "Roles" in docs/fleet.md' : 'check the user, its password and pg_hba.conf'
      return new PlanError('fleet_denied', `${at}: ${message}; ${advice}`, { ...address, sqlState: state }, error)
    }
  }
  const more =
    state === '3D000' ? '; create it with "createdb", or correct the URL' : hint === undefined ? '' : ` (${hint})`
  return new PlanError('fleet_failed', `${at}: ${message}${more}`, { ...address, sqlState: state }, error)
}

/** Says why a server does not do now what it may do later, and what to check. */
export function passingReason(error: unknown): string {
  const { code, severity, message } = error as ServerMessage
  if (severity === undefined) {
    const why = message || String(code ?? error)
    return `does not answer: ${why}; check that PostgreSQL runs there and that this machine reaches it`
  }
  const check = code === '25006' ? 'that the URL names the primary, and that its database may be written' : 'its log'
  return `refuses for now: ${message}; check ${check}`
}

/** True where the server has undone what it was asked for; any other failure of a call leaves the outcome unknown. */
export function isUndone(error: unknown): boolean {
  const { code, severity } = error as ServerMessage
  return severity !== undefined && /^(?:25006|40001|40P01|55P03)$/.test(code ?? '')
}

/** Returns the error about a schema of another version; 0 where there is none. */
export function schemaError(address: ServerAddress, version: number): PlanError<'fleet_schema'> {
  const expected = FLEET_SCHEMA_VERSION
  const at = serverName(address)
  const data = { ...address, version, expected }
  const migrate = 'run "ticketplan fleet migrate" as the role that owns the schema'
  if (version === 0) {
    const message = `${at}: there is no schema of ticketplan that this user may use; ${migrate}, or see "Roles" in docs/fleet.md`
    return new PlanError('fleet_schema', message, data)
  }
  const advice = version > expected ? 'install the newer version of ticketplan on this machine' : migrate
  const message = `${at}: the schema has version ${version}, and this program was made for ${expected}; ${advice}`
  return new PlanError('fleet_schema', message, data)
}
