/**
 * What the hooks of agents must print so that a text becomes part of the agent's context: one entry for each agent.
 *
 * Pure. docs/agents.md has the source of each entry.
 */
import { jsonLine } from '../model/json-line.ts'
import type { AgentName } from '../setup/agent-names.ts'

/** The form in which an agent takes a text, and how much of it. */
interface HookForm {
  /** The most UTF-16 code units of text that the agent puts into its context. */
  characters: number
  /** Returns what the hook prints; for no text a valid form that adds nothing. */
  print(text: string, event: string): string
}

/** One envelope that several agents share. The agents ignore one that names another event than theirs. */
function envelope(text: string, event: string): string {
  return jsonLine(text === '' ? {} : { hookSpecificOutput: { hookEventName: event, additionalContext: text } })
}

const plain = (text: string) => text

/** No limit is documented for most agents, so they get what Claude Code takes. */
const CHARACTERS = 10_000

const HOOK_FORMS = {
  claude: { characters: 10_000, print: envelope },
  codex: { characters: CHARACTERS, print: envelope },
  gemini: { characters: CHARACTERS, print: envelope },
  copilot: { characters: CHARACTERS, print: text => jsonLine(text === '' ? {} : { additionalContext: text }) },
  cursor: { characters: CHARACTERS, print: text => jsonLine(text === '' ? {} : { additional_context: text }) },
  opencode: { characters: CHARACTERS, print: plain },
  kiro: { characters: 3000, print: plain },
  vscode: { characters: CHARACTERS, print: envelope },
} as const satisfies Record<AgentName, HookForm>

const BYTES_PER_TOKEN = 4

/** Returns the tokens of a brief that an agent takes whole: a text never has more code units than bytes. */
export function hookBudget(agent: AgentName): number {
  return Math.floor(HOOK_FORMS[agent].characters / BYTES_PER_TOKEN)
}

/** Returns what a hook of the agent prints for this text, which may be empty. */
export function hookOutput(agent: AgentName, text: string, event = 'SessionStart'): string {
  return HOOK_FORMS[agent].print(text, event)
}
