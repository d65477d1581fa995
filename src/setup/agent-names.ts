/** The agents that `init --agents` and `brief --hook` know. */
export const AGENT_NAMES = ['claude', 'codex', 'gemini', 'copilot', 'cursor', 'opencode', 'kiro', 'vscode'] as const

export type AgentName = (typeof AGENT_NAMES)[number]
