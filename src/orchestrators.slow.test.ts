/** The lines of docs/orchestrators.md, run by a stand-in for each orchestrator that does what its documentation says. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { openPlan, type Plan } from './sdk.ts'
import { CLI, PACKAGE_ROOT } from './test-support/run-cli.ts'
import { programObstacle } from './test-support/system-abilities.ts'
import { runGit, temporaryFolder } from './test-support/temporary-repository.ts'

const page = readFileSync(join(PACKAGE_ROOT, 'docs', 'orchestrators.md'), 'utf8')

/** The blocks of a language below a heading. */
function blocks(heading: string, language: string): string[] {
  const section = page.split(`\n## ${heading}\n`)[1]!.split(/^## /m)[0]!
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text]) => text!)
}

interface Shop extends Disposable {
  root: string
  home: string
  plan: Plan
  /** Runs a command as the orchestrator would. */
  run(
    command: string,
    options?: { cwd?: string; input?: string },
  ): { status: number | null; stdout: string; stderr: string }
}

/** A clone in a folder with a blank, with T-1 and T-2 that must not run side by side, and `ticketplan` on the PATH. */
function shop(): Shop {
  const folder = temporaryFolder()
  const [root, home, bin] = ['the shop', 'home', 'bin'].map(name => join(folder.path, name)) as [string, string, string]
  for (const path of [root, home, bin]) mkdirSync(path)
  runGit(root, 'init', '--quiet', '--initial-branch=main')
  program(bin, 'ticketplan', `exec '${process.execPath}' '${CLI}' "$@"`)
  program(bin, 'bd', `echo "$@" >> '${join(folder.path, 'bd.log')}'`)
  const plan = openPlan({ root, actor: 'orchestrator' })
  plan.init()
  for (const id of ['T-1', 'T-2']) plan.add({ id, title: `Work on ${id}`, state: 'queued' })
  plan.record({ ticket: 'T-1', kind: 'conflicts_with', other: 'T-2', reason: 'both rewrite the menu' })
  runGit(root, 'add', '.')
  runGit(root, 'commit', '--quiet', '--message', 'plan')
  const env = {
    PATH: [bin, process.env.PATH].join(delimiter),
    HOME: home,
    SHOP: root,
    TICKETPLAN_ACTOR: 'orchestrator',
    CLAUDE_CODE_TASK_LIST_ID: 'shop',
  }
  return {
    root,
    home,
    plan,
    run: (command, { cwd = root, input } = {}) => {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
        cwd,
        env,
        input: input ?? '',
        encoding: 'utf8',
        timeout: 60_000,
      })
      return { status, stdout, stderr }
    },
    [Symbol.dispose]() {
      plan.close()
      folder[Symbol.dispose]()
    },
  }
}

function program(folder: string, name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, name), 0o755)
}

const holders = (plan: Plan) => plan.claims().claims.map(({ ticket, holder }) => `${ticket} ${holder}`)
const noJq = programObstacle('jq')
beforeEach(({ skip }) => skip(noJq !== null, noJq ?? ''))

describe('a shell loop', () => {
  const [loop] = blocks('A shell loop', 'sh')
  const work = (log: string) => `
    [ "$TICKETPLAN_TICKET" = "$1" ] && [ -n "$TICKETPLAN_TOKEN" ] || exit 9
    echo "start $1" >> '${log}'
    ticketplan claims --json > /dev/null
    echo "end $1" >> '${log}'
    [ "$1" != T-3 ]`

  test('does what may start, gives back what fails, and ends with the queue', () => {
    using city = shop()
    const log = join(city.home, 'work.log')
    program(city.root, 'work', work(log))
    city.plan.add({ id: 'T-3', title: 'Fails', state: 'queued' })
    const both = `(${loop}) & (WORKER=pod-2; ${loop}) & wait`
    expect(city.run(`PAUSE=0.05 WORKER=pod-1; ${both}`)).toMatchObject({ status: 0, stderr: '' })
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    expect([...lines].sort()).toEqual(['end T-1', 'end T-2', 'end T-3', 'start T-1', 'start T-2', 'start T-3'])
    // T-1 and T-2 must not run side by side.
    expect(lines.filter(line => !line.includes('T-3')).map(line => line.split(' ')[0])).toEqual([
      'start',
      'end',
      'start',
      'end',
    ])
    const states = ['T-1', 'T-2', 'T-3'].map(ticket => city.plan.show(ticket).ticket.state)
    expect(states).toEqual(['done', 'done', 'open'])
    expect(holders(city.plan)).toEqual([])
  })
})

