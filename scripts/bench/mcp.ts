/** Measures the MCP server. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { type Bench, median, timedAsync } from './measuring.ts'

/** Measures round trips of a client over pipes, warm; the floor is one that reaches the server and asks nothing of the plan. */
export async function measureMcp({ cli, note }: Bench, repository: string, size: string): Promise<void> {
  const client = new Client({ name: 'bench', version: '1' })
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [cli, '-C', repository, 'mcp', '--read-only'] }),
  )
  const ids = readdirSync(join(repository, 'tickets')).filter((_, n) => n % 10 === 0)
  const consults: number[] = []
  const pings: number[] = []
  for (let run = 0; run < 300; run++) {
    const ticket = ids[(run * 7) % ids.length]!.replace('.json', '')
    consults.push(await timedAsync(() => client.callTool({ name: 'consult', arguments: { ticket } })))
    pings.push(await timedAsync(() => client.ping()))
  }
  await client.close()
  const warm = (durations: number[]) => median(durations.slice(100))
  note(`MCP consult, warm round trip, ${size} Tickets`, warm(consults), 'MCP ping', warm(pings), null)
}
