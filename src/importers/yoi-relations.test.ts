/** What a yoi Ticket says of others in any form: it is read, or it is reported and holds the Ticket. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { readTicketJson, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'

interface Files {
  front?: string
  relations?: unknown
  plan?: string
}

/** Imports the Tickets T1, T2 and T3, all queued; T2 has the given files. */
function imported({ front = '', relations, plan: lines }: Files) {
  using folder = temporaryFolder()
  const put = (path: string, text: string) => writeFileSync(join(folder.path, path), text)
  for (const id of ['T1', 'T2', 'T3']) {
    mkdirSync(join(folder.path, id, 'artifacts'), { recursive: true })
    put(`${id}/item.md`, `---\ntitle: ${id}\nstate: queued\n${id === 'T2' ? front : ''}\n---\n`)
  }
  if (relations !== undefined)
    put('T2/artifacts/relations.json', typeof relations === 'string' ? relations : JSON.stringify(relations))
  if (lines !== undefined) put('T2/artifacts/orchestration-plan.jsonl', `${lines}\n`)
  using repository = temporaryRepository()
  using plan = checkedPlan(repository.root)
  const { dropped } = plan.import({ system: 'yoi', path: folder.path })
  expect(plan.import({ system: 'yoi', path: folder.path }).written).toBe(0)
  const held = plan
    .queue()
    .queue.flatMap(({ ticket, reasons }) =>
      reasons.map(reason => `${ticket.id} ${reason.code} ${'ticket' in reason ? reason.ticket : ''}`.trim()),
    )
  return { held, dropped, source: readTicketJson(repository.root, 'tickets/T2.json').source as Record<string, unknown> }
}

test.each([
  'depends_on: [T1]',
  'depends_on: T1',
  'Depends-On: [T1]',
  'dependsOn:\n  - T1',
  'blocked_by: "T1"',
  'blocked_by:\n  - ticket: T1',
  'blockedBy: [T1]',
  'blockers: [T1]',
  'dependencies: [T1]',
  'deps: [T1]',
  'requires: T1',
  'prerequisites: [T1]',
  'waits_for: [T1]',
  'waits-for: [T1]',
  'needs: [T1]',
  'relations: [{kind: depends_on, target: T1}]',
  'relations: [{type: blocked-by, ticket: T1}]',
  'relations: {depends_on: [T1]}',
  'relations: [{depends_on: T1}]',
  'Relation: {kind: depends_on, target: T1}',
])('front matter is read: %s', front => {
  const { held, dropped, source } = imported({ front })
  expect({ held, dropped }).toEqual({ held: ['T2 blocked_by T1'], dropped: [] })
  expect(Object.keys(source)).not.toContain(front.split(':')[0])
})

test('front matter may name several, and what they are to the Ticket', () => {
  expect(imported({ front: 'depends_on: T1, T3' }).held).toEqual(['T2 blocked_by T1', 'T2 blocked_by T3'])
  expect(imported({ front: 'blocks: [T1]' })).toMatchObject({ held: ['T1 blocked_by T2'], dropped: [] })
  expect(imported({ front: 'required_by: T3' })).toMatchObject({ held: ['T3 blocked_by T2'], dropped: [] })
  expect(imported({ front: 'depends_on: [MISSING]' })).toMatchObject({ held: ['T2 blocker_missing MISSING'] })
  expect(imported({ front: 'after: T1' })).toMatchObject({ held: ['T2 after T1'], dropped: [] })
})

test.each([
  'depends_on: ["a b/c"]',
  'depends_on: {T1: true}',
  'depends_on: [[T1]]',
  'depends_on: [{ticket: T1, id: T3}]',
  'blocked: yes',
  'blocked_on: the review of T1',
  'external_deps: [T1]',
  'extDeps: [T1]',
  'relations: [T1]',
  'relations: T1',
  'relations: [{kind: gated_by, target: T1}]',
  'relations: [{kind: depends_on}]',
])('front matter is reported and holds: %s', front => {
  const { held, dropped } = imported({ front })
  expect(held).toEqual(['T2 on_hold'])
  expect(dropped.length).toBeGreaterThan(0)
})

