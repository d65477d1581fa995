import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, test } from 'vitest'
import { jsonOf, runCli } from '../test-support/run-cli.ts'
import { putTicket, runGit, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'
import type { AgentName } from './agent-names.ts'

interface Groups {
  hooks: Record<string, { hooks: { command: string }[] }[]>
}

/** How an agent runs its hooks, written from its documentation: see docs/agents.md for the sources. */
interface HookFile {
  path: string
  /** The commands by event, as the agent finds them in its file. */
  // biome-ignore lint/suspicious/noExplicitAny: a file of the agent, of which only the commands are looked into
  commands(document: any): [event: string, command: string][]
  /** What the agent writes to the standard input of a hook, beside the event. */
  input(root: string): object
  /** The text that the agent takes from an output; throws where it would take none. */
  textIn(output: string): string
}

const grouped = ({ hooks }: Groups) =>
  Object.entries(hooks).map(([event, groups]): [string, string] => [event, groups[0]!.hooks[0]!.command])
const inEnvelope = (output: string) => {
  const { hookEventName, additionalContext } = JSON.parse(output).hookSpecificOutput
  expect(hookEventName).toBe('SessionStart')
  return additionalContext
}
const atFolder = (root: string) => ({
  session_id: 's-1',
  cwd: root,
  hook_event_name: 'SessionStart',
  source: 'startup',
})

/** Each agent whose file has commands: VS Code gets no hook of its own, and OpenCode a plugin. */
const HOOK_FILES: Record<Exclude<AgentName, 'opencode' | 'vscode'>, HookFile> = {
  claude: { path: '.claude/settings.json', commands: grouped, input: atFolder, textIn: inEnvelope },
  codex: { path: '.codex/hooks.json', commands: grouped, input: atFolder, textIn: inEnvelope },
  gemini: { path: '.gemini/settings.json', commands: grouped, input: atFolder, textIn: inEnvelope },
  copilot: {
    path: '.github/hooks/ticketplan.json',
    commands: ({ hooks }) => [['sessionStart', hooks.sessionStart[0].bash]],
    input: root => ({ timestamp: 1, cwd: root, source: 'new', initialPrompt: 'begin' }),
    textIn: output => JSON.parse(output).additionalContext,
  },
  cursor: {
    path: '.cursor/hooks.json',
    commands: ({ hooks }) => [['sessionStart', hooks.sessionStart[0].command]],
    input: root => ({ session_id: 's-1', hook_event_name: 'sessionStart', workspace_roots: [root] }),
    textIn: output => JSON.parse(output).additional_context,
  },
  kiro: {
    path: '.kiro/hooks/ticketplan.json',
    commands: ({ hooks }) => [[hooks[0].trigger, hooks[0].action.command]],
    input: root => ({ hook_event_name: 'SessionStart', cwd: root }),
    textIn: output => output,
  },
}
const HOOK_AGENTS = Object.keys(HOOK_FILES) as (keyof typeof HOOK_FILES)[]

/** Creates a repository with a queued Ticket, in which `init --agents` ran for these agents and everything is committed. */
async function agentRepository(...agents: AgentName[]) {
  const repo = temporaryRepository()
  putTicket(repo.root, 'A', { state: 'queued', title: 'The one that waits', queued_at: '2026-06-08T11:00:00.000Z' })
  const run = await runCli(repo.root, ['init', `--agents=${agents}`, '--json'])
  expect(run, run.stderr).toMatchObject({ status: 0, stderr: '' })
  runGit(repo.root, 'add', '--all')
  runGit(repo.root, 'commit', '--quiet', '--message=all')
  return repo
}

/** The environment of an agent that has no ticketplan on its PATH. */
const bare = (env: Record<string, string> = {}) => ({ PATH: '/usr/bin:/bin', ...env })

/** Runs each hook of an agent's file in a shell, as the agent does. */
function runHooks(root: string, agent: keyof typeof HOOK_FILES, cwd = root, env: Record<string, string> = {}) {
  const { path, commands, input } = HOOK_FILES[agent]
  return commands(JSON.parse(readFileSync(join(root, path), 'utf8'))).map(([event, command]) => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
      cwd,
      env: bare(env),
      input: JSON.stringify(input(root)),
      encoding: 'utf8',
    })
    return { event, status, stdout, stderr }
  })
}

/** Stands in for Bun's shell: runs the line in `sh`, with each value as one word. */
function shellStub(parts: TemplateStringsArray, ...values: string[]) {
  const word = (value: string | undefined) => (value === undefined ? '' : `'${value.replaceAll("'", "'\\''")}'`)
  const line = parts.map((part, n) => part + word(values[n])).join('')
  let folder: string | undefined
  const promise = {
    cwd(path: string) {
      folder = path
      return promise
    },
    nothrow: () => promise,
    quiet: () => promise,
    text: async () => spawnSync('sh', ['-c', line], { cwd: folder, env: bare(), encoding: 'utf8' }).stdout,
  }
  return promise
}

