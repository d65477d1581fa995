import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPlanError, openPlan, type Plan } from '../index.ts'
import { openStore } from '../store/store.ts'
import { putTicket, readTicketJson, replaceTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { decisionBatch } from './decision-batch.ts'
import type { DecisionLine } from './record-all.ts'

const ID = (number: number) => `01JX${String(number).padStart(22, '0')}`

function withPlan(use: (plan: Plan, root: string) => void, ids = ['A', 'B', 'C', 'D']): void {
  using repository = temporaryRepository({ git: false })
  for (const id of ids) putTicket(repository.root, id, { state: 'queued' })
  using plan = openPlan({ root: repository.root, actor: 'tester' })
  use(plan, repository.root)
}

/** The bytes of all files, by name. */
function bytesOf(root: string): Record<string, string> {
  const folder = join(root, 'tickets')
  return Object.fromEntries(readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'utf8')]))
}

function failureOf(action: () => unknown) {
  try {
    action()
  } catch (error) {
    if (isPlanError(error, 'not_recorded')) return { ...error.data, message: error.message }
    throw error
  }
  return expect.unreachable()
}

describe('record with several others', () => {
  test('records a relation to each, and writes the file once', () => {
    withPlan((plan, root) => {
      const inode = () => statSync(join(root, 'tickets/D.json')).ino
      const before = inode()
      const answer = plan.record({ ticket: 'D', kind: 'blocked_by', other: ['A', 'B', 'C'], reason: 'schema first' })
      expect(inode()).not.toBe(before)
      expect(answer.recorded!.map(({ created, ticket }) => [created, ticket])).toEqual([1, 2, 3].map(() => [true, 'D']))
      expect(answer).toMatchObject({ created: true, ticket: 'D', decision: answer.recorded![0]!.decision })
      expect(plan.consult('D').reasons.map(reason => 'ticket' in reason && reason.ticket)).toEqual(['A', 'B', 'C'])
      expect(plan.record({ ticket: 'D', kind: 'blocked_by', other: ['A', 'B', 'C'] }).created).toBe(false)
    })
  })

  test('of one other has the shape of one decision', () => {
    withPlan(plan => {
      expect(plan.record({ ticket: 'B', kind: 'after', other: ['A'] })).not.toHaveProperty('recorded')
      expect(plan.record({ ticket: 'C', kind: 'after', other: 'A' })).not.toHaveProperty('recorded')
    })
  })

  test('stored with each of the others where they are held back', () => {
    withPlan((plan, root) => {
      const { recorded } = plan.record({ ticket: 'A', kind: 'blocks', other: ['B', 'C'] })
      expect(recorded!.map(({ ticket }) => ticket)).toEqual(['B', 'C'])
      expect(readTicketJson(root, 'tickets/C.json').decisions).toMatchObject([{ kind: 'blocked_by', target: 'A' }])
    })
  })

  test.each([
    ['a Ticket that does not exist', { ticket: 'D', kind: 'blocked_by', other: ['A', 'nobody'] }, 'unknown_ticket'],
    ['itself', { ticket: 'D', kind: 'blocked_by', other: ['A', 'D'] }, 'self_relation'],
    ['a ring that they make together', { ticket: 'A', kind: 'contains', other: ['B', 'A'] }, 'self_relation'],
  ] as const)('writes nothing where one of them is %s', (_, input, code) => {
    withPlan((plan, root) => {
      const before = bytesOf(root)
      try {
        plan.record({ ...input, other: [...input.other] })
        expect.unreachable()
      } catch (error) {
        expect(isPlanError(error) && error.code).toBe(code)
      }
      expect(bytesOf(root)).toEqual(before)
    })
  })
})

