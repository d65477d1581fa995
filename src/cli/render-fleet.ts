/** Renders what `ticketplan fleet` did. Text from the server is escaped here. */
import { serverName } from '../fleet/server-url.ts'
import { count } from '../model/count.ts'
import { escapeText } from '../model/escape-text.ts'
import type { FleetCreated, FleetJoined, FleetMigrated, FleetStatus } from '../operations/fleet-actions.ts'
import { table } from './terminal.ts'

export function createdLines({ fleet, created, written, server }: FleetCreated): string[] {
  const at = escapeText(serverName(server))
  return [
    created ? `created the fleet ${fleet} on ${at}` : `the fleet ${fleet} exists on ${at}`,
    ...(written ? ['wrote "fleet" to ticketplan.json; commit it, and run "ticketplan fleet join" in each clone'] : []),
  ]
}

export function joinedLines({ fleet, machine, server }: FleetJoined): string[] {
  return [`joined the fleet ${fleet} on ${escapeText(serverName(server))}; this clone is ${escapeText(machine)}`]
}

export function leftLines({ fleet }: FleetJoined): string[] {
  return [
    `left the fleet ${fleet}; claims of this clone end when they expire`,
    'while ticketplan.json names the fleet, this clone takes no claims: join again, or remove "fleet" from it in every clone',
  ]
}

export function migratedLines({ server, before, after }: FleetMigrated): string[] {
  const at = escapeText(serverName(server))
  if (before === after) return [`nothing to do: the schema on ${at} has version ${after}`]
  return [
    before === 0
      ? `created the schema on ${at}, version ${after}`
      : `migrated ${at} from version ${before} to ${after}`,
  ]
}

export function statusLines(status: FleetStatus): string[] {
  const { fleet, machine, server, version, claims, log, differingPools, machines } = status
  const live = claims.filter(claim => claim.live)
  const isMine = (other: string) => (other === machine ? 'this clone' : other)
  return [
    `fleet    ${fleet}`,
    `server   ${escapeText(serverName(server))}, schema version ${version}`,
    `clone    ${escapeText(machine)}, of ${count(machines, 'clone')} that took claims`,
    `clock    ${clockText(status.clockDifferenceMs)}`,
    `claims   ${live.length} live, ${claims.length - live.length} expired`,
    ...indented(
      live.map(({ ticket, holder, machine, expires_at }) => [ticket, holder, isMine(machine), `until ${expires_at}`]),
    ),
    ...differingPools.flatMap(({ pool, capacities }) => [
      `pool ${escapeText(pool)} differs; the capacity of the clone that asks counts`,
      ...indented(
        capacities.map(({ capacity, machines }) => [
          capacity === null ? 'no limit' : String(capacity),
          machines.map(isMine).join(', '),
        ]),
      ),
    ]),
    ...(log.length > 0 ? ['log'] : []),
    ...indented(log.map(({ at, action, ticket, holder, machine }) => [at, action, ticket, holder, isMine(machine)])),
  ]
}

function clockText(differenceMs: number): string {
  const seconds = Math.abs(differenceMs / 1000).toFixed(1)
  if (Math.abs(differenceMs) < 1000) return `the server's and this machine's differ by ${seconds} s`
  return `the server's is ${seconds} s ${differenceMs > 0 ? 'ahead of' : 'behind'} this machine's; claims go by the server's`
}

function indented(rows: string[][]): string[] {
  const cells = rows.map(row => row.map(text => ({ text: escapeText(text) })))
  return table(cells, (_, text) => text, undefined).map(line => `  ${line}`)
}
