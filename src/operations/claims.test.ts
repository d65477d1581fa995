import { mkdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { connect } from '../database/open.ts'
import type { OutputOf, Plan } from '../sdk.ts'
import { checkAfterFault } from '../test-support/check-after-fault.ts'
import { checkedConnectedPlan, checkedPlan, type TestClock, testClock } from '../test-support/checked-plan.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { testPlans } from '../test-support/plans-suite.ts'
import { countingStamps } from '../test-support/stamps.ts'
import { makeNote, putTicket, readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'

interface Setting {
  plan: Plan
  root: string
  clock: TestClock
  localPath: string
}

/** A plan with the queued Tickets A to D; each call of the plan moves the clock on by a second. */
function withPlan(use: (setting: Setting) => void, pools?: Record<string, number>): void {
  using repository = temporaryRepository()
  if (pools) writeFileSync(join(repository.root, 'ticketplan.json'), JSON.stringify({ pools }))
  for (const id of ['A', 'B', 'C', 'D']) putTicket(repository.root, id, { state: 'queued' })
  const clock = testClock()
  using plan = checkedPlan(repository.root, clock)
  use({ plan, root: repository.root, clock, localPath: repository.localPath })
}

testPlans('claims in local.db', async (use, pools) => {
  using repository = temporaryRepository()
  if (pools) writeFileSync(join(repository.root, 'ticketplan.json'), JSON.stringify({ pools }))
  for (const id of ['A', 'B', 'C', 'D']) putTicket(repository.root, id, { state: 'queued' })
  const clock = testClock()
  const { root } = repository
  await using plan = await checkedConnectedPlan(root, clock)
  await use({ plan, root, clock, again: () => checkedConnectedPlan(root, testClock()), machine: {} })
})

test('a lease that a read has seen expire is over, also under a clock that was set back', () => {
  withPlan(({ plan, clock }) => {
    plan.claim({ ticket: 'A', holder: 'pod-1', ttl: 60 })
    clock.nowMs += 60_000
    expect(plan.consult('A').claim).toBeNull()
    clock.nowMs -= 60_000
    expect(plan.consult('A').claim).toBeNull()
  })
})

function accepted(document: OutputOf<'accept'>): void {
  expect(document).toMatchObject({ accepted: true })
}

describe('an accept that fails while the plan is written', () => {
  /** A plan whose ids come from a function that first does something to the repository. */
  function withMeddling(
    meddle: (root: string) => void,
    use: (plan: Plan, root: string, localPath: string) => void,
  ): void {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { state: 'queued' })
    const stamp = countingStamps()()
    const newId = (timeMs: number) => {
      meddle(repository.root)
      return stamp.newId(timeMs)
    }
    using plan = checkedPlan(repository.root, testClock(), { newId })
    use(plan, repository.root, repository.localPath)
  }

  test('because the file became a folder leaves no claim', () => {
    const meddle = (root: string) => {
      renameSync(join(root, 'tickets/A.json'), join(root, 'A.json'))
      mkdirSync(join(root, 'tickets/A.json'))
    }
    withMeddling(meddle, (plan, root) => {
      const error = planErrorOf(() => plan.accept({ ticket: 'A', holder: 'pod-1' }))
      expect(error).toMatchObject({ code: 'invalid_file', data: { refusal: 'not_a_regular_file' } })
      expect(plan.claims({ all: true }).claims).toEqual([])
      rmdirSync(join(root, 'tickets/A.json'))
      renameSync(join(root, 'A.json'), join(root, 'tickets/A.json'))
      expect(plan.consult('A')).toMatchObject({ verdict: 'accept', plan: null, claim: null })
      checkAfterFault(root, [])
    })
  })

  test('because the file cannot be read any more leaves no claim', () => {
    withMeddling(
      root => writeFileSync(join(root, 'tickets/A.json'), '<<<<<<< ours\n'),
      (plan, root) => {
        expect(planErrorOf(() => plan.accept({ ticket: 'A', holder: 'pod-1' })).code).toBe('invalid_file')
        expect(plan.claims({ all: true }).claims).toEqual([])
        putTicket(root, 'A', { state: 'queued' })
        expect(plan.consult('A')).toMatchObject({ verdict: 'accept', plan: null, claim: null })
      },
    )
  })

  test('because the file would be too large leaves no claim and the old bytes', () => {
    withPlan(({ plan, root }) => {
      const decisions = Array.from({ length: 64 }, () => makeNote('x'.repeat(16_000)))
      putTicket(root, 'A', { state: 'queued', decisions })
      const summary = 'y'.repeat(16_000)
      const notes = () => readTicketJson(root, 'tickets/A.json').decisions.length
      for (let tries = 0; tries < 3; tries++)
        expect(planErrorOf(() => plan.accept({ ticket: 'A', holder: 'pod-1', summary, rolePlan: summary })).code).toBe(
          'limit',
        )
      expect(notes()).toBe(64)
      expect(plan.claims({ all: true }).claims).toEqual([])
    })
  })

  test('because the token cannot be stored leaves no claim and no plan, and names the file', () => {
    withPlan(({ plan, root, localPath }) => {
      mkdirSync(join(localPath, '..', 'fencing-token'), { recursive: true })
      const error = planErrorOf(() => plan.accept({ ticket: 'A', holder: 'pod-1' }))
      expect(error).toMatchObject({ code: 'io', message: expect.stringContaining('fencing-token') })
      expect(plan.claims({ all: true }).claims).toEqual([])
      expect(readTicketJson(root, 'tickets/A.json').decisions).toEqual([])
    })
  })

  test('because the claim cannot be committed retracts the plan', () => {
    withPlan(({ plan, root, localPath }) => {
      plan.claims()
      plan.record({ ticket: 'B', kind: 'note', reason: 'makes local.db' })
      const connection = connect(localPath, 'local', 1000)
      // A constraint that is checked at the commit: the only way to make that fail on every machine.
      connection.exec(
        `create table parent (id integer primary key);
         create table child (id integer references parent (id) deferrable initially deferred);
         create trigger fail after insert on leases begin insert into child values (1); end`,
      )
      const error = planErrorOf(() => plan.accept({ ticket: 'A', holder: 'pod-1' }))
      expect(error).toMatchObject({ code: 'database', data: { path: localPath } })
      expect(plan.claims({ all: true }).claims).toEqual([])
      expect(plan.show('A').decisions.map(({ kind, status }) => [kind, status])).toEqual([
        ['accepted_plan', 'retracted'],
        ['retraction', 'active'],
      ])
      expect(plan.consult('A')).toMatchObject({ verdict: 'accept', plan: null, claim: null })
      connection.exec('drop trigger fail')
      connection.close()
      accepted(plan.accept({ ticket: 'A', holder: 'pod-2' }))
      checkAfterFault(root, [])
    })
  })
})
