/** A random walk over an implementation of `Claims`, compared with a plain model after every step. */

import { expect, test } from 'vitest'
import type { LiveClaims } from '../claims/claims.ts'
import { poolFor } from '../model/asking.ts'
import type { Decision } from '../model/decision.ts'
import type { Ticket } from '../model/ticket.ts'
import { verdictOn } from '../model/verdict.ts'
import type { ClaimsUnderTest, OpenClaims } from './claims-under-test.ts'
import { memoryFacts } from './memory-facts.ts'
import { reportProof } from './proof-numbers.ts'
import { makeTicket } from './temporary-repository.ts'

const STEPS = Number(process.env.TICKETPLAN_LEASE_STEPS || 20_000)
const STEPS_A_SEED = 5000
const DAY_MS = 86_400_000
/** Two of them have one name. */
const HOLDERS: ModelHolder[] = [
  { holder: 'pod-1' },
  { holder: 'pod-1', session: 's-1' },
  { holder: 'pod-2', session: 's-1' },
]
const CAPACITY = 2
const POOLS = { default: CAPACITY }
const CONFLICTS = [
  ['A', 'B'],
  ['C', 'D'],
] as const
const TICKETS: Ticket[] = ['A', 'B', 'C', 'D', 'E', 'F'].map((id, position) => {
  const target = CONFLICTS.find(([holder]) => holder === id)?.[1]
  const conflict = (target: string): Decision => ({
    id: `01JX8Z3V7Q4T9K2M5N6P7R8S0${position}`,
    kind: 'conflicts_with',
    by: 'tester',
    at: '2026-06-08T11:30:00.000Z',
    target,
  })
  return makeTicket(id, { state: 'queued', decisions: target ? [conflict(target)] : [] })
})
/** E asks for a pool without a limit, so that it can be claimed beside two others. */
const askedPool = (ticket: string) => (ticket === 'E' ? 'unlimited' : undefined)

interface ModelHolder {
  holder: string
  session?: string
}

interface ModelLease extends ModelHolder {
  token: number
  pool: string
  expiresMs: number
  ttlMs: number
  released: boolean
}

/** Claims as they should be, by a clock that only advances. The wall clock of the implementation may jump. */
interface Model {
  nowMs: number
  leases: Map<string, ModelLease>
  /** Every token that was ever given, the latest last. */
  given: { ticket: string; token: number }[]
  newestToken: number
}

/** A small generator (mulberry32): a seed gives the same walk on every machine. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}

/** Defines the test. */
export function testRandomWalk(open: OpenClaims): void {
  test('a random walk of claims, renewals, releases and clocks that jump has the claims of a plain model after every step', {
    timeout: 3_600_000,
  }, async () => {
    const counts = new Map<string, number>()
    for (let seed = 1, left = STEPS; left > 0; seed++, left -= STEPS_A_SEED) {
      const opened = await open()
      try {
        await walk(opened, seed, Math.min(left, STEPS_A_SEED), counts)
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error })
      } finally {
        await opened.close()
      }
    }
    // Each kind of step has happened often, with each outcome.
    const kinds = ['acquired', 'renewed', 'moved', 'refused', 'jump', 'advance', 'force kept', 'force stale_token']
    reportProof({ what: 'steps of leases', count: STEPS, seen: Object.fromEntries(counts) })
    for (const kind of [...kinds, ...['renew', 'release'].flatMap(on => [`${on} kept`, `${on} stale_token`])])
      expect(counts.get(kind), kind).toBeGreaterThan(STEPS / 500)
  })
}

async function walk(opened: ClaimsUnderTest, seed: number, steps: number, counts: Map<string, number>): Promise<void> {
  const random = randomFrom(seed)
  const model: Model = { nowMs: 0, leases: new Map(), given: [], newestToken: 0 }
  for (let step = 0; step < steps; step++) {
    const kind = await takeStep(opened, model, random)
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    checkClaims(await opened.claims.snapshot(), model)
  }
}

/** Takes one step at random, checks its answer, and returns its kind and outcome. */
async function takeStep(
  { claims, advance, setWallClock }: ClaimsUnderTest,
  model: Model,
  random: (below: number) => number,
): Promise<string> {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  const ticket = pick(TICKETS).id as string
  const kind = random(20)
  if (kind < 8)
    return tryClaim(
      claims,
      model,
      ticket,
      pick(HOLDERS),
      1 + random(2000),
      random(4) ? undefined : model.given.at(-1 - random(3))?.token,
    )
  if (kind < 14 && model.given.length > 0) {
    // Any token that was ever given, most often one of the latest.
    const { given } = model
    const { ticket, token } = random(4) ? given.at(-1 - random(Math.min(6, given.length)))! : pick(given)
    const lease = model.leases.get(ticket)!
    const isAllowed = isLive(lease, model) && lease.token === token
    if (kind < 11) {
      const ttlMs = random(2) ? undefined : 1 + random(2000)
      const { status } = await claims.renew(ticket, token, ttlMs)
      expect(status).toBe(isAllowed ? 'kept' : 'stale_token')
      if (isAllowed) {
        lease.ttlMs = ttlMs ?? lease.ttlMs
        lease.expiresMs = model.nowMs + lease.ttlMs
      }
      return `renew ${status}`
    }
    const { status } = await claims.release(ticket, { token })
    expect(status).toBe(isAllowed ? 'kept' : 'stale_token')
    if (isAllowed) lease.released = true
    return `release ${status}`
  }
  if (kind === 14) {
    const lease = model.leases.get(ticket)
    const { status } = await claims.release(ticket, { force: true, reason: 'x' })
    expect(status).toBe(lease && !lease.released ? 'kept' : 'stale_token')
    if (lease) lease.released = true
    return `force ${status}`
  }
  if (kind === 15) {
    setWallClock((random(2) ? 1 : -1) * random(2 * DAY_MS))
    return 'jump'
  }
  const ms = random(5) ? random(300) : random(3000)
  model.nowMs += ms
  advance(ms)
  return 'advance'
}

