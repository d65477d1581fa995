import { mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CallToolResult } from '@modelcontextprotocol/server'
import { describe, expect, test } from 'vitest'
import { openStore } from '../store/store.ts'
import { putTicket, runGit, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'
import { type Folders, folders, MOST_OPEN } from './folders.ts'
import { toolsOf } from './tools.ts'

/** A repository with a Ticket, with worktrees beside it whose Tickets differ. */
function withWorktrees(count: number, work: (root: string, worktrees: string[], plans: Folders) => void): void {
  using repository = temporaryRepository()
  using beside = temporaryFolder()
  const { root } = repository
  putTicket(root, 'A', { state: 'queued' })
  runGit(root, 'add', '.')
  runGit(root, 'commit', '--quiet', '--message=a')
  const worktrees = Array.from({ length: count }, (_, n) => {
    const path = join(beside.path, `w${n}`)
    runGit(root, 'worktree', 'add', '--quiet', '--detach', path)
    putTicket(path, `OF-${n}`, { state: 'queued' })
    return path
  })
  const open = (root: string) => openStore({ root, actor: 'tester' })
  const plans = folders(open(root), open)
  work(root, worktrees, plans)
  plans.close()
}

function call(plans: Folders, tool: string, given: object) {
  const [block] = (toolsOf(plans, false).call(tool, given) as CallToolResult).content
  return JSON.parse(block?.type === 'text' ? block.text : '')
}

const queued = (plans: Folders, folder?: string) =>
  call(plans, 'queue', { folder }).queue.map((entry: { ticket: { id: string } }) => entry.ticket.id)

/** The open files of this process below a folder. */
function openFiles(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(folder) ? [path] : []
    } catch {
      return [] // it was closed meanwhile
    }
  })
}

describe('folder', () => {
  test('names the worktree whose Tickets a call is about; every tool takes it', () => {
    withWorktrees(2, (root, [first, second], plans) => {
      expect(queued(plans)).toEqual(['A'])
      expect(queued(plans, first)).toEqual(['A', 'OF-0'])
      mkdirSync(join(second!, 'src', 'deep'), { recursive: true })
      expect(queued(plans, join(second!, 'src', 'deep'))).toEqual(['A', 'OF-1'])
      expect(queued(plans, 'tickets')).toEqual(['A'])
      expect(queued(plans, root)).toEqual(['A'])
      call(plans, 'record', { ticket: 'OF-0', kind: 'note', reason: 'here', folder: first })
      expect(call(plans, 'query', { ticket: 'OF-0', folder: first }).decisions).toHaveLength(1)
      expect(call(plans, 'query', { ticket: 'OF-0' }).error.code).toBe('unknown_ticket')
      for (const { name, inputSchema } of toolsOf(plans, false).list())
        expect(inputSchema.properties, name).toHaveProperty('folder')
      // Claims are those of the clone, whichever worktree they were taken in.
      call(plans, 'accept', { ticket: 'OF-0', holder: 'p', folder: first })
      expect(call(plans, 'claims', {}).claims).toMatchObject([{ ticket: 'OF-0' }])
    })
  })

  test('resolves links before it decides', () => {
    withWorktrees(1, (root, [worktree], plans) => {
      using other = temporaryRepository()
      symlinkSync(worktree!, join(root, 'inside'))
      symlinkSync(other.root, join(root, 'outside'))
      expect(queued(plans, 'inside')).toEqual(['A', 'OF-0'])
      expect(call(plans, 'queue', { folder: 'outside' }).error).toMatchObject({
        code: 'invalid_input',
        field: 'folder',
      })
    })
  })

  test('refuses whatever is not in a worktree of the repository, and opens nothing', () => {
    withWorktrees(1, (root, [worktree], plans) => {
      using other = temporaryRepository()
      using plain = temporaryFolder()
      runGit(root, 'clone', '--quiet', root, join(root, 'clone'))
      mkdirSync(join(plain.path, 'fake'))
      // Its .git names the worktree's own folder in the repository, as a copied worktree does.
      writeFileSync(join(plain.path, 'fake', '.git'), `gitdir: ${join(root, '.git', 'worktrees', 'w0')}\n`)
      for (const folder of [
        other.root,
        plain.path,
        '/',
        '..',
        join(root, 'clone'),
        join(plain.path, 'fake'),
        '/no/where',
        'a\0b',
      ])
        expect(call(plans, 'queue', { folder }).error, folder).toMatchObject({
          code: 'invalid_input',
          field: 'folder',
          message: expect.stringContaining(worktree!),
        })
      for (const folder of ['', 7, {}, ['a', 'b'], 'x'.repeat(5000)])
        expect(call(plans, 'queue', { folder }).error, String(folder)).toMatchObject({ code: 'invalid_input' })
      expect(plans.openRoots()).toEqual([])
    })
  })

  test('keeps a bounded number of plans open, the last used ones, and closes the files of the others', () => {
    withWorktrees(MOST_OPEN + 2, (root, worktrees, plans) => {
      for (const [n, worktree] of worktrees.entries()) {
        expect(queued(plans, worktree)).toEqual(['A', `OF-${n}`])
        expect(queued(plans, worktrees[2]).at(-1)).toBe('OF-2')
      }
      expect(plans.openRoots()).toEqual([...worktrees.slice(3), worktrees[2]])
      const indexes = new Set(openFiles(join(root, '.git')).filter(path => path.endsWith('index.db')))
      expect(indexes.size).toBe(MOST_OPEN)
      expect(queued(plans, worktrees[0])).toEqual(['A', 'OF-0'])
    })
  })

  test('a plan that a call still uses stays open, however many others are named', () => {
    withWorktrees(MOST_OPEN + 2, (_root, [first, ...others], plans) => {
      let found: string | undefined
      void plans.use(first, async plan => {
        for (const other of others) queued(plans, other)
        expect(plans.openRoots()).toEqual([first, ...others.slice(-MOST_OPEN + 1)])
        found = plan.read(({ queries }) => queries.ticket('OF-0')?.id)
      })
      expect(found).toBe('OF-0')
    })
  })

  test('a removed worktree is refused, and one created later at the same path is opened', () => {
    withWorktrees(1, (root, [worktree], plans) => {
      expect(queued(plans, worktree)).toEqual(['A', 'OF-0'])
      runGit(root, 'worktree', 'remove', '--force', worktree!)
      expect(call(plans, 'queue', { folder: worktree }).error).toMatchObject({ code: 'invalid_input' })
      expect(plans.openRoots()).toEqual([])
      runGit(root, 'worktree', 'add', '--quiet', '--detach', worktree!)
      putTicket(worktree!, 'NEW', { state: 'queued' })
      expect(queued(plans, worktree)).toEqual(['A', 'NEW'])
    })
  })
})
