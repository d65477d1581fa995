/** keep with real processes: what it passes on, and what becomes of the lease and the command when one of them is stopped or killed. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { connect } from '../database/open.ts'
import { openPlan, type Plan } from '../index.ts'
import { CLI, type PlanChild, runCli, startCli } from '../test-support/run-cli.ts'
import {
  putTicket,
  readTicketJson,
  type TemporaryRepository,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { until } from '../test-support/until.ts'

interface World {
  repository: TemporaryRepository
  root: string
  plan: Plan
  token: number
  /** Arguments of keep for the claim on A. */
  keep(options: readonly string[], ...command: string[]): string[]
  claim(): ReturnType<Plan['claims']>['claims'][number] | undefined
}

/** Runs the test on a claim on A with a short time to live. */
async function withClaim(ttl: number, use: (world: World) => Promise<void>): Promise<void> {
  using repository = temporaryRepository()
  const { root } = repository
  putTicket(root, 'A', { state: 'queued' })
  using plan = openPlan({ root, actor: 'tester' })
  const token = plan.accept({ ticket: 'A', holder: 'pod-1', ttl }).claim!.token!
  await use({
    repository,
    root,
    plan,
    token,
    keep: (options, ...command) => ['keep', 'A', '--token', String(token), ...options, '--', ...command],
    claim: () => plan.claims().claims[0],
  })
}

const says = (child: PlanChild, text: string) => until(text, () => child.stderr().includes(text))
const isRunning = (pid: number) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** The processes that a process has started. */
function childrenOf(pid: number): { pid: number; command: string }[] {
  return readdirSync('/proc').flatMap(name => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      return parent === pid ? [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'utf8') }] : []
    } catch {
      return []
    }
  })
}

/** Starts processes that use all the time they get; they end with this process at the latest. */
async function busyProcesses(count: number): Promise<Disposable> {
  const script = `echo busy; while kill -0 ${process.pid} 2>/dev/null; do :; done`
  const busy = Array.from({ length: count }, () => spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] }))
  await Promise.all(busy.map(({ stdout }) => once(stdout, 'data')))
  return {
    [Symbol.dispose]() {
      for (const child of busy) child.kill('SIGKILL')
    },
  }
}

