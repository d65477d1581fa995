import { expect, test } from 'vitest'
import type { FleetStatus } from '../operations/fleet-actions.ts'
import { migratedLines, statusLines } from './render-fleet.ts'

const server = { host: 'db.example.org', port: 5432, database: 'plans', user: 'plan_client' }
const claim = {
  ...{ ticket: 'T-2', holder: 'pod-3\u001b[31m', machine: 'm-1', pool: null, session: null, worktree: null, pid: null },
  acquired_at: '2026-06-08T12:00:00.000Z',
  renewed_at: '2026-06-08T12:00:00.000Z',
  expires_at: '2026-06-08T12:30:00.000Z',
  live: true,
}
const status: FleetStatus = {
  ...{
    fleet: 'shop-01JX8ZQ4M6T2V9W3B5N7C1D8EF',
    machine: 'm-1',
    server,
    version: 2,
    clockDifferenceMs: -90_000,
    machines: 2,
  },
  claims: [claim, { ...claim, ticket: 'T-3', live: false }],
  log: [
    {
      ...{ at: '2026-06-08T12:00:00.000Z', action: 'acquired', ticket: 'T-2\u001b', holder: 'pod-3', machine: 'm-2' },
      ...{ previous_holder: null, by: null, reason: null },
    },
  ],
  differingPools: [
    {
      pool: 'gpu',
      capacities: [
        { capacity: 1, machines: ['m-1'] },
        { capacity: null, machines: ['m-2'] },
      ],
    },
  ],
}

test('the status of a fleet is lines, with text from the server escaped', () => {
  expect(statusLines(status)).toEqual([
    'fleet    shop-01JX8ZQ4M6T2V9W3B5N7C1D8EF',
    'server   db.example.org:5432, database plans, user plan_client, schema version 2',
    'clone    m-1, of 2 clones that took claims',
    "clock    the server's is 90.0 s behind this machine's; claims go by the server's",
    'claims   1 live, 1 expired',
    '  T-2  pod-3\\x1b[31m  this clone  until 2026-06-08T12:30:00.000Z',
    'pool gpu differs; the capacity of the clone that asks counts',
    '  1         this clone',
    '  no limit  m-2',
    'log',
    '  2026-06-08T12:00:00.000Z  acquired  T-2\\x1b  pod-3  m-2',
  ])
})

test('a migration that had nothing to do says so', () => {
  expect(migratedLines({ server, before: 2, after: 2 })).toEqual([
    'nothing to do: the schema on db.example.org:5432, database plans, user plan_client has version 2',
  ])
})
