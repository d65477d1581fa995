import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPlanError } from '../model/errors.ts'
import type { InputTo, Plan } from '../sdk.ts'
import { checkedPlan, type TestClock, testClock } from '../test-support/checked-plan.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

const IDS = ['A', 'B', 'C', 'D'] as const
const id = fc.constantFrom(...IDS)
const asker = fc.record({
  holder: fc.constantFrom('pod-1', 'pod-2'),
  session: fc.constantFrom(undefined, 's1', 's2'),
  pool: fc.constantFrom(undefined, undefined, 'gpu', 'default'),
})
type Asker = { holder: string; session?: string; pool?: string }

interface World {
  plan: Plan
  clock: TestClock
  /** Every token that was given out, the live ones among them. */
  tokens: number[]
}
type Step = (world: World) => void

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({
      ticket: id,
      state: fc.constantFrom('open', 'queued', 'queued', 'in_progress', 'done', 'wontfix', 'Qeued'),
    })
    .map(
      input =>
        ({ plan }: World) =>
          void plan.set(input),
    ),
  fc
    .record({
      ticket: id,
      kind: fc.constantFrom('after', 'blocked_by', 'conflicts_with', 'part_of'),
      other: id,
    } as const)
    .map(
      input =>
        ({ plan }: World) =>
          void plan.record(input),
    ),
  fc
    .record({ ticket: id, until: fc.subarray([...IDS], { minLength: 1 }), pool: fc.constantFrom(undefined, 'gpu') })
    .map(
      input =>
        ({ plan }: World) =>
          void plan.record({ ...input, kind: 'waiting_for_capacity', reason: 'x' }),
    ),
  id.map(
    ticket =>
      ({ plan }: World) =>
        void plan.record({ ticket, kind: 'hold', reason: 'x' }),
  ),
  fc.record({ ticket: id, path: fc.constantFrom('src/**', 'src/a.ts', 'menu', 'docs/'), shared: fc.boolean() }).map(
    ({ ticket, path, shared }) =>
      ({ plan }: World) =>
        void plan.record({ ticket, kind: 'touches', paths: [path], shared }),
  ),
  fc.record({ ticket: id, asker }).map(({ ticket, asker }) => ({ plan, tokens }: World) => {
    const { claim, refused } = plan.claim({ ticket, ...asker } as InputTo<'claim'>)
    if (claim?.token !== undefined && refused === undefined) tokens.push(claim.token)
  }),
  fc.record({ ticket: id, asker }).map(({ ticket, asker }) => ({ plan, tokens }: World) => {
    const { accepted, claim } = plan.accept({ ticket, ...asker } as InputTo<'accept'>)
    if (accepted && claim?.token !== undefined) tokens.push(claim.token)
  }),
  id.map(
    ticket =>
      ({ plan }: World) =>
        void plan.release({ ticket, force: true, reason: 'x' }),
  ),
  fc.constantFrom(1000, 1_000_000, 2_000_000).map(ms => ({ clock }: World) => {
    clock.nowMs += ms
  }),
)

/** Runs a step that an error of ours may refuse: a relation of a Ticket to itself, for example. */
function tolerate(step: Step, world: World): void {
  try {
    step(world)
  } catch (error) {
    if (!isPlanError(error)) throw error
  }
}

test('consult says accept if and only if accept then succeeds', { timeout: 300_000 }, () => {
  const seen = { accept: 0, hold: 0 }
  const questions = fc.record({ ticket: id, asker, token: fc.constantFrom(undefined, undefined, 0, 1, 2) })
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 14 }), questions, (list, { ticket, asker, token }) => {
      using repository = temporaryRepository()
      writeFileSync(
        join(repository.root, 'ticketplan.json'),
        '{"areas":{"menu":["src/*.ts"]},"pools":{"default":2,"gpu":1}}',
      )
      for (const name of IDS) putTicket(repository.root, name, { state: 'queued' })
      const clock = testClock()
      using plan = checkedPlan(repository.root, clock)
      const world: World = { plan, clock, tokens: [] }
      for (const step of list) tolerate(step, world)
      const given = token === undefined ? undefined : (world.tokens.at(-1 - token) ?? 1)
      const asking = { ticket, ...(asker as Asker), ...(given !== undefined && { token: given }) }
      const before = clock.nowMs
      const { verdict } = plan.consult(asking)
      clock.nowMs = before
      const { accepted, reasons } = plan.accept(asking)
      expect({ verdict, reasons }).toMatchObject({ verdict: accepted ? 'accept' : 'hold' })
      seen[verdict]++
    }),
    { numRuns: process.env.TICKETPLAN_LONG ? 3000 : 60 },
  )
  expect(Math.min(seen.accept, seen.hold)).toBeGreaterThan(2)
})
