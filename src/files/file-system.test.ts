import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import { allowFolderChange, inFolder } from './file-system.ts'

const start = process.cwd()
afterEach(() => process.chdir(start))

test('the working folder changes only in a program that allows it, and only for the action', () => {
  using folder = temporaryFolder()
  const there = realpathSync(folder.path)
  const look = () => inFolder(there, prefix => [prefix, process.cwd()])
  expect(look()).toEqual([`${there}/`, start])
  allowFolderChange()
  expect(look()).toEqual(['', there])
  expect(process.cwd()).toBe(start)
  const failing = () =>
    inFolder(there, () => {
      throw new Error('the action')
    })
  expect(failing).toThrow('the action')
  expect(process.cwd()).toBe(start)
})

test('the working folder stays where the program could not return to it, or the other folder is none', () => {
  using folder = temporaryFolder()
  allowFolderChange()
  writeFileSync(join(folder.path, 'file'), '')
  expect(inFolder(join(folder.path, 'file'), prefix => [prefix, process.cwd()])).toEqual([
    join(folder.path, 'file/'),
    start,
  ])
  const removed = join(folder.path, 'removed')
  mkdirSync(removed)
  process.chdir(removed)
  rmSync(removed, { recursive: true })
  expect(inFolder(start, prefix => prefix)).toBe(`${start}/`)
})

test('an action may remove the folder in which the program was', () => {
  using folder = temporaryFolder()
  allowFolderChange()
  const removed = join(folder.path, 'removed')
  mkdirSync(removed)
  process.chdir(removed)
  expect(inFolder(start, () => rmSync(removed, { recursive: true }))).toBeUndefined()
})

test.runIf(process.getuid?.() === 0)('the working folder stays where its path is closed to the user', () => {
  using folder = temporaryFolder()
  using open = temporaryFolder()
  chmodSync(folder.path, 0o700)
  chmodSync(open.path, 0o755)
  const inner = join(folder.path, 'inner')
  mkdirSync(inner)
  const script = `
    import { allowFolderChange, inFolder } from ${JSON.stringify(join(import.meta.dirname, 'file-system.ts'))}
    allowFolderChange()
    process.setuid(65534)
    console.log(inFolder(${JSON.stringify(open.path)}, prefix => prefix + ' ' + process.cwd()))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: inner,
    encoding: 'utf8',
  })
  expect({ stdout, stderr }).toEqual({ stdout: `${open.path}/ ${realpathSync(inner)}\n`, stderr: '' })
})
