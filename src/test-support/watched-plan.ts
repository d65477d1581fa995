/** A plan with a watch, another process's plan beside it, and a replay of the events. */
import { expect } from 'vitest'
import { openPlan, type Plan } from '../sdk.ts'
import { openStore } from '../store/store.ts'
import type { Watching } from '../watch/watch.ts'
import { decisionsOnDisk, type ReplayedPlan, replayedPlan } from './replayed-plan.ts'
import { putTicket, type TemporaryRepository, temporaryRepository } from './temporary-repository.ts'
import { until } from './until.ts'

/** No scan without a file event during a test. */
const NEVER_MS = 3_600_000

export interface WatchedPlan {
  repository: TemporaryRepository
  root: string
  /** The plan with the watch. */
  plan: Plan
  /** The same plan as another process has it: with connections of its own. */
  other: Plan
  watching: Watching
  replay: ReplayedPlan
  notices: string[]
}

/** Runs the test on a plan with the queued Tickets A, B and C, and a watch. */
export async function whileWatching(
  use: (world: WatchedPlan) => Promise<void>,
  checkEveryMs = NEVER_MS,
): Promise<void> {
  using repository = temporaryRepository()
  const { root } = repository
  for (const id of ['A', 'B', 'C']) putTicket(root, id, { state: 'queued' })
  const notices: string[] = []
  using plan = openPlan({ root, actor: 'tester', onNotice: notice => notices.push(notice) })
  using other = openPlan({ root, actor: 'other' })
  const replay = replayedPlan(plan)
  using watching = plan.watch(event => replay.apply(event), { checkEveryMs })
  await use({ repository, root, plan, other, watching, replay, notices })
}

/** Waits until the events add up to what the files hold; checks that the index equals a rebuild. */
export async function untilEmitted({ root, plan, replay }: WatchedPlan): Promise<void> {
  const expected = JSON.stringify(inOrder(decisionsOnDisk(root)))
  await until('all changes are emitted', () => JSON.stringify(inOrder(replay.decisions())) === expected)
  const { queue } = plan.queue()
  expect(replay.verdicts()).toEqual(Object.fromEntries(queue.map(({ ticket, verdict }) => [ticket.id, verdict])))
  expectNoMismatch(root)
}

function expectNoMismatch(root: string): void {
  const store = openStore({ root })
  expect(store.index.findMismatch()).toBeNull()
  store.close()
}

function inOrder<T>(object: Record<string, T>): [string, T][] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))
}
