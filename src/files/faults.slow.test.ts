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
  batchScenario,
  callsOf,
  importScenario,
  LONG,
  putSource,
  recordScenario,
  template,
} from '../test-support/fault-scenarios.ts'
import { errorOf, inParallel, jsonOf, type Run, runCli } from '../test-support/run-cli.ts'
import { injectFault } from '../test-support/strace.ts'
import { mountObstacle, mountTmpfs, straceObstacle } from '../test-support/system-abilities.ts'
import { putTicket, readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'
import { isTempName } from './atomic-write.ts'

function tempFiles(folder: string): string[] {
  return readdirSync(folder).filter(isTempName)
}

describe('a system call that fails', () => {
  const obstacle = straceObstacle()

  /** Runs the command with a fault at the first call of that name on a matching file, then `check`. */
  async function withFault(
    [name, file, fault]: [name: string, file: RegExp, fault: string],
    check: (run: Run, root: string, acknowledged: Acknowledged[]) => void | Promise<void>,
    scenario = recordScenario,
  ): Promise<void> {
    const { args } = scenario
    using prepared = template(scenario, true)
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
      expect(jsonOf(await runCli(root, recordScenario.args))).toMatchObject({ created: true })
    })
  })

  it.for(
    cases,
  )('$error from $name of one of several files that are written together is reported, with what was written', async (given, {
    skip,
  }) => {
    skip(obstacle !== null, obstacle ?? '')
    const { name, error } = given
    const check = async (run: Run, root: string, acknowledged: Acknowledged[]) => {
      expect(expectNamedFailure(run)).toBe('io')
      expect(run.stderr).toContain(`"syscallCode":"${error}"`)
      expect(run.stderr).toContain('C.json')
      expect(run.stdout).toBe('')
      // Only a rename comes after the first file is in place.
      const written = name === 'rename' ? ['tickets/B.json'] : []
      expect(errorOf(run).written ?? []).toEqual(written)
      for (const path of ['tickets/B.json', 'tickets/C.json', 'tickets/D.json'])
        expect(
          readTicketJson(root, path).decisions.some(({ kind }) => kind === 'blocked_by'),
          path,
        ).toBe(written.includes(path))
      expect(tempFiles(join(root, 'tickets'))).toEqual([])
      checkAfterFault(root, acknowledged)
      const again = await runCli(root, batchScenario.args)
      expect(jsonOf(again)).toMatchObject({ created: true })
      checkAfterFault(root, [...acknowledged, ...acknowledgement(again)])
    }
    await withFault([name, /\.C\.json\.[0-9a-f]{12}\.tmp/, `error=${error}`], check, batchScenario)
  })

  it.for([
    'openat',
    'fsync',
    'link',
  ])('EIO from %s of one imported Ticket: the report says how many were written', async (name, { skip }) => {
    skip(obstacle !== null, obstacle ?? '')
    const check = async (run: Run, root: string, acknowledged: Acknowledged[]) => {
      expect(expectNamedFailure(run)).toBe('io')
      expect(run.stdout).toBe('')
      const imported = readdirSync(join(root, 'tickets')).filter(name => name.startsWith('bd-'))
      expect(imported).toEqual(name === 'link' ? ['bd-0.json'] : [])
      const said = /1 file of 3 were written before that; run the import again to finish it/
      if (name === 'link') expect(run.stderr).toMatch(said)
      else expect(run.stderr).not.toContain('before that')
      expect(tempFiles(join(root, 'tickets'))).toEqual([])
      checkAfterFault(root, acknowledged)
      const again = await runCli(root, importScenario.args)
      expect(jsonOf(again)).toMatchObject({ tickets: 3, dropped: [] })
      checkAfterFault(root, [...acknowledged, ...acknowledgement(again)])
    }
    await withFault([name, /\.bd-1\.json\.[0-9a-f]{12}\.tmp/, 'error=EIO'], check, importScenario)
  })

  it('EIO from fsync of the folder of several files: none is acknowledged, and all are complete', async ({ skip }) => {
    skip(obstacle !== null, obstacle ?? '')
    const check = (run: Run, root: string, acknowledged: Acknowledged[]) => {
      expect(expectNamedFailure(run)).toBe('io')
      expect(run.stderr).toMatch(/3 files in it are written, but a power cut may undo that/)
      expect(run.stdout).toBe('')
      checkAfterFault(root, acknowledged)
    }
    await withFault(['fsync', /\/tickets>/, 'error=EIO'], check, batchScenario)
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

describe('a disk that gets full during an import', () => {
  it('ends it with a named error that counts what was written; the next import finishes it', async ({ skip }) => {
    const obstacle = mountObstacle()
    skip(obstacle !== null, obstacle ?? '')
    const records = 700
    using repo = temporaryRepository()
    using _small = mountTmpfs(repo.ticketsDir, '4m') // a page for each file, so about a thousand files
    putSource(repo.root, records)
    const filler = join(repo.ticketsDir, 'filler')
    writeFileSync(filler, Buffer.alloc(2 * 1024 * 1024))
    const tickets = () => readdirSync(repo.ticketsDir).filter(name => name.endsWith('.json'))
    const run = await runCli(repo.root, importScenario.args)
    expect(expectNamedFailure(run)).toBe('io')
    expect(run.stderr).toContain('no space left on the disk')
    expect(tickets().length).toBeGreaterThan(0)
    expect(errorOf(run).message).toContain(`${tickets().length} files of ${records} were written before that`)
    expect(tempFiles(repo.ticketsDir)).toEqual([])
    checkAfterFault(repo.root, [])
    rmSync(filler)
    const again = await runCli(repo.root, importScenario.args)
    expect(again, again.stderr).toMatchObject({ status: 0 })
    expect(tickets()).toHaveLength(records)
    checkAfterFault(repo.root, acknowledgement(again))
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
