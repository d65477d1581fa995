import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Plan } from '../sdk.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { show } from './show.ts'

/** T-1, T-2 (which waits for T-1) and T-3; the slug "twin" belongs to two of them. */
function withPlan(use: (plan: Plan, root: string) => void): void {
  using repository = temporaryRepository()
  putTicket(repository.root, 'T-1', { slug: 'one' })
  putTicket(repository.root, 'T-2', { state: 'queued', slug: 'twin' })
  putTicket(repository.root, 'T-3', { slug: 'twin' })
  using plan = checkedPlan(repository.root)
  plan.record({ ticket: 'T-2', kind: 'blocked_by', other: 'T-1' })
  use(plan, repository.root)
}

test('shows several Tickets in the order given, each as it is shown alone', () =>
  withPlan(plan => {
    const { others, ...first } = plan.show({ ticket: 'T-3', others: ['one', 'T-2'] })
    expect([first, ...others!]).toEqual([plan.show('T-3'), plan.show('T-1'), plan.show('T-2')])
  }))

test('the document of one Ticket does not depend on how it was asked for', () =>
  withPlan(plan => {
    const alone = plan.show('T-1')
    expect(Object.keys(alone)).toEqual(['ticket', 'decisions', 'relations', 'claim', 'verdict', 'reasons', 'problems'])
    for (const others of [[], ['T-1'], ['one', 'T-1']]) expect(plan.show({ ticket: 'T-1', others })).toEqual(alone)
  }))

test('shows what it can, and names what it cannot with the nearest names', () =>
  withPlan(plan => {
    const output = plan.show({ ticket: 'T-9', others: ['T-2', 'twin', 'T-1'] })
    expect([output.ticket.id, ...output.others!.map(({ ticket }) => ticket.id)]).toEqual(['T-2', 'T-1'])
    expect(output.unknown).toMatchObject([
      { code: 'unknown_ticket', name: 'T-9', similar: expect.arrayContaining(['T-1 (one)']) },
      { code: 'ambiguous_slug', name: 'twin', similar: ['T-2', 'T-3'] },
    ])
    expect(show.failure!(output)).toMatchObject({
      code: 'unknown_ticket',
      message: expect.stringMatching(/"T-9"; did you mean .*\? the slug "twin" .*T-2, T-3.* Shown: T-2, T-1\.$/),
      data: { ticket: 'T-9' },
    })
    expect(show.failure!(plan.show('T-1'))).toBeUndefined()
  }))

test('is an error where no name means a Ticket', () =>
  withPlan(plan => {
    const error = planErrorOf(() => plan.show({ ticket: 'twin', others: ['nothing-like-it'] }))
    expect(error).toMatchObject({ code: 'ambiguous_slug', data: { tickets: ['T-2', 'T-3'] } })
    expect(error.message).toContain('nothing-like-it')
    expect(error.message).not.toContain('Shown')
    expect(planErrorOf(() => plan.show('T-9')).code).toBe('unknown_ticket')
  }))

test('shows a Ticket whose file cannot be read beside others', () =>
  withPlan((plan, root) => {
    writeFileSync(join(root, 'tickets', 'T-3.json'), '{')
    const { ticket, others } = plan.show({ ticket: 'T-3', others: ['T-1'] })
    expect([ticket, others![0]!.ticket]).toMatchObject([
      { id: 'T-3', title: null, path: 'tickets/T-3.json' },
      { id: 'T-1', title: 'Ticket T-1' },
    ])
  }))
