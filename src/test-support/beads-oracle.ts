/**
 * What beads itself calls ready, read from its records alone, with no code of the program.
 *
 * Limitation: edges are read from `dependencies`, as objects; that is how beads writes its own file.
 */
import { readFileSync } from 'node:fs'

export interface BeadsEdgeLine {
  issue_id: string
  depends_on_id: string
  type: string
  metadata?: string
}
export interface BeadsLine {
  id: string
  title: string
  status: string
  issue_type?: string
  _type?: string
  updated_at?: string
  ephemeral?: boolean
  wisp?: unknown
  pinned?: boolean
  is_template?: boolean
  defer_until?: string
  close_reason?: string
  dependencies?: BeadsEdgeLine[]
}

/** The states of beads for a configuration: open records are queued, so that each gets a verdict. */
export const BEADS_STATES = {
  queued: ['open'],
  active: ['in_progress', 'hooked'],
  terminal: ['closed'],
  abandoned: ['cancelled'],
}

/** Returns each record that needs a verdict, with the one that follows from what beads calls ready. Of two records of one id the newer counts. */
export function beadsVerdicts(path: string, now: string): Map<string, 'accept' | 'hold'> {
  const newest = new Map<string, BeadsLine>()
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    if (text.trim() === '') continue
    const line = JSON.parse(text) as BeadsLine
    const other = newest.get(line.id)
    if (!other || Date.parse(other.updated_at ?? '') < Date.parse(line.updated_at ?? '')) newest.set(line.id, line)
  }
  const lines = [...newest.values()]
  const ready = new Set(readyIds(lines, now))
  const asked = lines.filter(line => line.status === 'open' && isWork(line))
  return new Map(asked.map(({ id }) => [id, ready.has(id) ? 'accept' : 'hold']))
}

function isWork({ _type = 'issue', ephemeral, wisp }: BeadsLine): boolean {
  return _type === 'issue' && !ephemeral && !wisp
}

function everyParent(id: string, parentsOf: (id: string) => string[]): Set<string> {
  const found = new Set<string>()
  const visit = (child: string) => {
    for (const parent of parentsOf(child)) {
      if (found.has(parent)) continue
      found.add(parent)
      visit(parent)
    }
  }
  visit(id)
  return found
}

/** The WHERE clause of GetReadyWork in beads' sqlite/ready.go, which leaves out records and not what is below them. */
function isListed({ id, issue_type = 'task' }: BeadsLine): boolean {
  const notIn = "'merge-request', 'gate', 'molecule', 'message', 'agent', 'role', 'rig'"
  const notLike = ['-mol-', '-wisp-']
  return !notIn.includes(`'${issue_type}'`) && !notLike.some(pattern => id.toLowerCase().includes(pattern))
}

/** The ids that the source calls ready, but that the parts of an epic do not wait for it where it waits for them. */
export function readyIds(lines: readonly BeadsLine[], now: string): string[] {
  const byId = new Map(lines.map(line => [line.id, line]))
  const edges = lines.flatMap(({ dependencies = [] }) => dependencies)
  const parentsOf = (id: string) =>
    edges
      .filter(
        ({ issue_id, type, depends_on_id }) =>
          issue_id === id && type === 'parent-child' && byId.get(depends_on_id)?.status !== 'tombstone',
      )
      .map(edge => edge.depends_on_id)
  const above = (id: string) => everyParent(id, parentsOf)
  const isDone = (id: string) => ['closed', 'tombstone'].includes(byId.get(id)?.status ?? 'missing')
  const isOff = (id: string) => ['closed', 'tombstone', 'pinned'].includes(byId.get(id)?.status ?? 'missing')
  const partsOf = (id: string) =>
    edges
      .filter(({ type, depends_on_id }) => type === 'parent-child' && depends_on_id === id)
      .map(edge => edge.issue_id)
  /** What blocks a record directly: ids, or the text of a condition that nobody can settle here. */
  const blockersOf = (id: string): string[] =>
    edges
      .filter(edge => edge.issue_id === id)
      .flatMap(({ type, depends_on_id: other, metadata }) => {
        if (other.startsWith('external:')) return [other]
        const direct = isOff(other) ? [] : [other]
        if (type === 'blocks' || type === 'blocked-by') return direct
        if (type === 'conditional-blocks') {
          const { status, close_reason = '' } = byId.get(other) ?? {}
          return status === 'closed' && !/failed|rejected/.test(close_reason.toLowerCase()) ? ['condition'] : direct
        }
        if (type !== 'waits-for') return []
        const parts = partsOf(other)
        if (metadata?.includes('any-children') && parts.some(isDone)) return direct
        return [...direct, ...parts.filter(part => part !== id && !isOff(part))]
      })
  const isOnHold = (id: string) => {
    const { defer_until, pinned, is_template } = byId.get(id) ?? {}
    return pinned || is_template || Date.parse(defer_until || '') > Date.parse(now)
  }
  // An ephemeral part is no Ticket: waiting for it is a hold, which the parts inherit, as at the source.
  const isFreePart = (id: string, epic: string) => above(id).has(epic) && isWork(byId.get(id)!)
  const holdsItsParts = (id: string) =>
    byId.has(id) &&
    !isDone(id) &&
    (isOnHold(id) || blockersOf(id).some(other => other !== id && !isFreePart(other, id)))
  return lines
    .filter(line => {
      const { id, status } = line
      if (status !== 'open' || !isWork(line) || !isListed(line) || isOnHold(id) || blockersOf(id).length > 0)
        return false
      return ![...above(id)].some(parent => parent !== id && holdsItsParts(parent))
    })
    .map(({ id }) => id)
    .sort()
}