describe('keep passes on', () => {
  test('input, output, environment and exit status of the command', async () => {
    await withClaim(60, async ({ root, keep, token, claim }) => {
      const script = 'read line; echo "$line $TICKETPLAN_TICKET $TICKETPLAN_TOKEN"; echo oops >&2; exit 5'
      const run = spawnSync(process.execPath, [CLI, '-C', root, ...keep([], 'sh', '-c', script)], {
        input: 'hello\n',
        encoding: 'utf8',
      })
      expect(run).toMatchObject({ status: 5, stdout: `hello A ${token}\n`, stderr: 'oops\n' })
      expect(claim()).toMatchObject({ live: true })
    })
  })

  test('the statuses of a shell for a command that is not there, cannot be run, or is ended by a signal', async () => {
    await withClaim(60, async ({ root, keep }) => {
      const status = async (...command: string[]) => (await runCli(root, keep([], ...command))).status
      expect(await status('no-such-command')).toBe(127)
      expect(await status(root)).toBe(126)
      writeFileSync(join(root, 'script'), '#!/bin/sh\n')
      expect(await status(join(root, 'script'))).toBe(126)
      expect(await status('sh', '-c', 'kill -KILL $$')).toBe(137)
      expect(await status('sh', '-c', 'exit 0')).toBe(0)
      expect((await runCli(root, keep([], root))).stderr).toContain(`${root}: is a folder, not a command`)
      expect((await runCli(root, keep([], join(root, 'script')))).stderr).toContain(
        'script: is not executable; "chmod +x"',
      )
    })
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s, which the command can handle', async signal => {
    await withClaim(60, async ({ root, keep }) => {
      const name = signal.slice(3)
      const script = `trap 'echo got ${name}; exit 9' ${name}; echo ready; while :; do sleep 0.05; done`
      const child = startCli(root, keep([], 'sh', '-c', script))
      await child.said(1)
      child.process.kill(signal)
      expect(await child.ended).toEqual({ status: 9, signal: null })
      expect(child.lines).toEqual(['ready', `got ${name}`])
    })
  })

  test('ctrl-c of a terminal once: the terminal itself sends it to the command', async () => {
    await withClaim(60, async ({ root, keep, repository }) => {
      const script = join(repository.databaseDir, 'work.sh')
      writeFileSync(
        script,
        `n=0; trap 'n=$((n+1)); touch ${root}/got' INT; echo ready
         while [ ! -e ${root}/enough ]; do sleep 0.05; done; echo "got $n"; exit 4`,
      )
      // With exec, whatever shell $SHELL names: one that waits for keep would end by ctrl-c itself.
      const words = [process.execPath, CLI, '-C', root, ...keep([], 'sh', script)].map(word => `'${word}'`)
      const child = spawn('script', ['-qec', `exec ${words.join(' ')}`, '/dev/null'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      let output = ''
      child.stdout.setEncoding('utf8').on('data', text => {
        output += text
      })
      const ended = once(child, 'close')
      await until('it is ready', () => output.includes('ready'))
      child.stdin.write('\u0003')
      await until('the command got it', () => existsSync(join(root, 'got')))
      writeFileSync(join(root, 'enough'), '')
      await until('the command has ended', () => /got \d/.test(output))
      expect(output).toContain('got 1')
      expect((await ended)[0]).toBe(4)
    })
  })

  test('a signal that ends the command: 128 and its number', async () => {
    await withClaim(60, async ({ root, keep }) => {
      const child = startCli(root, keep([], 'sh', '-c', 'echo ready; exec sleep 100'))
      await child.said(1)
      child.process.kill('SIGTERM')
      expect(await child.ended).toEqual({ status: 143, signal: null })
    })
  })

  test('with --json a last line on standard error says how it ended; standard output is the command alone', async () => {
    await withClaim(60, async ({ root, keep }) => {
      const run = await runCli(root, keep(['--json'], 'sh', '-c', 'echo out; exit 3'))
      expect({ status: run.status, stdout: run.stdout }).toEqual({ status: 3, stdout: 'out\n' })
      expect(JSON.parse(run.stderr)).toEqual({ ticket: 'A', status: 3, lost: false, released: false })
      const last = await runCli(root, keep(['--json', '--release'], 'true'))
      expect(JSON.parse(last.stderr)).toEqual({ ticket: 'A', status: 0, lost: false, released: true })
      const lost = await runCli(root, keep(['--json'], 'true'))
      expect(lost.status).toBe(75)
      expect(JSON.parse(lost.stderr.trim().split('\n').at(-1)!)).toMatchObject({ status: 75, lost: true })
    })
  })

  test('arguments that look like options of its own', async () => {
    await withClaim(60, async ({ root, keep }) => {
      const { stdout } = await runCli(root, keep([], 'echo', '--json', '--help', '-C', 'x', '--token', '7'))
      expect(stdout).toBe('--json --help -C x --token 7\n')
    })
  })
})

describe('the lease', () => {
  test('is renewed while the command runs, longer than its time to live', async () => {
    await withClaim(1, async ({ root, keep, claim }) => {
      const before = Date.parse(claim()!.renewed_at)
      const child = startCli(
        root,
        keep([], 'sh', '-c', 'echo ready; read never'.replace('read never', 'exec sleep 100')),
      )
      await child.said(1)
      await until('three renewals', () => Date.parse(claim()!.renewed_at) > before + 3000)
      expect(claim()).toMatchObject({ live: true, holder: 'pod-1' })
      child.process.kill('SIGTERM')
      expect((await child.ended).status).toBe(143)
    })
  })

  test('outlives a stopped parent', async () => {
    await withClaim(1, async ({ root, keep, claim }) => {
      const child = startCli(root, keep([], 'sh', '-c', 'echo ready; exec sleep 100'))
      await child.said(1)
      child.process.kill('SIGSTOP')
      const stoppedAt = Date.now()
      await until('renewals go on', () => Date.parse(claim()!.renewed_at) > stoppedAt + 2500)
      expect(claim()!.live).toBe(true)
      child.process.kill('SIGCONT')
      child.process.kill('SIGTERM')
      expect((await child.ended).status).toBe(143)
    })
  })

  test('outlives a stop of the whole process group, as by ctrl-z', async () => {
    await withClaim(1, async ({ root, keep, claim }) => {
      const child = startCli(root, keep([], 'sh', '-c', 'echo ready; exec sleep 100'), { through: ['setsid'] })
      await child.said(1)
      const group = -child.process.pid!
      process.kill(group, 'SIGSTOP')
      const stoppedAt = Date.now()
      await until('renewals go on', () => Date.parse(claim()!.renewed_at) > stoppedAt + 2500)
      process.kill(group, 'SIGCONT')
      child.process.kill('SIGTERM')
      expect((await child.ended).status).toBe(143)
    })
  })

  test('ends after its parent was killed', async () => {
    await withClaim(1, async ({ root, keep, claim }) => {
      const child = startCli(root, keep([], 'sh', '-c', 'echo $$; exec sleep 100'))
      await child.said(1)
      const renewers = childrenOf(child.process.pid!).filter(({ command }) => command.includes('claim-renewer'))
      expect(renewers).toHaveLength(1)
      child.process.kill('SIGKILL')
      await until('the renewer has ended', () => !isRunning(renewers[0]!.pid))
      await until('the claim has expired', () => claim()!.live === false)
      process.kill(Number(child.lines[0]), 'SIGKILL')
      await child.ended
    })
  })

  test('goes on after its renewer was killed: another one starts', async () => {
    await withClaim(3, async ({ root, keep, claim }) => {
      const child = startCli(root, keep([], 'sh', '-c', 'echo ready; exec sleep 100'))
      await child.said(1)
      const renewers = () => childrenOf(child.process.pid!).filter(({ command }) => command.includes('claim-renewer'))
      const [first] = renewers()
      process.kill(first!.pid, 'SIGKILL')
      await says(child, 'starting another one')
      await until('another renewer', () => renewers().some(({ pid }) => pid !== first!.pid))
      const before = Date.parse(claim()!.renewed_at)
      await until('it renews', () => Date.parse(claim()!.renewed_at) > before)
      child.process.kill('SIGTERM')
      expect((await child.ended).status).toBe(143)
    })
  })

  test('outlives a database that is busy for a while', async () => {
    await withClaim(6, async ({ root, repository, keep, claim }) => {
      const child = startCli(root, keep([], 'sh', '-c', 'echo ready; exec sleep 100'))
      await child.said(1)
      const lock = connect(repository.localPath, 'local', 1000)
      lock.exec('begin immediate')
      await says(child, 'trying again')
      lock.exec('rollback')
      lock.close()
      const before = Date.parse(claim()!.renewed_at)
      await until('it is renewed again', () => Date.parse(claim()!.renewed_at) > before)
      child.process.kill('SIGTERM')
      expect((await child.ended).status).toBe(143)
    })
  })

  test('outlives a loaded CPU: twice as many busy processes as cores', async () => {
    const ttl = 6
    await withClaim(ttl, async ({ root, keep, plan, claim, token }) => {
      using _load = await busyProcesses(2 * availableParallelism())
      const child = startCli(root, keep([], 'sh', '-c', 'echo ready; exec sleep 100'))
      await child.said(1)
      const before = Date.parse(claim()!.renewed_at)
      await until('it was renewed after three times its time to live', () => {
        const now = claim()
        expect(now, child.stderr()).toMatchObject({ live: true, holder: 'pod-1', token })
        return Date.parse(now!.renewed_at) > before + 3 * ttl * 1000
      })
      expect(plan.accept({ ticket: 'A', holder: 'pod-2' })).toMatchObject({ accepted: false })
      child.process.kill('SIGTERM')
      expect((await child.ended).status).toBe(143)
    })
  })

  test('is kept on a branch without a tickets folder', async () => {
    await withClaim(60, async ({ root, keep, plan }) => {
      rmSync(join(root, 'tickets'), { recursive: true })
      const run = await runCli(root, keep(['--release'], 'echo', 'works'))
      expect(run).toMatchObject({ status: 0, stdout: 'works\n', stderr: '' })
      expect(plan.claims({ all: true }).claims[0]!.released_at).not.toBeNull()
    })
  })
})

describe('a claim that is lost', () => {
  test('before the start: the command does not run', async () => {
    await withClaim(60, async ({ root, keep, plan, token }) => {
      plan.release({ ticket: 'A', token })
      const run = await runCli(root, keep([], 'touch', join(root, 'ran')))
      expect(run).toMatchObject({ status: 75, stdout: '' })
      expect(run.stderr).toContain('is lost')
      expect(existsSync(join(root, 'ran'))).toBe(false)
    })
  })

  test('by force: it says why, ends the command, and exits with 75', async () => {
    await withClaim(600, async ({ root, keep, plan }) => {
      const child = startCli(
        root,
        keep([], 'sh', '-c', "trap 'echo ending; exit 0' TERM; echo ready; while :; do sleep 0.05; done"),
      )
      await child.said(1)
      plan.release({ ticket: 'A', force: true, reason: 'the plan has changed' })
      expect(await child.ended).toEqual({ status: 75, signal: null })
      expect(child.lines).toEqual(['ready', 'ending'])
      expect(child.stderr()).toContain('released by force: the plan has changed; ending the command')
    })
  })

  test('to another holder, while the command ignores SIGTERM: SIGKILL ends it', async () => {
    await withClaim(600, async ({ root, keep, plan }) => {
      const child = startCli(
        root,
        keep(['--grace', '1s'], 'sh', '-c', "trap '' TERM; echo $$; while :; do sleep 0.05; done"),
      )
      await child.said(1)
      plan.release({ ticket: 'A', force: true, reason: 'x' })
      plan.accept({ ticket: 'A', holder: 'pod-2' })
      expect(await child.ended).toEqual({ status: 75, signal: null })
      expect(isRunning(Number(child.lines[0]))).toBe(false)
    })
  })

  test('while the parent is stopped: the command is ended all the same', async () => {
    await withClaim(600, async ({ root, keep, plan }) => {
      const child = startCli(root, keep([], 'sh', '-c', 'echo $$; exec sleep 100'))
      await child.said(1)
      const pid = Number(child.lines[0])
      child.process.kill('SIGSTOP')
      plan.release({ ticket: 'A', force: true, reason: 'x' })
      await until('the command has ended', () => !isRunning(pid))
      child.process.kill('SIGCONT')
      expect(await child.ended).toEqual({ status: 75, signal: null })
      expect(child.stderr()).toContain('released by force')
    })
  })

  test('because the database stays busy: the command is ended before the lease is over', async () => {
    await withClaim(2, async ({ root, repository, keep }) => {
      const child = startCli(root, keep(['--grace', '1s'], 'sh', '-c', 'echo ready; exec sleep 100'))
      await child.said(1)
      const lock = connect(repository.localPath, 'local', 1000)
      lock.exec('begin immediate')
      expect(await child.ended).toEqual({ status: 75, signal: null })
      expect(child.stderr()).toContain('could not be renewed before its end')
      lock.exec('rollback')
      lock.close()
    })
  })
})

describe('at the end', () => {
  test('--release releases, with the state only if the command has succeeded', async () => {
    await withClaim(60, async ({ root, keep, plan, claim }) => {
      expect((await runCli(root, keep(['--release', '--state', 'done'], 'sh', '-c', 'exit 4'))).status).toBe(4)
      expect(claim()).toBeUndefined()
      expect(readTicketJson(root, 'tickets/A.json').state).toBe('queued')
      const { claim: next } = plan.accept({ ticket: 'A', holder: 'pod-2' })
      const args = ['keep', 'A', '--token', String(next!.token), '--release', '--state', 'done', '--', 'true']
      expect((await runCli(root, args)).status).toBe(0)
      expect(readTicketJson(root, 'tickets/A.json').state).toBe('done')
      expect(claim()).toBeUndefined()
    })
  })

  test('without --release the claim stays', async () => {
    await withClaim(60, async ({ root, keep, claim }) => {
      expect((await runCli(root, keep([], 'true'))).status).toBe(0)
      expect(claim()).toMatchObject({ live: true })
    })
  })

  test('a command that has released the claim itself is no loss', async () => {
    await withClaim(60, async ({ root, keep }) => {
      const own = `"${process.execPath}" "${CLI}" -C "${root}" release A --token "$TICKETPLAN_TOKEN"`
      const run = await runCli(root, keep(['--release'], 'sh', '-c', `${own} && exit 6`))
      expect(run.status, run.stderr).toBe(6)
      expect(run.stderr).toContain('has released the claim on A itself')
    })
  })

  test.each([
    [['keep', 'A', '--token', '5'], '<command> is required'],
    [['keep', 'A', '--token', '5', '--state', 'done', '--', 'true'], '--state needs --release'],
    [['keep', 'A', '--', 'true'], '--token is required'],
    [['keep', 'A', '--token', '5', '--ttl', 'soon', '--', 'true'], '--ttl takes seconds, or a time such as'],
  ])('%j is wrong usage', async (args, message) => {
    await withClaim(60, async ({ root }) => {
      const run = await runCli(root, args)
      expect(run.status).toBe(2)
      expect(run.stderr).toContain(message)
    })
  })
})