describe('many decisions', () => {
  test('are the same as one at a time', () => {
    const kinds = ['blocked_by', 'blocks', 'after', 'before', 'conflicts_with', 'part_of', 'note'] as const
    const line = fc.record({
      ticket: fc.constantFrom('A', 'B', 'C', 'D'),
      kind: fc.constantFrom(...kinds),
      other: fc.constantFrom('A', 'B', 'C', 'D', 'nobody'),
      reason: fc.constantFrom('one', 'two'),
    })
    const inputOf = ({ other, ...rest }: { other: string } & Omit<DecisionLine, 'other'>): DecisionLine =>
      rest.kind === 'note' ? rest : { ...rest, other }
    /** What the files say, without ids and times. */
    const said = (root: string) =>
      ['A', 'B', 'C', 'D'].map(id =>
        readTicketJson(root, `tickets/${id}.json`)
          .decisions.map(({ id: _, at: __, supersedes, ...rest }) =>
            JSON.stringify({ ...rest, replaces: (supersedes as string[] | undefined)?.length }),
          )
          .sort(),
      )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), lines => {
        withPlan((single, singleRoot) => {
          const failed: number[] = []
          for (const [position, given] of lines.entries()) {
            try {
              single.record(inputOf(given))
            } catch {
              failed.push(position + 1)
            }
          }
          withPlan((plan, root) => {
            const answer = plan.recordAll({ decisions: lines.map(inputOf), keepGoing: true })
            expect(answer.failed.map(({ line }) => line)).toEqual(failed)
            expect(said(root)).toEqual(said(singleRoot))
            expect(plan.verify().ok).toBe(true)
            const store = openStore({ root })
            expect(store.index.findMismatch()).toBeNull()
            store.close()
          })
        })
      }),
      { numRuns: 40 },
    )
  })

  test('write nothing where a line is wrong; the error names each line', () => {
    withPlan((plan, root) => {
      const before = bytesOf(root)
      const decisions = [
        { ticket: 'A', kind: 'note', reason: 'fine' },
        { ticket: 'A', kind: 'hates', other: 'B' },
        { ticket: 'A', kind: 'blocked_by', other: 'nobody' },
        { ticket: 'A', kind: 'blocked_by', other: 'B', colour: 'red' },
        'nonsense',
      ] as unknown as DecisionLine[]
      const { failed, message } = failureOf(() => plan.recordAll({ decisions }))
      expect(failed.map(({ line, code }) => [line, code])).toEqual([
        [2, 'invalid_input'],
        [3, 'unknown_ticket'],
        [4, 'invalid_input'],
        [5, 'invalid_input'],
      ])
      expect(message).toContain('4 lines of 5 cannot be recorded, so nothing was written: line 2: ')
      expect(bytesOf(root)).toEqual(before)
      const answer = plan.recordAll({ decisions, keepGoing: true })
      expect(answer).toMatchObject({ created: 1, files: ['tickets/A.json'], recorded: [{ line: 1, ticket: 'A' }] })
      expect(answer.failed).toEqual(failed)
    })
  })

  test('a second run of lines with ids changes nothing', () => {
    withPlan((plan, root) => {
      const decisions: DecisionLine[] = [
        { id: ID(1), ticket: 'B', kind: 'blocked_by', other: 'A', reason: 'first' },
        { id: ID(2), ticket: 'B', kind: 'note', reason: 'a note' },
        { id: ID(3), ticket: 'C', kind: 'conflicts_with', other: 'A' },
        { id: ID(4), ticket: 'B', kind: 'blocked_by', other: 'A', reason: 'a better reason' },
      ]
      expect(plan.recordAll({ decisions }).created).toBe(4)
      const before = bytesOf(root)
      const again = plan.recordAll({ decisions })
      expect(again).toMatchObject({ created: 0, files: [] })
      expect(again.recorded.map(({ decision }) => decision.id)).toEqual([1, 2, 3, 4].map(ID))
      expect(bytesOf(root)).toEqual(before)
      plan.retract({ decision: ID(2) })
      expect(plan.recordAll({ decisions }).created).toBe(0)
    })
  })

  test('an id that says something else, or is that of another file, is refused', () => {
    withPlan(plan => {
      plan.recordAll({ decisions: [{ id: ID(1), ticket: 'B', kind: 'note', reason: 'x' }] })
      const { failed } = failureOf(() =>
        plan.recordAll({
          decisions: [
            { id: ID(1), ticket: 'B', kind: 'note', reason: 'y' },
            { id: ID(1), ticket: 'C', kind: 'note', reason: 'x' },
            { id: ID(2), ticket: 'C', kind: 'note', reason: 'x' },
            { id: ID(2), ticket: 'D', kind: 'note', reason: 'x' },
            { id: 'short', ticket: 'D', kind: 'note', reason: 'x' },
          ],
        }),
      )
      expect(failed.map(({ line }) => line)).toEqual([1, 2, 4, 5])
    })
  })

  test('a ring of parents within the lines is refused', () => {
    withPlan(plan => {
      const { failed } = failureOf(() =>
        plan.recordAll({
          decisions: [
            { ticket: 'A', kind: 'part_of', other: 'B' },
            { ticket: 'B', kind: 'part_of', other: 'C' },
            { ticket: 'C', kind: 'part_of', other: 'A' },
          ],
        }),
      )
      expect(failed).toMatchObject([{ line: 3, code: 'parent_ring' }])
    })
  })

  test('a cycle is recorded, with a warning', () => {
    withPlan(plan => {
      const { warnings } = plan.recordAll({
        decisions: [
          { ticket: 'A', kind: 'blocked_by', other: 'B' },
          { ticket: 'B', kind: 'blocked_by', other: 'A' },
        ],
      })
      expect(warnings).toHaveLength(2)
      expect(warnings[0]).toContain('closes a cycle')
    })
  })

  test('a file that would be too large is not written; its lines are named', () => {
    withPlan((plan, root) => {
      const reason = 'x'.repeat(16_000)
      const decisions: DecisionLine[] = [
        { ticket: 'B', kind: 'note', reason: 'small' },
        ...Array.from({ length: 70 }, (): DecisionLine => ({ ticket: 'A', kind: 'note', reason })),
      ]
      const before = bytesOf(root)
      expect(failureOf(() => plan.recordAll({ decisions })).failed).toHaveLength(70)
      expect(bytesOf(root)).toEqual(before)
      expect(plan.recordAll({ decisions, keepGoing: true })).toMatchObject({ created: 1, files: ['tickets/B.json'] })
    })
  })
})

