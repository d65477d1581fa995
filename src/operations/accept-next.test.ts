import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPlanError, openPlan, type Plan } from '../index.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

function queuedPlan(root: string, ids: readonly string[]): Plan {
  for (const [position, id] of ids.entries())
    putTicket(root, id, { state: 'queued', queued_at: `2026-06-08T11:${String(position).padStart(2, '0')}:00.000Z` })
  return openPlan({ root, actor: 'tester' })
}

test('the next Ticket is the first of the queue that can be accepted, in the order of the queue', () => {
  using repository = temporaryRepository()
  using plan = queuedPlan(repository.root, ['C', 'A', 'B', 'D'])
  plan.record({ ticket: 'C', kind: 'blocked_by', other: 'D' })
  expect(plan.accept({ next: true, holder: 'pod-1', branch: 'impl/next' })).toMatchObject({
    accepted: true,
    claim: { ticket: 'A', holder: 'pod-1' },
    decision: { plan: { summary: 'Ticket A', branch: 'impl/next' } },
  })
  expect(plan.accept({ next: true, holder: 'pod-2' }).claim).toMatchObject({ ticket: 'B' })
})

test('a Ticket that the same holder has is not offered a second time', () => {
  using repository = temporaryRepository()
  using plan = queuedPlan(repository.root, ['A', 'B'])
  const taken = [1, 2, 3].map(() => plan.accept({ next: true, holder: 'worker' }).claim?.ticket ?? null)
  expect(taken).toEqual(['A', 'B', null])
})

test('none acceptable: the first Tickets are named, each with bounded reasons', () => {
  using repository = temporaryRepository()
  const ids = Array.from({ length: 14 }, (_, number) => `T-${String(number).padStart(2, '0')}`)
  using plan = queuedPlan(repository.root, ids)
  for (const id of ids)
    for (const part of ['a', 'b', 'c', 'd', 'e']) {
      const blocker = `${id}${part}`
      putTicket(repository.root, blocker, { state: 'open' })
      plan.record({ ticket: id, kind: 'blocked_by', other: blocker })
    }
  const answer = plan.accept({ next: true, holder: 'pod-1' })
  expect(answer).toMatchObject({ accepted: false, claim: null, decision: null, reasons: [], queued: 14 })
  expect(answer.held!.map(({ ticket }) => ticket)).toEqual(ids.slice(0, 10))
  for (const { reasons, total } of answer.held!) {
    expect(reasons.map(({ code }) => code)).toEqual(['blocked_by', 'blocked_by', 'blocked_by'])
    expect(total).toBe(5)
  }
  expect(plan.claims().claims).toEqual([])
})

test('what another program has just written counts, whether it adds to the queue or takes from it', () => {
  using repository = temporaryRepository()
  using plan = queuedPlan(repository.root, ['A', 'B'])
  expect(plan.queue().queue).toHaveLength(2)
  putTicket(repository.root, 'A', { state: 'closed' })
  expect(plan.accept({ next: true, holder: 'pod-1' }).claim).toMatchObject({ ticket: 'B' })
  putTicket(repository.root, 'C', { state: 'queued' })
  expect(plan.accept({ next: true, holder: 'pod-2' }).claim).toMatchObject({ ticket: 'C' })
  putTicket(repository.root, 'D', { state: 'queued' })
  expect(plan.queue().queue.flatMap(({ ticket, verdict }) => (verdict === 'accept' ? ticket.id : []))).toEqual(['D'])
  putTicket(repository.root, 'D', { state: 'closed' })
  expect(plan.accept({ next: true, holder: 'pod-3' })).toMatchObject({ accepted: false, queued: 2 })
})

test('an empty queue is refused without reasons', () => {
  using repository = temporaryRepository()
  using plan = openPlan({ root: repository.root, actor: 'tester' })
  expect(plan.accept({ next: true, holder: 'pod-1' })).toMatchObject({ accepted: false, held: [], queued: 0 })
})

test('the pool that is asked for counts', () => {
  using repository = temporaryRepository()
  writeFileSync(join(repository.root, 'ticketplan.json'), '{"pools":{"gpu":1}}')
  using plan = queuedPlan(repository.root, ['A', 'B'])
  expect(plan.accept({ next: true, holder: 'pod-1', pool: 'gpu' }).claim).toMatchObject({ ticket: 'A', pool: 'gpu' })
  expect(plan.accept({ next: true, holder: 'pod-2', pool: 'gpu' }).held).toMatchObject([
    { ticket: 'A', reasons: [{ code: 'claimed' }, { code: 'pool_full' }].slice(0, 1) },
    { ticket: 'B', reasons: [{ code: 'pool_full' }] },
  ])
  expect(plan.accept({ next: true, holder: 'pod-2' }).claim).toMatchObject({ ticket: 'B' })
})

test.each([
  [{ holder: 'h' }, 'ticket'],
  [{ holder: 'h', ticket: 'A', next: true }, 'next'],
  [{ holder: 'h', next: true, force: true, reason: 'x' }, 'force'],
  [{ holder: 'h', next: true, token: 5 }, 'token'],
])('%j is refused, and names %s', (input, field) => {
  using repository = temporaryRepository()
  using plan = queuedPlan(repository.root, ['A'])
  try {
    plan.accept(input)
    expect.unreachable()
  } catch (error) {
    expect(isPlanError(error, 'invalid_input') && error.data.field).toBe(field)
  }
  expect(plan.claims().claims).toEqual([])
})

test('agrees with consult on every Ticket of the queue, one by one', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.boolean()), { maxLength: 8 }), edges => {
      using repository = temporaryRepository({ git: false })
      const ids = ['A', 'B', 'C', 'D', 'E', 'F']
      using plan = queuedPlan(repository.root, ids)
      for (const [from, to, blocks] of edges) {
        if (from !== to)
          plan.record({ ticket: ids[from]!, kind: blocks ? 'blocked_by' : 'conflicts_with', other: ids[to]! })
      }
      for (let turn = 0; turn <= ids.length; turn++) {
        const expected = ids.find(id => plan.consult({ ticket: id }).verdict === 'accept')
        expect(plan.accept({ next: true, holder: 'pod' }).claim?.ticket).toBe(expected)
        if (expected === undefined) return
      }
    }),
    { numRuns: 15 },
  )
})
