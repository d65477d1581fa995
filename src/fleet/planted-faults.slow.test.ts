/** The checks of claims must find faults: each is planted in the functions on the server, and found. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { AreaPattern } from '../model/area.ts'
import { historyProblems, readHistory } from '../test-support/claim-history.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { CLIENT, createTestFleet, setClock, stopClock, type TestFleet } from '../test-support/test-fleet.ts'
import type { FleetLeaseRequest } from './fleet-claims.ts'
import { FLEET_SCHEMA_VERSION } from './migrations.ts'
import type { ServerClaims } from './server-claims.ts'

const postgres = postgresForFile()
const NOON = Date.parse('2026-06-08T12:00:00.000Z')

/** Leaves something out of the check of what was taken since a verdict. */
const unchecked = (...conditions: string[]) => `do $do$
  declare
    source text := pg_get_functiondef('ticketplan.taken_since'::regproc);
    condition text;
  begin
    foreach condition in array array[${conditions.map(condition => `$x$${condition}$x$`).join(', ')}] loop
      if position(condition in source) = 0 then raise exception 'there is no %', condition; end if;
      source := replace(source, condition, '');
    end loop;
    execute source;
  end $do$`

const FAULTS = {
  'no lock': `create or replace function ticketplan.lock_fleet(p_fleet text) returns ticketplan.fleets language sql volatile
    as 'select f from ticketplan.fleets f where id = p_fleet'`,
  'no check of what was asked': `create or replace function ticketplan.taken_since(p_fleet text, p_ticket text, p_changes bigint,
    p_expired text[], p_tickets text[], p_pools text[]) returns boolean language sql stable as 'select false'`,
  'no check of conflicts': unchecked('ticket = any (p_tickets) or ', ' or p_ticket = any (conflicts)'),
  'no check of areas': unchecked(" or (area is not null and area <> '[]')"),
  'no check of slots': unchecked(' or pool = any (p_pools)'),
  'a renewal that does not count': unchecked(' or ticket = any (p_expired)'),
  'the time at which the wait began': `create or replace function ticketplan.clock() returns timestamptz language sql volatile
    as $$ select date_trunc('milliseconds', now()) $$`,
}
type Fault = keyof typeof FAULTS

interface Way {
  /** Tickets in strict conflict. */
  conflicts?: string[]
  /** A pool; "one" has one slot. */
  pool?: string
  area?: AreaPattern[]
}

/** Takes a Ticket over the claims as they are in the snapshot. */
async function take(
  claims: ServerClaims,
  ticket: string,
  { conflicts = [], pool, area }: Way,
  changes: number,
  expired: string[] = [],
) {
  const request: FleetLeaseRequest = {
    ticket,
    holder: 'pod',
    ttlMs: 60_000,
    ...(pool !== undefined && { pool }),
    ...(area && { area }),
    changes,
    expired,
    asked: { tickets: conflicts, pools: pool === undefined ? [] : [pool] },
    conflicts,
    floor: 0,
  }
  return (await claims.acquire(request)).status
}

/** Two clones read the claims, and then both take the same Ticket. */
async function race(fleet: TestFleet): Promise<string[]> {
  // Both wait for each other where they can: after the lock, where only one can be.
  await fleet.owner.query(`create sequence public.arrived;
    create or replace function ticketplan.clock() returns timestamptz language plpgsql volatile as $$
    begin
      perform nextval('public.arrived');
      for n in 1..1000 loop
        exit when (select last_value from public.arrived) % 2 = 0;
        perform pg_sleep(0.0005);
      end loop;
      return date_trunc('milliseconds', clock_timestamp());
    end $$`)
  const clones = [fleet.claimsOf('m-1'), fleet.claimsOf('m-2')]
  const changes = await Promise.all(clones.map(async claims => (await claims.snapshot()).changes))
  await Promise.all(clones.map((claims, at) => take(claims, 'A', {}, changes[at]!)))
  return historyProblems(await readHistory(fleet.owner, fleet.id), { pools: { one: 1 } })
}

/** One clone takes what is in the way of a verdict that another one has already reached: by a conflict, an area, a slot. */
async function outdatedVerdicts(fleet: TestFleet): Promise<string[]> {
  const [one, other] = [fleet.claimsOf('m-1'), fleet.claimsOf('m-2')] as const
  const area = [{ pattern: 'app/**', shared: false }]
  const ways: [string, Way, string, Way][] = [
    ['B', {}, 'C', { conflicts: ['B'] }],
    ['D', { area }, 'E', { area }],
    ['F', { pool: 'one' }, 'G', { pool: 'one' }],
  ]
  for (const [first, ofFirst, second, ofSecond] of ways) {
    const { changes } = await one.snapshot()
    await other.snapshot()
    await take(other, first, ofFirst, changes)
    await take(one, second, ofSecond, changes)
  }
  return historyProblems(await readHistory(fleet.owner, fleet.id), { pools: { one: 1 } })
}

