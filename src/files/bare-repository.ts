/**
 * Recognizes bare repositories, whose worktrees lie beside them: a folder with such a repository is no checkout.
 *
 * Reads git's own files, as `repository.ts` does. Nothing is created in a place that is refused here.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PlanError } from '../model/errors.ts'
import { readGitPath } from './git-folder.ts'

/** Throws where the folder with this git folder is no worktree, because the repository is bare. @throws PlanError unsafe_path. */
export function checkNotBare(root: string, gitDir: string): void {
  if (isBare(gitDir)) throw bareError(root, gitDir)
}

/**
 * Throws where the folder is a bare repository, is inside one, or contains one with worktrees.
 * Call it for a folder outside any repository.
 * @throws PlanError unsafe_path.
 */
export function checkNoBareAround(start: string): void {
  for (let folder = start; ; folder = dirname(folder)) {
    if (isGitFolder(folder)) throw bareError(start, folder)
    if (dirname(folder) === folder) break
  }
  const bare = foldersIn(start).find(folder => isGitFolder(folder) && listWorktrees(folder).length > 0)
  if (bare !== undefined) throw bareError(start, bare)
}

/** True where git's configuration says so. A linked worktree, whose folder has the file `commondir`, has a work tree. */
export function isBare(gitDir: string): boolean {
  if (existsSync(join(gitDir, 'commondir'))) return false
  const config = readText(join(gitDir, 'config'))
  if (saysBare(config)) return true
  // Git reads the other file only with this extension.
  return /worktreeconfig/i.test(config) && saysBare(readText(join(gitDir, 'config.worktree')))
}

function saysBare(config: string): boolean {
  return /^[^\S\n]*bare[^\S\n]*(?:=[^\S\n]*(?:true|yes|on|1)[^\S\n]*)?$/im.test(config)
}

function isGitFolder(folder: string): boolean {
  return ['HEAD', 'objects', 'refs'].every(name => existsSync(join(folder, name)))
}

/** Lists the existing worktrees of a repository. */
function listWorktrees(gitDir: string): string[] {
  const links = foldersIn(join(gitDir, 'worktrees')).map(folder => orNothing(() => readGitPath(join(folder, 'gitdir'))))
  return links
    .filter(link => link !== '' && existsSync(link))
    .map(dirname)
    .sort()
}

function bareError(root: string, gitDir: string): PlanError {
  const worktrees = listWorktrees(gitDir)
  const advice =
    worktrees.length > 0
      ? `run the command in one of its worktrees: ${worktrees.join(', ')}`
      : 'run the command in a clone of it, or create a worktree with "git worktree add"'
  const what =
    root === gitDir
      ? `${root} is a bare repository, or git's own folder`
      : `${root} is no worktree, and ${gitDir} is a bare repository`
  return new PlanError('unsafe_path', `${what}; ${advice}`, { path: root })
}

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter(entry => entry.isDirectory()).map(({ name }) => join(folder, name))
  } catch {
    return []
  }
}

function readText(path: string): string {
  return orNothing(() => readFileSync(path, 'utf8'))
}

function orNothing(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