describe('Gas City', () => {
  const [toml] = blocks('Gas City', 'toml')
  /** A command template of the agent, as `gc` expands it. */
  const template = (name: string, root: string, bead = '') => {
    // A basic string of TOML without \u and the like is one of JSON.
    const text: string = JSON.parse(new RegExp(`^${name} = (".*")$`, 'm').exec(toml!)![1]!)
    const expanded = text.replaceAll('{{.RigRoot}}', root).replaceAll('{{.Agent}}', 'shop/coder')
    return expanded.replaceAll('{}', bead)
  }

  test('a bead is routed if and only if it is accepted', () => {
    using city = shop()
    const log = join(city.root, '..', 'bd.log')
    const sling = (bead: string) => city.run(template('sling_query', city.root, bead), { cwd: city.home })
    expect(sling('T-1')).toMatchObject({ status: 0 })
    expect(readFileSync(log, 'utf8')).toBe('update T-1 --set-metadata gc.routed_to=shop/coder\n')
    expect(sling('T-2')).toMatchObject({ status: 3, stdout: expect.stringContaining('T-1') })
    expect(readFileSync(log, 'utf8').split('\n')).toHaveLength(2)
    expect(holders(city.plan)).toEqual(['T-1 shop/coder'])
  })

  test('the work of an agent is what may start now', () => {
    using city = shop()
    const work = () => JSON.parse(city.run(template('work_query', city.root), { cwd: city.home }).stdout)
    expect(work().map(({ id }: { id: string }) => id)).toEqual(['T-1', 'T-2'])
    city.plan.accept({ ticket: 'T-1', holder: 'somebody' })
    expect(work()).toEqual([])
  })
})

describe('Symphony', () => {
  const { hooks } = parse(blocks('Symphony', 'yaml')[0]!) as { hooks: Record<string, string> }

  /** One attempt at an issue: the workspace with the issue's name, the hooks in it, and the agent between them. */
  function attempt({ run }: Shop, workspaces: string, issue: string, agent = 'true') {
    const workspace = join(workspaces, issue)
    if (!existsSync(workspace)) {
      mkdirSync(workspace, { recursive: true })
      const created = run(hooks.after_create!, { cwd: workspace })
      if (created.status !== 0) return { ...created, at: 'after_create' }
    }
    const before = run(hooks.before_run!, { cwd: workspace })
    if (before.status !== 0) return { ...before, at: 'before_run' }
    const done = run(agent, { cwd: workspace })
    run(hooks.after_run!, { cwd: workspace })
    return { ...done, at: 'agent' }
  }

  test('an attempt starts only with the claim, keeps it while the agent works, and gives it back', () => {
    using city = shop()
    const workspaces = join(city.home, 'workspaces')
    const second = `cd '${workspaces}'; ticketplan -C T-1 claims --json`
    const first = attempt(city, workspaces, 'T-1', second)
    expect(first).toMatchObject({ status: 0, at: 'agent' })
    expect(JSON.parse(first.stdout).claims).toEqual([expect.objectContaining({ ticket: 'T-1', live: true })])
    expect(holders(city.plan)).toEqual([])
    city.plan.accept({ ticket: 'T-1', holder: 'somebody' })
    expect(attempt(city, workspaces, 'T-2')).toMatchObject({ status: 3, at: 'before_run' })
    expect(attempt(city, workspaces, 'T-1')).toMatchObject({ status: 3, at: 'before_run' })
    expect(holders(city.plan)).toEqual(['T-1 somebody'])
    city.run(hooks.before_remove!, { cwd: join(workspaces, 'T-2') })
    expect(readdirSync(workspaces)).toEqual(['T-1'])
  })

  test('an attempt after one that died gets the same claim', () => {
    using city = shop()
    const workspace = join(city.home, 'workspaces', 'T-1')
    mkdirSync(workspace, { recursive: true })
    city.run(hooks.after_create!, { cwd: workspace })
    expect(city.run(hooks.before_run!, { cwd: workspace })).toMatchObject({ status: 0 })
    const [claim] = city.plan.claims().claims
    expect(attempt(city, join(city.home, 'workspaces'), 'T-1', 'false')).toMatchObject({ status: 1, at: 'agent' })
    expect(city.plan.claims({ all: true }).claims.map(({ token }) => token)).toEqual([claim!.token])
    expect(holders(city.plan)).toEqual([])
  })
})

