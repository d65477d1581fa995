/** Measures a fleet on a throw-away PostgreSQL of this machine, as ratios beside the claims of one clone. */
import { spawnSync } from 'node:child_process'
import type { ConnectedPlan } from '../../src/index.ts'
import { fleetClone } from '../../src/test-support/fleet-clones.ts'
import { postgresObstacle, startPostgres } from '../../src/test-support/postgres.ts'
import { putTicket, temporaryRepository } from '../../src/test-support/temporary-repository.ts'
import { CLIENT, createTestFleet, type TestFleet } from '../../src/test-support/test-fleet.ts'
import { type Bench, median } from './measuring.ts'

const MACHINES = 32
const RACE_TICKETS = 200
const RACE_MS = 10_000

/** Measures accept, a race of many machines, `consult` on the command line, and a snapshot of 1,000 claims. */
export async function measureFleet(bench: Bench): Promise<void> {
  const obstacle = postgresObstacle()
  if (obstacle !== null) throw new Error(`--fleet: ${obstacle}`)
  await using postgres = await startPostgres()
  for (const measure of [measureAccept, measureConsult, measureSnapshot, measureRace]) {
    await using fleet = await createTestFleet(postgres)
    await measure(bench, fleet, { id: fleet.id, url: postgres.url(fleet.database, CLIENT) })
  }
}

interface Joinable {
  id: string
  url: string
}

/** The whole of an accept with its release after it, which is not counted, in turns with the same in local.db. */
async function measureAccept({ sdk, runs, note }: Bench, _: TestFleet, joinable: Joinable): Promise<void> {
  const tickets = Array.from({ length: 50 }, (_, number) => `T-${number}`)
  using far = fleetClone(joinable, 'm-1', tickets)
  using near = temporaryRepository()
  for (const id of tickets) putTicket(near.root, id, { state: 'queued' })
  await using one = await sdk.connectPlan({ root: far.root, actor: 'bench' })
  await using two = await sdk.connectPlan({ root: near.root, actor: 'bench' })
  const times: [number[], number[]] = [[], []]
  for (let run = 0; run < runs * 10; run++)
    for (const [position, plan] of [one, two].entries())
      times[position]!.push(await timeOfAccept(plan, tickets[run % tickets.length]!))
  note('accept through a fleet, SDK', median(times[0]), 'accept in local.db', median(times[1]), 2)
}

async function timeOfAccept(plan: ConnectedPlan, ticket: string): Promise<number> {
  const startedAt = performance.now()
  const { claim } = await plan.accept({ ticket, holder: 'pod' })
  const ms = performance.now() - startedAt
  await plan.release({ ticket, token: claim!.token! })
  return ms
}

async function measureConsult({ cli, runs, note }: Bench, _: TestFleet, joinable: Joinable): Promise<void> {
  using far = fleetClone(joinable, 'm-1', ['A'])
  using near = temporaryRepository()
  putTicket(near.root, 'A', { state: 'queued' })
  const times: [number[], number[]] = [[], []]
  for (let run = 0; run < runs * 3; run++)
    for (const [position, { root }] of [far, near].entries()) {
      const startedAt = performance.now()
      const { status } = spawnSync(process.execPath, [cli, '-C', root, 'consult', 'A', '--json'], { stdio: 'ignore' })
      if (status !== 0) throw new Error(`consult failed with ${status}`)
      times[position]!.push(performance.now() - startedAt)
    }
  note('CLI consult with a fleet, cold', median(times[0]), 'the same without', median(times[1]), 1.25)
}

async function measureSnapshot({ runs, note }: Bench, fleet: TestFleet): Promise<void> {
  await fleet.owner.query(
    `insert into ticketplan.leases (fleet, ticket, holder, machine, token, taken, conflicts, acquired_at, renewed_at, expires_at, ttl_ms)
     select $1, 'T-' || n, 'pod-' || n, 'm-1', n, n, '{}', now(), now(), now() + interval '1 hour', 3600000
     from generate_series(1, 1000) n`,
    [fleet.id],
  )
  const claims = fleet.claimsOf('m-2')
  const measure = async () => {
    const times: number[] = []
    for (let run = 0; run < runs * 3; run++) {
      const startedAt = performance.now()
      const { claims: found } = await claims.snapshot({ releasesOf: ['T-1', 'R-1'] })
      if (found.length !== 1000) throw new Error(`${found.length} claims`)
      times.push(performance.now() - startedAt)
    }
    return median(times)
  }
  const aloneMs = await measure()
  note('snapshot of 1,000 claims', aloneMs, 'the limit of 40 ms', 40, 1)
  await fleet.owner.query(
    `insert into ticketplan.leases (fleet, ticket, holder, machine, token, taken, conflicts, acquired_at, renewed_at, expires_at, ttl_ms,
       ended, ended_at, released_state, last_released_at)
     select $1, 'R-' || n, 'pod-' || n, 'm-1', n, n, '{}', now(), now(), now(), 3600000, 'released', now(), 'done', now()
     from generate_series(1, 10000) n`,
    [fleet.id],
  )
  await fleet.owner.query('analyze ticketplan.leases')
  note('the same after 10,000 released claims', await measure(), 'before them', aloneMs, 1.5)
}

/** Machines as clones with connections of their own, in one process, on few Tickets: how many claims are taken and released. */
async function measureRace({ sdk, note }: Bench, fleet: TestFleet, joinable: Joinable): Promise<void> {
  const tickets = Array.from({ length: RACE_TICKETS }, (_, number) => `T-${number}`)
  const clones = Array.from({ length: MACHINES }, (_, number) => fleetClone(joinable, `m-${number}`, tickets))
  const plans = await Promise.all(clones.map(({ root }) => sdk.connectPlan({ root, actor: 'bench' })))
  let taken = 0
  const work = async (plan: ConnectedPlan, until: number) => {
    while (performance.now() < until) {
      const ticket = tickets[Math.floor(Math.random() * tickets.length)]!
      const { accepted, claim } = await plan.accept({ ticket, holder: 'pod' })
      if (!accepted) continue
      taken++
      await plan.release({ ticket, token: claim!.token! })
    }
  }
  const until = performance.now() + RACE_MS
  await Promise.all(plans.map(plan => work(plan, until)))
  for (const plan of plans) await plan.close()
  for (const clone of clones) clone[Symbol.dispose]()
  const wrong = await fleet.owner.query(
    `select 1 from ticketplan.claim_log a join ticketplan.claim_log b
       on a.ticket = b.ticket and a.sequence < b.sequence and a.action = 'acquired' and b.action in ('acquired', 'taken_over')
     where not exists (select from ticketplan.claim_log r where r.ticket = a.ticket and r.token = a.token
       and r.action in ('released', 'lapsed') and r.sequence between a.sequence and b.sequence)`,
  )
  if (wrong.length > 0) throw new Error(`${wrong.length} wrong winners`)
  const perClaimMs = RACE_MS / taken
  note(
    `${MACHINES} machines on ${RACE_TICKETS} Tickets, ms a claim`,
    perClaimMs,
    'the limit of 60 claims a second',
    1000 / 60,
    1,
  )
}
