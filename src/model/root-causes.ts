/**
 * Finds what has to move first: for each held Ticket, what is at the far end of everything that holds it.
 *
 * Pure. Follows holds from Ticket to Ticket while the next one is held too. Tickets that wait for each other are one step, so a
 * walk ends whatever the relations are, and each Ticket is visited once.
 */
import { cycleGroups } from './cycle-groups.ts'
import { compareText } from './order.ts'
import type { ChainLink, Reason } from './reasons.ts'

export const CAUSE_KINDS = [
  'ticket',
  'abandoned',
  'missing',
  'cycle',
  'pool',
  'claim',
  'hold',
  'file',
  'elsewhere',
  'other',
] as const
type CauseKind = (typeof CAUSE_KINDS)[number]

/** What has to move first. */
interface Cause {
  /** Names the cause within one answer. */
  key: string
  kind: CauseKind
  /**
   * The Tickets: the one to be settled (`ticket`), the abandoned or missing one, those of the cycle, the one that is on hold.
   * Empty for the other kinds.
   */
  tickets: string[]
  /** The pool, holder, file, worktree or reason code, or until when a hold is; null where the Tickets say it all. */
  name: string | null
}

/** A Ticket of the queue with its verdict. */
export interface JudgedTicket {
  id: string
  verdict: 'accept' | 'hold'
  reasons: readonly Reason[]
}

/** At most this many causes are kept for one Ticket; the first ones by key. */
const MOST_CAUSES = 24

export interface RootCauses {
  /** Largest first; `holds` counts the held Tickets that wait for it, near or far. */
  causes: (Cause & { holds: number })[]
  /** The causes of one held Ticket, largest first; empty for every other. */
  of(id: string): string[]
}

/** Returns the causes of all holds in a queue. */
export function rootCauses(queue: readonly JudgedTicket[]): RootCauses {
  const held = new Map(queue.filter(({ verdict }) => verdict === 'hold').map(row => [row.id, row]))
  const found = new Map<string, Cause>()
  const steps = new Map<string, Step>()
  for (const row of held.values()) {
    const step = stepOf(row, id => held.has(id))
    for (const cause of step.causes) found.set(cause.key, cause)
    steps.set(row.id, step)
  }
  const ofTicket = farCauses(steps, cause => found.set(cause.key, cause))
  const holds = new Map<string, number>()
  for (const keys of ofTicket.values()) for (const key of keys) holds.set(key, (holds.get(key) ?? 0) + 1)
  const causes = [...holds]
    .map(([key, n]) => ({ ...found.get(key)!, holds: n }))
    .sort((a, b) => b.holds - a.holds || compareText(a.key, b.key))
  const rank = new Map(causes.map(({ key }, position) => [key, position]))
  return {
    causes,
    of: id => [...(ofTicket.get(id) ?? [])].sort((a, b) => rank.get(a)! - rank.get(b)!),
  }
}

/** What holds one Ticket: held Tickets to go on from, and ends of the walk. */
interface Step {
  through: string[]
  causes: Cause[]
}

function stepOf({ id, reasons }: JudgedTicket, isHeld: (id: string) => boolean): Step {
  const through = new Set<string>()
  const causes = new Map<string, Cause>()
  const end = (kind: CauseKind, tickets: string[], name: string | null = null) => {
    const cause = { key: [kind, ...tickets, name ?? ''].join(' ').trimEnd(), kind, tickets, name }
    causes.set(cause.key, cause)
  }
  const ticket = (id: string) => {
    if (isHeld(id)) through.add(id)
    else end('ticket', [id])
  }
  for (const reason of reasons) if (reason.severity === 'hold') follow(id, reason, ticket, end)
  return { through: [...through], causes: [...causes.values()] }
}

function follow(
  id: string,
  reason: Reason,
  ticket: (id: string) => void,
  end: (kind: CauseKind, tickets: string[], name?: string) => void,
): void {
  switch (reason.code) {
    case 'blocked_by':
      for (const id of farEnds(reason.ticket, reason.chain)) ticket(id)
      break
    case 'after':
    case 'conflicts_with':
    case 'area':
      ticket(reason.ticket)
      break
    case 'parent_blocked':
      if (reason.blockers.length === 0) end('hold', [reason.ticket])
      for (const blocker of reason.blockers) ticket(blocker)
      break
    case 'blocker_abandoned':
      end('abandoned', [reason.ticket])
      break
    case 'blocker_missing':
      end('missing', [reason.ticket])
      break
    case 'cycle':
      end('cycle', [...reason.cycle].sort())
      break
    case 'on_hold':
      end('hold', [id], reason.not_before)
      break
    case 'waiting_for_capacity':
      if (reason.pool !== undefined) end('pool', [], reason.pool)
      for (const id of reason.until ?? []) ticket(id)
      break
    case 'pool_full':
      end('pool', [], reason.pool)
      break
    case 'claimed':
      end('claim', [], reason.holder)
      break
    case 'quarantined':
      end('file', [], reason.path)
      break
    case 'elsewhere':
      end('elsewhere', [], reason.worktree)
      break
    default:
      end('other', [], reason.code)
  }
}

/** Returns the Tickets of a chain that nothing in it blocks; a chain that is cut off ends where it is cut. */
function farEnds(blocker: string, chain: readonly ChainLink[]): string[] {
  const blocked = new Set(chain.map(link => link.blocks))
  const ends = chain.filter(link => !blocked.has(link.ticket) && !link.repeated).map(link => link.ticket)
  return chain.length === 0 ? [blocker] : [...new Set(ends)]
}

/** Returns the keys of the causes of each Ticket: its own, and those of everything that it waits for. */
function farCauses(steps: ReadonlyMap<string, Step>, add: (cause: Cause) => void): Map<string, readonly string[]> {
  const groupOf = cycleGroups(id => steps.get(id)!.through)
  const nameOf = (id: string) => `${groupOf(id) ?? id}`
  const members = Map.groupBy(steps.keys(), nameOf)
  const done = new Map<string, readonly string[]>()
  const nextOf = (group: string) => [
    ...new Set(
      members.get(group)!.flatMap(id =>
        steps
          .get(id)!
          .through.map(nameOf)
          .filter(other => other !== group),
      ),
    ),
  ]
  for (const first of members.keys()) {
    const path = [{ group: first, next: nextOf(first) }]
    for (let at = path.at(-1); at; at = path.at(-1)) {
      const other = at.next.find(group => !done.has(group))
      if (done.has(at.group)) path.pop()
      else if (other !== undefined) path.push({ group: other, next: nextOf(other) })
      else {
        done.set(
          at.group,
          causesOfGroup(
            members.get(at.group)!,
            steps,
            at.next.flatMap(group => done.get(group)!),
            add,
          ),
        )
        path.pop()
      }
    }
  }
  return new Map([...members].flatMap(([group, ids]) => ids.map(id => [id, done.get(group)!] as const)))
}

function causesOfGroup(
  ids: readonly string[],
  steps: ReadonlyMap<string, Step>,
  further: readonly string[],
  add: (cause: Cause) => void,
): readonly string[] {
  const keys = new Set([...ids.flatMap(id => steps.get(id)!.causes.map(({ key }) => key)), ...further])
  if (keys.size === 0) {
    // They hold each other in ways that no verdict calls a cycle, such as overlapping areas.
    const tickets = [...ids].sort()
    const cause: Cause = { key: `cycle ${tickets.join(' ')}`, kind: 'cycle', tickets, name: null }
    add(cause)
    keys.add(cause.key)
  }
  return [...keys].sort(compareText).slice(0, MOST_CAUSES)
}
