/** Compares verdicts after an import of beads records with an oracle that reads the records alone. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { findSharedData } from '../test-support/shared-data.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

interface Edge {
  issue_id: string
  depends_on_id: string
  type: string
  metadata?: string
}
interface BeadsLine {
  id: string
  title: string
  status: string
  ephemeral?: boolean
  defer_until?: string
  close_reason?: string
  dependencies?: Edge[]
}

const STATES = {
  queued: ['open'],
  active: ['in_progress', 'hooked'],
  terminal: ['closed'],
  abandoned: ['cancelled'],
}
const NOW = '2026-06-08T12:00:00.000Z'

/** The ids that the source calls ready, but that the parts of an epic do not wait for it where it waits for them. */
function readyIds(lines: readonly BeadsLine[]): string[] {
  const byId = new Map(lines.map(line => [line.id, line]))
  const edges = lines.flatMap(({ dependencies = [] }) => dependencies)
  const parentsOf = (id: string) =>
    edges
      .filter(
        ({ issue_id, type, depends_on_id }) =>
          issue_id === id && type === 'parent-child' && byId.get(depends_on_id)?.status !== 'tombstone',
      )
      .map(edge => edge.depends_on_id)
  const above = (id: string) => {
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
  const isDone = (id: string) => ['closed', 'tombstone'].includes(byId.get(id)!.status)
  const isOff = (id: string) => ['closed', 'tombstone', 'pinned'].includes(byId.get(id)!.status)
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
          const { status, close_reason = '' } = byId.get(other)!
          return status === 'closed' && !/failed|rejected/.test(close_reason) ? ['condition'] : direct
        }
        if (type !== 'waits-for') return []
        const parts = partsOf(other)
        if (metadata?.includes('any-children') && parts.some(isDone)) return direct
        return [...direct, ...parts.filter(part => part !== id && !isOff(part))]
      })
  const isDeferred = (id: string) => (byId.get(id)!.defer_until ?? '') > NOW
  // An ephemeral part is no Ticket: waiting for it is a hold, which the parts inherit, as at the source.
  const isFreePart = (id: string, epic: string) => above(id).has(epic) && !byId.get(id)!.ephemeral
  const holdsItsParts = (id: string) =>
    !isDone(id) && (isDeferred(id) || blockersOf(id).some(other => other !== id && !isFreePart(other, id)))
  return lines
    .filter(({ id, status, ephemeral }) => {
      if (status !== 'open' || ephemeral || isDeferred(id) || blockersOf(id).length > 0) return false
      return ![...above(id)].some(parent => parent !== id && holdsItsParts(parent))
    })
    .map(({ id }) => id)
    .sort()
}

/** The ways in which exporters write the edges of a record. */
const FORMS = ['dependencies', 'bare dependencies', 'deps', 'texts', 'depends_on', 'blocked_by', 'mixed'] as const
type Form = (typeof FORMS)[number]

/** Returns a record with its edges in a form; an edge that the form has no place for stays an object of `dependencies`. */
function written({ dependencies = [], ...line }: BeadsLine, form: Form): object {
  // Only a gate is lost without its metadata.
  const isGated = ({ type, metadata }: Edge) => type === 'waits-for' && metadata !== undefined
  const [plain, gated] = [dependencies.filter(edge => !isGated(edge)), dependencies.filter(isGated)]
  const blockers = plain.filter(({ type }) => type === 'blocks')
  const parent = plain.find(({ type }) => type === 'parent-child')
  const rest = dependencies.filter(edge => !blockers.includes(edge) && edge !== parent)
  const targets = blockers.map(edge => edge.depends_on_id)
  const typed = (edge: Edge) => ({ depends_on_id: edge.depends_on_id, type: edge.type, metadata: edge.metadata })
  const typedId = ({ depends_on_id: id, type, metadata }: Edge) => ({ id, dependency_type: type, metadata })
  const half = Math.ceil(targets.length / 2)
  switch (form) {
    case 'dependencies':
      return { ...line, dependencies }
    case 'bare dependencies':
      return { ...line, dependencies: dependencies.map(typed) }
    case 'deps':
      return { ...line, parent: parent?.depends_on_id, deps: [...blockers, ...rest].map(typedId) }
    case 'texts':
      return { ...line, dependencies: [...plain.map(edge => `${edge.type}:${edge.depends_on_id}`), ...gated] }
    case 'depends_on':
      return { ...line, depends_on: targets, parent: parent?.depends_on_id, dependencies: rest }
    case 'blocked_by':
      return { ...line, blocked_by: targets, parent_id: parent?.depends_on_id, deps: rest.map(typed) }
    case 'mixed':
      return {
        ...line,
        depends_on: targets.slice(0, half),
        blocked_by: targets.slice(half),
        parent_id: parent?.depends_on_id,
        deps: rest.slice(0, 1).map(typed),
        dependencies: rest.slice(1),
      }
  }
}

