/**
 * Reads and writes the note of a clone about the fleet that it has joined: `fleet.json` beside local.db, for all worktrees.
 *
 * The note has the server without a password. It belongs to the folder in which it was written: a copied clone, whose holders
 * would count as those of the original, has not joined, and so has an unpacked archive that brings a note.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../files/atomic-write.ts'
import { inodeOf } from '../files/file-system.ts'
import { ioError } from '../files/io-error.ts'
import type { Repository } from '../files/repository.ts'
import { checkStateFiles, createStateFolder } from '../files/state-folder.ts'
import { PlanError, type ServerAddress } from '../model/errors.ts'
import { isFleetId } from '../model/names.ts'
import { isObject } from '../model/objects.ts'

/** What a clone notes when it joins. */
export interface JoinedFleet {
  fleet: string
  /** The random id of the clone. */
  machine: string
  server: ServerAddress
  /** The parameters of the URL, for example sslmode; never a password. */
  parameters: Record<string, string>
}

/** The fleet of a repository as a clone knows it. */
export type FleetState =
  | { status: 'none' }
  /** `ticketplan.json` names a fleet, and this clone has not joined it. */
  | { status: 'not_joined'; fleet: string }
  | ({ status: 'joined' } & JoinedFleet)

/** Returns the fleet of a repository: the one that the clone has joined, else the one that `ticketplan.json` names. @throws PlanError io. */
export function fleetState(repository: Repository): FleetState {
  const joined = readJoined(repository)
  if (joined) return { status: 'joined', ...joined }
  const { fleet } = repository.config
  return fleet === null ? { status: 'none' } : { status: 'not_joined', fleet }
}

/** Returns the fleet that the clone has joined. @throws PlanError no_fleet, fleet_not_joined, io. */
export function getJoined(repository: Repository): JoinedFleet {
  const state = fleetState(repository)
  if (state.status === 'joined') return state
  if (state.status === 'none') {
    const message = `${repository.root}: ticketplan.json names no fleet; "ticketplan fleet init" creates one, and docs/fleet.md says when`
    throw new PlanError('no_fleet', message, { root: repository.root })
  }
  const { fleet } = state
  const message = `${repository.root}: this clone has not joined the fleet ${fleet}, so it asks no server for claims; set TICKETPLAN_FLEET_URL or ticketplan.fleetUrl of git, and run "ticketplan fleet join"`
  throw new PlanError('fleet_not_joined', message, { fleet })
}

/** Notes that the clone has joined. Replaces an earlier note. @throws PlanError unsafe_path, io. */
export function writeJoined(repository: Repository, joined: JoinedFleet): void {
  const path = notePath(repository)
  try {
    createStateFolder(repository.localDir)
    checkStateFiles([path])
    replaceFile(path, `${JSON.stringify({ ...joined, folder: inodeOf(repository.localDir) }, null, 2)}\n`)
  } catch (error) {
    throw ioError(error, path)
  }
}

/** Removes the note; the clone has then joined no fleet. @throws PlanError io. */
export function removeJoined(repository: Repository): void {
  const path = notePath(repository)
  try {
    rmSync(path, { force: true })
  } catch (error) {
    throw ioError(error, path)
  }
}

/** Returns a new id for a clone. */
export function newMachine(): string {
  return process.getBuiltinModule('node:crypto').randomBytes(10).toString('hex')
}

function notePath({ localDir }: Repository): string {
  return join(localDir, 'fleet.json')
}

function readJoined(repository: Repository): JoinedFleet | undefined {
  const path = notePath(repository)
  let text: string
  try {
    checkStateFiles([path])
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw ioError(error, path)
  }
  const note = parseNote(text)
  if (!note) {
    const message = `${path}: not a note of "ticketplan fleet join"; remove the file and run "ticketplan fleet join" again`
    throw new PlanError('io', message, { path, syscallCode: 'EINVAL' })
  }
  return note.folder === inodeOf(repository.localDir) ? note.joined : undefined
}

function parseNote(text: string): { joined: JoinedFleet; folder: unknown } | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value) || !isObject(value.server) || !isObject(value.parameters)) return undefined
  const { fleet, machine, folder } = value
  const { host, port, database, user } = value.server
  if (typeof fleet !== 'string' || !isFleetId(fleet) || typeof machine !== 'string') return undefined
  if (typeof host !== 'string' || typeof port !== 'number' || typeof database !== 'string') return undefined
  if (typeof user !== 'string') return undefined
  const parameters = Object.entries(value.parameters).filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string'
  })
  return {
    joined: { fleet, machine, server: { host, port, database, user }, parameters: Object.fromEntries(parameters) },
    folder,
  }
}
