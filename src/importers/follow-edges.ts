/**
 * Follows the edges of a source into the decisions of one Ticket file. Pure.
 *
 * Invariant: what was retracted or recorded here is never undone. Only what the source itself stated is retracted, by a
 * retraction that every clone derives alike; an edge that comes back retracts that retraction.
 */
import { anyFields, type Decision, isStoredRelation } from '../model/decision.ts'
import { fileStatuses, type Status } from '../model/decision-status.ts'
import { importedRetraction, isStatedBy, type Origin } from './imported-id.ts'

/** What a file holds of a Ticket, and what the source states. */
export interface EdgeChange {
  origin: Origin
  /** The Ticket whose file it is. */
  holder: string
  present: readonly Decision[]
  wanted: readonly Decision[]
  /** True for a decision that the source would state if it still held. */
  isRetractable(decision: Decision): boolean
}

/** An edge that was here, and that a retraction takes back, or, as the retraction of one, brings back. */
export interface MovedEdge {
  change: 'retracted' | 'restored'
  edge: Decision
  /** The id of the retraction. */
  by: string
}

/** What to add to a file, how many edges of it are retracted, and what the report says. */
export interface FollowedEdges {
  added: Decision[]
  retracted: number
  moved: MovedEdge[]
  notes: string[]
}

/** Returns the decisions to add: edges that are new, and retractions. */
export function followEdges(change: EdgeChange): FollowedEdges {
  const { origin, holder, present, isRetractable } = change
  const statuses = fileStatuses(present)
  const known = new Map(present.map(decision => [decision.id, decision]))
  const added = new Map<string, Decision>()
  const notes: string[] = []
  const moved: MovedEdge[] = []
  const saying = Map.groupBy(present, saidBy)
  for (const wanted of change.wanted) {
    const same = saying.get(saidBy(wanted)) ?? []
    if (same.some(({ id }) => statuses.get(id) !== 'retracted')) continue
    const byHand = same.filter(decision => retractedByHand(origin, decision, present, statuses, wanted.at))
    const own = same.find(({ id }) => id === wanted.id) ?? same.find(decision => isStatedBy(origin, holder, decision))
    if (byHand.length > 0) {
      notes.push(`${holder}: ${textOf(wanted)} was retracted here, and the source still states it`)
      continue
    }
    const links = own ? nextLink(origin, own, known, false) : []
    for (const decision of links.length > 0 || known.has(wanted.id) ? links : [wanted]) added.set(decision.id, decision)
    for (const { id } of links) moved.push({ change: 'restored', edge: own!, by: id })
  }
  const stated = new Set(change.wanted.map(saidBy))
  for (const decision of present) {
    if (statuses.get(decision.id) === 'retracted' || stated.has(saidBy(decision))) continue
    if (!isEdge(decision) || !isStatedBy(origin, holder, decision) || !isRetractable(decision)) continue
    for (const link of nextLink(origin, decision, known, true)) {
      added.set(link.id, link)
      moved.push({ change: 'retracted', edge: decision, by: link.id })
    }
  }
  const retracted = moved.filter(({ change }) => change === 'retracted').length
  return { added: [...added.values()], retracted, moved, notes }
}

function isEdge(decision: Decision): boolean {
  return isStoredRelation(decision) || decision.kind === 'hold' || decision.kind === 'touches'
}

/** Returns what a decision says, without who said it and when; of kinds other than edges, each says something of its own. */
function saidBy(decision: Decision): string {
  if (!isEdge(decision)) return decision.id
  const { kind, target, label, reason, not_before, paths } = anyFields(decision)
  return JSON.stringify([kind, target, label, kind === 'hold' ? [reason, not_before] : null, paths])
}

/** True where an active retraction that is no importer's names the decision, and the source does not state it later than that. */
function retractedByHand(
  origin: Origin,
  decision: Decision,
  present: readonly Decision[],
  statuses: ReadonlyMap<string, Status>,
  statedAt: string,
): boolean {
  const derived = importedRetraction(origin, decision).id
  return present.some(
    other =>
      other.kind === 'retraction' &&
      other.retracts === decision.id &&
      other.id !== derived &&
      statuses.get(other.id) !== 'retracted' &&
      other.at >= statedAt,
  )
}

/**
 * Returns the next link of the importer's chain: a retraction of the decision, a retraction of that one, and so on. None where
 * the chain already says it: then a hand has decided otherwise.
 */
function nextLink(
  origin: Origin,
  decision: Decision,
  known: ReadonlyMap<string, Decision>,
  isRetracted: boolean,
): Decision[] {
  let link = importedRetraction(origin, decision)
  let length = 0
  for (; known.has(link.id); length++) link = importedRetraction(origin, link)
  return (length % 2 === 1) === isRetracted ? [] : [link]
}

function textOf(decision: Decision): string {
  const { kind, target, reason, paths } = anyFields(decision)
  return target === undefined ? `${kind} (${paths?.join(', ') ?? reason})` : `${kind} ${target}`
}
