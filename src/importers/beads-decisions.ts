/**
 * Turns the edges of beads records into decisions, so that a verdict agrees with what the source calls ready.
 *
 * Invariant: nothing that blocks at the source is weakened to `related`, but for an edge to what the source no longer counts: a
 * tombstone, or a pinned record. Records that are no Tickets still block, by a hold with their name.
 */
import type { Decision } from '../model/decision.ts'
import { isTicketId } from '../model/names.ts'
import { type BeadsEdge, type BeadsRecord, BLOCKING, isSet, LIKE_BLOCKING } from './beads-records.ts'
import { unreadReason } from './blocker-names.ts'
import { type Collector, quoted } from './import-collector.ts'
import { momentOf } from './source-text.ts'

const FAILURE = /failed|rejected|wontfix|won't fix|cancell?ed|abandoned|blocked|error|timeout|aborted/

/** All that the decisions of one record depend on. */
export interface BeadsGraph {
  records: ReadonlyMap<string, BeadsRecord>
  /** The ids of the records that are no Tickets. */
  skipped: ReadonlySet<string>
  /** The records that state to be a part of one. */
  partsOf(id: string): readonly string[]
}

/** Returns the graph of the records. */
export function beadsGraph(records: readonly BeadsRecord[], skipped: ReadonlySet<string>): BeadsGraph {
  const parts = new Map<string, string[]>()
  for (const { from, to, type } of records.flatMap(({ edges }) => edges)) {
    if (type !== 'parent-child') continue
    const list = parts.get(to)
    if (list) list.push(from)
    else parts.set(to, [from])
  }
  return { records: new Map(records.map(record => [record.id, record])), skipped, partsOf: id => parts.get(id) ?? [] }
}

/** Adds the decisions of one record that is a Ticket. */
export function addDecisions(collector: Collector, graph: BeadsGraph, record: BeadsRecord): void {
  const add = (
    edge: Omit<BeadsEdge, 'to' | 'type' | 'gate'>,
    kind: string,
    other: string | undefined,
    more: object = {},
  ) =>
    collector.addDecision({
      ticket: edge.from,
      kind,
      ...(other !== undefined && { other }),
      at: edge.at,
      ownAt: record.values.created_at,
      by: edge.by,
      source: edge.source,
      ...more,
    })
  // What an edge says itself comes first: a part that the record waits for may also block it directly.
  const visited = new Set([record.id])
  const all = record.edges.flatMap(edge => [...sayings(graph, edge, visited)])
  const said = new Set<string>()
  for (const { kind, edge, other, reason, label, not_before, problem } of [
    ...all.filter(isDirect),
    ...all.filter(saying => !isDirect(saying)),
  ]) {
    if (problem !== undefined) {
      collector.imported.incomplete.add(record.id)
      collector.drop(edge.source, problem)
    }
    if (kind === 'skip') {
      collector.skip('relation to a record that is no Ticket', `${edge.source}: ${record.id} ${other ?? ''}`.trim())
      continue
    }
    const key = JSON.stringify([edge.from, kind, other, label, kind === 'hold' && [reason, not_before]])
    if (said.has(key)) continue
    said.add(key)
    const fields = { ...(label && { label }), ...(not_before && { not_before }) }
    add(edge, kind, other, { ...(reason && { reason }), fields })
  }
  const noWork = isNoWork(record) ? [{ reason: noWorkReason(record)! }] : []
  const holds: OwnHold[] = [...ownHolds(record), ...noWork]
  for (const { reason, not_before, problem } of holds) {
    const own = { from: record.id, at: record.values.created_at, by: record.values.created_by, source: record.source }
    if (problem) collector.drop(record.source, problem)
    add(own, 'hold', undefined, { reason, fields: not_before === undefined ? {} : { not_before } })
  }
}

/** One decision that an edge amounts to, or `skip` where it amounts to none. */
interface Saying {
  kind: 'blocked_by' | 'part_of' | 'related' | 'hold' | 'skip'
  edge: BeadsEdge
  other?: string
  reason?: string
  label?: string
  not_before?: string | undefined
  problem?: string
}

function isDirect({ reason }: Saying): boolean {
  return reason === undefined
}

