import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runGit as git, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'
import { listChangedFiles } from './changed-files.ts'
import { findCommit, findGitConfig, findGitVersion, runGit, tryGit } from './git.ts'
import { stageFiles } from './staging-area.ts'

/** Runs the action with a changed environment; undefined removes a variable. */
function withEnvironment(changes: Record<string, string | undefined>, action: () => void): void {
  const before = { ...process.env }
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  for (const [name, value] of Object.entries(changes)) set(name, value)
  try {
    action()
  } finally {
    for (const name of Object.keys(changes)) set(name, before[name])
  }
}

describe('runGit', () => {
  it('passes bytes through unchanged, in both directions', () => {
    using repo = temporaryRepository()
    const bytes = Buffer.from([0, 255, 10, 13, 10, 128])
    const id = runGit(repo.root, ['hash-object', '-w', '--stdin'], bytes).toString().trim()
    expect(runGit(repo.root, ['cat-file', 'blob', id]).equals(bytes)).toBe(true)
  })

  it('fails with the command, its status and the message of git', () => {
    using repo = temporaryRepository()
    expect(() => runGit(repo.root, ['rev-parse', '--verify', 'none'])).toThrow(
      expect.objectContaining({
        code: 'git_failed',
        message: expect.stringContaining('Needed a single revision'),
        data: expect.objectContaining({ status: 128 }),
      }),
    )
    expect(tryGit(repo.root, ['config', '--get', 'no.such']).status).toBe(1)
  })

  it('takes a branch that is called like an option as a name', () => {
    using repo = temporaryRepository()
    const { root } = repo
    for (const file of ['a', 'b']) {
      writeFileSync(join(root, file), file)
      git(root, 'add', file)
      git(root, 'commit', '--quiet', '--message', file)
    }
    git(root, 'update-ref', 'refs/heads/--output=x', 'HEAD~1')
    const first = git(root, 'rev-parse', 'HEAD~1').trim()
    expect(findCommit(root, '--output=x')).toBe(first)
    expect(findCommit(root, '--output=none')).toBeUndefined()
    expect(listChangedFiles(root, '--output=x..HEAD')).toEqual(['b'])
    expect(git(root, 'status', '--porcelain')).toBe('')
  })

  it('ignores GIT_DIR, and uses another index only where the option says so', () => {
    using repo = temporaryRepository()
    using other = temporaryRepository()
    const index = join(repo.root, 'other-index')
    const blob = (text: string) => runGit(repo.root, ['hash-object', '-w', '--stdin'], text).toString().trim()
    const [one, two] = [blob('one'), blob('two')]
    withEnvironment({ GIT_DIR: join(other.root, '.git'), GIT_INDEX_FILE: index }, () => {
      expect(runGit(repo.root, ['rev-parse', '--show-toplevel']).toString().trim()).toBe(repo.root)
      runGit(repo.root, ['update-index', '--add', '--cacheinfo', `100644,${one},one`])
      expect(existsSync(index)).toBe(false)
    })
    runGit(repo.root, ['update-index', '--add', '--cacheinfo', `100644,${two},two`], undefined, {
      indexFile: index,
    })
    expect(runGit(repo.root, ['ls-files']).toString()).toBe('one\n')
    expect(runGit(repo.root, ['ls-files'], undefined, { indexFile: index }).toString()).toBe('two\n')
  })

  it("starts no program that the repository's own configuration names", () => {
    using repo = temporaryRepository()
    const program = join(repo.root, 'post-index-change')
    writeFileSync(program, `#!/bin/sh\necho ran >> '${join(repo.root, 'ran')}'\n`)
    chmodSync(program, 0o755)
    git(repo.root, 'config', 'core.fsmonitor', program)
    git(repo.root, 'config', 'core.hooksPath', repo.root)
    writeFileSync(join(repo.root, 'a'), 'a')
    runGit(repo.root, ['add', '--', 'a'])
    runGit(repo.root, ['status', '--porcelain'])
    expect(existsSync(join(repo.root, 'ran'))).toBe(false)
    git(repo.root, 'add', 'post-index-change')
    expect(readFileSync(join(repo.root, 'ran'), 'utf8')).toContain('ran')
  })

  // An older git has no such hooks, and shows nothing here.
  it('starts no hook that the configuration defines, whatever its name', () => {
    using repo = temporaryRepository()
    const { root } = repo
    for (const name of ['evil', 'a=b', 'c.enabled', 'd"e\\']) {
      git(root, 'config', `hook.${name}.event`, 'post-index-change')
      git(root, 'config', `hook.${name}.command`, `echo '${name}' >> '${join(root, '.git', 'ran')}'; true`)
    }
    writeFileSync(join(root, 'a'), 'a')
    stageFiles(root, ['a'])
    rmSync(join(root, 'a'))
    stageFiles(root, ['a'])
    expect(existsSync(join(root, '.git', 'ran'))).toBe(false)
    const [major, minor] = findGitVersion(root)!.split('.').map(Number) as [number, number]
    if (major === 2 && minor < 54) return
    writeFileSync(join(root, 'a'), 'a')
    git(root, 'add', 'a')
    expect(readFileSync(join(root, '.git', 'ran'), 'utf8').split('\n')).toHaveLength(5)
  })

  it('reports that git is not installed, or that the folder does not exist', () => {
    using folder = temporaryFolder()
    withEnvironment({ PATH: folder.path }, () => {
      expect(() => runGit(folder.path, ['--version'])).toThrow(
        expect.objectContaining({ code: 'no_git', message: expect.stringContaining('PATH') }),
      )
      expect(findGitVersion(folder.path)).toBeUndefined()
      expect(findGitConfig(folder.path, 'user.name')).toBeUndefined()
    })
    expect(() => runGit(join(folder.path, 'none'), ['--version'])).toThrow(
      expect.objectContaining({ code: 'git_failed', message: expect.stringContaining('no such folder') }),
    )
    expect(findGitVersion(folder.path)).toMatch(/^\d+\.\d+/)
  })
})
