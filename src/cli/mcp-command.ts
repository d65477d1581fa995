import { join } from 'node:path'
import { PlanError } from '../model/errors.ts'
import { command, flag } from '../operations/operation.ts'
import { loadProgram } from '../program-loader.ts'
import type { GlobalOptions } from './command-words.ts'

/** Serves MCP. Not an operation: it has no output of its own. */
export const mcpCommand = command({
  name: 'mcp',
  summary: 'Serve MCP to an agent on standard input and output',
  details:
    'The server ends when its input ends. Notes go to standard error. docs/mcp.md lists the tools, resources and prompts.',
  fields: {
    readOnly: { schema: flag, help: 'offer no tool that writes, for a companion' },
    allowLift: { schema: flag, help: 'let clients lift, and force past, holds that this server did not record' },
  },
  examples: ['ticketplan mcp --actor orchestrator', 'ticketplan mcp --read-only'],
})

/** Serves until standard input ends; returns the exit status. @throws PlanError if it cannot start. */
export async function serve(
  { folder, actor }: GlobalOptions,
  given: { readOnly: boolean; allowLift: boolean },
): Promise<number> {
  // dist/mcp.cjs, which the build bundles from mcp/server.ts; no other command loads it.
  const program = loadProgram(join(import.meta.dirname, 'mcp.cjs'), 'mcp')
  const { serveMcp } = program as typeof import('../mcp/server.ts')
  const served = await serveMcp({ root: folder ?? '.', actor, ...given })
  if ('status' in served) return served.status
  const { code, message, data } = served.failure
  throw new PlanError(code, message, data)
}