/** Yields what an edge says of the Ticket that it comes from, its own or inherited from a parent that is no Ticket. */
function* sayings(graph: BeadsGraph, edge: BeadsEdge, visited: Set<string>): Generator<Saying> {
  if (edge.type === 'parent-child') yield* parentSayings(graph, edge, visited)
  else if (BLOCKING.includes(edge.type)) yield* blockerSayings(graph, edge)
  else if (LIKE_BLOCKING.test(edge.type)) {
    const problem = `the type "${edge.type}" is not known and looks like a blocker: recorded as blocked_by`
    for (const saying of blockerSayings(graph, edge)) yield { ...saying, problem }
  } else if (graph.skipped.has(edge.to)) yield { kind: 'skip', edge }
  else yield { kind: 'related', edge, other: edge.to, label: edge.type }
}

function* parentSayings(graph: BeadsGraph, edge: BeadsEdge, visited: Set<string>): Generator<Saying> {
  const parent = graph.records.get(edge.to)
  const isTombstone = parent?.status === 'tombstone'
  const isSkipped = graph.skipped.has(edge.to)
  const isHeldAlone = !isSkipped && parent !== undefined && isNoWork(parent) && hasWork(graph, edge.from)
  if (isSkipped) yield { kind: 'skip', edge }
  else if (isTombstone || isHeldAlone) yield { kind: 'related', edge, other: edge.to, label: edge.type }
  else yield { kind: 'part_of', edge, other: edge.to }
  if (!parent || isTombstone || visited.has(parent.id)) return
  if (isSkipped || isHeldAlone) {
    visited.add(parent.id)
    yield* inheritedSayings(graph, parent, edge, visited)
  } else if (isOver(parent)) {
    // It passes on what is above it, but not the decisions that it has instead of a parent.
    visited.add(parent.id)
    for (const up of parent.edges.filter(({ type }) => type === 'parent-child'))
      for (const saying of parentSayings(graph, { ...up, from: edge.from }, visited))
        if ((saying.kind === 'blocked_by' || saying.kind === 'hold') && saying.other !== edge.from) yield saying
  }
}

/** True for an open record that the source never lists as ready: the hold on it is not one on its parts. */
function isNoWork(record: BeadsRecord): boolean {
  return !isOver(record) && noWorkReason(record) !== undefined
}

/** True where a record, or one below it that inherits from it, is open and work of the source. */
function hasWork(graph: BeadsGraph, top: string): boolean {
  const seen = new Set([top])
  for (const id of seen) {
    const record = graph.records.get(id)
    if (!record || isNoWork(record)) continue
    if (!isOver(record) && !graph.skipped.has(id)) return true
    for (const part of graph.partsOf(id)) seen.add(part)
  }
  return false
}

/**
 * What holds a parent while it is open, and what it is part of, passes to its parts: of one that is no Ticket and so has no
 * file, and of one that is never work, since they must not inherit the hold for that.
 */
function* inheritedSayings(
  graph: BeadsGraph,
  parent: BeadsRecord,
  edge: BeadsEdge,
  visited: Set<string>,
): Generator<Saying> {
  for (const stated of parent.edges) {
    const isUp = stated.type === 'parent-child'
    if (!isUp && isOver(parent)) continue
    for (const saying of sayings(graph, { ...stated, from: edge.from }, visited)) {
      if (saying.other === edge.from || saying.kind === 'related' || saying.kind === 'skip') continue
      if (isUp) yield saying
      else if (!isBelow(graph, saying.other, parent.id))
        yield { ...saying, reason: saying.reason ?? inheritedReason(graph, parent) }
    }
  }
  if (isOver(parent)) return
  for (const { reason, not_before } of ownHolds(parent)) yield { kind: 'hold', edge, reason, not_before }
}

function inheritedReason({ skipped }: BeadsGraph, { id }: BeadsRecord): string {
  return `inherited from ${id}, which is ${skipped.has(id) ? 'no Ticket here' : 'not work'}`
}

/** True where a record is a part of the other, at any level, or that one itself. */
function isBelow(graph: BeadsGraph, id: string | undefined, top: string): boolean {
  const seen = new Set([top])
  for (const next of seen) for (const part of graph.partsOf(next)) seen.add(part)
  return id !== undefined && seen.has(id)
}

