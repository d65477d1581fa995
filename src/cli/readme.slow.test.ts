import { spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectShown } from '../test-support/console-blocks.ts'
import { PACKAGE_ROOT } from '../test-support/run-cli.ts'
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
  expectShown(page, { cwd: folder.path, actor: 'orchestrator', least })
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
