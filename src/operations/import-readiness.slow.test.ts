/** Compares verdicts after an import of beads records with an oracle that reads the records alone. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BEADS_STATES, type BeadsEdgeLine, type BeadsLine, readyIds } from '../test-support/beads-oracle.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { findSharedData } from '../test-support/shared-data.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

const NOW = '2026-06-08T12:00:00.000Z'

/** The ways in which exporters write the edges of a record. */
const FORMS = ['dependencies', 'bare dependencies', 'deps', 'texts', 'depends_on', 'blocked_by', 'mixed'] as const
type Form = (typeof FORMS)[number]

/** Returns a record with its edges in a form; an edge that the form has no place for stays an object of `dependencies`. */
function written({ dependencies = [], ...line }: BeadsLine, form: Form): object {
  // Only a gate is lost without its metadata.
  const isGated = ({ type, metadata }: BeadsEdgeLine) => type === 'waits-for' && metadata !== undefined
  const [plain, gated] = [dependencies.filter(edge => !isGated(edge)), dependencies.filter(isGated)]
  const blockers = plain.filter(({ type }) => type === 'blocks')
  const parent = plain.find(({ type }) => type === 'parent-child')
  const rest = dependencies.filter(edge => !blockers.includes(edge) && edge !== parent)
  const targets = blockers.map(edge => edge.depends_on_id)
  const typed = (edge: BeadsEdgeLine) => ({
    depends_on_id: edge.depends_on_id,
    type: edge.type,
    metadata: edge.metadata,
  })
  const typedId = ({ depends_on_id: id, type, metadata }: BeadsEdgeLine) => ({ id, dependency_type: type, metadata })
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
  writeFileSync(join(repository.root, 'ticketplan.json'), JSON.stringify({ states: BEADS_STATES }))
  const path = join(repository.root, 'source.jsonl')
  writeFileSync(path, lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  using plan = checkedPlan(repository.root)
  expect(plan.import({ system: 'beads', path }).dropped).toEqual([])
  const accepted = plan.queue().queue.filter(({ verdict }) => verdict === 'accept')
  return accepted.map(({ ticket }) => ticket.id).sort()
}

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g-mol-1', 'h-wisp-2']
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
      issue_type: fc.constantFrom('task', 'epic', undefined, undefined, undefined, 'molecule', 'gate'),
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
      ({ status, issue_type, ephemeral, defer, close_reason, edges }): BeadsLine => ({
        id,
        title: id,
        status,
        ...(issue_type !== undefined && { issue_type }),
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
        expect(acceptedIds(lines.map((line, at) => written(line, forms[at]!)))).toEqual(readyIds(lines, NOW))
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
    const ready = readyIds(lines, NOW)
    expect(ready.length).toBeGreaterThan(50)
    expect(acceptedIds(lines)).toEqual(ready)
  })
})
