/** A tutorial: what an orchestrator does with a plan, step by step. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isPlanError, openPlan } from './index.ts'
import { temporaryRepository } from './test-support/temporary-repository.ts'

test('route three Tickets', () => {
  using repository = temporaryRepository()
  using plan = openPlan({ root: repository.root, actor: 'orchestrator' })

  // Tickets come from the Ticket system; each gets a file here.
  plan.add({ id: 'A', title: 'Record schema', state: 'queued' })
  plan.add({ id: 'B', title: 'Plan tool', slug: 'plan-tool', state: 'queued' })
  plan.add({ id: 'C', title: 'Plan view', state: 'queued' })

  // Record decisions, from either side.
  plan.record({ ticket: 'A', kind: 'blocks', other: 'plan-tool', reason: 'schema first' })
  const { decision } = plan.record({ ticket: 'B', kind: 'conflicts_with', other: 'C', reason: 'both rewrite the menu' })

  // Consult before accepting a Ticket.
  const { verdict, reasons } = plan.consult('B')
  expect(verdict).toBe('hold')
  expect(reasons).toMatchObject([{ code: 'blocked_by', ticket: 'A', message: 'blocked by A (queued)' }])

  // The whole queue, in the order in which Tickets were queued.
  expect(plan.queue().queue.map(({ ticket, verdict }) => [ticket.id, verdict])).toEqual([
    ['A', 'accept'],
    ['B', 'hold'],
    ['C', 'accept'],
  ])

  // A is done and C has started: verdicts change.
  plan.set({ ticket: 'A', state: 'done' })
  plan.set({ ticket: 'C', state: 'in_progress' })
  expect(plan.consult('B').reasons).toMatchObject([{ code: 'conflicts_with', ticket: 'C' }])

  // Retract a decision that is no longer true; it stays in the file, with its retraction.
  plan.retract({ decision: decision.id, reason: 'the menu is split now' })
  expect(plan.consult('B')).toMatchObject({ verdict: 'accept', reasons: [] })
  expect(plan.show('B').decisions.map(({ kind, status }) => [kind, status])).toEqual([
    ['blocked_by', 'satisfied'],
    ['conflicts_with', 'retracted'],
    ['retraction', 'active'],
  ])

  // Files may change at any time, by hand or by git; the next answer takes it into account.
  writeFileSync(join(repository.root, 'tickets/D.json'), '{"format":1,"id":"D","title":"By hand","state":"queued"}\n')
  expect(plan.queue().queue).toHaveLength(2)

  // Errors have codes and data.
  try {
    plan.record({ ticket: 'B', kind: 'blocked_by', other: 'B' })
    expect.unreachable()
  } catch (error) {
    expect(isPlanError(error, 'self_relation') && error.data.ticket).toBe('B')
  }
})
