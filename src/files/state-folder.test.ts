import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
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

test.skipIf(process.getuid?.() !== 0)('the folder of the databases is not one that another user put there', () => {
  const NOBODY = 65534
  for (const name of ['.git/ticketplan', '.ticketplan']) {
    using repository = temporaryRepository({ git: name.startsWith('.git/') })
    const folder = join(repository.root, name)
    const above = dirname(folder)
    mkdirSync(folder)
    chownSync(folder, NOBODY, NOBODY)
    const open = () => openPlan({ root: repository.root, actor: 'tester' }).close()
    const message = `${folder} belongs to another user (uid ${NOBODY}), who is not the owner of ${above}`
    expect(open).toThrow(expect.objectContaining({ code: 'unsafe_path', message: expect.stringContaining(message) }))
    expect(readdirSync(folder)).toEqual([])
    chmodSync(above, 0o2775) // a repository that a group shares
    expect(open).not.toThrow()
    chmodSync(above, 0o755)
    chownSync(above, NOBODY, NOBODY) // the repository of that user
    expect(open).not.toThrow()
  }
})