describe('a batch', () => {
  test('edits a file again that another program has changed meanwhile', () => {
    withPlan((_, root) => {
      const store = openStore({ root, actor: 'tester' })
      store.locked(() => {
        const batch = decisionBatch(store)
        const { path } = batch.store.getFile('A')
        batch.store.edit(path, ticket => ({ ticket: { ...ticket, title: 'from the batch' } }))
        replaceTicket(root, 'A', { state: 'in_progress' })
        expect(batch.write()).toEqual(['tickets/A.json'])
      })
      store.close()
      expect(readTicketJson(root, 'tickets/A.json')).toMatchObject({ state: 'in_progress', title: 'from the batch' })
    })
  })

  /** Changes the title in the files, the last of which is in a folder that is gone by then. */
  const writeWithoutFolder = (root: string, ids: readonly string[]) => {
    putTicket(root, 'E', { state: 'queued' }, 'deeper')
    const store = openStore({ root, actor: 'tester' })
    try {
      store.locked(() => {
        const batch = decisionBatch(store)
        for (const id of [...ids, 'E']) {
          const { path } = batch.store.getFile(id)
          batch.store.edit(path, ticket => ({ ticket: { ...ticket, title: 'changed' } }))
        }
        rmSync(join(root, 'tickets/deeper'), { recursive: true })
        batch.write()
      })
    } finally {
      store.close()
    }
  }

  test('writes nothing where one of its files cannot be written', () => {
    withPlan((_, root) => {
      expect(() => writeWithoutFolder(root, ['A', 'B'])).toThrow(/deeper: no such file or folder$/)
      expect(readTicketJson(root, 'tickets/A.json').title).toBe('Ticket A')
      expect(readdirSync(join(root, 'tickets')).filter(name => name.startsWith('.'))).toEqual([])
    })
  })

  test('of many files says which it had written when one cannot be', () => {
    withPlan((_, root) => {
      const ids = Array.from({ length: 201 }, (_, n) => `T-${n}`)
      for (const id of ids) putTicket(root, id)
      expect(() => writeWithoutFolder(root, ids)).toThrow(
        '200 files of 202 were written before that: tickets/T-0.json, ',
      )
      expect(readTicketJson(root, 'tickets/T-199.json').title).toBe('changed')
      expect(readTicketJson(root, 'tickets/T-200.json').title).toBe('Ticket T-200')
    })
  })
})

describe('set of several Tickets', () => {
  test('changes all, each file once, and says which have changed', () => {
    withPlan((plan, root) => {
      plan.set({ ticket: 'B', state: 'done' })
      const answer = plan.set({ ticket: ['A', 'B', 'C', 'A'], state: 'done' })
      expect(answer.tickets!.map(({ changed, ticket }) => [ticket.id, ticket.state, changed])).toEqual([
        ['A', 'done', true],
        ['B', 'done', false],
        ['C', 'done', true],
      ])
      expect(answer).toMatchObject({ changed: true, ticket: { id: 'A' }, warnings: [] })
      expect(readTicketJson(root, 'tickets/D.json').state).toBe('queued')
      expect(plan.set({ ticket: 'A', state: 'done' })).not.toHaveProperty('tickets')
    })
  })

  test('writes nothing where one does not exist, or a field is for one Ticket', () => {
    withPlan((plan, root) => {
      const before = bytesOf(root)
      expect(() => plan.set({ ticket: ['A', 'nobody'], state: 'done' })).toThrow('nobody')
      expect(() => plan.set({ ticket: ['A', 'B'], title: 'x' })).toThrow('title is for one Ticket; 2 are named')
      expect(() => plan.set({ ticket: ['A', 'B'], slug: 'x' })).toThrow('slug is for one Ticket')
      expect(() => plan.set({ ticket: [], state: 'done' })).toThrow('ticket')
      expect(bytesOf(root)).toEqual(before)
    })
  })

  test('requeues them at the end of the queue', () => {
    withPlan(plan => {
      plan.set({ ticket: ['B', 'A'], requeue: true })
      expect(
        plan
          .queue()
          .queue.map(({ ticket }) => ticket.id)
          .sort(),
      ).toEqual(['A', 'B', 'C', 'D'])
      expect(
        plan
          .queue()
          .queue.slice(0, 2)
          .map(({ ticket }) => ticket.id),
      ).toEqual(['C', 'D'])
    })
  })
})
