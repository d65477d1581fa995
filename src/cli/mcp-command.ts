import { createRequire } from 'node:module'
import { PlanError } from '../model/errors.ts'
import { command, flag } from '../operations/operation.ts'
import type { GlobalOptions } from './parse-arguments.ts'

/** The MCP server: no operation, since it has no answer of its own. */
export const mcpCommand = command({
  name: 'mcp',
  summary: 'Serve MCP on standard input and output, for agents',
  details: 'Ends with its input. Notes go to standard error. docs/mcp.md lists tools, resources and prompts.',
  fields: { readOnly: { schema: flag, help: 'no tool that writes exists: for a companion' } },
  examples: ['ticketplan mcp --actor orchestrator', 'ticketplan mcp --read-only'],
})

/** Serves until standard input ends; gives the exit status. @throws PlanError where it cannot start. */
export async function serve({ folder, actor }: GlobalOptions, readOnly: boolean): Promise<number> {
  // dist/mcp.cjs, which the build makes of mcp/server.ts: no other command loads it.
  const { serveMcp } = createRequire(import.meta.url)('./mcp.cjs') as typeof import('../mcp/server.ts')
  const served = await serveMcp({ root: folder, actor, readOnly })
  if ('status' in served) return served.status
  const { code, message, data } = served.failure
  throw new PlanError(code, message, data)
}
