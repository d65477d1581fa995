/**
 * Verdicts of two clones over claims that they have read at some time, with renewals, releases and expiries in between: whatever
 * the server then lets them take keeps strict conflicts, areas and slots apart, which the log is checked for.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PlanError } from '../model/errors.ts'
import { historyProblems, readHistory } from '../test-support/claim-history.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { createTestFleet, setClock, stopClock, type TestFleet } from '../test-support/test-fleet.ts'
import { type GivenClaims, givenClaims } from './given-claims.ts'
import type { ServerClaims } from './server-claims.ts'

const RUNS = process.env.TICKETPLAN_LONG ? 1000 : 40
const NOON = Date.parse('2026-06-08T12:00:00.000Z')
const TTL_MS = 60_000
const postgres = postgresForFile()

/** What each Ticket has, on both clones; C has a conflict with A that the second clone alone knows. */
const TICKETS = {
  A: { conflicts: [['B'], ['B', 'C']], area: [] },
  B: { conflicts: [['A'], ['A']], area: [{ pattern: 'app/**', shared: false }] },
  C: { conflicts: [[], ['A']], pool: 'one', area: [] },
  D: { conflicts: [[], []], pool: 'one', area: [{ pattern: 'app/**', shared: false }] },
} as const satisfies Record<string, { conflicts: [string[], string[]]; pool?: string; area: object[] }>
type Name = keyof typeof TICKETS

interface Clone {
  number: 0 | 1
  server: ServerClaims
  given: GivenClaims
  changes: number
}

const names = fc.constantFrom(...(Object.keys(TICKETS) as Name[]))
const clones = fc.constantFrom(0 as const, 1 as const)
const steps = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ do: fc.constant('look' as const), clone: clones }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('take' as const), clone: clones, ticket: names }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('renew' as const), clone: clones, ticket: names }) },
    fc.record({ do: fc.constant('release' as const), clone: clones, ticket: names }),
    // The second time passes on the clones' clocks, which nobody sets back.
    { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 30_000, 60_000) }) },
    fc.record({ do: fc.constant('set back' as const), ms: fc.constantFrom(1, 45_000) }),
  ),
  { minLength: 15, maxLength: 50, size: 'max' },
)

/** Judges as a verdict does, over the claims that the clone has read. */
function mayTake({ number, given }: Clone, ticket: Name): boolean {
  const claims = given.snapshot()
  const { conflicts, area, ...more } = TICKETS[ticket]
  if (claims.find(ticket) || claims.conflictsWith(ticket).length > 0) return false
  if (conflicts[number].some(other => claims.find(other))) return false
  if (area.length > 0 && claims.areas().some(other => other.ticket !== ticket && other.area?.length !== 0)) return false
  return !('pool' in more) || claims.countInPool(more.pool, ticket, () => false) === 0
}

async function look(clone: Clone): Promise<void> {
  const snapshot = await clone.server.snapshot()
  clone.given.give({ snapshot })
  clone.changes = snapshot.changes
}

async function take(clone: Clone, ticket: Name): Promise<void> {
  clone.given.forgetAsked()
  if (!mayTake(clone, ticket)) return
  const { conflicts, ...more } = TICKETS[ticket]
  await clone.server.acquire({
    ...more,
    ticket,
    holder: 'pod',
    ttlMs: TTL_MS,
    conflicts: conflicts[clone.number],
    changes: clone.changes,
    expired: clone.given.expired(),
    asked: clone.given.asked(),
    floor: 0,
  })
}

/** Runs the steps on a new fleet; returns what is wrong with its log. */
async function run(fleet: TestFleet, given: typeof steps extends fc.Arbitrary<infer S> ? S : never): Promise<string[]> {
  const id = await fleet.another()
  let [serverMs, tickMs] = [NOON, 0]
  await setClock(fleet.owner, serverMs)
  const both = ([0, 1] as const).map((number): Clone => {
    const refused = new PlanError('no_actor', 'not read yet', {})
    const server = fleet.claimsOf(`m-${number}`, { fleet: id })
    return { number, server, given: givenClaims(refused, () => tickMs), changes: 0 }
  })
  for (const clone of both) await look(clone)
  for (const step of given) {
    if (step.do === 'pass' || step.do === 'set back') {
      serverMs += step.do === 'pass' ? step.ms : -step.ms
      tickMs += step.ms
      await setClock(fleet.owner, serverMs)
      continue
    }
    const clone = both[step.clone]!
    if (step.do === 'look') await look(clone)
    else if (step.do === 'take') await take(clone, step.ticket)
    else {
      const { claims } = await clone.server.snapshot()
      const token = claims.find(({ ticket }) => ticket === step.ticket)?.token
      if (token === undefined) continue
      if (step.do === 'renew') await clone.server.renew(step.ticket, token)
      else await clone.server.release(step.ticket, { token })
    }
  }
  return historyProblems(await readHistory(fleet.owner, id), { pools: { one: 1 }, isClockSteady: false })
}

describe.skipIf(postgresObstacle())('verdicts over claims as they were', () => {
  test(`never let two in each other's way be taken, in ${RUNS} random histories`, { timeout: 1_800_000 }, async () => {
    await using fleet = await createTestFleet(postgres())
    await stopClock(fleet.owner, NOON)
    await fc.assert(
      fc.asyncProperty(steps, async given => {
        expect(await run(fleet, given)).toEqual([])
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
  })
})