test.each([
  'depends_on: []',
  'depends_on:',
  'blocked: false',
  'blocked: no',
  'blockers: none',
  'relations: []',
  'blocked_reason: it rains',
  'depends_on_count: 3',
  'after: 2026-06-01',
  'needs: a review',
  'readiness: ready',
])('front matter says nothing of others: %s', front => {
  expect(imported({ front })).toMatchObject({ held: [], dropped: [] })
})

test.each([
  { relations: [{ kind: 'blocked_by', target: 'T1' }] },
  { relations: [{ kind: 'depends-on', target: 'T1' }] },
  { relations: [{ kind: 'Depends_On', target: 'T1' }] },
  { relations: [{ kind: 'dependsOn', target: 'T1' }] },
  { relations: [{ kind: 'requires', target: 'T1' }] },
  { relations: [{ kind: 'waits for', target: 'T1' }] },
  { relations: [{ kind: 'depends_on', ticket: 'T1' }] },
  { relations: [{ kind: 'depends_on', related_ticket: 'T1' }] },
  { relations: [{ kind: 'depends_on', ticket: 'T2', other: 'T1' }] },
  { relations: { depends_on: ['T1'] } },
  { relations: { dependencies: [{ id: 'T1' }], related: [] } },
  { version: 1, depends_on: ['T1'] },
  [{ kind: 'depends_on', target: 'T1' }],
  [{ depends_on: ['T1'] }],
])('relations.json is read: %j', relations => {
  expect(imported({ relations })).toMatchObject({ held: ['T2 blocked_by T1'], dropped: [] })
})

test.each([
  '{',
  '"T1"',
  {},
  ['T1'],
  { relations: 'T1' },
  { relations: ['T1'] },
  { relations: [{ kind: 'gated_by', target: 'T1' }] },
  { relations: [{ kind: 'depends_on' }] },
  { relations: [{ kind: 'depends_on', target: 1 }] },
  { relations: [{ kind: 'depends_on', target: 'a b' }] },
  { relations: [{ kind: 'depends_on', target: 'T1', note: 'x'.repeat(20_000) }] },
  { relations: [{ kind: 'depends_on', other: 'T1', to: 'T3' }] },
  { relations: [{ kind: 'depends_on', target: 'T1', ticket_id: 'T3' }] },
  { relations: [{ target: 'T1' }] },
  { relations: { depends_on: ['T1'], gated_by: ['T3'] } },
  { relations: { depends_on: [['T1']] } },
])('relations.json is reported and holds: %j', relations => {
  const { held, dropped } = imported({ relations })
  expect(held).toEqual(['T2 on_hold'])
  expect(dropped.length).toBeGreaterThan(0)
})

test.each([
  '{',
  '{"kind":"blocked_by"}',
  '{"kind":"depends-for","related_ticket":"T1"}',
  '{"related_ticket":"T1"}',
])('a line of a plan is reported and holds: %s', plan => {
  expect(imported({ plan })).toMatchObject({ held: ['T2 on_hold'], dropped: [expect.anything()] })
})

test('a kind of a plan is read in any of its spellings, and one that names no blocker holds nothing', () => {
  expect(imported({ plan: '{"kind":"Blocked-By","related_ticket":"T1"}' }).held).toEqual(['T2 blocked_by T1'])
  expect(imported({ plan: '{"kind":"depends_on","related_ticket":"T1"}' }).held).toEqual(['T2 blocked_by T1'])
  expect(imported({ plan: '{"kind":"review_note","note":"n"}' })).toMatchObject({
    held: [],
    dropped: [expect.anything()],
  })
})

const words = fc.constantFrom('depends_on', 'blocked_by', 'requires', 'gated_by', 'T1', 'kind', 'target', 'to')
const values = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    words,
    fc.constantFrom(true, 1, 'a b'),
    fc.array(tie('value'), { minLength: 1, maxLength: 2 }),
    fc.dictionary(words, tie('value'), { minKeys: 1, maxKeys: 2 }),
  ),
})).value

test('whatever is below a field of blockers, the Ticket waits', () => {
  fc.assert(
    fc.property(fc.constantFrom('depends_on', 'relations'), values, (name, value) => {
      const { held } = imported({ front: `${name}: ${JSON.stringify(value)}` })
      expect(held).not.toEqual([])
    }),
    { numRuns: 60 },
  )
})
