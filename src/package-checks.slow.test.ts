/** `npm run check:package`: it passes for this package, and finds what is wrong with others. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT } from './test-support/run-cli.ts'
import { temporaryFolder } from './test-support/temporary-repository.ts'

const script = join(PACKAGE_ROOT, 'scripts', 'check-package.ts')
const check = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })

test('publint, arethetypeswrong and a dry run of npm publish find nothing', () => {
  const { status, stdout, stderr } = check()
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^ok: ticketplan-[\d.]+\.tgz, \d+ files, \d+ bytes\n$/)
})

test('an entry that is not packed, types that an import cannot use, and a broken manifest are found', () => {
  using folder = temporaryFolder()
  const manifest = {
    name: 'broken',
    version: '1.0.0',
    type: 'module',
    bin: { broken: './missing.js' },
    exports: { '.': { types: './index.d.cts', default: './index.js' } },
    files: ['index.js', 'index.d.cts'],
  }
  writeFileSync(join(folder.path, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder.path, 'index.js'), 'export default 1\n')
  writeFileSync(join(folder.path, 'index.d.cts'), 'declare const one: number\nexport default one\n')
  const { status, stderr } = check(folder.path)
  expect(status).toBe(1)
  expect(stderr).toMatch(/^publint: .*missing\.js.*does not exist/m)
  expect(stderr).toMatch(/^arethetypeswrong: .*FalseCJS/m)
})
