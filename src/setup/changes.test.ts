import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import { applyFiles, emptiedFolders } from './changes.ts'

it.each(['new\n', null])('a file that another program changed since the plan is not changed to %j', after => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'hook')
  writeFileSync(path, 'theirs\n')
  for (const before of ['as it was planned\n', ...(after === null ? [] : [null])]) {
    expect(() => applyFiles({ folders: [], files: [{ path, before, after }], emptied: [] })).toThrow(
      expect.objectContaining({ code: 'contended' }),
    )
  }
  expect(readFileSync(path, 'utf8')).toBe('theirs\n')
})

test('a folder is emptied only where nothing else is in it', () => {
  using folder = temporaryFolder()
  const [outer, inner] = [join(folder.path, 'a'), join(folder.path, 'a', 'b')]
  mkdirSync(inner, { recursive: true })
  const keep = join(inner, '.gitkeep')
  writeFileSync(keep, '')
  expect(emptiedFolders([outer, inner], [keep])).toEqual([inner, outer])
  writeFileSync(join(outer, 'mine'), '')
  expect(emptiedFolders([outer, inner], [keep])).toEqual([inner])
  // A file that was created after the plan stays, and its folder too.
  writeFileSync(join(inner, 'T.json'), '')
  applyFiles({ folders: [], files: [{ path: keep, before: '', after: null }], emptied: [inner] })
  expect(existsSync(join(inner, 'T.json'))).toBe(true)
})
