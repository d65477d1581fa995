/** The console blocks of docs/looking.md, run on a copy of this project's own Tickets. */
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { consoleSteps, shownPattern } from '../test-support/console-blocks.ts'
import { CLI, PACKAGE_ROOT } from '../test-support/run-cli.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

test('prints what docs/looking.md shows', () => {
  using repository = temporaryRepository()
  cpSync(join(PACKAGE_ROOT, 'tickets'), repository.ticketsDir, { recursive: true })
  const steps = consoleSteps(readFileSync(join(PACKAGE_ROOT, 'docs', 'looking.md'), 'utf8'))
  expect(steps.length).toBeGreaterThan(5)
  const script = [
    `ticketplan() { "${process.execPath}" "${CLI}" "$@"; }`,
    ...steps.map(({ command }) => `${command}\nprintf '\\036'`),
  ].join('\n')
  const { stdout } = spawnSync('bash', ['-c', `exec 2>&1\n${script}`], { cwd: repository.root, encoding: 'utf8' })
  const printed = stdout.split('\u001e')
  for (const [position, { command, shown }] of steps.entries())
    expect(printed[position], command).toMatch(shownPattern(shown))
})
