/**
 * Checks what several processes saw of claims, as a history of operations in real time.
 *
 * Uses nothing of the program. An operation takes effect at some moment between its begin and its end, so a lease surely exists
 * from the end of the operation that gave it to the begin of its release, or until its time to live has passed since its begin.
 */

/** One line of a process: it is about to call, or has its answer. Times are milliseconds of the machine's monotonic clock. */
export interface HistoryLine {
  process: number
  operation: 'acquire' | 'renew' | 'release'
  ticket: string
  at: number
  /** Undefined for a call that begins. `refused` changes nothing. */
  outcome?: 'done' | 'refused'
  token?: number
  /** The time to live that the call asks for. */
  ttlMs?: number
}

/** What must not be held at the same time. */
export interface HistoryRules {
  /** Pairs of Tickets in a strict conflict, or with areas that overlap. */
  pairs: readonly (readonly [string, string])[]
  /** The most leases at a time. */
  capacity: number
}

export interface Hold {
  ticket: string
  token: number
  process: number
  from: number
  to: number
}

/** Leases end by a clock of whole milliseconds. */
const ROUNDING_MS = 2

/** Returns the times in which each lease surely existed. The lines of one process are in its order. */
export function holdsOf(lines: readonly HistoryLine[]): Hold[] {
  const holds = new Map<string, Hold>()
  const begun = new Map<number, HistoryLine>()
  for (const line of lines) {
    if (line.outcome === undefined) {
      begun.set(line.process, line)
      const hold = holds.get(`${line.ticket} ${line.token}`)
      if (line.operation === 'release' && hold) hold.to = Math.min(hold.to, line.at)
      // A renewal can make the time to live shorter, and takes effect even if its answer is lost.
      if (line.operation === 'renew' && hold) hold.to = Math.min(hold.to, line.at + (line.ttlMs ?? 0) - ROUNDING_MS)
      continue
    }
    const begin = begun.get(line.process)!
    if (line.outcome === 'refused') continue
    const key = `${line.ticket} ${line.token}`
    const until = begin.at + (line.ttlMs ?? 0) - ROUNDING_MS
    const hold = holds.get(key)
    if (line.operation === 'release') continue
    if (hold) hold.to = until
    else holds.set(key, { ticket: line.ticket, token: line.token!, process: line.process, from: line.at, to: until })
  }
  return [...holds.values()].filter(({ from, to }) => from < to)
}

/** Returns what the history shows that must not happen, as sentences. */
export function historyProblems(lines: readonly HistoryLine[], { pairs, capacity }: HistoryRules): string[] {
  const holds = holdsOf(lines).sort((a, b) => a.from - b.from)
  const rivals = new Set(pairs.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]))
  const problems: string[] = []
  const live: Hold[] = []
  for (const hold of holds) {
    for (let at = live.length - 1; at >= 0; at--) if (live[at]!.to <= hold.from) live.splice(at, 1)
    for (const other of live) {
      const both = `${describe(other)} and ${describe(hold)}`
      if (other.ticket === hold.ticket) problems.push(`two holders: ${both}`)
      else if (rivals.has(`${other.ticket} ${hold.ticket}`)) problems.push(`a conflict: ${both}`)
    }
    live.push(hold)
    if (live.length > capacity) problems.push(`${live.length} leases at a time: ${live.map(describe).join(', ')}`)
  }
  return [...problems, ...tokenProblems(lines)]
}

/** A lease that was given after another was complete has the greater token. */
function tokenProblems(lines: readonly HistoryLine[]): string[] {
  const begun = new Map<number, HistoryLine>()
  const seen = new Set<number>()
  const given: { begin: number; end: number; token: number }[] = []
  for (const line of lines) {
    if (line.outcome === undefined) begun.set(line.process, line)
    else if (line.operation === 'acquire' && line.outcome === 'done' && !seen.has(line.token!)) {
      seen.add(line.token!)
      given.push({ begin: begun.get(line.process)!.at, end: line.at, token: line.token! })
    }
  }
  const byEnd = [...given].sort((a, b) => a.end - b.end)
  const problems: string[] = []
  let next = 0
  let greatest = 0
  for (const lease of given.sort((a, b) => a.begin - b.begin)) {
    while (next < byEnd.length && byEnd[next]!.end < lease.begin) greatest = Math.max(greatest, byEnd[next++]!.token)
    if (lease.token <= greatest) problems.push(`token ${lease.token} was given after ${greatest}`)
  }
  return problems
}

function describe({ ticket, token, process, from, to }: Hold): string {
  return `${ticket} (token ${token}, process ${process}, ${from.toFixed(1)} to ${to.toFixed(1)})`
}
