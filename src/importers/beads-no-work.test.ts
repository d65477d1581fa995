/** Records that beads never lists as ready: they are held, they block, and what is below them is as free as at the source. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

const line = (id: string, more: object = {}) => ({ id, title: id, status: 'open', ...more })
const edge = (from: string, type: string, to: string) => ({ issue_id: from, depends_on_id: to, type })
const below = (id: string, parent: string, more: object = {}) =>
  line(id, { dependencies: [edge(id, 'parent-child', parent)], ...more })

/** Imports the records; returns what holds each open one, and the relations. */
function imported(...lines: object[]) {
  using repository = temporaryRepository()
  writeFileSync(join(repository.root, 'ticketplan.json'), JSON.stringify({ states: { queued: ['open'] } }))
  const path = join(repository.root, 'source.jsonl')
  writeFileSync(path, lines.map(record => `${JSON.stringify(record)}\n`).join(''))
  using plan = checkedPlan(repository.root)
  const { dropped, decisions } = plan.import({ system: 'beads', path })
  expect(dropped).toEqual([])
  expect(plan.import({ system: 'beads', path }).written).toBe(0)
  const { relations } = plan.relations({ status: 'all' })
  return {
    held: Object.fromEntries(
      plan.queue().queue.map(({ ticket, reasons }) => [ticket.id, reasons.map(({ message }) => message)]),
    ),
    relations: relations.map(({ ticket, kind, other }) => `${ticket} ${kind} ${other}`),
    decisions,
  }
}

test.each([
  'merge-request',
  'merge_request',
  'gate',
  'molecule',
  'message',
  'agent',
  'role',
  'rig',
])('a record of type %s is held, says why, and blocks others', issue_type => {
  const blocked = line('b-2', { dependencies: [edge('b-2', 'blocks', 'b-1')] })
  expect(imported(line('b-1', { issue_type }), blocked).held).toEqual({
    'b-1': [`on hold: ${issue_type} at the source: not work`],
    'b-2': ['blocked by b-1 (open)'],
  })
})

test.each(['bd-mol-1', 'bd-wisp-a1.2'])('a record with the id %s is held', id => {
  expect(imported(line(id)).held[id]).toEqual([expect.stringMatching(/"-(mol|wisp)-" at the source: not work/)])
})

test.each([
  line('b-1', { issue_type: 'epic' }),
  line('b-1', { issue_type: 'agents' }),
  line('bd-molecule'),
  line('mol-1'),
  line('bd-wisp'),
])('work is free: %j', record => {
  expect(Object.values(imported(record).held)).toEqual([[]])
})

test('a record that is settled gets no hold', () => {
  expect(imported(line('b-1', { status: 'closed', issue_type: 'gate' }), line('b-2')).decisions).toBe(0)
})

test('a step of a molecule is free, and waits for what the molecule waits for, but not for other steps', () => {
  const molecule = (...blockers: string[]) =>
    line('m', { issue_type: 'molecule', dependencies: blockers.map(other => edge('m', 'blocks', other)) })
  const free = imported(molecule('s-2'), below('s-1', 'm'), below('s-2', 'm'))
  expect(free.held).toMatchObject({ 's-1': [], 's-2': [] })
  expect(free.held.m).toContain('on hold: molecule at the source: not work')
  const { held } = imported(molecule('x'), below('s-1', 'm'), line('x'))
  expect(held['s-1']).toEqual(['blocked by x (open)'])
})

test('below a settled part of a molecule it is the same', () => {
  const molecule = (more: object) => line('m', { issue_type: 'molecule', ...more })
  const parts = [below('c', 'm', { status: 'closed' }), below('s', 'c')]
  expect(imported(molecule({}), ...parts).held.s).toEqual([])
  const held = imported(molecule({ dependencies: [edge('m', 'blocks', 'x')] }), ...parts, line('x'))
  expect(held.held.s).toEqual(['blocked by x (open)'])
})

test('a settled part, and one that is never work, stay parts of a molecule; a step stays below the epic above it', () => {
  const epic = line('e', { issue_type: 'epic' })
  const parts = [below('c', 'm', { status: 'closed' }), below('g', 'm', { issue_type: 'gate' }), below('s', 'm')]
  const { relations } = imported(epic, below('m', 'e', { issue_type: 'molecule' }), ...parts)
  expect(relations.sort()).toEqual(['c part_of m', 'g part_of m', 'm part_of e', 's part_of e', 's related m'])
})
