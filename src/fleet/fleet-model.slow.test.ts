/** The functions on the server against a plain model, by random calls of two clones and a clock that also runs backwards. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { historyProblems, readHistory } from '../test-support/claim-history.ts'
import {
  acquireInModel,
  type FleetModel,
  type FleetStep,
  newFleetModel,
  releaseInModel,
  renewInModel,
} from '../test-support/fleet-model.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { createTestFleet, setClock, stopClock, type TestFleet } from '../test-support/test-fleet.ts'
import type { ServerClaims } from './server-claims.ts'

const RUNS = process.env.TICKETPLAN_LONG ? 1000 : 25
const NOON = Date.parse('2026-06-08T12:00:00.000Z')
const TICKETS = ['A', 'B', 'C', 'a']
const postgres = postgresForFile()

const ticket = fc.constantFrom(...TICKETS)
const orNull = <T>(values: T[]) => fc.constantFrom(null, ...values)
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('acquire' as const),
        ticket,
        holder: fc.constantFrom('p', 'q'),
        session: orNull(['s']),
        machine: fc.constantFrom('m-1', 'm-2'),
        presents: fc.constantFrom('nothing' as const, 'nothing' as const, 'token' as const, 'other' as const),
        isFresh: fc.boolean(),
        expired: fc.subarray(TICKETS, { maxLength: 2 }),
        asked: fc.option(fc.subarray(TICKETS), { freq: 5 }),
        askedPools: fc.subarray(['x', 'y']),
        pool: orNull(['x', 'y']),
        conflicts: fc.option(fc.subarray(TICKETS, { maxLength: 2 })),
        area: orNull(['src/**']),
        floor: fc.constantFrom(0, 0, NOON / 1000 + 50),
      }),
    },
    fc.record({ do: fc.constant('renew' as const), ticket, isOwn: fc.boolean(), ttlMs: orNull([1000, 90_000]) }),
    fc.record({
      do: fc.constant('release' as const),
      ticket,
      by: fc.constantFrom('token' as const, 'token' as const, 'other' as const, 'force' as const),
      state: orNull(['done', 'queued']),
    }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 30_000, 30_000, 60_000, -10_000) }),
  ),
  { minLength: 10, maxLength: 40, size: 'max' },
)

/** Makes the step on the server and in the model, and compares. Returns the new count of changes that the caller knows. */
async function step(
  claims: Record<string, ServerClaims>,
  model: FleetModel,
  given: FleetStep,
  known: number,
): Promise<number> {
  if (given.do === 'pass') {
    model.nowMs += given.ms
    return known
  }
  const token = model.leases.get(given.ticket)?.token ?? 7
  if (given.do === 'acquire') {
    const changes = given.isFresh ? model.changes : known
    const presented = { nothing: undefined, token, other: token + 1 }[given.presents]
    const expected = acquireInModel(model, given, changes, presented)
    const answer = await claims[given.machine]!.acquire({
      ticket: given.ticket,
      holder: given.holder,
      ttlMs: 60_000,
      changes,
      expired: given.expired,
      asked: given.asked && { tickets: given.asked, pools: given.askedPools },
      floor: given.floor,
      ...(given.session !== null && { session: given.session }),
      ...(presented !== undefined && { token: presented }),
      ...(given.pool !== null && { pool: given.pool }),
      ...(given.conflicts !== null && { conflicts: given.conflicts }),
      ...(given.area !== null && { area: [{ pattern: given.area, shared: false }] }),
    })
    expect(answer.status).toBe(expected)
    if (answer.status === 'held') expect(answer.snapshot.changes).toBe(model.changes)
    else if (answer.status === 'changed') expect(answer.snapshot.changes).toBe(model.changes)
    else expect(answer.claim.token).toBe(model.leases.get(given.ticket)!.token)
    return given.isFresh ? model.changes : known
  }
  if (given.do === 'renew') {
    const used = given.isOwn ? token : token + 1
    const expected = renewInModel(model, given.ticket, used, given.ttlMs)
    const answer = await claims['m-1']!.renew(given.ticket, used, given.ttlMs ?? undefined)
    expect(answer.status).toBe(expected)
    return known
  }
  const used = { token, other: token - 1, force: null }[given.by]
  const expected = releaseInModel(model, given.ticket, used, given.state)
  const by = used === null ? ({ force: true, reason: 'gone' } as const) : { token: used }
  const seen = given.state === null ? undefined : { state: given.state, state_at: null }
  expect((await claims['m-2']!.release(given.ticket, by, seen)).status).toBe(expected)
  return known
}

async function compare(claims: ServerClaims, model: FleetModel): Promise<void> {
  const snapshot = await claims.snapshot()
  const expected = [...model.leases.values()]
    .filter(({ ended }) => ended === null || ended === 'lapsed')
    .sort((one, other) => (one.ticket < other.ticket ? -1 : 1))
  expect(
    snapshot.claims.map(({ ticket, holder, session, machine, token, pool, conflicts, area, live, expires_at }) => {
      return [
        ticket,
        holder,
        session,
        machine,
        token,
        pool,
        conflicts.join(),
        area?.[0]?.pattern ?? null,
        live,
        expires_at,
      ]
    }),
  ).toEqual(
    expected.map(({ ticket, holder, session, machine, token, pool, conflicts, area, ended, expiresAt }) => {
      const isLive = ended === null && expiresAt > model.nowMs
      return [
        ticket,
        holder,
        session,
        machine,
        token,
        pool,
        conflicts.join(),
        area,
        isLive,
        new Date(expiresAt).toISOString(),
      ]
    }),
  )
  expect(snapshot.changes).toBe(model.changes)
  expect(new Map([...snapshot.releases].map(([ticket, { state }]) => [ticket, state]))).toEqual(model.releases)
}

describe.skipIf(postgresObstacle())('claims of a fleet', () => {
  test(`answer as the model does, in ${RUNS} random histories`, { timeout: 1_800_000 }, async () => {
    await using fleet: TestFleet = await createTestFleet(postgres())
    await stopClock(fleet.owner, NOON)
    await fc.assert(
      fc.asyncProperty(steps, async given => {
        const id = await fleet.another()
        const claims = { 'm-1': fleet.claimsOf('m-1', { fleet: id }), 'm-2': fleet.claimsOf('m-2', { fleet: id }) }
        const model = newFleetModel(NOON)
        await setClock(fleet.owner, NOON)
        for (const clone of Object.values(claims)) await clone.snapshot()
        let known = 0
        for (const each of given) {
          known = await step(claims, model, each, known)
          await setClock(fleet.owner, model.nowMs)
          await compare(claims['m-1'], model)
        }
        // Areas of this test are of one pattern, which the rules of a verdict would keep apart.
        const history = (await readHistory(fleet.owner, id)).map(row => ({ ...row, area: null, conflicts: [] }))
        expect(historyProblems(history, { isClockSteady: false })).toEqual([])
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
  })
})