/** Claims a Ticket if its verdict allows it. The verdict must be the one that the model expects. */
async function tryClaim(
  claims: ClaimsUnderTest['claims'],
  model: Model,
  ticket: string,
  { holder, session }: ModelHolder,
  ttlMs: number,
  presented: number | undefined,
): Promise<string> {
  const live = (await claims.snapshot()).all(false).filter(claim => claim.live)
  const facts = memoryFacts({ tickets: TICKETS, claims: live, pools: POOLS })
  const pool = poolFor(ticket, facts, { pool: askedPool(ticket) }) ?? 'default'
  const { verdict, reasons } = verdictOn(ticket, facts, { holder, session, token: presented, pool })
  const request = { ticket, holder, session, token: presented, ttlMs, pool }

  const before = model.leases.get(ticket)
  const isSameHolder = before?.holder === holder && before.session === session
  const isOwn = isLive(before, model) && (presented === undefined ? isSameHolder : before.token === presented)
  const expected = expectedReasons(model, ticket, { isOwn, presented, pool })
  expect(reasons.map(({ code }) => code)).toEqual(expected)
  expect(verdict).toBe(expected.length ? 'hold' : 'accept')
  if (verdict !== 'accept') {
    // The lease refuses too, whatever the verdict was.
    if (expected[0] === 'claimed') expect((await claims.acquire(request)).status).toBe('held')
    return 'refused'
  }
  const acquired = await claims.acquire(request)
  const { token } = acquired.claim
  expect(acquired.status).toBe(isOwn ? 'renewed' : 'acquired')
  if (isOwn) expect(token).toBe(before.token)
  else expect(token).toBeGreaterThan(model.newestToken)
  if (acquired.status === 'acquired') expect(acquired.takenFrom).toBe(before && !before.released ? before.holder : null)
  model.newestToken = Math.max(model.newestToken, token)
  model.leases.set(ticket, { holder, session, token, pool, expiresMs: model.nowMs + ttlMs, ttlMs, released: false })
  model.given.push({ ticket, token })
  return isOwn && !isSameHolder ? 'moved' : acquired.status
}

function expectedReasons(
  model: Model,
  ticket: string,
  { isOwn, presented, pool }: { isOwn: boolean; presented: number | undefined; pool: string },
): string[] {
  const lease = model.leases.get(ticket)
  const others = liveLeases(model).filter(([other]) => other !== ticket)
  const rival = CONFLICTS.flatMap(([a, b]) => (a === ticket ? [b] : b === ticket ? [a] : []))[0]
  const isFull = pool === 'default' && others.filter(([, { pool }]) => pool === 'default').length >= CAPACITY
  return [
    ...(isLive(lease, model) && !isOwn ? ['claimed'] : []),
    ...(presented !== undefined && !isOwn ? ['stale_token'] : []),
    ...(others.some(([other]) => other === rival) ? ['conflicts_with'] : []),
    ...(isFull ? ['pool_full'] : []),
  ]
}

function checkClaims(snapshot: LiveClaims, model: Model): void {
  const live = snapshot.all(false).filter(claim => claim.live)
  expect(live.map(({ ticket, holder, session, token, pool }) => [ticket, holder, session, token, pool])).toEqual(
    liveLeases(model)
      .map(([ticket, { holder, session, token, pool }]) => [ticket, holder, session ?? null, token, pool])
      .sort(([a], [b]) => (a! < b! ? -1 : 1)),
  )
  const ids = new Set(live.map(({ ticket }) => ticket))
  expect(ids.size).toBe(live.length)
  for (const [a, b] of CONFLICTS) expect(ids.has(a) && ids.has(b)).toBe(false)
  expect(snapshot.countInPool('default', '', () => false)).toBeLessThanOrEqual(CAPACITY)
}

function isLive(lease: ModelLease | undefined, { nowMs }: Model): lease is ModelLease {
  return lease !== undefined && !lease.released && nowMs < lease.expiresMs
}

function liveLeases(model: Model): [ticket: string, lease: ModelLease][] {
  return [...model.leases].filter(([, lease]) => isLive(lease, model))
}