function acceptedIds(lines: readonly object[]): string[] {
  using repository = temporaryRepository()
  writeFileSync(join(repository.root, 'ticketplan.json'), JSON.stringify({ states: STATES }))
  const path = join(repository.root, 'source.jsonl')
  writeFileSync(path, lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  using plan = checkedPlan(repository.root)
  expect(plan.import({ system: 'beads', path }).dropped).toEqual([])
  const accepted = plan.queue().queue.filter(({ verdict }) => verdict === 'accept')
  return accepted.map(({ ticket }) => ticket.id).sort()
}

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const TYPES = [
  'blocks',
  'blocks',
  'blocked-by',
  'waits-for',
  'conditional-blocks',
  'parent-child',
  'parent-child',
  'related',
]
const STATUSES = [
  'open',
  'open',
  'open',
  'in_progress',
  'closed',
  'blocked',
  'deferred',
  'tombstone',
  'pinned',
  'hooked',
]

const line = (id: string) =>
  fc
    .record({
      status: fc.constantFrom(...STATUSES),
      ephemeral: fc.option(fc.constant(true), { freq: 6 }),
      defer: fc.option(fc.constantFrom('2099-01-01T00:00:00Z', '2020-01-01T00:00:00Z'), { freq: 8 }),
      close_reason: fc.constantFrom('done', 'it failed', undefined),
      edges: fc.array(
        fc.record({
          to: fc.constantFrom(...IDS.filter(other => other !== id), 'external:shop:o-1'),
          type: fc.constantFrom(...TYPES),
          gate: fc.constantFrom('{"gate":"any-children"}', '{}', undefined),
        }),
        { maxLength: 3 },
      ),
    })
    .map(
      ({ status, ephemeral, defer, close_reason, edges }): BeadsLine => ({
        id,
        title: id,
        status,
        ...(ephemeral && { ephemeral }),
        ...(defer !== null && { defer_until: defer }),
        ...(close_reason !== undefined && { close_reason }),
        dependencies: edges
          // Only a blocker can be in another project.
          .filter(({ to, type }) => !to.startsWith('external:') || type === 'blocks')
          .map(({ to, type, gate }) => ({
            issue_id: id,
            depends_on_id: to,
            type,
            ...(gate !== undefined && { metadata: gate }),
          })),
      }),
    )

describe('after an import of beads records the verdicts agree with what the source calls ready', () => {
  test('for any records and edges', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.tuple(...IDS.map(line)), fc.tuple(...IDS.map(() => fc.constantFrom(...FORMS))), (lines, forms) => {
        expect(acceptedIds(lines.map((line, at) => written(line, forms[at]!)))).toEqual(readyIds(lines))
      }),
      { numRuns: Number(process.env.READINESS_RUNS ?? 200) },
    )
  })

  const shared = findSharedData('beads-2026-01.jsonl')
  test.skipIf(!shared)('for a real tracker (skipped without the shared data)', { timeout: 120_000 }, () => {
    const lines = readFileSync(shared!, 'utf8')
      .trim()
      .split('\n')
      .map(text => JSON.parse(text) as BeadsLine)
    const ready = readyIds(lines)
    expect(ready.length).toBeGreaterThan(50)
    expect(acceptedIds(lines)).toEqual(ready)
  })
})
