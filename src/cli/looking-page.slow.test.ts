/** The console blocks of docs/looking.md and docs/deciding.md, run on a copy of this project's own Tickets. */
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { consoleSteps, shownPattern } from '../test-support/console-blocks.ts'
import { CLI, PACKAGE_ROOT } from '../test-support/run-cli.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

test.each([
  { page: 'looking.md', least: 5 },
  { page: 'deciding.md', least: 25 },
])('prints what docs/$page shows', ({ page, least }) => {
  using repository = temporaryRepository()
  cpSync(join(PACKAGE_ROOT, 'tickets'), repository.ticketsDir, { recursive: true })
  emptyQueue(repository.ticketsDir)
  const steps = consoleSteps(readFileSync(join(PACKAGE_ROOT, 'docs', page), 'utf8'))
  expect(steps.length).toBeGreaterThan(least)
  const script = [
    `ticketplan() { "${process.execPath}" "${CLI}" "$@"; }`,
    'export TICKETPLAN_ACTOR=maintainers',
    ...steps.map(({ command }) => `${command}\nprintf '\\036'`),
  ].join('\n')
  const { stdout } = spawnSync('bash', ['-c', `exec 2>&1\n${script}`], { cwd: repository.root, encoding: 'utf8' })
  const printed = stdout.split('\u001e')
  for (const [position, { command, shown }] of steps.entries())
    expect(printed[position], command).toMatch(shownPattern(shown))
})

/** Takes every Ticket out of the queue, so that no output depends on what this project has queued. */
function emptyQueue(ticketsDir: string): void {
  for (const name of readdirSync(ticketsDir).filter(name => name.endsWith('.json'))) {
    const path = join(ticketsDir, name)
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^ {2}"state": "queued"/m, '  "state": "open"'))
  }
}
