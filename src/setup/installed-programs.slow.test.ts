import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../test-support/run-cli.ts'
import { putTicket, runGit, temporaryRepository } from '../test-support/temporary-repository.ts'

const EXTERNAL = ['better-sqlite3', 'chokidar', 'ulid', 'yaml']

/** Puts this package and the running Node into a project, laid out as pnpm does: files in a store, links to them. */
function installWithPnpm(root: string, version: string, nodeVersion: string): void {
  const store = join(root, 'node_modules/.pnpm')
  const packageDir = join(store, `ticketplan@${version}/node_modules/ticketplan`)
  mkdirSync(packageDir, { recursive: true })
  for (const name of ['dist', 'migrations', 'package.json']) {
    cpSync(join(PACKAGE_ROOT, name), join(packageDir, name), { recursive: true })
  }
  for (const name of EXTERNAL) {
    symlinkSync(join(PACKAGE_ROOT, 'node_modules', name), join(dirname(packageDir), name))
  }
  const node = join(store, `node@${nodeVersion}/node_modules/node`)
  mkdirSync(join(node, 'bin'), { recursive: true })
  try {
    linkSync(process.execPath, join(node, 'bin/node'))
  } catch {
    copyFileSync(process.execPath, join(node, 'bin/node')) // on another file system
  }
  linkInto(root, 'ticketplan', packageDir)
  linkInto(root, 'node', node)
}

function linkInto(root: string, name: string, target: string): void {
  const path = join(root, 'node_modules', name)
  rmSync(path, { force: true })
  symlinkSync(relative(dirname(path), target), path)
}

function commitAll(root: string, message: string): void {
  runGit(root, 'add', '--all')
  runGit(root, 'commit', '--quiet', '--allow-empty', `--message=${message}`)
}

test('a checkout that was set up with pnpm keeps its merge driver and hooks after an upgrade', () => {
  using repo = temporaryRepository()
  const { root } = repo
  const run = (...args: string[]) => {
    const cli = join(root, 'node_modules/ticketplan/dist/cli.js')
    const done = spawnSync(join(root, 'node_modules/node/bin/node'), [cli, ...args, '--json'], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(done, done.stderr).toMatchObject({ status: 0, stderr: '' })
    return JSON.parse(done.stdout)
  }
  writeFileSync(join(root, '.gitignore'), 'node_modules\n')
  installWithPnpm(root, '1.2.3', '24.1.0')
  expect(run('init').changed).toEqual(['.git/config'])
  const modules = join(root, 'node_modules')
  expect(runGit(root, 'config', 'ticketplan.command').trim()).toBe(
    `'${modules}/node/bin/node' '${modules}/ticketplan/dist/cli.js'`,
  )
  putTicket(root, 'A', { title: 'base' })
  commitAll(root, 'base')

  const store = join(modules, '.pnpm')
  for (const [name, from, to] of [
    ['ticketplan', '1.2.3', '1.3.0'],
    ['node', '24.1.0', '24.2.0'],
  ] as const) {
    renameSync(join(store, `${name}@${from}`), join(store, `${name}@${to}`))
    linkInto(root, name, join(store, `${name}@${to}/node_modules/${name}`))
  }
  runGit(root, 'checkout', '--quiet', '-b', 'side')
  putTicket(root, 'A', { title: 'theirs' })
  commitAll(root, 'theirs')
  runGit(root, 'checkout', '--quiet', 'main')
  putTicket(root, 'A', { title: 'base', state: 'queued' })
  commitAll(root, 'ours')
  runGit(root, 'merge', '--quiet', 'side')
  expect(run('show', 'A').ticket).toMatchObject({ title: 'theirs', state: 'queued' })
  expect(run('doctor').ok).toBe(true)
  expect(run('init')).toMatchObject({ made: [], changed: [], removed: [], skipped: [] })
})
