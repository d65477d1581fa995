/** Every writing command on a disk with little space left, and on one that cannot be written. */
import { cpSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkAfterFault } from '../test-support/check-after-fault.ts'
import { proofCount, reportProof, tally } from '../test-support/proof-numbers.ts'
import { errorOf, type Run, runCli } from '../test-support/run-cli.ts'
import { mountObstacle, mountReadOnly, mountTmpfs } from '../test-support/system-abilities.ts'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import { prepareCommand, writingCommands } from '../test-support/writing-commands.ts'

const PAGE = 4096
const obstacle = mountObstacle()
const named = writingCommands.map(command => [command.operation, command] as const)

function expectNamed(run: Run, where: string): void {
  expect(run.signal, where).toBe(null)
  if (run.status === 0) return
  if (run.stdout !== '') return expect(run.stdout, where).toMatch(/"(?:dropped|unresolved|skipped)":\[\{/)
  const { code, message } = errorOf(run)
  expect(['io', 'database', 'unsafe_path', 'git_failed'], `${where}: ${message}`).toContain(code)
}

describe.skipIf(obstacle !== null)('a disk that is nearly full', () => {
  /** How many numbers of free pages are tried: from none to enough for every command. */
  const sizes = proofCount({ short: 3, long: 120 })
  /** In a short form most are few, for there commands fail. */
  const freePages = (size: number) => Math.floor(119 * (size / sizes) ** (sizes < 120 ? 2 : 1))

  test.for(named)('%s fails by name or works, and works when there is space', { timeout: 3_600_000 }, async ([
    operation,
    command,
  ]) => {
    using prepared = prepareCommand(command)
    const seen = tally()
    for (let size = 0; size < sizes; size++) {
      using folder = temporaryFolder()
      using _disk = mountTmpfs(folder.path, '4m')
      using source = prepared.attempt()
      const root = join(folder.path, 'copy')
      cpSync(source.root, root, { recursive: true, preserveTimestamps: true })
      const filler = join(folder.path, 'filler')
      const free = freePages(size)
      writeFileSync(filler, Buffer.alloc(Math.max(0, statfsSync(folder.path).bfree - free) * PAGE))
      const run = await runCli(root, prepared.args(root), prepared.options(root))
      expectNamed(run, `${operation} with ${free} free pages`)
      seen.add(run.status === 0 ? 'worked' : 'failed')
      rmSync(filler)
      const again = await runCli(root, prepared.args(root), prepared.options(root))
      if (run.status !== 0 && !command.done?.isOther)
        expect([0, command.done?.status ?? 0], again.stderr).toContain(again.status)
      // A second undo takes back what the test had recorded last.
      checkAfterFault(root, command.done?.isOther ? prepared.acknowledged.slice(0, 1) : prepared.acknowledged)
    }
    reportProof({ what: `${operation} with 0 to 119 free pages`, count: sizes, seen: seen.counts })
  })
})

describe.skipIf(obstacle !== null)('a disk that cannot be written', () => {
  test.for(named)('%s fails by name or needs no write, and works when it can be written', async ([
    operation,
    command,
  ]) => {
    using prepared = prepareCommand(command)
    using copy = prepared.attempt()
    const { root } = copy
    {
      using _readOnly = mountReadOnly(root)
      expectNamed(await runCli(root, prepared.args(root), prepared.options(root)), operation)
    }
    const again = await runCli(root, prepared.args(root), prepared.options(root))
    expect(again.status, again.stderr).toBe(0)
    checkAfterFault(root, command.done?.isOther ? prepared.acknowledged.slice(0, 1) : prepared.acknowledged)
  })
})
