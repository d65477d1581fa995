import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

test.skipIf(process.platform === 'win32')('what group members may write above, they may write here', () => {
  const umask = process.umask(0o022)
  try {
    for (const isShared of [true, false]) {
      using repository = temporaryRepository()
      const folder = join(repository.root, '.git')
      if (isShared) chmodSync(folder, 0o2775)
      using plan = openPlan({ root: repository.root, actor: 'tester' })
      plan.add({ id: 'A', title: 'a', state: 'queued' })
      plan.accept({ ticket: 'A', holder: 'pod-1' })
      const files = readdirSync(repository.databaseDir)
      expect(files).toEqual(
        expect.arrayContaining(['fencing-token', 'index.db', 'index.db-wal', 'local.db', 'write-lock']),
      )
      for (const name of ['.', ...files]) {
        const mode = statSync(join(repository.databaseDir, name)).mode
        expect(mode & 0o020, name).toBe(isShared ? 0o020 : 0)
      }
      expect(statSync(repository.databaseDir).mode & 0o2000).toBe(isShared ? 0o2000 : 0)
    }
  } finally {
    process.umask(umask)
  }
})

test('the folder of the databases is never reached through a link', () => {
  for (const name of ['.git/ticketplan', '.ticketplan']) {
    using repository = temporaryRepository({ git: name.startsWith('.git/') })
    const target = join(repository.root, 'elsewhere')
    mkdirSync(target)
    symlinkSync(target, join(repository.root, name))
    const unsafe = expect.objectContaining({ code: 'unsafe_path', data: { path: join(repository.root, name) } })
    expect(() => openPlan({ root: repository.root, actor: 'tester' }), name).toThrow(unsafe)
    expect(readdirSync(target)).toEqual([])
  }
})
