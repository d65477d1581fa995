import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../src/test-support/temporary-repository.ts'

const root = join(import.meta.dirname, '..')
const LOADED = 'the package itself was loaded'

/** A folder with the built program and a package better-sqlite3 of some version, whose main module says that it was loaded. */
function install(modules: string, version: (own: string) => string): string {
  const sqlite = join(modules, 'better-sqlite3')
  const own = join(root, 'node_modules', 'better-sqlite3')
  mkdirSync(sqlite, { recursive: true })
  cpSync(join(own, 'lib'), join(sqlite, 'lib'), { recursive: true })
  symlinkSync(join(own, 'prebuilds'), join(sqlite, 'prebuilds'))
  const manifest = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'))
  writeFileSync(join(sqlite, 'package.json'), JSON.stringify({ ...manifest, version: version(manifest.version) }))
  const main = join(sqlite, 'lib', 'index.js')
  writeFileSync(main, `process.stderr.write('${LOADED}')\n${readFileSync(main, 'utf8')}`)
  for (const name of ['dist', 'migrations', 'package.json'])
    cpSync(join(root, name), join(modules, 'ticketplan', name), { recursive: true })
  return join(modules, 'ticketplan', 'dist', 'cli.js')
}

/** Runs a command that needs SQLite, with the package in some version. */
function run(version: (own: string) => string) {
  using folder = temporaryFolder()
  const cli = install(join(folder.path, 'node_modules'), version)
  const args = [cli, '-C', folder.path, 'sql', 'select 1 as one', '--csv']
  spawnSync(process.execPath, [cli, '-C', folder.path, 'init'])
  return spawnSync(process.execPath, args, { encoding: 'utf8' })
}

test('uses its own copy of the JavaScript of better-sqlite3 with the binary of the installed package', () => {
  expect(run(own => own)).toMatchObject({ status: 0, stdout: 'one\n1\n', stderr: '' })
})

test('loads the package where its version is not that of the copy', () => {
  const { status, stdout, stderr } = run(() => '13.999.0')
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'one\n1\n' })
  expect(stderr).toContain(LOADED)
})
