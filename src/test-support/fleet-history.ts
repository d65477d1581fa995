/**
 * Reads the log of a fleet's claims as a history, and says what is wrong with it.
 *
 * An oracle: it knows the rows of claim_log and nothing of the product. Times are the server's, in ms.
 */

/** A row of claim_log, in the order of `sequence`. */
export interface HistoryRow {
  sequence: number
  at: number
  action: 'acquired' | 'taken_over' | 'moved' | 'renewed' | 'released' | 'forced' | 'lapsed'
  ticket: string
  machine: string
  token: number
  pool: string | null
  area: { pattern: string; shared: boolean }[] | null
  conflicts: string[]
  expires: number
}

export interface HistoryRules {
  /** The capacity of each pool, the same on all machines. */
  pools: Record<string, number>
}

interface Lease {
  row: HistoryRow
  until: number
}

/** Returns what is wrong, a sentence for each. */
export function historyFaults(rows: readonly HistoryRow[], { pools }: HistoryRules): string[] {
  const faults: string[] = []
  const leases = new Map<string, Lease>()
  let lastAt = Number.NEGATIVE_INFINITY
  let lastToken = 0
  for (const row of rows) {
    const fault = (text: string) => faults.push(`${row.sequence}: ${row.ticket} ${row.action} ${row.token}: ${text}`)
    if (row.at < lastAt) fault(`at ${row.at}, after ${lastAt}`)
    lastAt = row.at
    const own = leases.get(row.ticket)
    if (row.action === 'acquired' || row.action === 'taken_over') {
      if (own && own.until > row.at) fault(`${own.row.machine} has it with ${own.row.token} until ${own.until}`)
      if (row.token <= lastToken) fault(`after the token ${lastToken}`)
      lastToken = Math.max(lastToken, row.token)
      leases.set(row.ticket, { row, until: row.expires })
      for (const other of liveBeside(leases, row)) {
        if (row.conflicts.includes(other.ticket) || other.conflicts.includes(row.ticket))
          fault(`beside ${other.ticket}, in strict conflict`)
        if (overlap(row, other)) fault(`in the area of ${other.ticket}`)
      }
      if (row.pool !== null && pools[row.pool] !== undefined) {
        const taken = 1 + liveBeside(leases, row).filter(({ pool }) => pool === row.pool).length
        if (taken > pools[row.pool]!) fault(`${taken} slots of ${row.pool}`)
      }
    } else if (!own || own.row.token !== row.token) fault(`the lease has ${own?.row.token}`)
    else if (row.action === 'lapsed') {
      if (own.until > row.at) fault(`before ${own.until}`)
      leases.delete(row.ticket)
    } else if (own.until <= row.at) fault(`after its end at ${own.until}`)
    else if (row.action === 'renewed' || row.action === 'moved') own.until = row.expires
    else leases.delete(row.ticket)
  }
  return faults
}

function liveBeside(leases: ReadonlyMap<string, Lease>, { ticket, at }: HistoryRow): HistoryRow[] {
  return [...leases.values()].filter(({ row, until }) => row.ticket !== ticket && until > at).map(({ row }) => row)
}

/** True where both have the same pattern and not both share it: in a storm, patterns are the same or apart. */
function overlap(one: HistoryRow, other: HistoryRow): boolean {
  return (one.area ?? []).some(own =>
    (other.area ?? []).some(({ pattern, shared }) => pattern === own.pattern && !(shared && own.shared)),
  )
}
