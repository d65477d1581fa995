import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it, test } from 'vitest'
import { packageRoot } from '../files/package-root.ts'
import { findRepository } from '../files/repository.ts'
import { driverCommand, programsIn } from '../setup/driver-config.ts'
import { initRepository } from '../setup/init.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import {
  putTicket,
  runGit,
  type TemporaryRepository,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

/** A repository that is set up, with programs that are there. */
function setUp(): TemporaryRepository & { driver: string } {
  const repo = temporaryRepository()
  const folder = join(repo.root, '.git', "it's 100%A")
  mkdirSync(folder)
  const driver = join(folder, 'merge-driver.cjs')
  writeFileSync(driver, '// a driver\n')
  writeFileSync(join(folder, 'cli.js'), '// a program\n')
  initRepository(findRepository(repo.root), {
    programs: { node: process.execPath, cli: join(folder, 'cli.js'), mergeDriver: driver },
  })
  return { ...repo, driver }
}

/** The checks that fail, by name. */
function failing(root: string): Record<string, string> {
  using plan = checkedPlan(root)
  const { ok, checks } = plan.doctor()
  const bad = checks.filter(check => !check.ok)
  expect(ok).toBe(bad.length === 0)
  return Object.fromEntries(bad.map(({ name, detail }) => [name, detail]))
}

const again = expect.stringContaining('ticketplan init')

test('all checks pass after init', () => {
  using repo = setUp()
  expect(failing(repo.root)).toEqual({})
})

test('doctor says how to merge many Tickets at once in a plan of a thousand', () => {
  using repo = setUp()
  const advice = () => {
    using plan = checkedPlan(repo.root)
    return plan.doctor().checks.filter(({ name }) => name === 'large merges')
  }
  for (let n = 0; n < 999; n++) putTicket(repo.root, `T-${n}`)
  expect(advice()).toEqual([])
  putTicket(repo.root, 'T-999')
  expect(advice()).toEqual([
    { name: 'large merges', ok: true, detail: expect.stringContaining('ticketplan resolve && git commit') },
  ])
  const driver = /driver="([^"]*)"/.exec(advice()[0]!.detail)?.[1]
  expect(readFileSync(join(packageRoot(), 'docs', 'git.md'), 'utf8')).toContain(`driver='${driver}' merge other`)
})

test('a clone without init fails merge driver, attributes and hooks', () => {
  using repo = temporaryRepository()
  expect(failing(repo.root)).toEqual({ 'merge driver': again, attributes: again, hooks: again })
})

test.each([true, false])('in a folder without tickets, nothing is created (in git: %s)', git => {
  using repo = temporaryRepository({ git })
  rmSync(repo.ticketsDir, { recursive: true })
  const missing = expect.stringContaining('there is no tickets folder')
  expect(failing(repo.root)).toMatchObject({ 'tickets folder': missing, index: missing })
  expect(existsSync(repo.databaseDir)).toBe(false)
})

test('a folder outside git passes all checks', () => {
  using repo = temporaryRepository({ git: false })
  expect(failing(repo.root)).toEqual({})
})

test('a missing driver program, and a driver line of another tool, fail', () => {
  using repo = setUp()
  renameSync(repo.driver, `${repo.driver}.away`)
  expect(failing(repo.root)).toEqual({ 'merge driver': expect.stringContaining(`${repo.driver} is missing`) })
  writeFileSync(repo.driver, '')
  expect(failing(repo.root)).toEqual({ 'merge driver': expect.stringContaining('empty') })
  runGit(repo.root, 'config', 'merge.ticketplan.driver', 'true')
  expect(failing(repo.root)).toEqual({ 'merge driver': again })
})

test('a missing program of the hooks fails', () => {
  using repo = setUp()
  const program = join(dirname(repo.driver), 'cli.js')
  rmSync(program)
  expect(failing(repo.root)).toEqual({ hooks: expect.stringContaining(`${program} is missing`) })
})

test('a rule that overrides the attributes fails', () => {
  using repo = setUp()
  mkdirSync(join(repo.root, '.git/info'), { recursive: true })
  writeFileSync(join(repo.root, '.git/info/attributes'), '*.json merge=union\n')
  expect(failing(repo.root)).toEqual({ attributes: expect.stringContaining('merge is "union"') })
  writeFileSync(join(repo.root, '.git/info/attributes'), '*.json text\n')
  expect(failing(repo.root)).toEqual({ attributes: expect.stringContaining('text is "set"') })
})

test('a missing hook and one that is not executable fail; one with the line added by hand passes', () => {
  using repo = setUp()
  const hook = join(repo.root, '.git/hooks/post-merge')
  rmSync(hook)
  const named = { hooks: expect.stringMatching(/post-merge;.*sync --quiet/) }
  expect(failing(repo.root)).toEqual(named)
  writeFileSync(hook, '#!/usr/bin/env fish\ngit config --get ticketplan.command\n')
  chmodSync(hook, 0o644)
  expect(failing(repo.root)).toEqual(named)
  chmodSync(hook, 0o755)
  expect(failing(repo.root)).toEqual({})
})

it.each([
  '/plain',
  "/it's",
  "/'",
  '/100%A',
  '/a; driver=b',
  '/ü \n"',
])('reads the programs out of a driver line: %j', path => {
  const programs = { node: `${path}/node`, mergeDriver: `${path}/merge-driver.cjs` }
  expect(programsIn(driverCommand({ ...programs, cli: '' }))).toEqual(programs)
})