/** A renewal whose transaction is open while another clone sees the lease as expired. */
async function hiddenRenewal(fleet: TestFleet): Promise<string[]> {
  await stopClock(fleet.owner, NOON)
  const [one, other] = [fleet.claimsOf('m-1'), fleet.claimsOf('m-2')] as const
  await take(other, 'B', {}, (await other.snapshot()).changes)
  const [lease] = (await other.snapshot()).claims
  await setClock(fleet.owner, NOON + 59_999)
  const session = await postgres().connect(fleet.database, CLIENT)
  await session.query('begin')
  await session.query('select ticketplan.renew($1, $2::jsonb)', [
    fleet.id,
    JSON.stringify({ version: FLEET_SCHEMA_VERSION, ticket: 'B', token: lease!.token }),
  ])
  await setClock(fleet.owner, NOON + 60_000)
  const { changes, claims } = await one.snapshot()
  const expired = claims.filter(({ live }) => !live).map(({ ticket }) => ticket)
  await session.query('commit')
  session.close(1000)
  await take(one, 'C', { conflicts: ['B'] }, changes, expired)
  return historyProblems(await readHistory(fleet.owner, fleet.id), { pools: { one: 1 } })
}

/** A renewal that is sent in time and waits for the lock until the lease has expired. */
async function lateRenewal(fleet: TestFleet): Promise<string[]> {
  const { owner, id } = fleet
  const claims = fleet.claimsOf('m-1')
  for (let attempt = 0; attempt < 5; attempt++) {
    const { changes } = await claims.snapshot()
    const taken = await claims.acquire({
      ticket: `T-${attempt}`,
      holder: 'pod',
      ttlMs: 2000,
      changes,
      expired: [],
      asked: null,
      floor: 0,
    })
    if (taken.status !== 'acquired') throw new Error(taken.status)
    const { ticket, token, expires_at } = taken.claim
    await owner.query('begin')
    await owner.query('select 1 from ticketplan.fleets where id = $1 for update', [id])
    const renewal = claims.renew(ticket, token)
    let sentInTime: unknown
    while (sentInTime === undefined) {
      await sleep(5)
      const [waiting] = await owner.query(
        "select query_start < $1::timestamptz as sent_in_time from pg_stat_activity where wait_event_type = 'Lock' and query like '%renew%' and datname = current_database()",
        [expires_at],
      )
      sentInTime = waiting?.sent_in_time
    }
    for (let isExpired = false; !isExpired; await sleep(5)) {
      const [row] = await owner.query('select clock_timestamp() > $1::timestamptz as expired', [expires_at])
      isExpired = row!.expired as boolean
    }
    await owner.query('commit')
    const { status } = await renewal
    if (sentInTime) return status === 'kept' ? ['a lease that had expired was renewed'] : []
  }
  throw new Error('this machine is too slow: no renewal was sent within two seconds')
}

const IN_CONFLICT = /C by m-1: B is in strict conflict with it$/
const IN_AREA = /E by m-1: D is in the same area$/
const IN_SLOT = /G by m-1: 2 claims in 1 slots of one$/

/** How two claims are in each other's way. A scenario finds those in `finds` and no other. */
const WAYS = [IN_CONFLICT, IN_AREA, IN_SLOT]

const SCENARIOS: Record<Fault, { run(fleet: TestFleet): Promise<string[]>; finds: RegExp[] }> = {
  'no lock': { run: race, finds: [/m-\d has it with token/] },
  'no check of what was asked': { run: outdatedVerdicts, finds: [IN_CONFLICT, IN_AREA, IN_SLOT] },
  'no check of conflicts': { run: outdatedVerdicts, finds: [IN_CONFLICT] },
  'no check of areas': { run: outdatedVerdicts, finds: [IN_AREA] },
  'no check of slots': { run: outdatedVerdicts, finds: [IN_SLOT] },
  'a renewal that does not count': { run: hiddenRenewal, finds: [IN_CONFLICT] },
  'the time at which the wait began': { run: lateRenewal, finds: [/had expired was renewed/] },
}

describe.skipIf(postgresObstacle())('a fault that is planted on the server', () => {
  test.each(Object.keys(FAULTS) as Fault[])('is found: %s', async fault => {
    const { run, finds } = SCENARIOS[fault]
    await using sound = await createTestFleet(postgres())
    expect(await run(sound)).toEqual([])
    // Two clients have to meet inside of the server, which a busy machine does not let them do each time.
    let found: string[] = []
    for (let attempt = 0; attempt < 20 && !found.some(text => finds[0]!.test(text)); attempt++) {
      await using faulty = await createTestFleet(postgres())
      await faulty.owner.query(FAULTS[fault])
      found = await run(faulty)
    }
    for (const text of finds) expect(found).toContainEqual(expect.stringMatching(text))
    for (const way of WAYS.filter(way => !finds.includes(way)))
      expect(found).not.toContainEqual(expect.stringMatching(way))
  })
})
