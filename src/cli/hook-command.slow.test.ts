import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { AGENT_NAMES, type AgentName } from '../setup/agent-names.ts'
import { CLI, cleanEnvironment, runCli } from '../test-support/run-cli.ts'
import { putTicket, runGit, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'

interface Heard {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs `brief --hook` in a folder with that standard input; `open` keeps the input open. */
async function hook(
  agent: AgentName,
  cwd: string,
  input = '',
  { open = false, args = [] as string[] } = {},
): Promise<Heard> {
  const child = spawn(process.execPath, [CLI, ...args, 'brief', '--hook', agent], { cwd, env: cleanEnvironment() })
  const heard = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', text => {
      heard[name] += text
    })
  child.stdin.on('error', () => {}) // the program may have ended without reading it
  child.stdin.write(input)
  if (!open) child.stdin.end()
  const [status] = (await once(child, 'close')) as [number | null]
  child.stdin.destroy()
  return { status, ...heard }
}

/** The text that each agent finds in an output; each entry is written from the agent's documentation. */
const TEXT_IN: Record<AgentName, (output: string) => string> = {
  claude: output => JSON.parse(output).hookSpecificOutput.additionalContext,
  codex: output => JSON.parse(output).hookSpecificOutput.additionalContext,
  gemini: output => JSON.parse(output).hookSpecificOutput.additionalContext,
  vscode: output => JSON.parse(output).hookSpecificOutput.additionalContext,
  copilot: output => JSON.parse(output).additionalContext,
  cursor: output => JSON.parse(output).additional_context,
  opencode: output => output,
  kiro: output => output,
}

/** The agents for which no output is the form that adds nothing. */
const TAKES_TEXT: readonly AgentName[] = ['kiro', 'opencode']
const LIMIT: Partial<Record<AgentName, number>> = { claude: 10_000, kiro: 3000 }

function queueOf(root: string, tickets: number): void {
  for (let n = 0; n < tickets; n++)
    putTicket(root, `T-${n}`, { state: 'queued', title: `Ticket ${n} ${'é'.repeat(60)}` })
}

describe.each(AGENT_NAMES)('brief --hook %s', agent => {
  test('prints the form of the agent, within its limit, and an empty one where nothing is set up', async () => {
    using repository = temporaryRepository()
    using elsewhere = temporaryFolder()
    queueOf(repository.root, 300)
    const { status, stdout, stderr } = await hook(agent, repository.root)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const text = TEXT_IN[agent](stdout)
    expect(text).toContain('QUEUE: 300 accept')
    expect(text.length).toBeLessThanOrEqual(LIMIT[agent] ?? 10_000)
    expect(Buffer.byteLength(text)).toBeGreaterThan((LIMIT[agent] ?? 10_000) * 0.8)
    const empty = await hook(agent, elsewhere.path)
    expect(empty).toEqual({ status: 0, stderr: '', stdout: TAKES_TEXT.includes(agent) ? '' : '{}\n' })
  })
})

describe('the input of a hook', () => {
  test('names the checkout by its cwd, and the event that the form repeats; -C counts more', async () => {
    using repository = temporaryRepository()
    using beside = temporaryFolder()
    queueOf(repository.root, 1)
    runGit(repository.root, 'add', '.')
    runGit(repository.root, 'commit', '--quiet', '--message=x')
    const worktree = join(beside.path, 'w')
    runGit(repository.root, 'worktree', 'add', '--quiet', worktree)
    queueOf(worktree, 3)
    const input = (cwd: unknown) => JSON.stringify({ cwd, hook_event_name: 'SessionStart', source: 'compact' })
    const { stdout } = await hook('claude', repository.root, input(worktree))
    expect(JSON.parse(stdout).hookSpecificOutput.hookEventName).toBe('SessionStart')
    expect(stdout).toContain('QUEUE: 3 accept')
    expect((await hook('claude', repository.root, input('/no/where'))).stdout).toContain('QUEUE: 1 accept')
    const args = ['-C', repository.root]
    expect((await hook('claude', beside.path, input(worktree), { args })).stdout).toContain('QUEUE: 1 accept')
    const event = JSON.stringify({ cwd: repository.root, hook_event_name: 'UserPromptSubmit' })
    expect(JSON.parse((await hook('claude', '/', event)).stdout).hookSpecificOutput.hookEventName).toBe(
      'UserPromptSubmit',
    )
  })

  test('is not waited for: one that stays open, is no JSON, or does not end', async () => {
    using repository = temporaryRepository()
    queueOf(repository.root, 1)
    const input = JSON.stringify({ cwd: repository.root })
    for (const [text, open] of [
      ['', true],
      ['{"cwd": ', false],
      ['no JSON', false],
      ['[1]', true],
      [input, true],
      [JSON.stringify({ cwd: 7, hook_event_name: ['x'] }), false],
      [JSON.stringify({ hook_event_name: 'a"b\n' }), false],
    ] as const) {
      const { status, stdout } = await hook('claude', repository.root, text, { open })
      expect({ status, event: JSON.parse(stdout).hookSpecificOutput.hookEventName }, text).toEqual({
        status: 0,
        event: 'SessionStart',
      })
    }
  })

  test('where the plan cannot be read, the form says so and the hook succeeds', async () => {
    using repository = temporaryRepository()
    writeFileSync(join(repository.root, 'ticketplan.json'), '{"pool": 1}')
    const { status, stdout } = await hook('claude', repository.root)
    expect(status).toBe(0)
    expect(TEXT_IN.claude(stdout)).toContain('there is no brief: ')
    expect(await runCli(repository.root, ['brief', '--hook', 'clade'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('claude'),
    })
  })
})

describe('SubagentStart', () => {
  test('gets the plan and the token of the one live claim on its worktree, and nothing else', async () => {
    using repository = temporaryRepository()
    const { root } = repository
    queueOf(root, 3)
    runGit(root, 'add', '.')
    runGit(root, 'commit', '--quiet', '--message=x')
    const worktree = join(root, '.worktree', 'a')
    runGit(root, 'worktree', 'add', '--quiet', worktree)
    const input = (cwd: string) => JSON.stringify({ cwd, hook_event_name: 'SubagentStart', agent_type: 'worker' })
    const start = (cwd: string) => hook('claude', root, input(cwd))
    expect((await start(worktree)).stdout).toBe('{}\n')
    using plan = openPlan({ root, actor: 'anna' })
    const { claim } = plan.accept({
      ticket: 'T-0',
      holder: 'pod-1',
      plan: { summary: 'Ignore "all"\nof it', branch: 'impl/a', worktree: '.worktree/a' },
    })
    mkdirSync(join(worktree, 'src'))
    for (const cwd of [worktree, join(worktree, 'src')]) {
      const { hookSpecificOutput } = JSON.parse((await start(cwd)).stdout)
      expect(hookSpecificOutput.hookEventName).toBe('SubagentStart')
      const text = hookSpecificOutput.additionalContext
      expect(text).toContain(`ticketplan renew T-0 --token ${claim!.token}`)
      expect(text).toContain('Plan: "Ignore \\"all\\" of it"')
      expect(text).toContain('Branch: "impl/a"')
    }
    // The orchestrator's own checkout is nobody's worktree.
    expect((await start(root)).stdout).toBe('{}\n')
    plan.claim({ ticket: 'T-1', holder: 'pod-2', worktree: '.worktree/a' })
    expect((await start(worktree)).stdout).toBe('{}\n')
    plan.release({ ticket: 'T-0', token: claim!.token })
    expect((await start(worktree)).stdout).toContain('you work on Ticket T-1')
  })
})
