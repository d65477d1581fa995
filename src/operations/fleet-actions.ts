/**
 * Sets up a fleet, joins a clone to it, and says how it is. Asynchronous, and so not among the operations of `openPlan`.
 *
 * Only these commands contact a server that the clone has not joined, and only because a person has run them.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { withoutToken } from '../claims/claims.ts'
import { writeFileAtomically } from '../files/atomic-write.ts'
import { ioError } from '../files/io-error.ts'
import { CONFIG_FILE, type Repository } from '../files/repository.ts'
import { createFleet, migrateServer } from '../fleet/administration.ts'
import { openFleet } from '../fleet/fleet.ts'
import type { FleetClaim, FleetLogEntry } from '../fleet/fleet-claims.ts'
import { fleetServer } from '../fleet/fleet-server.ts'
import { fleetState, getJoined, newMachine, removeJoined, writeJoined } from '../fleet/joined-fleet.ts'
import { FLEET_SCHEMA_VERSION } from '../fleet/migrations.ts'
import { differingCapacities, type PoolCapacities } from '../fleet/pool-capacities.ts'
import type { ServerSettings } from '../fleet/postgres.ts'
import { serverClaims } from '../fleet/server-claims.ts'
import { getUrl, joinedSettings, settingsOf } from '../fleet/server-settings.ts'
import { PlanError, type ServerAddress } from '../model/errors.ts'
import { isObject } from '../model/objects.ts'
import { newJson, withFirstMember } from '../setup/json-insertion.ts'

/** How many entries of the log `fleet status` has. */
const LOG_ENTRIES = 10

export interface FleetCreated {
  fleet: string
  /** False where the server had it already. */
  created: boolean
  server: ServerAddress
  /** True where `ticketplan.json` was written. */
  written: boolean
}

export interface FleetJoined {
  fleet: string
  machine: string
  server: ServerAddress
}

export interface FleetMigrated {
  server: ServerAddress
  before: number
  after: number
}

export interface FleetStatus extends FleetJoined {
  version: number
  /** How far the server's clock is ahead of this machine's; negative where it is behind. */
  clockDifferenceMs: number
  /** Live and expired claims, without their tokens. */
  claims: Omit<FleetClaim, 'token'>[]
  log: FleetLogEntry[]
  /** How many clones have taken claims. */
  machines: number
  /** The pools whose capacity is not the same in all clones. */
  differingPools: PoolCapacities[]
}

/**
 * Creates the fleet on the server and writes its id to `ticketplan.json`; of a fleet that the file names already, only what the
 * server lacks is created. @throws PlanError invalid_input, fleet_url, fleet_unreachable, fleet_denied, fleet_schema, io.
 */
export async function initFleet(repository: Repository, name?: string): Promise<FleetCreated> {
  const { root, config } = repository
  if (config.fleet !== null && name !== undefined && nameOfFleet(config.fleet) !== name) {
    const message = `ticketplan.json names the fleet ${config.fleet} already; leave out --name to complete it on the server`
    throw new PlanError('invalid_input', message, { field: 'name' })
  }
  const settings = ownerSettings(repository)
  const fleet = config.fleet ?? newFleet(name ?? nameOfFolder(root))
  const created = await createFleet(settings, fleet)
  if (config.fleet === null) writeFleet(join(root, CONFIG_FILE), fleet)
  return { fleet, created, server: settings.address, written: config.fleet === null }
}

/** Notes fleet and server in the clone, after the server has confirmed the fleet. @throws PlanError no_fleet, and as initFleet. */
export async function joinFleet(repository: Repository): Promise<FleetJoined> {
  const { fleet } = repository.config
  const state = fleetState(repository)
  if (fleet === null) {
    const message = `${join(repository.root, CONFIG_FILE)} names no fleet; run "ticketplan fleet init", or pull the branch that does`
    throw new PlanError('no_fleet', message, { root: repository.root })
  }
  const url = getUrl(repository)
  const server = fleetServer(settingsOf(url, true))
  const machine = state.status === 'joined' ? state.machine : newMachine()
  try {
    await serverClaims(server, { fleet, machine, pools: repository.config.pools }).snapshot({ releasesOf: [] })
  } finally {
    await server.close()
  }
  writeJoined(repository, { fleet, machine, server: url.address, parameters: url.parameters })
  return { fleet, machine, server: url.address }
}

