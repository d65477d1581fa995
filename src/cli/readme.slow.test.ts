import { spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { consoleSteps, shownPattern } from '../test-support/console-blocks.ts'
import { CLI, PACKAGE_ROOT } from '../test-support/run-cli.ts'
import { temporaryFolder } from '../test-support/temporary-repository.ts'

const readme = readFileSync(join(PACKAGE_ROOT, 'README.md'), 'utf8')

test.each([
  ['README.md', 15],
  ['docs/areas.md', 10],
  ['docs/cli.md', 2],
  ['docs/import.md', 8],
] as const)('the console blocks of %s print what the page shows', (page, least) => {
  using folder = temporaryFolder()
  symlinkSync(join(PACKAGE_ROOT, 'src/importers/fixtures'), join(folder.path, 'fixtures'))
  const steps = consoleSteps(readFileSync(join(PACKAGE_ROOT, page), 'utf8'))
  expect(steps.length).toBeGreaterThan(least)
  // One shell for all of it, so that "cd" holds; each command's output ends with a mark.
  const script = [
    `ticketplan() { "${process.execPath}" "${CLI}" "$@"; }`,
    'export TICKETPLAN_ACTOR=orchestrator',
    ...steps.map(({ command }) => `${command}\nprintf '\\036'`),
  ].join('\n')
  const { stdout } = spawnSync('bash', ['-c', `exec 2>&1\n${script}`], { cwd: folder.path, encoding: 'utf8' })
  const printed = stdout.split('\u001e')
  for (const [position, { command, shown }] of steps.entries())
    expect(printed[position], command).toMatch(shownPattern(shown))
})

test('the alias of the README works in a folder with a space', () => {
  using folder = temporaryFolder()
  const clone = join(folder.path, 'a clone, with "quotes"')
  symlinkSync(PACKAGE_ROOT, clone)
  const alias = /^alias .*$/m.exec(readme)![0]
  const { stdout, stderr } = spawnSync('bash', ['-c', `shopt -s expand_aliases\n${alias}\nticketplan --version`], {
    cwd: clone,
    env: { ...process.env, PWD: clone },
    encoding: 'utf8',
  })
  expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' })
})

test('every page of docs/ that the README names exists', () => {
  const named = [...readme.matchAll(/\]\((docs\/[\w.-]+)\)/g)].map(match => match[1]!)
  for (const page of named) expect(readFileSync(join(PACKAGE_ROOT, page), 'utf8').length, page).toBeGreaterThan(200)
})
