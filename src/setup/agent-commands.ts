/**
 * The commands that agents run: the MCP server, and hooks that print the brief.
 *
 * They are committed, so none contains a path of this machine: they read the program from the clone's git configuration, as
 * the git hooks do, and fall back to the installed one.
 */
import type { AgentName } from './agent-names.ts'

const PROGRAM = '$(git config --get ticketplan.command || echo ticketplan)'
const FIND = 'PATH="$PATH:node_modules/.bin"'

/** What a shell runs to start the MCP server of a clone. */
export const SERVER_SCRIPT = `${FIND} && eval "exec ${PROGRAM} mcp"`

/** The entry with which a client starts the MCP server of a clone. */
export const MCP_ENTRY = { command: 'sh', args: ['-c', SERVER_SCRIPT] }

/**
 * Returns the shell command that prints the brief in the form of an agent. It passes the agent's input on.
 * Prints nothing and succeeds where ticketplan is not installed.
 */
export function briefCommand(agent: AgentName): string {
  const project = agent === 'claude' ? `cd "\${CLAUDE_PROJECT_DIR:-.}" && ` : ''
  return `(${project}${FIND} && eval "${PROGRAM} brief --hook ${agent}") 2>/dev/null || :`
}

/** The command that an earlier version wrote for Claude Code and Codex; it printed plain text. */
export const EARLIER_BRIEF_COMMAND = `(cd "\${CLAUDE_PROJECT_DIR:-.}" && ${FIND} && eval "${PROGRAM} brief") </dev/null 2>/dev/null || :`
