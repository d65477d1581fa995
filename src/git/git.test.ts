import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runGit as git, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'
import { findGitConfig, findGitVersion, runGit, tryGit } from './git.ts'

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
    expect(() => runGit(repo.root, ['rev-parse', '--verify', '--end-of-options', '--upload-pack=touch x'])).toThrow(
      expect.objectContaining({
        code: 'git_failed',
        message: expect.stringContaining('Needed a single revision'),
        data: expect.objectContaining({ status: 128 }),
      }),
    )
    expect(tryGit(repo.root, ['config', '--get', 'no.such']).status).toBe(1)
    expect(existsSync(join(repo.root, 'x'))).toBe(false)
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
