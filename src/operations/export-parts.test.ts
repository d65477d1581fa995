import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openStore } from '../store/store.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { memoryPlans } from '../test-support/plan-arbitraries.ts'
import { makeNote, putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { eachRelationOnce, relationsOf } from './answers.ts'

test('relations and Tickets that are read a page at a time are those that are read at once, in the same order', () => {
  fc.assert(
    fc.property(memoryPlans, fc.integer({ min: 1, max: 4 }), ({ tickets }, size) => {
      using repo = temporaryRepository({ git: false })
      for (const ticket of tickets) putTicket(repo.root, ticket.id, ticket)
      const store = openStore({ root: repo.root })
      try {
        store.read(({ queries }) => {
          for (const status of [undefined, 'active', 'satisfied'] as const) {
            const atOnce = relationsOf(queries.relations({ ...(status && { status }) }), true)
            expect([...eachRelationOnce(queries.relationPages(status ?? null, size))]).toEqual(atOnce)
          }
          expect([...queries.ticketPages(true, size)].flat()).toEqual(queries.allTickets())
          const open = queries.allTickets().filter(({ phase }) => phase !== 'terminal')
          expect([...queries.ticketPages(false, size)].flat()).toEqual(open)
        })
      } finally {
        store.close()
      }
    }),
    { numRuns: 40 },
  )
})

test('a conflict that the files of both Tickets have is there once, in whichever pages they are', () => {
  using repo = temporaryRepository({ git: false })
  const conflict = (target: string, more = {}) =>
    asDecision({ ...makeNote('x'), kind: 'conflicts_with', target, ...more })
  putTicket(repo.root, 'A', { decisions: [conflict('C'), conflict('C', { advisory: true }), conflict('B')] })
  putTicket(repo.root, 'B', { decisions: [conflict('C'), conflict('A'), conflict('A')] })
  putTicket(repo.root, 'C', { decisions: [conflict('A'), conflict('B', { advisory: true }), conflict('D')] })
  const store = openStore({ root: repo.root })
  try {
    store.read(({ queries }) => {
      for (const size of [1, 2, 3]) {
        const relations = [...eachRelationOnce(queries.relationPages(null, size))]
        expect(
          relations.map(({ ticket, other, advisory, decisions }) => [ticket, other, advisory, decisions.length]),
        ).toEqual([
          ['A', 'B', undefined, 3],
          ['A', 'C', undefined, 2],
          ['A', 'C', true, 1],
          ['B', 'C', undefined, 1],
          ['B', 'C', true, 1],
          ['C', 'D', undefined, 1],
        ])
      }
    })
  } finally {
    store.close()
  }
})