/** Migrates the schema on the server. @throws PlanError as initFleet. */
export async function migrateFleet(repository: Repository): Promise<FleetMigrated> {
  const settings = ownerSettings(repository)
  return { server: settings.address, ...(await migrateServer(settings)) }
}

/** Reads how the fleet is that the clone has joined. @throws PlanError no_fleet, fleet_not_joined, and as initFleet. */
export async function readFleetStatus(repository: Repository): Promise<FleetStatus> {
  await using fleet = openFleet(repository)
  const { id, machine, server, claims } = fleet
  await claims.snapshot({ releasesOf: [] }) // connects, so that the next answer takes no longer than its way
  const sentAt = Date.now()
  const snapshot = await claims.snapshot({ releasesOf: [], log: { filter: {}, limit: LOG_ENTRIES } })
  const clockDifferenceMs = Math.round(Date.parse(snapshot.now) - (sentAt + Date.now()) / 2)
  const machines = await claims.machines()
  return {
    fleet: id,
    machine,
    server,
    version: FLEET_SCHEMA_VERSION,
    clockDifferenceMs,
    claims: snapshot.claims.map(({ conflicts: _, area: __, released_at: ___, ended: ____, ...claim }) =>
      withoutToken(claim),
    ) as FleetStatus['claims'],
    log: snapshot.log,
    machines: machines.length,
    differingPools: differingCapacities(machines),
  }
}

/** Removes the note of the clone. Contacts no server: claims that the clone holds end there when they expire. @throws PlanError no_fleet, fleet_not_joined. */
export function leaveFleet(repository: Repository): FleetJoined {
  const { fleet, machine, server } = getJoined(repository)
  removeJoined(repository)
  return { fleet, machine, server }
}

/** Returns how to connect for a change of the server. Passwords outside of the URL only for one that a person named. */
function ownerSettings(repository: Repository): ServerSettings {
  const state = fleetState(repository)
  const url = getUrl(repository)
  if (state.status === 'joined' && url.from === 'git') return joinedSettings(repository, state, url)
  return settingsOf(url, url.from === 'environment')
}

function newFleet(name: string): string {
  const { ulid } = createRequire(import.meta.url)('ulid') as typeof import('ulid')
  return `${name}-${ulid()}`
}

function nameOfFleet(id: string): string {
  return id.replace(/-[0-9A-Z]{26}$/, '')
}

function nameOfFolder(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return name.slice(0, 40) || 'fleet'
}

/** Adds the id to the file, or creates the file. @throws PlanError bad_config, io. */
function writeFleet(path: string, fleet: string): void {
  const refuse = (what: string): never => {
    const message = `${path}: ${what}; the fleet ${fleet} exists on the server: add "fleet": "${fleet}" by hand`
    throw new PlanError('bad_config', message, { path })
  }
  try {
    const exists = existsSync(path)
    const before = exists ? readFileSync(path, 'latin1') : ''
    const text = exists ? withFirstMember(before, [], 'fleet', fleet).after : newJson({ fleet })
    if (!isObject(JSON.parse(text))) refuse('the id cannot be added to this file')
    const placement = {
      create: !exists,
      ...(exists && { mode: statSync(path).mode }),
      stillExpected: () => !exists || readFileSync(path, 'latin1') === before,
    }
    if (writeFileAtomically(path, Buffer.from(text, 'latin1'), placement) === 'changed')
      refuse('another program changed it')
  } catch (error) {
    throw ioError(error, path)
  }
}
