/** The tools `wait` and `sql` over the official client: other calls go on, progress is reported, a cancelled wait ends. */
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { CLI } from '../test-support/run-cli.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

async function withServer(use: (client: Client, root: string) => Promise<void>): Promise<void> {
  using repository = temporaryRepository()
  for (const id of ['A', 'B']) putTicket(repository.root, id, { state: 'queued' })
  {
    using plan = openPlan({ root: repository.root, actor: 'tester' })
    plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
  }
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [CLI, '-C', repository.root, '--actor', 'tester', 'mcp'],
  })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(transport)
  await use(client, repository.root)
  await client.close()
}

test('other calls are answered while one waits, and end its wait', async () => {
  await withServer(async (client, root) => {
    const order: string[] = []
    const waiting = client.callTool({ name: 'wait', arguments: { tickets: ['B'] } }).then(result => {
      order.push('wait')
      return result
    })
    await client.callTool({ name: 'consult', arguments: { ticket: 'B' } })
    order.push('consult')
    using plan = openPlan({ root, actor: 'tester' })
    plan.set({ ticket: 'A', state: 'done' })
    const { structuredContent, isError } = await waiting
    expect(isError ?? false).toBe(false)
    expect(structuredContent).toMatchObject({ met: true, tickets: [{ ticket: { id: 'B' }, met: true }] })
    expect(order).toEqual(['consult', 'wait'])
  })
})

test('other calls are answered while a query runs, and a cancelled query ends', async () => {
  await withServer(async client => {
    const endless = 'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c'
    const stopping = new AbortController()
    const running = client.callTool(
      { name: 'sql', arguments: { query: endless, timeout: 600 } },
      { signal: stopping.signal },
    )
    const { structuredContent } = await client.callTool({ name: 'consult', arguments: { ticket: 'A' } })
    expect(structuredContent).toMatchObject({ verdict: 'accept' })
    stopping.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    // The next query waits for the one before.
    const next = await client.callTool({ name: 'sql', arguments: { query: 'select count(*) from tickets' } })
    expect(next.structuredContent).toMatchObject({ rows: [[2]] })
    const late = await client.callTool({ name: 'sql', arguments: { query: endless, timeout: 0.2 } })
    expect(late.structuredContent ?? late.content).toEqual([
      expect.objectContaining({ text: expect.stringContaining('sql_timeout') }),
    ])
  })
})

test('a time-out is an answer, and wrong arguments are errors', async () => {
  await withServer(async client => {
    const call = (given: Record<string, unknown>) => client.callTool({ name: 'wait', arguments: given })
    expect((await call({ tickets: 'B', timeout: '0' })).structuredContent).toMatchObject({ met: false })
    expect((await call({ tickets: ['B'], timeout: 601 })).isError).toBe(true)
    expect((await call({ tickets: ['nobody'] })).isError).toBe(true)
  })
})

test('a client that asks for progress gets it, and the server ends while a call waits', async () => {
  await withServer(async client => {
    const told: number[] = []
    const stopping = new AbortController()
    const waiting = client.callTool(
      { name: 'wait', arguments: { tickets: ['B'], timeout: '5m' } },
      {
        signal: stopping.signal,
        onprogress: ({ progress }) => {
          told.push(progress)
          stopping.abort(new Error('enough'))
        },
      },
    )
    await expect(waiting).rejects.toThrow()
    expect(told).toHaveLength(1)
    client.callTool({ name: 'wait', arguments: { tickets: ['B'], timeout: 600 } }).catch(() => {})
    await client.callTool({ name: 'queue', arguments: {} })
  })
})
