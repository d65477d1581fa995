/** What beads gets of a plan: read back as beads it holds the same work. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

test('an export read back as beads blocks the same Tickets, and says what it leaves out', () => {
  using from = temporaryRepository()
  const notes: string[] = []
  using plan = checkedPlan(from.root, undefined, { onNotice: note => notes.push(note) })
  for (const id of ['A', 'B', 'C', 'D', 'E']) plan.add({ id, title: `Ticket ${id}\u2028`.trim(), state: 'queued' })
  plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
  plan.record({ ticket: 'C', kind: 'after', other: 'A' })
  plan.record({ ticket: 'D', kind: 'part_of', other: 'E' })
  plan.record({ ticket: 'E', kind: 'hold', reason: 'waits' })
  plan.record({ ticket: 'E', kind: 'note', reason: 'text' })
  plan.set({ ticket: 'B', state: 'done' })
  const { text } = plan.export({ format: 'beads', all: true })
  expect(notes.at(-1)).toMatch(/left out: .*1 note.*1 hold|left out: .*1 hold.*1 note/)
  using to = temporaryRepository()
  writeFileSync(join(to.root, 'issues.jsonl'), text)
  using other = checkedPlan(to.root)
  expect(other.import({ system: 'beads', path: join(to.root, 'issues.jsonl') })).toMatchObject({
    tickets: 5,
    dropped: [],
  })
  const edges = other
    .relations({ status: 'all' })
    .relations.map(({ ticket, kind, other }) => `${ticket} ${kind} ${other}`)
  expect(edges.filter(edge => /blocked_by|part_of/.test(edge)).sort()).toEqual([
    'A blocked_by B',
    'C blocked_by A',
    'D part_of E',
  ])
  expect(other.show('B').ticket.phase).toBe('terminal')
})
