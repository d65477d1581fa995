/** Finds git's folder of a worktree from git's own files, without starting git. Imports little: every start of a command runs it. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Returns the folder that `.git` is or, in a linked worktree or a submodule, points to; null where it is neither. */
export function readGitDir(dotGit: string): string | null {
  const stat = statSync(dotGit, { throwIfNoEntry: false })
  if (!stat) return null
  if (stat.isDirectory()) return existsSync(join(dotGit, 'HEAD')) ? dotGit : null
  if (!stat.isFile()) return null
  const target = /^gitdir: (.+)$/m.exec(readFileSync(dotGit, 'utf8'))?.[1]
  const gitDir = target && resolve(dirname(dotGit), target)
  if (!gitDir || (existsSync(gitDir) && !existsSync(join(gitDir, 'HEAD')))) return null // some other folder
  return gitDir
}
