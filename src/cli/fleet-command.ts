/** Defines `ticketplan fleet`: the set-up of a fleet, and how it is. */
import type { Repository } from '../files/repository.ts'
import { jsonLine } from '../model/json-line.ts'
import { type FLEET_ACTIONS, fleetCommand } from '../operations/fleet.ts'
import {
  type FleetCreated,
  type FleetJoined,
  type FleetMigrated,
  type FleetStatus,
  initFleet,
  joinFleet,
  leaveFleet,
  migrateFleet,
  readFleetStatus,
} from '../operations/fleet-actions.ts'
import { print } from './print.ts'
import { createdLines, joinedLines, leftLines, migratedLines, statusLines } from './render-fleet.ts'
import type { StreamingCommand } from './watch.ts'

/** Answers of the actions, each with the lines that it prints. */
type Answer = { document: FleetCreated | FleetJoined | FleetMigrated | FleetStatus; lines: string[] }

export const fleet: StreamingCommand = {
  ...fleetCommand,
  async stream({ repository }, { json }, input) {
    const { action, name } = fleetCommand.input.parse(input)
    const { document, lines } = await ACTS[action](repository, name)
    print(1, json ? jsonLine(document) : `${lines.join('\n')}\n`)
    return 0
  },
}

const ACTS: Record<(typeof FLEET_ACTIONS)[number], (repository: Repository, name?: string) => Promise<Answer>> = {
  async init(repository, name) {
    const document = await initFleet(repository, name)
    return { document, lines: createdLines(document) }
  },
  async join(repository) {
    const document = await joinFleet(repository)
    return { document, lines: joinedLines(document) }
  },
  async migrate(repository) {
    const document = await migrateFleet(repository)
    return { document, lines: migratedLines(document) }
  },
  async status(repository) {
    const document = await readFleetStatus(repository)
    return { document, lines: statusLines(document) }
  },
  async leave(repository) {
    const document = leaveFleet(repository)
    return { document, lines: leftLines(document) }
  },
}
