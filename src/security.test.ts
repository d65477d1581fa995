/** docs/security.md: each threat names a test that exists, and each test that attacks something is named there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT } from './test-support/run-cli.ts'

const page = readFileSync(join(PACKAGE_ROOT, 'docs', 'security.md'), 'utf8')
const TEST = /`(src\/[\w./-]+\.test\.ts)`/g
const section = (heading: string) => page.split(`\n## ${heading}\n`)[1]!.split(/^## /m)[0]!

test('every test that the page names exists', () => {
  const named = [...page.matchAll(TEST)].map(([, path]) => path!)
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter(path => !existsSync(join(PACKAGE_ROOT, path)))).toEqual([])
})

test('every threat names its test', () => {
  const rows = section('Threats, and the test of each')
    .split('\n')
    .filter(line => line.startsWith('| ') && !line.startsWith('| threat '))
  expect(rows.length).toBeGreaterThan(15)
  for (const row of rows) expect(row.split(' | ').at(-1)).toMatch(TEST)
  for (const heading of ['The page', 'MCP and prompt injection', 'Supply chain']) expect(section(heading)).toMatch(TEST)
})

test('the page names every test file of attacks', () => {
  const files = readdirSync(join(PACKAGE_ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const attacks = files.filter(name =>
    /(?:attacks|hostile|privacy|supply-chain)[\w-]*(?:\.slow)?\.test\.ts$/.test(name),
  )
  expect(attacks.length).toBeGreaterThanOrEqual(5)
  for (const name of attacks) expect(page).toContain(`\`src/${name.replaceAll('\\', '/')}\``)
})
