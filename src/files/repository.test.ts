import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { openStore } from '../store/store.ts'
import {
  commitAll,
  putTicket,
  runGit,
  type TemporaryFolder,
  type TemporaryRepository,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { checkFolders, checkTicketsDir, findRepository } from './repository.ts'

/** Commits a Ticket A, and checks it out in a worktree of its own in the folder. */
function addLinkedWorktree({ root }: TemporaryRepository, { path }: TemporaryFolder): string {
  putTicket(root, 'A')
  commitAll(root)
  const linked = join(path, 'linked')
  runGit(root, 'worktree', 'add', '--quiet', '-b', 'side', linked)
  return linked
}

const unsafe = expect.objectContaining({ code: 'unsafe_path' })

describe('findRepository', () => {
  it('finds the root from any folder below it, and through a link to it', () => {
    using repo = temporaryRepository()
    using other = temporaryFolder()
    const deep = join(repo.root, 'a', 'b')
    mkdirSync(deep, { recursive: true })
    symlinkSync(deep, join(other.path, 'link'))
    for (const from of [repo.root, repo.ticketsDir, deep, join(other.path, 'link')]) {
      expect(findRepository(from)).toMatchObject({
        root: repo.root,
        gitDir: join(repo.root, '.git'),
        ticketsDir: repo.ticketsDir,
        indexDir: repo.databaseDir,
        localDir: repo.databaseDir,
      })
    }
  })

  it('finds one index for each linked worktree, and one local.db for all of them', () => {
    using repo = temporaryRepository()
    using other = temporaryFolder()
    const linked = addLinkedWorktree(repo, other)
    const gitDir = runGit(linked, 'rev-parse', '--absolute-git-dir').trim()
    expect(findRepository(linked)).toMatchObject({
      root: linked,
      gitDir,
      ticketsDir: join(linked, 'tickets'),
      indexDir: join(gitDir, 'ticketplan'),
      localDir: repo.databaseDir,
    })

    using plan = openPlan({ root: linked, actor: 'tester' })
    plan.record({ ticket: 'A', kind: 'note', reason: 'from the linked worktree' })
    expect(existsSync(join(gitDir, 'ticketplan', 'index.db'))).toBe(true)
    expect(existsSync(repo.localPath)).toBe(true)
    expect(existsSync(repo.indexPath)).toBe(false)
    expect(runGit(linked, 'status', '--porcelain').trim()).toBe('M tickets/A.json')
    expect(runGit(repo.root, 'status', '--porcelain')).toBe('')
  })

  it('shares one write lock among the worktrees of a clone', () => {
    using repo = temporaryRepository()
    using other = temporaryFolder()
    const linked = addLinkedWorktree(repo, other)
    const here = openStore({ root: repo.root, actor: 'tester' })
    using there = openPlan({ root: linked, actor: 'tester', busyTimeoutMs: 50 })
    here.locked(() => {
      expect(() => there.record({ ticket: 'A', kind: 'note', reason: 'x' })).toThrow(
        expect.objectContaining({ code: 'busy' }),
      )
    })
    here.close()
    expect(there.record({ ticket: 'A', kind: 'note', reason: 'x' }).created).toBe(true)
  })

  it('follows the .git file of a submodule', () => {
    using inner = temporaryRepository()
    using repo = temporaryRepository()
    putTicket(inner.root, 'A')
    commitAll(inner.root)
    runGit(repo.root, 'submodule', '--quiet', 'add', inner.root, 'module')
    const root = join(repo.root, 'module')
    const gitDir = join(repo.root, '.git', 'modules', 'module')
    expect(readFileSync(join(root, '.git'), 'utf8')).toMatch(/^gitdir: \.\./)
    expect(findRepository(join(root, 'tickets'))).toMatchObject({
      root,
      gitDir,
      indexDir: join(gitDir, 'ticketplan'),
      localDir: join(gitDir, 'ticketplan'),
    })
  })

  it('creates no git folder where the .git file points to a missing one: reads use memory, writes are refused', () => {
    using repo = temporaryRepository()
    using other = temporaryFolder()
    putTicket(repo.root, 'A')
    rmSync(join(repo.root, '.git'), { recursive: true })
    const gone = join(other.path, 'gone', '.git')
    writeFileSync(join(repo.root, '.git'), `gitdir: ${gone}\n`)
    const notices: string[] = []
    using plan = openPlan({ root: repo.root, actor: 'tester', onNotice: notice => notices.push(notice) })
    expect(plan.show('A').ticket.title).toBe('Ticket A')
    expect(notices).toEqual([expect.stringContaining(gone)])
    expect(() => plan.record({ ticket: 'A', kind: 'note', reason: 'x' })).toThrow(
      expect.objectContaining({ code: 'io', message: expect.stringContaining(gone) }),
    )
    expect(existsSync(join(other.path, 'gone'))).toBe(false)
  })

  it('ignores a folder or a file that is only named .git', () => {
    using repo = temporaryRepository()
    const inner = join(repo.root, 'inner')
    mkdirSync(join(inner, '.git'), { recursive: true })
    mkdirSync(join(repo.root, 'other'))
    writeFileSync(join(repo.root, 'other', '.git'), 'nothing that git would write\n')
    expect(findRepository(inner).root).toBe(repo.root)
    expect(findRepository(join(repo.root, 'other')).root).toBe(repo.root)
  })

  it('ignores GIT_DIR, which a hook sets for another purpose', () => {
    using repo = temporaryRepository()
    using other = temporaryRepository()
    process.env.GIT_DIR = join(other.root, '.git')
    process.env.GIT_WORK_TREE = other.root
    try {
      expect(findRepository(repo.root).root).toBe(repo.root)
    } finally {
      delete process.env.GIT_DIR
      delete process.env.GIT_WORK_TREE
    }
  })

  it('keeps both databases in .ticketplan outside git, ignored by a git repository that is created later', () => {
    using repo = temporaryRepository({ git: false })
    putTicket(repo.root, 'A')
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    plan.record({ ticket: 'A', kind: 'note', reason: 'x' })
    expect(findRepository(repo.ticketsDir)).toMatchObject({ root: repo.root, gitDir: null, indexDir: repo.databaseDir })
    expect(existsSync(repo.indexPath)).toBe(true)
    runGit(repo.root, 'init', '--quiet')
    expect(runGit(repo.root, 'status', '--porcelain').trim()).toBe('?? tickets/')
  })

  it('finds the nearest folder with a ticketplan.json where there is no git', () => {
    using repo = temporaryRepository({ git: false })
    writeFileSync(join(repo.root, 'ticketplan.json'), '{"ticketsDir":"work/items"}')
    const below = join(repo.root, 'work', 'items')
    mkdirSync(below, { recursive: true })
    expect(findRepository(below)).toMatchObject({ root: repo.root, ticketsDir: below })
  })

  it('names a folder that does not exist', () => {
    using folder = temporaryFolder()
    const missing = join(folder.path, 'missing')
    expect(() => findRepository(missing)).toThrow(
      expect.objectContaining({ code: 'io', data: { path: missing, syscallCode: 'ENOENT' } }),
    )
  })
})

test('of the root of the file system, a tickets folder that does not exist is none', () => {
  expect(checkFolders('/', '/no-tickets-folder-of-this-name')).toBe(false)
  const repository = {
    ...findRepository(import.meta.dirname),
    root: '/',
    ticketsDir: '/no-tickets-folder-of-this-name',
  }
  expect(() => checkTicketsDir(repository)).toThrow(expect.objectContaining({ code: 'not_initialized' }))
})

describe('the tickets folder', () => {
  it('is the one that the configuration names', () => {
    using repo = temporaryRepository()
    rmSync(repo.ticketsDir, { recursive: true })
    writeFileSync(join(repo.root, 'ticketplan.json'), '{"ticketsDir":"plan/work"}')
    mkdirSync(join(repo.root, 'plan', 'work'), { recursive: true })
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    expect(plan.add({ id: 'A', title: 'x' }).path).toBe('plan/work/A.json')
    expect(existsSync(join(repo.root, 'plan', 'work', 'A.json'))).toBe(true)
  })

  it('is required, never created, where there is none', () => {
    using repo = temporaryRepository()
    rmSync(repo.ticketsDir, { recursive: true })
    expect(() => checkTicketsDir(findRepository(repo.root))).toThrow(
      expect.objectContaining({ code: 'not_initialized' }),
    )
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    for (const call of [
      () => plan.queue(),
      () => plan.sync(),
      () => plan.rebuild(),
      () => plan.add({ id: 'A', title: 'x' }),
    ])
      expect(call).toThrow(expect.objectContaining({ code: 'not_initialized' }))
    expect(existsSync(repo.ticketsDir)).toBe(false)
  })

  it('may not be a link, nor be behind one', () => {
    using repo = temporaryRepository()
    using other = temporaryRepository()
    const path = putTicket(other.root, 'A')
    const before = readFileSync(join(other.root, path), 'utf8')
    const refuses = () => {
      using plan = openPlan({ root: repo.root, actor: 'tester' })
      for (const call of [
        () => plan.queue(),
        () => plan.rebuild(),
        () => plan.show('A'),
        () => plan.record({ ticket: 'A', kind: 'note', reason: 'x' }),
        () => plan.add({ id: 'B', title: 'x' }),
      ])
        expect(call).toThrow(unsafe)
    }
    rmSync(repo.ticketsDir, { recursive: true })
    symlinkSync(other.ticketsDir, repo.ticketsDir)
    refuses()
    rmSync(repo.ticketsDir)
    symlinkSync(other.root, join(repo.root, 'work'))
    writeFileSync(join(repo.root, 'ticketplan.json'), '{"ticketsDir":"work/tickets"}')
    refuses()
    expect(readFileSync(join(other.root, path), 'utf8')).toBe(before)
    expect(existsSync(join(other.ticketsDir, 'B.json'))).toBe(false)
  })

  it('may not be a file', () => {
    using repo = temporaryRepository()
    rmSync(repo.ticketsDir, { recursive: true })
    writeFileSync(repo.ticketsDir, '')
    expect(() => checkTicketsDir(findRepository(repo.root))).toThrow(unsafe)
  })

  it('is checked at each call: an open plan finds that it has become a link', () => {
    using repo = temporaryRepository()
    using other = temporaryFolder()
    putTicket(repo.root, 'A')
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    expect(plan.show('A').ticket.id).toBe('A')
    const moved = join(other.path, 'tickets')
    renameSync(repo.ticketsDir, moved)
    symlinkSync(moved, repo.ticketsDir)
    const before = readFileSync(join(moved, 'A.json'), 'utf8')
    expect(() => plan.show('A')).toThrow(unsafe)
    expect(() => plan.record({ ticket: 'A', kind: 'note', reason: 'x' })).toThrow(unsafe)
    expect(readFileSync(join(realpathSync(repo.ticketsDir), 'A.json'), 'utf8')).toBe(before)
  })
})