/** Returns what OpenCode's plugin adds to the context when a session is compacted. */
async function compactedContext(root: string): Promise<string[]> {
  const url = pathToFileURL(join(root, '.opencode/plugins/ticketplan.ts')).href
  const { TicketplanPlugin } = await import(/* @vite-ignore */ url)
  const plugin = await TicketplanPlugin({ $: shellStub, directory: root })
  const output = { context: ['of another plugin'], prompt: undefined }
  await plugin['experimental.session.compacting']({ sessionID: 's-1' }, output)
  expect(output).toEqual({ context: expect.arrayContaining(['of another plugin']), prompt: undefined })
  return output.context.slice(1)
}

test.each(HOOK_AGENTS)('the hooks of %s print the form that it takes', async agent => {
  using repo = await agentRepository(agent)
  const runs = runHooks(repo.root, agent)
  expect(runs.length).toBeGreaterThan(0)
  for (const run of runs) {
    expect(run).toMatchObject({ status: 0, stderr: '' })
    expect(HOOK_FILES[agent].textIn(run.stdout)).toMatch(/^ticketplan brief, .*\baccept A "The one that waits"/s)
  }
})

test('the plugin of OpenCode adds the digest to the context of a compaction', async () => {
  using repo = await agentRepository('opencode')
  expect(await compactedContext(repo.root)).toEqual([
    expect.stringMatching(/^ticketplan brief, .*\baccept A "The one that waits"/s),
  ])
})

test('the hooks print the digest, from any folder of the repository', async () => {
  using repo = await agentRepository('claude', 'codex')
  const below = join(repo.root, 'below')
  mkdirSync(below)
  const claude = runHooks(repo.root, 'claude', '/', { CLAUDE_PROJECT_DIR: repo.root })
  const codex = runHooks(repo.root, 'codex', below)
  expect(claude.map(({ event }) => event)).toEqual(['SessionStart', 'SubagentStart'])
  expect(codex.map(({ event }) => event)).toEqual(['SessionStart'])
  for (const run of [...claude, ...codex]) {
    expect(run).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(run.stdout).hookSpecificOutput.additionalContext).toContain('The one that waits')
  }
})

test('in another clone they print nothing until init runs there, and the same files work in both', async () => {
  using repo = await agentRepository(...HOOK_AGENTS, 'opencode')
  using other = temporaryFolder()
  const clone = join(other.path, 'clone')
  runGit(other.path, 'clone', '--quiet', repo.root, clone)
  const run = () => HOOK_AGENTS.flatMap(agent => runHooks(clone, agent))
  for (const heard of run()) expect(heard).toMatchObject({ status: 0, stdout: '', stderr: '' })
  expect(await compactedContext(clone)).toEqual([])
  expect((await runCli(clone, ['init', '--agents'])).status).toBe(0)
  expect(runGit(clone, 'status', '--porcelain')).toBe('')
  for (const { stdout } of run()) expect(stdout).toContain('The one that waits')
  expect(await compactedContext(clone)).toEqual([expect.stringContaining('The one that waits')])
})

test('the official client starts the server of .mcp.json', async () => {
  using repo = await agentRepository('claude')
  const { mcpServers } = JSON.parse(readFileSync(join(repo.root, '.mcp.json'), 'utf8'))
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StdioClientTransport({ ...mcpServers.ticketplan, cwd: repo.root }))
  try {
    const result = await client.callTool({ name: 'queue', arguments: {} })
    expect(result.structuredContent).toMatchObject({ queue: [{ ticket: { id: 'A' }, verdict: 'accept' }] })
  } finally {
    await client.close()
  }
})

test('the command prints what it would do, does it, and undoes it', async () => {
  using repo = temporaryRepository()
  writeFileSync(join(repo.root, '.mcp.json'), '{\n}\n')
  mkdirSync(join(repo.root, '.codex'))
  writeFileSync(join(repo.root, 'AGENTS.md'), '# Mine\n')
  chmodSync(join(repo.root, 'AGENTS.md'), 0o444)
  const dry = await runCli(repo.root, ['init', '--agents', '--dry-run'])
  expect(dry.stdout).toMatch(/^would create .*\.claude\/settings\.json/m)
  expect(dry.stdout).toMatch(/^would change \.mcp\.json/m)
  expect(dry.stdout).toMatch(/^skipped AGENTS\.md: it is read-only/m)
  const planned = jsonOf<object>(await runCli(repo.root, ['init', '--agents', '--dry-run', '--json']))
  expect(jsonOf<object>(await runCli(repo.root, ['init', '--agents', '--json']))).toEqual({ ...planned, dryRun: false })
  expect((await runCli(repo.root, ['init', '--undo'])).stdout).toMatch(/^removed .*\.codex\/hooks\.json/m)
  expect(readFileSync(join(repo.root, '.mcp.json'), 'utf8')).toBe('{\n}\n')
})
