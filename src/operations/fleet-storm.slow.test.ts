import { describe, expect, test } from 'vitest'
import { type HistoryRow, historyFaults } from '../test-support/fleet-history.ts'
import { IN_THE_WAY, runStorm, type StormOptions } from '../test-support/fleet-storm.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'

const obstacle = postgresObstacle()
const postgres = postgresForFile({ settings: 'fsync = off' })
const SHORT: StormOptions = { machines: 8, processKills: 12, serverKills: 1, serverStops: 1, pauseMs: 300 }
const LONG: StormOptions = { machines: 8, processKills: 200, serverKills: 10, serverStops: 10, pauseMs: 600 }
const isLong = process.env.TICKETPLAN_LONG === '1'

test.skipIf(obstacle)(
  'a storm of kills, stops and cuts leaves one holder, and loses nothing',
  { timeout: 900_000 },
  async () => {
    const { counts, faults } = await runStorm(postgres(), isLong ? LONG : SHORT)
    if (isLong || process.env.SHOW) console.log(JSON.stringify(counts, null, 2))
    expect(faults).toEqual([])
    // The storm has to have done something.
    expect(counts['log acquired']).toBeGreaterThan(20)
    expect(counts.accepted).toBeGreaterThan(10)
    expect(counts.renewed).toBeGreaterThan(0)
    expect(counts.released).toBeGreaterThan(0)
  },
)

/** Replaces a piece of a function on the server. */
const inFunction = (name: string, before: string, after: string) => `do $do$
  declare
    source text := pg_get_functiondef('ticketplan.${name}'::regproc);
  begin
    if position($x$${before}$x$ in source) = 0 then raise exception 'nothing to plant in ${name}'; end if;
    execute replace(source, $x$${before}$x$, $x$${after}$x$);
  end $do$;`

/** Snapshots that hide the claims of these Tickets, and no check of which of them were taken since. */
function blindTo(tickets: readonly string[]): string {
  const others = `ticket not in (${tickets.map(id => `'${id}'`).join(', ')}) and`
  return (
    inFunction('snapshot', 'f.id and (ended is null', `f.id and ${others} (ended is null`) +
    inFunction('taken_since', 'fleet = p_fleet and', `fleet = p_fleet and ${others}`)
  )
}

describe.skipIf(obstacle)('in a short storm, the oracle finds', () => {
  test.each<[string, string, RegExp[]]>([
    ['two holders', inFunction('acquire', 'is_live := found and l.ended is null', 'is_live := false'), [/m-\d has it/]],
    ['tokens that go back', inFunction('acquire', 'q.floor, epoch) + 1', 'q.floor, epoch) - 1'), [/after the token/]],
    [
      'a release that was lost',
      inFunction(
        'release',
        'perform lapse(f.id, at);',
        "return jsonb_build_object('status', 'kept', 'claim', (select claim_document(x, at) from leases x where fleet = f.id and ticket = q.ticket));",
      ),
      [/released T-\d+ \d+ of machine \d is not in the log/],
    ],
  ])('%s', { timeout: 600_000 }, async (_, plant, found) => {
    const storm = { machines: 4, processKills: 8, serverKills: 0, serverStops: 0, pauseMs: 1000, plant }
    const { faults } = await runStorm(postgres(), storm)
    for (const fault of found) expect(faults.join('\n')).toMatch(fault)
  })
})

describe.skipIf(obstacle)("in a short storm over Tickets in each other's way, the oracle finds", () => {
  test.each<[keyof typeof IN_THE_WAY, RegExp]>([
    ['conflict', /beside T-\d, in strict conflict$/],
    ['area', /in the area of T-\d+$/],
    ['slot', /[3-5] slots of gpu$/],
  ])('two in one %s, and nothing else', { timeout: 600_000 }, async (way, found) => {
    const tickets = IN_THE_WAY[way]
    const storm = { machines: 4, processKills: 4, serverKills: 0, serverStops: 0, pauseMs: 1000, tickets }
    const { faults } = await runStorm(postgres(), { ...storm, plant: blindTo(tickets) })
    expect(faults).not.toEqual([])
    expect(faults.filter(fault => !found.test(fault))).toEqual([])
  })
})

describe('the oracle finds', () => {
  const row = (sequence: number, fields: Partial<HistoryRow>): HistoryRow => ({
    ...{ sequence, at: sequence * 10, action: 'acquired', ticket: 'A', machine: 'm-1', token: 100 + sequence },
    ...{ pool: null, area: null, conflicts: [], expires: sequence * 10 + 1000 },
    ...fields,
  })
  const area = [{ pattern: 'app/**', shared: false }]
  test.each<[string, Partial<HistoryRow>, Partial<HistoryRow>, RegExp]>([
    ['two holders', {}, {}, /m-1 has it/],
    ['a token again', { expires: 15 }, { token: 101 }, /after the token 101/],
    ['a conflict of the first', { conflicts: ['B'] }, { ticket: 'B' }, /beside A, in strict conflict/],
    ['a conflict of the second', {}, { ticket: 'B', conflicts: ['A'] }, /beside A, in strict conflict/],
    ['one area twice', { area }, { ticket: 'B', area }, /in the area of A/],
    ['a slot too many', { pool: 'gpu' }, { ticket: 'B', pool: 'gpu' }, /2 slots of gpu/],
    ['a time that runs backwards', {}, { ticket: 'B', at: 5 }, /after 10/],
    ['a renewal after the end', { expires: 15 }, { action: 'renewed', token: 101 }, /after its end/],
    ['a release of another token', {}, { action: 'released', token: 7 }, /the lease has 101/],
  ])('%s', (_, first, second, fault) => {
    expect(historyFaults([row(1, first)], { pools: { gpu: 1 } })).toEqual([])
    expect(historyFaults([row(1, first), row(2, second)], { pools: { gpu: 1 } }).join()).toMatch(fault)
  })
})
