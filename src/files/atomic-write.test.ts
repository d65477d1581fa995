import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PlanError } from '../model/errors.ts'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import { isTempName, replaceFile, writeFileAtomically } from './atomic-write.ts'

const yes = () => true
const bytes = (text: string) => Buffer.from(text)

describe('writeFileAtomically', () => {
  it('replaces a file, and leaves nothing else in the folder', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'a.json')
    writeFileSync(path, 'old')
    const before = statSync(path).ino
    expect(writeFileAtomically(path, bytes('new'), { create: false, stillExpected: yes })).toBe('replaced')
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(readdirSync(folder.path)).toEqual(['a.json'])
    expect(statSync(path).ino).not.toBe(before) // a reader that has the old file open keeps the old bytes
  })

  it('creates a file with one name', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'a.json')
    expect(writeFileAtomically(path, bytes('new'), { create: true, stillExpected: yes })).toBe('replaced')
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(statSync(path).nlink).toBe(1)
    expect(readdirSync(folder.path)).toEqual(['a.json'])
  })

  it('never replaces an existing file when it creates one, not even one that appears after the last check', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'a.json')
    const stillExpected = () => {
      writeFileSync(path, 'theirs')
      return true
    }
    expect(writeFileAtomically(path, bytes('ours'), { create: true, stillExpected })).toBe('changed')
    expect(readFileSync(path, 'utf8')).toBe('theirs')
    expect(readdirSync(folder.path)).toEqual(['a.json'])
  })

  it('does not write through a link in the place of a new file', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'a.json')
    symlinkSync(join(folder.path, 'elsewhere'), path)
    expect(writeFileAtomically(path, bytes('ours'), { create: true, stillExpected: yes })).toBe('changed')
    expect(existsSync(join(folder.path, 'elsewhere'))).toBe(false)
    expect(lstatSync(path).isSymbolicLink()).toBe(true)
  })

  it('cancels the write where the target is no longer the expected one', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'a.json')
    writeFileSync(path, 'theirs')
    expect(writeFileAtomically(path, bytes('ours'), { create: false, stillExpected: () => false })).toBe('changed')
    expect(readFileSync(path, 'utf8')).toBe('theirs')
    expect(readdirSync(folder.path)).toEqual(['a.json'])
  })

  it('checks the target only when every byte is on the disk', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'a.json')
    writeFileSync(path, 'old')
    const content = Buffer.alloc(300_000, 'x')
    let seen = -1
    const stillExpected = () => {
      const temp = readdirSync(folder.path).find(isTempName)!
      seen = statSync(join(folder.path, temp)).size
      return true
    }
    writeFileAtomically(path, content, { create: false, stillExpected })
    expect(seen).toBe(content.length)
    expect(readFileSync(path).equals(content)).toBe(true)
  })

  it('keeps the permissions of the file that it replaces', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'a.json')
    writeFileSync(path, 'old')
    chmodSync(path, 0o640)
    const { mode } = statSync(path)
    writeFileAtomically(path, bytes('new'), { create: false, mode, stillExpected: yes })
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  it('names the path and the cause of a failure, and leaves no temporary file', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'a.json')
    mkdirSync(path)
    const write = () => writeFileAtomically(path, bytes('new'), { create: false, stillExpected: yes })
    expect(write).toThrow(PlanError)
    expect(write).toThrow(expect.objectContaining({ code: 'io', data: { path, syscallCode: 'EISDIR' } }))
    expect(readdirSync(folder.path)).toEqual(['a.json'])
  })

  it('fails with the cause where the folder does not exist', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'gone', 'a.json')
    expect(() => writeFileAtomically(path, bytes('new'), { create: true, stillExpected: yes })).toThrow(
      expect.objectContaining({ code: 'io', data: { path, syscallCode: 'ENOENT' } }),
    )
  })

  it('fails, and creates no folder, where the folder is removed before the rename', () => {
    using folder = temporaryFolder()
    const inner = join(folder.path, 'inner')
    mkdirSync(inner)
    const stillExpected = () => {
      rmSync(inner, { recursive: true })
      return true
    }
    const write = () => writeFileAtomically(join(inner, 'a.json'), bytes('new'), { create: false, stillExpected })
    expect(write).toThrow(expect.objectContaining({ code: 'io' }))
    expect(existsSync(inner)).toBe(false)
  })

  it('passes on what the check of the target throws', () => {
    using folder = temporaryFolder()
    const stillExpected = () => {
      throw new TypeError('mine')
    }
    const path = join(folder.path, 'a.json')
    expect(() => writeFileAtomically(path, bytes('new'), { create: true, stillExpected })).toThrow(TypeError)
    expect(readdirSync(folder.path)).toEqual([])
  })
})

describe('replaceFile', () => {
  it('replaces a file, or creates one, and leaves nothing else in the folder', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'a')
    replaceFile(path, 'old')
    const before = statSync(path).ino
    replaceFile(path, bytes('new'))
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(statSync(path).ino).not.toBe(before)
    expect(readdirSync(folder.path)).toEqual(['a'])
  })

  it('leaves the old file, and no temporary one, where it fails', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'a')
    mkdirSync(path)
    expect(() => replaceFile(path, 'new')).toThrow(expect.objectContaining({ code: 'EISDIR' }))
    expect(readdirSync(folder.path)).toEqual(['a'])
  })
})

describe('isTempName', () => {
  it('is true for the names of this writer only', () => {
    expect(isTempName('.A-17.json.0123456789ab.tmp')).toBe(true)
    for (const name of [
      'A.json',
      '.A.json',
      'A.json.0123456789ab.tmp',
      '.A.json.0123456789.tmp',
      '.x.tmp',
      '.gitignore',
    ])
      expect(isTempName(name), name).toBe(false)
  })
})
