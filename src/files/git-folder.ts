/** Finds git's folders from git's own files, without starting git. Imports little: every start of a command runs it. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Returns the folder that `.git` is or, in a linked worktree or a submodule, points to; null where it is neither. */
export function readGitDir(dotGit: string): string | null {
  const stat = statSync(dotGit, { throwIfNoEntry: false })
  if (!stat) return null
  if (stat.isDirectory()) return existsSync(join(dotGit, 'HEAD')) ? dotGit : null
  if (!stat.isFile()) return null
  const text = readGitPath(dotGit)
  const prefix = 'gitdir: '
  if (!text.startsWith(prefix) || text === prefix) return null
  const gitDir = resolve(dirname(dotGit), text.slice(prefix.length))
  return existsSync(gitDir) && !existsSync(join(gitDir, 'HEAD')) ? null : gitDir // null: some other folder
}

/**
 * Returns the path in one of git's files, which is all of it but the line ends after it: a path may contain line breaks, and
 * begin or end with spaces (`read_gitfile_gently` and `get_common_dir_noenv` of git). @throws the system's error.
 */
export function readGitPath(file: string): string {
  return readFileSync(file, 'utf8').replace(/[\r\n]+$/, '')
}
