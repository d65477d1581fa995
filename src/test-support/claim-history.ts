/**
 * Checks the log of a fleet as a history, without the code that wrote it: one holder of a Ticket at a time, no two claims in
 * strict conflict or in one area, no more claims of a pool than slots, tokens and times that only grow.
 */

/** A row of claim_log. */
export interface HistoryRow {
  sequence: number
  at: Date
  action: 'acquired' | 'taken_over' | 'renewed' | 'moved' | 'released' | 'forced' | 'lapsed'
  ticket: string
  holder: string
  machine: string
  token: number
  pool: string | null
  area: { pattern: string; shared: boolean }[] | null
  conflicts: string[]
  expires_at: Date
}

export interface HistoryRules {
  /** The slots of pools. */
  pools?: Record<string, number>
  /** False where the test sets the clock of the server back. */
  isClockSteady?: boolean
}

/** Reads the log of a fleet. */
export async function readHistory(
  owner: { query(text: string, values: unknown[]): Promise<Record<string, unknown>[]> },
  fleet: string,
): Promise<HistoryRow[]> {
  const rows = await owner.query('select * from ticketplan.claim_log where fleet = $1 order by sequence', [fleet])
  return rows.map(row => ({ ...row, sequence: Number(row.sequence), token: Number(row.token) }) as HistoryRow)
}

/** Returns what is wrong with a history. Areas overlap here where they have a pattern in common. */
export function historyProblems(
  rows: readonly HistoryRow[],
  { pools = {}, isClockSteady = true }: HistoryRules = {},
): string[] {
  const problems: string[] = []
  const open = new Map<string, HistoryRow>()
  let lastToken = 0
  let lastAt = 0
  for (const row of rows) {
    const { ticket, action, token } = row
    const at = row.at.getTime()
    const problem = (what: string) => problems.push(`${row.sequence} ${action} ${ticket} by ${row.machine}: ${what}`)
    const before = open.get(ticket)
    // One that has lapsed stays so, also under a clock that was set back.
    const isLive = (other: HistoryRow | undefined) =>
      other !== undefined && other.action !== 'lapsed' && other.expires_at.getTime() > at
    if (isClockSteady && at < lastAt) problem('its time is before that of the entry before')
    lastAt = at
    if (action === 'acquired' || action === 'taken_over') {
      if (isLive(before)) problem(`${before!.machine} has it with token ${before!.token}`)
      if (token <= lastToken) problem(`its token ${token} is not above ${lastToken}`)
      lastToken = token
    } else if (before?.token !== token) problem(`its token ${token} is not that of the claim, ${before?.token}`)
    else if ((action === 'renewed' || action === 'moved') && !isLive(before)) problem('the claim had expired')
    else if (action === 'lapsed' && isLive(before)) problem('the claim had not expired')
    if (action === 'released' || action === 'forced') {
      open.delete(ticket)
      continue
    }
    open.set(ticket, row)
    if (action === 'lapsed') continue
    if (action === 'renewed' && before?.pool === row.pool) continue
    const others = [...open.values()].filter(other => other.ticket !== ticket && isLive(other))
    for (const other of others) {
      if (row.conflicts.includes(other.ticket) || other.conflicts.includes(ticket))
        problem(`${other.ticket} is in strict conflict with it`)
      if (overlaps(row, other)) problem(`${other.ticket} is in the same area`)
    }
    const limit = row.pool === null ? undefined : pools[row.pool]
    const inPool = others.filter(({ pool }) => pool === row.pool).length + 1
    if (limit !== undefined && inPool > limit) problem(`${inPool} claims in ${limit} slots of ${row.pool}`)
  }
  return problems
}

function overlaps({ area }: HistoryRow, other: HistoryRow): boolean {
  return (area ?? []).some(({ pattern, shared }) =>
    (other.area ?? []).some(theirs => theirs.pattern === pattern && !(shared && theirs.shared)),
  )
}
