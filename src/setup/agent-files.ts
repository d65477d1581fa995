/**
 * The agents that `init --agents` knows: how a repository shows that it uses one, and the files with our entries. A new agent is
 * one entry here, one in AGENT_NAMES and one in HOOK_FORMS; CONTRIBUTING.md lists those of the tests too.
 *
 * These files are committed, so no entry contains a path of this machine. Existing content is kept.
 */
import { isObject } from '../model/objects.ts'
import { briefCommand, EARLIER_BRIEF_COMMAND, MCP_ENTRY, SERVER_SCRIPT } from './agent-commands.ts'
import type { AgentFile } from './agent-file.ts'
import { AGENT_NAMES, type AgentName } from './agent-names.ts'
import { withAgentsBlock, withoutAgentsBlock } from './agents-block.ts'
import { type JsonEntry, jsonAgentFile } from './json-agent-file.ts'
import { INCOMPLETE_BLOCK } from './marked-block.ts'
import { claudeMd, codexConfig, opencodePlugin } from './text-agent-files.ts'

interface Agent {
  /** Paths from the root of which one shows that the repository uses the agent. */
  signs: readonly string[]
  files: readonly AgentFile[]
}

/** A hook as Claude Code, Codex and Gemini CLI take it, in the agent's unit of time. */
function hookGroup(agent: AgentName, timeout: number): object {
  return { hooks: [{ type: 'command', command: briefCommand(agent), timeout }] }
}

/** A hook that prints the brief; one that was added by hand counts as the same. */
function hook(event: string, element: object): JsonEntry {
  return { at: ['hooks', event], element, isThere: value => isObject(value) && printsBrief(value) }
}

/** True for a hook that prints the brief, in whatever form. */
function printsBrief(value: object): boolean {
  return /ticketplan\b.*\bbrief\b/s.test(JSON.stringify(value))
}

const server = (at: string, value: object = MCP_ENTRY): JsonEntry => ({ at: [at], key: 'ticketplan', value })
const version = (value: number | string): JsonEntry => ({ at: [], key: 'version', value, ifMissing: true })

/** What an earlier version added to an event. */
const earlier = (event: string) => ({
  at: ['hooks', event],
  element: { hooks: [{ type: 'command', command: EARLIER_BRIEF_COMMAND, timeout: 30 }] },
})

export const AGENTS: Record<AgentName, Agent> = {
  claude: {
    signs: ['CLAUDE.md', '.claude', '.mcp.json'],
    files: [
      claudeMd,
      jsonAgentFile({ path: '.mcp.json', entries: [server('mcpServers')] }),
      jsonAgentFile({
        path: '.claude/settings.json',
        entries: ['SessionStart', 'SubagentStart'].map(event => hook(event, hookGroup('claude', 30))),
        retired: ['SessionStart', 'PreCompact'].map(earlier),
      }),
    ],
  },
  codex: {
    signs: ['.codex'],
    files: [
      codexConfig,
      jsonAgentFile({
        path: '.codex/hooks.json',
        entries: [hook('SessionStart', hookGroup('codex', 30))],
        retired: [earlier('SessionStart')],
      }),
    ],
  },
  gemini: {
    signs: ['.gemini', 'GEMINI.md'],
    files: [
      jsonAgentFile({
        path: '.gemini/settings.json',
        entries: [server('mcpServers'), hook('SessionStart', hookGroup('gemini', 30_000))],
      }),
    ],
  },
  copilot: {
    signs: ['.github/hooks', '.github/copilot-instructions.md', '.github/instructions'],
    files: [
      jsonAgentFile({
        path: '.github/hooks/ticketplan.json',
        entries: [
          version(1),
          hook('sessionStart', {
            type: 'command',
            bash: briefCommand('copilot'),
            powershell: 'npx --no-install ticketplan brief --hook copilot',
            timeoutSec: 30,
          }),
        ],
      }),
    ],
  },
  cursor: {
    signs: ['.cursor', '.cursorrules'],
    files: [
      jsonAgentFile({
        path: '.cursor/hooks.json',
        entries: [version(1), hook('sessionStart', { command: briefCommand('cursor'), timeout: 30 })],
      }),
      jsonAgentFile({ path: '.cursor/mcp.json', entries: [server('mcpServers')] }),
    ],
  },
  opencode: {
    signs: ['.opencode', 'opencode.json', 'opencode.jsonc'],
    files: [
      opencodePlugin,
      jsonAgentFile({
        path: 'opencode.json',
        entries: [server('mcp', { type: 'local', command: ['sh', '-c', SERVER_SCRIPT], enabled: true })],
      }),
    ],
  },
  kiro: {
    signs: ['.kiro'],
    files: [
      jsonAgentFile({
        path: '.kiro/hooks/ticketplan.json',
        entries: [
          version('v1'),
          {
            at: ['hooks'],
            element: {
              name: 'ticketplan-brief',
              trigger: 'SessionStart',
              action: { type: 'command', command: briefCommand('kiro') },
              timeout: 30,
            },
            isThere: value => isObject(value) && printsBrief(value),
          },
        ],
      }),
      jsonAgentFile({ path: '.kiro/settings/mcp.json', entries: [server('mcpServers')] }),
    ],
  },
  vscode: {
    signs: ['.vscode'],
    files: [
      jsonAgentFile({
        path: '.vscode/mcp.json',
        entries: [server('servers', { type: 'stdio', ...MCP_ENTRY })],
      }),
    ],
  },
}

/** Returns the file that every agent reads, and those of the named agents, in the order in which they are written. */
export function agentFiles(ticketsDir: string, names: readonly AgentName[] = AGENT_NAMES): AgentFile[] {
  return [agentsMd(ticketsDir), ...AGENT_NAMES.filter(name => names.includes(name)).flatMap(name => AGENTS[name].files)]
}

function agentsMd(ticketsDir: string): AgentFile {
  return {
    path: 'AGENTS.md',
    add(text) {
      const after = withAgentsBlock(text, ticketsDir)
      if (after === null) return { message: INCOMPLETE_BLOCK }
      return { after, inserted: [] }
    },
    remove: withoutAgentsBlock,
  }
}
