/** Git's own index: what it holds, and files put into it. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PlanError } from '../model/errors.ts'
import { runGit, tryGit } from './git.ts'

/** An entry; stage 0 is merged, 1 the common version, 2 ours, 3 theirs. The path is from the root. */
export interface IndexEntry {
  mode: string
  blob: string
  stage: number
  path: string
}

/** Entries of git's index, by the arguments of `ls-files`. @throws PlanError no_git, git_failed. */
export function listIndexEntries(root: string, args: readonly string[]): IndexEntry[] {
  const lines = runGit(root, ['--literal-pathspecs', 'ls-files', '--stage', '-z', ...args])
    .toString()
    .split('\0')
  return lines.flatMap(line => {
    const [, mode, blob, stage, path] = /^(\d+) (\w+) ([0-3])\t([\s\S]+)$/.exec(line) ?? []
    return mode && blob && path ? [{ mode, blob, stage: Number(stage), path }] : []
  })
}

/**
 * Tells git that these files are as they should be, by their bytes: without the filters that a configuration may name.
 * @throws PlanError no_git, git_failed.
 */
export function stageFiles(root: string, paths: readonly string[]): void {
  const all = [...new Set(paths)]
  const present = all.filter(path => existsSync(join(root, path)))
  const gone = all.filter(path => !present.includes(path))
  if (gone.length > 0) updateIndex(root, ['--force-remove', '-z', '--stdin'], `${gone.join('\0')}\0`)
  if (present.length === 0) return
  const hash = ['hash-object', '-w', '--no-filters', '--stdin-paths']
  const blobs = runGit(root, hash, `${present.join('\n')}\n`)
    .toString()
    .split('\n')
  const entries = present.map((path, at) => {
    const mode = statSync(join(root, path)).mode & 0o100 ? '100755' : '100644'
    return `${mode} ${blobs[at]}\t${path}\0`
  })
  updateIndex(root, ['-z', '--index-info'], entries.join(''))
}

/** Changes git's index. Its lock is waited for, never removed. */
function updateIndex(root: string, args: readonly string[], input: string): void {
  const startedAt = performance.now()
  for (;;) {
    const { status, stderr } = tryGit(root, ['update-index', ...args], input)
    if (status === 0) return
    if (!stderr.includes('.lock') || performance.now() - startedAt > 10_000) {
      const message = `the files are merged, but git could not stage them: ${stderr.trim().split('\n')[0]}; run the command again when git is free`
      throw new PlanError('git_failed', message, { command: 'update-index', status, stderr })
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  }
}
