/** A plan in a repository of its own, for one test. */
import type { Plan } from '../sdk.ts'
import { checkedPlan, type TestClock, testClock } from './checked-plan.ts'
import { temporaryRepository } from './temporary-repository.ts'

/** Runs a test on the plan of an empty repository, with a clock that it sets. */
export function withPlan(use: (plan: Plan, root: string, clock: TestClock) => void): void {
  using repository = temporaryRepository()
  const clock = testClock()
  using plan = checkedPlan(repository.root, clock)
  use(plan, repository.root, clock)
}

/** Adds queued Tickets. */
export function addTickets(plan: Plan, ...ids: string[]): void {
  for (const id of ids) plan.add({ id, title: `Ticket ${id}`, state: 'queued' })
}
