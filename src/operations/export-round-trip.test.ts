/** What an export says of the Tickets in it is what the plan says: read back elsewhere, each queued one has the same verdict. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TicketId } from '../model/names.ts'
import type { Ticket } from '../model/ticket.ts'
import { checkedPlan, testClock } from '../test-support/checked-plan.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { memoryPlans } from '../test-support/plan-arbitraries.ts'
import { makeNote, putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

type Exported = 'json' | 'beads'

/** Returns what the queue says, and what it says after an export that is imported into an empty plan. */
function roundTrip(
  tickets: readonly (Omit<Partial<Ticket>, 'id'> & { id: string })[],
  format: Exported,
  all: boolean,
  pools = {},
) {
  using from = temporaryRepository({ git: false })
  using to = temporaryRepository({ git: false })
  // Of beads, the state is read back in its own word.
  const states = format === 'beads' ? { queued: ['queued', 'open'] } : undefined
  for (const { root } of [from, to]) writeFileSync(join(root, 'ticketplan.json'), JSON.stringify({ pools, states }))
  for (const ticket of tickets) putTicket(from.root, ticket.id, { ...ticket, id: ticket.id as TicketId, format: 1 })
  const clock = testClock('2026-06-08T12:30:00.000Z')
  using plan = checkedPlan(from.root, clock)
  using copy = checkedPlan(to.root, clock)
  const path = join(to.root, 'export')
  writeFileSync(path, plan.export({ format, all }).text)
  const { dropped } = copy.import({ system: format, path })
  const queueOf = ({ queue }: typeof plan) =>
    queue().queue.map(({ ticket, verdict, reasons }) => ({
      id: ticket.id,
      verdict,
      reasons: reasons.map(({ code, severity, message }) => `${severity} ${code}: ${message}`),
    }))
  return { dropped, before: queueOf(plan), after: queueOf(copy) }
}

test('for any plan', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(memoryPlans, fc.boolean(), ({ tickets, pools }, all) => {
      const { dropped, before, after } = roundTrip(tickets, 'json', all, pools)
      expect({ dropped, queue: after }).toEqual({ dropped: [], queue: before })
    }),
    { numRuns: Number(process.env.ROUND_TRIP_RUNS ?? 40) },
  )
})

const edge = (kind: string, target: string) => asDecision({ ...makeNote('x'), kind, target })
const queued = (id: string, ...decisions: ReturnType<typeof edge>[]) => ({ id, state: 'queued', decisions })

test.each<[Exported]>([
  ['json'],
  ['beads'],
])('in %s a Ticket with a settled blocker stays free without --all', format => {
  const tickets = [queued('A', edge('blocked_by', 'B')), { id: 'B', state: 'done' }, { id: 'C', state: 'done' }]
  const { before, after } = roundTrip(tickets, format, false)
  expect(before).toEqual([{ id: 'A', verdict: 'accept', reasons: [] }])
  expect(after).toEqual(before)
})

test('what holds a Ticket through settled parents holds it in the copy', () => {
  const tickets = [
    queued('A', edge('part_of', 'B')),
    { id: 'B', state: 'done', decisions: [edge('part_of', 'C')] },
    { id: 'C', state: 'done', decisions: [edge('part_of', 'D')] },
    { id: 'D', state: 'open', decisions: [asDecision({ ...makeNote('x'), kind: 'hold' })] },
  ]
  const { before, after } = roundTrip(tickets, 'json', false)
  expect(before).toMatchObject([{ id: 'A', verdict: 'hold' }])
  expect(after).toEqual(before)
})

test('a settled Ticket that decides nothing is still left out without --all', () => {
  using repository = temporaryRepository({ git: false })
  putTicket(repository.root, 'A', { state: 'queued', decisions: [edge('blocked_by', 'B')] })
  putTicket(repository.root, 'B', { state: 'done', decisions: [edge('blocked_by', 'C')] })
  putTicket(repository.root, 'C', { state: 'done' })
  putTicket(repository.root, 'D', { state: 'done', decisions: [edge('blocked_by', 'A')] })
  using plan = checkedPlan(repository.root)
  const { tickets } = JSON.parse(plan.export({ format: 'json' }).text) as { tickets: { id: string }[] }
  expect(tickets.map(({ id }) => id)).toEqual(['A', 'B'])
})
