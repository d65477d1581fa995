/** What comes into the package from others: bundled code with its licences, what is installed, and what runs then. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundledPackages } from '../scripts/licences.ts'
import { PACKAGE_ROOT } from './test-support/run-cli.ts'

const DIST = join(PACKAGE_ROOT, 'dist')
const read = (path: string) => readFileSync(join(PACKAGE_ROOT, path), 'utf8')
const LOCK = JSON.parse(read('package-lock.json')).packages as Record<
  string,
  { version: string; integrity?: string; resolved?: string; link?: boolean; dev?: boolean; hasInstallScript?: boolean }
>
const BUNDLED = JSON.parse(read('dist/bundled.json')) as { name: string; version: string; license: string }[]
const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm'

test('bundled.json has every package that a bundle contains, in the version of the lock file', () => {
  for (const { name, version } of BUNDLED) {
    const locked = Object.entries(LOCK).filter(([path]) => path.endsWith(`node_modules/${name}`))
    expect(
      locked.map(([, entry]) => entry.version),
      name,
    ).toContain(version)
  }
  // esbuild writes a comment with the path above each module, except where a bundle is minified.
  const bundles = readdirSync(DIST).filter(name => /\.c?js$/.test(name))
  const commented = bundles.flatMap(name =>
    [...read(`dist/${name}`).matchAll(/^\s*\/\/ .*node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\//gm)].map(
      ([, found]) => found,
    ),
  )
  const names = BUNDLED.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining([...new Set(commented)]))
  // Only the page, which is minified, has the first.
  for (const name of ['preact', 'zod', 'string-width', '@modelcontextprotocol/server']) expect(names).toContain(name)
})

test('LICENSES.txt has the licence of every bundled package, and all of them allow what the package does', () => {
  const sections = read('dist/LICENSES.txt').split(`\n${'-'.repeat(80)}\n`)
  for (const { name, license } of BUNDLED) {
    expect(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0'], name).toContain(license)
    const section = sections.find(text => text.trim().split('\n')[0]!.split(', ').includes(name))
    expect(section, name).toMatch(
      /Permission is hereby granted|Permission to use, copy|Redistribution and use|Apache License/,
    )
  }
  const listed = sections.flatMap(text => text.trim().split('\n')[0]!.split(', '))
  expect(listed.sort()).toEqual(BUNDLED.map(({ name }) => name).sort())
})

test('a bundled package without a licence stops the build', () => {
  const inputs = ['src/index.ts', 'node_modules/zod/index.js']
  expect(bundledPackages(PACKAGE_ROOT, inputs).map(({ name }) => name)).toEqual(['zod'])
  expect(() => bundledPackages(join(PACKAGE_ROOT, 'src', 'importers', 'fixtures'), inputs)).toThrow()
})

test('what is installed with the package runs nothing at install time, and is pinned by hash', () => {
  for (const [path, entry] of Object.entries(LOCK)) {
    if (path === '' || entry.link) continue
    expect(entry.integrity, path).toMatch(/^sha512-/)
    expect(entry.resolved ?? '', path).not.toMatch(/^git|^http:/)
  }
  const manifest = JSON.parse(read('package.json'))
  for (const name of ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'])
    expect(manifest.scripts, name).not.toHaveProperty(name)
  for (const [path, { dev, hasInstallScript }] of Object.entries(LOCK)) {
    const name = path.replace(/^.*node_modules\//, '')
    if (path === '' || dev || !hasInstallScript) continue
    // npm runs none of them for those who install the package unless they allow it; ours refuses it for this checkout.
    expect(manifest.allowScripts[name], name).toBe(false)
  }
})

test.each(['cyclonedx', 'spdx'])('npm sbom describes what is installed, as %s', format => {
  // Not with --omit=dev: npm 11 then leaves out what a development dependency needs too.
  const args = ['sbom', '--package-lock-only', '--sbom-format', format]
  const sbom = JSON.parse(execFileSync(NPM, args, { cwd: PACKAGE_ROOT, encoding: 'utf8', stdio: 'pipe' }))
  const parts = (sbom.components ?? sbom.packages) as { name: string }[]
  const names = parts.map(({ name }) => name)
  for (const name of Object.keys(JSON.parse(read('package.json')).dependencies)) expect(names).toContain(name)
})
