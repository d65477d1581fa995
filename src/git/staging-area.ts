/** Reads and changes git's own index, the staging area. Waits for its lock, and never removes it. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { retryUntil } from '../files/pause.ts'
import { PlanError } from '../model/errors.ts'
import { noConfiguredHooks, runGit, tryGit } from './git.ts'

/** How long another git command may hold the lock of the index, and the pause between two attempts: each starts git. */
const LOCK_TIMEOUT_MS = 10_000
const LOCK_PAUSE_MS = 50

/** An entry. Stage 0 is merged, 1 the common version, 2 ours, 3 theirs. The path is from the root. */
export interface IndexEntry {
  mode: string
  blob: string
  stage: number
  path: string
}

/** Lists entries of git's index; `args` are arguments of `git ls-files`. @throws PlanError no_git, git_failed. */
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
 * Stages files as they are on the disk, without the filters that a configuration may name. A file that does not exist is
 * removed from the index.
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

function updateIndex(root: string, args: readonly string[], input: string): void {
  const settings = noConfiguredHooks(root)
  const { status, stderr } = retryUntil(
    LOCK_TIMEOUT_MS,
    () => tryGit(root, ['update-index', ...args], input, { settings }),
    run => run.status === 0 || !run.stderr.includes('.lock'),
    LOCK_PAUSE_MS,
  )
  if (status === 0) return
  const message = `the files are merged, but git could not stage them: ${stderr.trim().split('\n')[0]}; run the command again when no other git command is running`
  throw new PlanError('git_failed', message, { command: 'update-index', status, stderr })
}
