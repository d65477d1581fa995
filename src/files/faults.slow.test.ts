import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  type Acknowledged,
  checkAfterFault,
  checkFiles,
  expectNamedFailure,
} from '../test-support/check-after-fault.ts'
import {
  AT_ONCE,
  acknowledgement,
  addScenario,
  callsOf,
  LONG,
  recordScenario,
  template,
} from '../test-support/fault-scenarios.ts'
import { inParallel, jsonOf, type Run, runCli } from '../test-support/run-cli.ts'
import { injectFault } from '../test-support/strace.ts'
import { mountObstacle, mountTmpfs, straceObstacle } from '../test-support/system-abilities.ts'
import { putTicket, readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'
import { isTempName } from './atomic-write.ts'

function tempFiles(folder: string): string[] {
  return readdirSync(folder).filter(isTempName)
}

describe('a system call that fails', () => {
  const obstacle = straceObstacle()
  const { args } = recordScenario

  /** Runs the command with a fault at the first call of that name on a matching file, then `check`. */
  async function withFault(
    [name, file, fault]: [name: string, file: RegExp, fault: string],
    check: (run: Run, root: string, acknowledged: Acknowledged[]) => void | Promise<void>,
  ): Promise<void> {
    using prepared = template(recordScenario, true)
    for (let attempt = 0; attempt < 10; attempt++) {
      const call = (await callsOf(prepared, args, [name])).find(({ line }) => file.test(line))
      if (!call) throw new Error(`no ${name} of ${file}`)
      using copy = prepared.attempt()
      const run = await injectFault(copy.root, args, call, fault)
      const hit = run.calls.find(({ line }) => line.includes('(INJECTED)'))
      if (!hit || !file.test(hit.line)) continue // what Node does on its own may shift the count of calls by one
      await check(run, copy.root, prepared.acknowledged)
      return
    }
    throw new Error(`the fault never met ${name} of ${file}`)
  }

  const cases = ['openat', 'write', 'fsync', 'close', 'rename'].flatMap(name =>
    ['EIO', 'ENOSPC'].map(error => ({ name, error })),
  )
  it.for(cases)('$error from $name of the temporary file leaves the old bytes and is reported', async (given, {
    skip,
  }) => {
    skip(obstacle !== null, obstacle ?? '')
    const { name, error } = given
    await withFault([name, /\.A\.json\.[0-9a-f]{12}\.tmp/, `error=${error}`], async (run, root, acknowledged) => {
      expect(expectNamedFailure(run)).toBe('io')
      expect(run.stderr).toContain(`"syscallCode":"${error}"`)
      expect(run.stdout).toBe('')
      const { decisions } = readTicketJson(root, 'tickets/A.json')
      expect(decisions).toHaveLength(1)
      expect(tempFiles(join(root, 'tickets'))).toEqual([])
      checkAfterFault(root, acknowledged)
      expect(jsonOf(await runCli(root, args))).toMatchObject({ created: true })
    })
  })

  it.for([
    'EIO',
    'ENOSPC',
  ])('%s from fsync of the folder: the write is not acknowledged, and the file is complete', async (error, {
    skip,
  }) => {
    skip(obstacle !== null, obstacle ?? '')
    await withFault(['fsync', /\/tickets>/, `error=${error}`], (run, root, acknowledged) => {
      expect(expectNamedFailure(run)).toBe('io')
      expect(run.stderr).toMatch(/A\.json is written, but a power cut may undo that/)
      expect(run.stdout).toBe('')
      checkAfterFault(root, acknowledged)
    })
  })

  it('a short write that reports success is detected', async ({ skip }) => {
    skip(obstacle !== null, obstacle ?? '')
    await withFault(['write', /\.A\.json\./, 'retval=10'], (run, root, acknowledged) => {
      expect(expectNamedFailure(run)).toBe('io')
      expect(readTicketJson(root, 'tickets/A.json').decisions).toHaveLength(1)
      expect(tempFiles(join(root, 'tickets'))).toEqual([])
      checkAfterFault(root, acknowledged)
    })
  })

  it.for(['EIO', 'ENOSPC'])('%s from pwrite64 to the index: the Ticket is written, with a notice', async (error, {
    skip,
  }) => {
    skip(obstacle !== null, obstacle ?? '')
    await withFault(['pwrite64', /index\.db-wal/, `error=${error}`], (run, root, acknowledged) => {
      expect(jsonOf(run)).toMatchObject({ created: true })
      expect(run.stderr).toMatch(/^{"note":".*index/)
      checkAfterFault(root, [...acknowledged, ...acknowledgement(run)])
    })
  })

  it.for([
    ['statx', /\/\.git\/ticketplan",/],
    ['access', /\/\.git\/ticketplan",/],
    ['statx', /\/tickets",/],
  ] as const)('EIO from %s of %s: an error of the system, with the path', async ([name, file], { skip }) => {
    skip(obstacle !== null, obstacle ?? '')
    await withFault([name, file, 'error=EIO'], (run, root, acknowledged) => {
      expect(expectNamedFailure(run)).toBe('io')
      expect(run.stderr).toContain(root)
      checkAfterFault(root, acknowledged)
    })
  })

  it('EPERM from link, as on file systems without hard links: a rename takes its place', async ({ skip }) => {
    skip(obstacle !== null, obstacle ?? '')
    using prepared = template(addScenario, true)
    using copy = prepared.attempt()
    const run = await injectFault(copy.root, addScenario.args, { name: 'link', nth: 1 }, 'error=EPERM')
    expect(run.calls.find(({ line }) => line.includes('(INJECTED)'))?.line).toContain('NEW.json')
    expect(jsonOf(run)).toMatchObject({ created: true })
    expect(tempFiles(join(copy.root, 'tickets'))).toEqual([])
    checkAfterFault(copy.root, prepared.acknowledged)
  })
})

describe('a disk that is full', () => {
  it('fails the write with a named error, leaves the old bytes, and works again when there is space', async ({
    skip,
  }) => {
    const obstacle = mountObstacle()
    skip(obstacle !== null, obstacle ?? '')
    using repo = temporaryRepository()
    using _small = mountTmpfs(repo.ticketsDir, '256k')
    putTicket(repo.root, 'A')
    const acknowledged: Acknowledged[] = []
    const record = () => runCli(repo.root, ['record', 'A', 'note', '--reason', 'y'.repeat(9000), '--json'])
    const filler = join(repo.ticketsDir, 'filler')
    writeFileSync(filler, Buffer.alloc(100 * 1024))
    let failures = 0
    for (let number = 0; failures < 3 && number < 40; number++) {
      const before = readFileSync(join(repo.ticketsDir, 'A.json'), 'utf8')
      const run = await record()
      if (run.status === 0) acknowledged.push(...acknowledgement(run))
      else {
        failures++
        expect(expectNamedFailure(run)).toBe('io')
        expect(run.stderr).toContain('no space left on the disk')
        expect(readFileSync(join(repo.ticketsDir, 'A.json'), 'utf8')).toBe(before)
        expect(tempFiles(repo.ticketsDir)).toEqual([])
      }
      checkFiles(repo.root, acknowledged)
    }
    expect(failures).toBe(3)
    const added = await runCli(repo.root, ['add', 'B', '--title', 'z'.repeat(1000), '--json'])
    if (added.status !== 0) expect(expectNamedFailure(added)).toBe('io')
    rmSync(filler)
    const run = await record()
    expect(jsonOf(run)).toMatchObject({ created: true })
    checkAfterFault(repo.root, [...acknowledged, ...acknowledgement(run)])
  })
})

describe('too many open files', () => {
  it('is a named error, or does no harm, at every limit', { timeout: 600_000 }, async () => {
    using prepared = template(recordScenario, true)
    const limits = Array.from({ length: LONG ? 40 : 14 }, (_, step) => 8 + step * (LONG ? 1 : 3))
    let named = 0
    let worked = 0
    const tryLimit = async (limit: number) => {
      using copy = prepared.attempt()
      const through = ['sh', '-c', `ulimit -n ${limit} && exec "$0" "$@"`]
      const run = await runCli(copy.root, recordScenario.args, { through })
      if (run.status === 0) worked++
      else {
        // Below some limit Node itself cannot start, and prints its own error.
        expect(run.status !== 0 || run.signal !== null).toBe(true)
        expect(run.stdout).toBe('')
        if (run.stderr.includes('{"error"')) {
          named++
          expect(['io', 'database'], run.stderr).toContain(expectNamedFailure(run))
        }
      }
      expect(existsSync(join(copy.root, 'tickets/A.json'))).toBe(true)
      checkAfterFault(copy.root, [...prepared.acknowledged, ...acknowledgement(run)])
      if (run.status === 0) expect(readTicketJson(copy.root, 'tickets/A.json').decisions).toHaveLength(2)
    }
    await inParallel(
      AT_ONCE,
      limits.map(limit => () => tryLimit(limit)),
    )
    expect(worked).toBeGreaterThan(0)
    expect(named + worked).toBeGreaterThan(1)
  })
})
