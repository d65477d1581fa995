import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import { programsOf } from './installed-programs.ts'

/** Creates a package; returns its real path. */
function putPackage(path: string): string {
  mkdirSync(join(path, 'dist'), { recursive: true })
  mkdirSync(join(path, 'bin'))
  for (const file of ['dist/cli.js', 'dist/merge-driver.cjs', 'bin/node']) writeFileSync(join(path, file), '')
  return realpathSync(path)
}

/** Creates a relative link, as package managers do, in place of an existing one. */
function link(path: string, target: string): void {
  mkdirSync(dirname(path), { recursive: true })
  rmSync(path, { force: true })
  symlinkSync(relative(dirname(path), target), path)
}

/** Installs a version as pnpm does: files in the store, and a link to them in node_modules. */
function installWithPnpm(root: string, name: string, version: string): string {
  const store = join(root, 'node_modules/.pnpm', `${name}@${version}`)
  const real = putPackage(join(store, 'node_modules', name))
  link(join(root, 'node_modules', name), real)
  return real
}

function programsFor(root: string, packageDir: string, nodeDir?: string) {
  const node = nodeDir === undefined ? '/usr/bin/node' : join(nodeDir, 'bin/node')
  return programsOf({ node, packageDir }, realpathSync(root))
}

test('with pnpm the paths go through the links of the project, and an upgrade does not change them', () => {
  using folder = temporaryFolder()
  const root = realpathSync(folder.path)
  const first = programsFor(
    root,
    installWithPnpm(root, 'ticketplan', '1.2.3_zod@4.0.0'),
    installWithPnpm(root, 'node', '24.1.0'),
  )
  expect(first).toEqual({
    node: join(root, 'node_modules/node/bin/node'),
    cli: join(root, 'node_modules/ticketplan/dist/cli.js'),
    mergeDriver: join(root, 'node_modules/ticketplan/dist/merge-driver.cjs'),
  })
  rmSync(join(root, 'node_modules/.pnpm'), { recursive: true })
  const second = programsFor(
    root,
    installWithPnpm(root, 'ticketplan', '1.3.0'),
    installWithPnpm(root, 'node', '24.2.0'),
  )
  expect(second).toEqual(first)
})

test('a link above the project counts, and so does one above the package', () => {
  using folder = temporaryFolder()
  const [workspace, elsewhere] = [join(folder.path, 'workspace'), join(folder.path, 'elsewhere')]
  const project = join(workspace, 'packages/app')
  for (const path of [project, elsewhere]) mkdirSync(path, { recursive: true })
  const real = installWithPnpm(workspace, 'ticketplan', '1.2.3')
  const cli = join(realpathSync(workspace), 'node_modules/ticketplan/dist/cli.js')
  expect(programsFor(project, real).cli).toBe(cli)
  expect(programsFor(elsewhere, real).cli).toBe(cli)
})

test.each([
  [
    "into a store elsewhere, as with pnpm's global virtual store,",
    'store/links/ticketplan/1.2.3/0a1b/node_modules/ticketplan',
  ],
  ['to a versioned folder', 'ticketplan-1.2.3'],
])('a link of the project %s counts', (_, place) => {
  using folder = temporaryFolder()
  const root = join(folder.path, 'project')
  const real = putPackage(join(folder.path, place))
  link(join(root, 'node_modules/ticketplan'), real)
  expect(programsFor(root, real).cli).toBe(join(realpathSync(root), 'node_modules/ticketplan/dist/cli.js'))
})

test('a link to another version does not count', () => {
  using folder = temporaryFolder()
  const [root, other] = [join(folder.path, 'project'), join(folder.path, 'other')]
  for (const name of ['ticketplan', 'node']) installWithPnpm(root, name, '1.0.0')
  const [real, node] = ['ticketplan', 'node'].map(name => installWithPnpm(other, name, '2.0.0')) as [string, string]
  const links = join(realpathSync(other), 'node_modules')
  expect(programsFor(root, real, node)).toMatchObject({
    node: join(links, 'node/bin/node'),
    cli: join(links, 'ticketplan/dist/cli.js'),
  })
  for (const name of ['ticketplan', 'node']) rmSync(join(links, name))
  expect(programsFor(root, real, node)).toMatchObject({
    node: join(node, 'bin/node'),
    cli: join(real, 'dist/cli.js'),
  })
})

test('paths without such a link stay as they are', () => {
  using folder = temporaryFolder()
  const root = realpathSync(folder.path)
  const installed = putPackage(join(root, 'node_modules/ticketplan'))
  const node = putPackage(join(root, 'node_modules/node'))
  expect(programsFor(root, installed, node)).toEqual({
    node: join(node, 'bin/node'),
    cli: join(installed, 'dist/cli.js'),
    mergeDriver: join(installed, 'dist/merge-driver.cjs'),
  })
  const checkout = putPackage(join(root, 'src/ticketplan'))
  expect(programsFor('/', checkout)).toMatchObject({ node: '/usr/bin/node', cli: join(checkout, 'dist/cli.js') })
})