function* blockerSayings(graph: BeadsGraph, edge: BeadsEdge): Generator<Saying> {
  const blocker = graph.records.get(edge.to)
  yield blockerSaying(graph, edge, edge.to)
  if (edge.type === 'conditional-blocks' && blocker?.status === 'closed') {
    const { close_reason } = blocker.values
    const isFailed = typeof close_reason === 'string' && FAILURE.test(close_reason.toLowerCase())
    if (!isFailed) yield { kind: 'hold', edge, reason: `only if ${edge.to} fails, and it was closed without a failure` }
  }
  if (edge.type !== 'waits-for') return
  const parts = graph.partsOf(edge.to).map(id => graph.records.get(id)!)
  if (edge.gate === 'any-children' && parts.some(isOver)) return
  for (const part of parts) {
    if (part.id === edge.from || isUncounted(part)) continue
    yield {
      ...blockerSaying(graph, edge, part.id),
      reason: waitReason(edge.to, graph.skipped.has(part.id) ? part.id : undefined),
    }
  }
}

/** The reason of a decision that a waits-for edge adds for a part; `isDerived` knows it by its first words. */
const WAITS = 'waits for what it contains: '
function waitReason(whole: string, part: string | undefined): string {
  return `${WAITS}${whole}${part === undefined ? '' : `, and so for ${part}`}`
}

function blockerSaying(graph: BeadsGraph, edge: BeadsEdge, other: string): Saying {
  const blocker = graph.records.get(other)
  if (graph.skipped.has(other)) {
    if (!blocker || isOver(blocker) || isUncounted(blocker)) return { kind: 'skip', edge }
    return { kind: 'hold', edge, reason: `blocked by ${other}, which is no Ticket here` }
  }
  if (blocker && isUncounted(blocker)) return { kind: 'related', edge, other, label: edge.type }
  if (other.startsWith('external:')) return { kind: 'hold', edge, reason: `blocked by ${other}` }
  if (isTicketId(other)) return { kind: 'blocked_by', edge, other }
  const problem = `${JSON.stringify(other)} cannot be a Ticket's id: recorded as a hold`
  return { kind: 'hold', edge, reason: `blocked by ${other}`, problem }
}

function isOver({ status }: BeadsRecord): boolean {
  return status === 'closed' || status === 'tombstone'
}

/** True for a record that the source no longer counts as a blocker. */
function isUncounted({ status }: BeadsRecord): boolean {
  return status === 'tombstone' || status === 'pinned'
}

/** The types that the source's "ready" leaves out, as its GetReadyWork (sqlite/ready.go) lists them. */
const NO_WORK = new Set(['merge-request', 'gate', 'molecule', 'message', 'agent', 'role', 'rig'])
/** What it leaves out by default of the ids: steps of molecules, and wisps. */
const NO_WORK_ID = /-(?:mol|wisp)-/i

/** Returns why the source never lists a record as ready work; undefined where it may. */
function noWorkReason({ id, values: { issue_type: type } }: BeadsRecord): string | undefined {
  if (typeof type === 'string' && NO_WORK.has(type.toLowerCase().replaceAll('_', '-')))
    return `${type} at the source: not work`
  const [part] = NO_WORK_ID.exec(id) ?? []
  return part && `an id with "${part}" at the source: not work`
}

interface OwnHold {
  reason: string
  not_before?: string
  problem?: string
}

/** Returns the holds of a record that its parts inherit. */
function ownHolds({ values, unread }: BeadsRecord): OwnHold[] {
  const { defer_until, pinned, is_template } = values
  const holds = [...unread].map(field => ({ reason: unreadReason(field) }))
  if (isSet(pinned)) holds.push({ reason: 'pinned at the source: not work' })
  if (isSet(is_template)) holds.push({ reason: 'a template at the source: not work' })
  if (defer_until == null || defer_until === '') return holds
  const not_before = momentOf(defer_until)
  const reason = 'deferred at the source'
  if (not_before !== undefined) return [...holds, { reason, not_before }]
  const problem = `defer_until is not a time: ${quoted(defer_until)}: recorded as a hold without one`
  return [...holds, { reason: `${reason} until ${quoted(defer_until)}`, problem }]
}

/** True for a decision that a record states only together with the records of the parts that it waits for. */
export function isDerived({ reason }: Decision): boolean {
  return reason?.startsWith(WAITS) === true
}
