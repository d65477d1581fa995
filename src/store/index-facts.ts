/**
 * The facts on which a verdict depends, read from one snapshot of the index and from the live claims.
 *
 * Each fact is read at most once for an answer, however many Tickets of the queue depend on it. Must not decide anything: that
 * is for `model/verdict.ts`.
 */
import type { LiveClaims } from '../claims/claims.ts'
import { ANY_TICKET } from '../files/quarantine.ts'
import { idFromPath } from '../files/ticket-files.ts'
import { type AreaPattern, areaMap, isBareWord, type NamedAreas, patternsOf } from '../model/area.ts'
import type { Facts, InWorktree, TicketFact } from '../model/facts.ts'
import { FORMAT } from '../model/format.ts'
import { lazy } from '../model/lazy.ts'
import { idKey, isTicketFileName } from '../model/names.ts'
import { nearestNames } from '../model/nearest-names.ts'
import { compareText } from '../model/order.ts'
import { remembered } from '../model/remembered.ts'
import type { States } from '../model/states.ts'
import type { IndexQueries, QuarantineRow, TicketRow } from '../ticket-index/query.ts'
import { byOther, decisionFacts, groupByOther, type RelationRow } from './decision-facts.ts'

/** What facts are made of beside the index and the claims. */
export interface FactSources {
  /** The wall clock, as a timestamp. */
  now: () => string
  states: States
  /** The configured capacities. */
  pools: Record<string, number>
  /** The areas of the configuration. */
  areas: NamedAreas
  /** True where the root has a file or folder of that name. */
  isAtRoot(name: string): boolean
  /** The same Ticket in the other worktrees of the clone. */
  otherWorktrees(id: string, path: string): InWorktree[]
}

/**
 * Returns facts that are read when needed. No getters: V8 keeps the getters of each such object, and with them what they can
 * reach, until the next full garbage collection.
 */
export function indexFacts(queries: IndexQueries, claims: LiveClaims, sources: FactSources): Facts {
  const { states, pools, areas } = sources
  let quarantined: QuarantineRow[] | undefined
  const unreadable = () => (quarantined ??= queries.quarantined())
  const area = remembered(id => said(id).touches.flatMap(decision => patternsOf(decision, areas)))
  const said = remembered(id => decisionFacts(queries.activeDecisions(id)))

  return {
    now: lazy(sources.now),
    queuedStates: states.lists.queued,
    phaseOf: states.phaseOf,
    ticket: remembered(id => {
      const row = queries.ticket(id)
      if (row) return ticketFact(row, states)
      const file = unreadable().find(({ path }) => isTicketFileName(path) && idKey(idFromPath(path)) === idKey(id))
      return file && { readable: false, id, path: file.path }
    }),
    waitsFor: (id, kind) => said(id)[kind],
    parents: id => said(id).parents,
    holds: id => said(id).holds,
    area,
    unknownAreas: id =>
      said(id).touches.flatMap(({ id: decision, paths }) =>
        paths
          .filter(path => isBareWord(path) && !Object.hasOwn(areas, path) && !sources.isAtRoot(path))
          .map(name => ({ name, nearest: nearestNames(name, Object.keys(areas)), decision })),
      ),
    areas: lazy(() => areaMap(areasAtWork(queries, claims, states, area))),
    unknownKinds: id => said(id).unknownKinds,
    acceptedAt: id => said(id).acceptedAt,
    elsewhere: remembered(id => {
      const row = queries.ticket(id)
      return row ? sources.otherWorktrees(id, row.path) : []
    }),
    released: id => claims.released(id),
    conflicts: remembered(id =>
      conflictFacts([...said(id).conflicts, ...queries.incomingConflicts(id)], claims.conflictsWith(id)),
    ),
    waiting: id => said(id).waiting,
    contested: id => said(id).contested,
    claimsUnknown: () => claims.unknown,
    claim: id => claims.find(id),
    slots(pool, exceptTicket) {
      const capacity = Object.hasOwn(pools, pool) ? pools[pool] : undefined
      if (capacity === undefined) return undefined
      const isTerminal = (id: string) => queries.ticket(id)?.phase === 'terminal'
      return { capacity, taken: claims.countInPool(pool, exceptTicket, isTerminal) }
    },
    suspects: id => suspectsOf(id, unreadable(), claims),
  }
}

/**
 * The files that seem to hold a conflict with a Ticket. A file that could not be read at all may conflict with anything; that
 * matters while its Ticket is claimed.
 */
function suspectsOf(
  id: string,
  unreadable: readonly QuarantineRow[],
  claims: LiveClaims,
): ReturnType<Facts['suspects']> {
  return unreadable.flatMap(({ path, mentions: json }) => {
    const [ticket, mentions] = [idFromPath(path), JSON.parse(json) as string[]]
    const isSuspect = mentions.includes(id) || (mentions.includes(ANY_TICKET) && claims.find(ticket) !== undefined)
    return isSuspect ? [{ ticket, path }] : []
  })
}

/**
 * The conflicts of a Ticket: strict ones first, then those that are advisory alone. A claim may know of one whose decision no
 * file here has.
 */
function conflictFacts(rows: readonly RelationRow[], claimed: readonly string[]): ReturnType<Facts['conflicts']> {
  if (rows.length + claimed.length === 0) return []
  const sorted = rows.toSorted(byOther)
  const known = groupByOther(sorted.filter(row => row.advisory === 0))
  const unread = claimed.filter(other => !known.some(fact => fact.other === other))
  const strict = [...known, ...unread.map(other => ({ other, decisions: [] }))].sort((a, b) =>
    compareText(a.other, b.other),
  )
  const isStrict = new Set(strict.map(({ other }) => other))
  const advisory = groupByOther(sorted.filter(row => row.advisory === 1 && !isStrict.has(row.other)))
  return [...strict.map(fact => ({ ...fact, advisory: false })), ...advisory.map(fact => ({ ...fact, advisory: true }))]
}

/** The areas of claimed and active Tickets, and of Tickets with an unknown state. That of a claim goes before the file's. */
function areasAtWork(
  queries: IndexQueries,
  claims: LiveClaims,
  states: States,
  areaOf: (id: string) => readonly AreaPattern[],
): Iterable<{ ticket: string; area: readonly AreaPattern[] }> {
  const areas = new Map<string, readonly AreaPattern[]>()
  const unknown = queries.openStates().flatMap(({ state }) => (states.isKnown(state) ? [] : [state]))
  const ofFiles = Map.groupBy(queries.areasOfActive(unknown), ({ ticket_id }) => ticket_id)
  for (const [ticket, rows] of ofFiles)
    areas.set(
      ticket,
      rows.map(({ pattern, shared }) => ({ pattern, shared: shared === 1 })),
    )
  for (const { ticket, area } of claims.areas()) areas.set(ticket, area ?? areaOf(ticket))
  return [...areas].map(([ticket, area]) => ({ ticket, area }))
}

function ticketFact({ id, state, state_at, phase, outcome, format }: TicketRow, states: States): TicketFact {
  return {
    readable: true,
    id,
    state,
    state_at,
    phase,
    outcome,
    ...(!states.isKnown(state) && { unknownState: states.nearest(state) }),
    ...(format > FORMAT && { newerFormat: format }),
  }
}
