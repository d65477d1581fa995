import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { describe, expect, test } from 'vitest'
import { joinFleet, withClones as onClones } from '../test-support/fleet-clones.ts'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { CLI, jsonOf, runCli } from '../test-support/run-cli.ts'
import type { TestFleet } from '../test-support/test-fleet.ts'

const obstacle = postgresObstacle()
const postgres = postgresForFile({ settings: 'fsync = off' })
/** Nothing listens there. */
const NOWHERE = 'postgres://plan_client@127.0.0.1:1/none?sslmode=disable'

const withClones = (use: (one: string, two: string, fleet: TestFleet) => Promise<void>) => onClones(postgres(), use)

interface AcceptDocument {
  accepted: boolean
  claim: { token: number; machine: string }
}

const take = (root: string, ticket: string, ...more: string[]) =>
  runCli(root, ['accept', ticket, '--holder', 'pod', '--json', ...more])

describe.skipIf(obstacle)('commands in a fleet', () => {
  test('have the documents and exit statuses that they have without one, and the machine', async () => {
    await withClones(async (one, two) => {
      const accepted = await take(one, 'A')
      expect(accepted.status).toBe(0)
      const { claim } = jsonOf<AcceptDocument>(accepted)
      expect(claim.machine).toBe('m-1')
      expect((await take(two, 'A')).status).toBe(3)
      expect((await runCli(two, ['consult', 'A'])).status).toBe(3)
      expect((await runCli(two, ['claims'])).stdout).toMatch(/ holder +machine\n.* A .* pod +m-1$/m)
      const stale = await runCli(two, ['renew', 'A', '--token', '1'])
      expect(stale.stdout).toContain('refused (stale_token): A is held by pod on machine m-1\n')
      expect((await runCli(two, ['sql', 'select ticket_id from claims'])).stdout).toContain('A')
      expect((await runCli(two, ['log', '--claims', '--json'])).stdout).toContain('"acquired"')
      expect((await runCli(two, ['top', '--once'])).stdout).toContain('pod')
      expect((await runCli(two, ['export', 'svg'])).stdout).toContain('<svg')
      expect((await runCli(one, ['renew', 'A', '--token', String(claim.token)])).status).toBe(0)
      const kept = ['keep', 'A', '--token', String(claim.token), '--release', '--state', 'done', '--', 'true']
      expect((await runCli(one, kept)).status).toBe(0)
      expect((await runCli(two, ['claims', '--json'])).stdout).toBe('{"claims":[]}\n')
      expect((await runCli(two, ['consult', 'A', '--json'])).stdout).toContain('"behind"')
      expect((await runCli(two, ['brief', '--hook', 'claude'])).stdout).toContain('was released as done')
    })
  })

  test('wait until a claim on another machine is released', async () => {
    await withClones(async (one, two) => {
      const { claim } = jsonOf<AcceptDocument>(await take(one, 'A'))
      const waiting = runCli(two, ['wait', 'A', '--until', 'released', '--timeout', '60', '--json'])
      await sleep(1500)
      await runCli(one, ['release', 'A', '--token', String(claim.token)])
      const waited = await waiting
      expect(waited.status).toBe(0)
      expect(jsonOf<{ met: boolean }>(waited).met).toBe(true)
    })
  })

  test('say that the server cannot be reached: renew ends with 5, accept with 1, consult holds', async () => {
    await withClones(async (one, _, { id }) => {
      const { claim } = jsonOf<AcceptDocument>(await take(one, 'A'))
      joinFleet(one, { id, url: NOWHERE }, 'm-1')
      const renewed = await runCli(one, ['renew', 'A', '--token', String(claim.token), '--json'])
      expect(renewed.status).toBe(5)
      expect(jsonOf(renewed)).toMatchObject({ refused: 'fleet_unreachable', covered_until: expect.any(String) })
      const { covered_until } = jsonOf<{ covered_until: string }>(renewed)
      for (const [token, text] of [
        [
          claim.token,
          `refused (fleet_unreachable): the claim may be live until ${covered_until}; renew it again before\n`,
        ],
        [1, 'refused (fleet_unreachable): whether the claim is live is not known; renew it again\n'],
      ])
        expect((await runCli(one, ['renew', 'A', '--token', String(token)])).stdout).toBe(text)
      const refused = await take(one, 'B')
      expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('"fleet_unreachable"')])
      const consulted = await runCli(one, ['consult', 'B'])
      expect([consulted.status, consulted.stdout]).toEqual([3, expect.stringContaining('claims_unknown')])
      expect((await runCli(one, ['record', 'B', 'note', '--reason', 'still works'])).status).toBe(0)
    })
  })

  test('and the tools of the MCP server see the claims of another machine', async () => {
    await withClones(async (one, two) => {
      await take(one, 'A')
      const client = new Client({ name: 'test', version: '1' })
      await client.connect(
        new StdioClientTransport({ command: process.execPath, args: [CLI, '-C', two, 'mcp', '--actor', 'x'] }),
      )
      const call = async (name: string, given: object) =>
        (await client.callTool({ name, arguments: { ...given } })).structuredContent as Record<string, unknown>
      expect(await call('consult', { ticket: 'A' })).toMatchObject({ verdict: 'hold', claim: { machine: 'm-1' } })
      const accepted = await call('accept', { ticket: 'B', holder: 'pod' })
      expect(accepted).toMatchObject({ accepted: true, claim: { machine: 'm-2' } })
      const { token } = accepted.claim as { token: number }
      expect(await call('claims', { action: 'renew', ticket: 'B', token })).toMatchObject({ claim: { live: true } })
      expect((await call('claims', {})).claims).toHaveLength(2)
      await client.close()
      expect((await runCli(one, ['consult', 'B'])).status).toBe(3)
    })
  })
})
