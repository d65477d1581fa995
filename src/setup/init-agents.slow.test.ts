import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, test } from 'vitest'
import { jsonOf, runCli } from '../test-support/run-cli.ts'
import { putTicket, runGit, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'

interface Hooks {
  hooks: Record<string, { hooks: { command: string }[] }[]>
}

/** Creates a repository with a queued Ticket, in which `init --agents` ran and everything is committed. */
async function agentRepository() {
  const repo = temporaryRepository()
  putTicket(repo.root, 'A', { state: 'queued', title: 'The one that waits', queued_at: '2026-06-08T11:00:00.000Z' })
  const run = await runCli(repo.root, ['init', '--agents=claude,codex', '--json'])
  expect(run, run.stderr).toMatchObject({ status: 0, stderr: '' })
  runGit(repo.root, 'add', '--all')
  runGit(repo.root, 'commit', '--quiet', '--message=all')
  return repo
}

/** Runs each hook of a settings file as an agent does. */
function runHooks(root: string, path: string, cwd: string, env: Record<string, string>) {
  const { hooks } = JSON.parse(readFileSync(join(root, path), 'utf8')) as Hooks
  return Object.entries(hooks).map(([event, groups]) => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', groups[0]!.hooks[0]!.command], {
      cwd,
      env: { PATH: '/usr/bin:/bin', ...env },
      encoding: 'utf8',
    })
    return { event, status, stdout, stderr }
  })
}

test('the hooks print the digest, from any folder of the repository', async () => {
  using repo = await agentRepository()
  const below = join(repo.root, 'below')
  mkdirSync(below)
  const claude = runHooks(repo.root, '.claude/settings.json', '/', { CLAUDE_PROJECT_DIR: repo.root })
  const codex = runHooks(repo.root, '.codex/hooks.json', below, {})
  expect(claude.map(({ event }) => event)).toEqual(['SessionStart', 'SubagentStart'])
  expect(codex.map(({ event }) => event)).toEqual(['SessionStart'])
  const { stdout: digest } = await runCli(repo.root, ['brief'])
  expect(digest).toContain('The one that waits')
  for (const run of [...claude, ...codex]) {
    expect(run).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(run.stdout).hookSpecificOutput.additionalContext).toContain('The one that waits')
  }
})

test('in another clone they print nothing until init runs there, and the same files work in both', async () => {
  using repo = await agentRepository()
  using other = temporaryFolder()
  const clone = join(other.path, 'clone')
  runGit(other.path, 'clone', '--quiet', repo.root, clone)
  const settings = '.claude/settings.json'
  for (const run of runHooks(clone, settings, clone, {})) {
    expect(run).toMatchObject({ status: 0, stdout: '', stderr: '' })
  }
  expect((await runCli(clone, ['init', '--agents'])).status).toBe(0)
  expect(runGit(clone, 'status', '--porcelain')).toBe('')
  for (const run of runHooks(clone, settings, clone, {})) expect(run.stdout).toContain('The one that waits')
})

test('the official client starts the server of .mcp.json', async () => {
  using repo = await agentRepository()
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