describe('Claude Code', () => {
  const [script] = blocks('Claude Code', 'sh')
  const settings = JSON.parse(blocks('Claude Code', 'json')[0]!)

  /** Calls the hooks of an event as Claude Code does: those whose matcher fits, with the event on standard input. */
  function hook({ root, run }: Shop, event: string, input: Record<string, unknown>) {
    mkdirSync(join(root, '.claude', 'hooks'), { recursive: true })
    writeFileSync(join(root, '.claude', 'hooks', 'ticket-gate.sh'), script!)
    const groups: { matcher?: string; hooks: { command: string }[] }[] = settings.hooks[event]
    const fitting = groups.filter(({ matcher }) => !matcher || new RegExp(`^(${matcher})$`).test(`${input.tool_name}`))
    return fitting
      .flatMap(({ hooks }) => hooks)
      .map(({ command }) => run(command, { input: JSON.stringify({ hook_event_name: event, cwd: root, ...input }) }))
  }
  const agent = (description: string) => ({ tool_name: 'Agent', tool_input: { description, prompt: 'do it' } })

  test('an agent for a Ticket that is held is denied with the reasons, any other passes', () => {
    using city = shop()
    const passes = [{ status: 0, stdout: '', stderr: '' }]
    expect(hook(city, 'PreToolUse', agent('T-2: the menu'))).toEqual(passes)
    city.plan.accept({ ticket: 'T-1', holder: 'somebody' })
    const [denied] = hook(city, 'PreToolUse', agent('T-2: the menu'))
    expect(denied).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(denied!.stdout)).toEqual({
      hookSpecificOutput: {
        hookEventName: 'PreToolUse',
        permissionDecision: 'deny',
        permissionDecisionReason: expect.stringMatching(/^held: .*T-1/),
      },
    })
    for (const other of ['Look around', '', '$(touch pwned) T-2', '"; touch pwned; "', '-h'])
      expect(hook(city, 'PreToolUse', agent(other)), other).toEqual(passes)
    expect(hook(city, 'PreToolUse', { tool_name: 'Bash', tool_input: { command: 'ls' } })).toEqual([])
    expect(existsSync(join(city.root, 'pwned'))).toBe(false)
  })

  test('a task that starts work on a held Ticket is denied', () => {
    using city = shop()
    const tasks = join(city.home, '.claude', 'tasks', 'shop')
    mkdirSync(tasks, { recursive: true })
    writeFileSync(join(tasks, '7.json'), JSON.stringify({ id: '7', subject: 'T-2 the menu', status: 'pending' }))
    city.plan.accept({ ticket: 'T-1', holder: 'somebody' })
    const update = (taskId: string, status: string) =>
      hook(city, 'PreToolUse', { tool_name: 'TaskUpdate', tool_input: { taskId, status } })[0]!.stdout
    expect(update('7', 'in_progress')).toContain('"deny"')
    expect(update('7', 'completed')).toBe('')
    expect(update('8', 'in_progress')).toBe('')
  })

  test('a task without a Ticket is refused', () => {
    using city = shop()
    const created = (task_subject: string) => hook(city, 'TaskCreated', { task_id: '1', task_subject })
    expect(created('T-1: the menu')).toEqual([{ status: 0, stdout: '', stderr: '' }])
    expect(created('the menu')).toMatchObject([{ status: 2, stderr: expect.stringContaining('id of a Ticket') }])
  })
})
