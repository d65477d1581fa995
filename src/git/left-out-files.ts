/**
 * Files that git's index has and a sparse checkout leaves out of the work tree: git calls them skip-worktree.
 *
 * In a clone without them, finding that out costs the first bytes of git's index. Never changes git's index.
 */
import { closeSync, existsSync, lstatSync, openSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ioError } from '../files/io-error.ts'
import { findGitConfig, runGit } from './git.ts'
import { shellArgument } from './shell-word.ts'

/** A file of the index that the work tree does not have. */
export interface LeftOutFile {
  /** From the root. */
  path: string
  /** "100644" or "100755" for a file, "120000" for a link, "160000" for a submodule. */
  mode: string
  /** The id of its blob. */
  blob: string
}

/** Git's index, where it may have files that are left out. */
export interface SparseIndex {
  /** True where the clone has patterns of a sparse checkout, in use or not. */
  hasPatterns: boolean
}

/** Up to this version the format of git's index cannot mark a file as left out (gitformat-index: extended flags). */
const PLAIN_VERSION = 2

/** Returns git's index of a worktree; undefined where it leaves no file out. @throws PlanError io. */
export function findSparseIndex(gitDir: string): SparseIndex | undefined {
  const path = join(gitDir, 'index')
  let file: number | undefined
  try {
    if (!lstatSync(path, { throwIfNoEntry: false })) return undefined // nothing was ever staged
    file = openSync(path, 'r')
    const header = Buffer.alloc(8)
    const isWhole = readSync(file, header, 0, 8, 0) === 8
    const hasPatterns = existsSync(join(gitDir, 'info/sparse-checkout'))
    // A split index may have the marks in its shared part, so that the version alone does not decide.
    if (!isWhole || (header.readUInt32BE(4) <= PLAIN_VERSION && !hasPatterns)) return undefined
    return { hasPatterns }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw ioError(error, path)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/**
 * Lists the files at or below some paths that are left out, whether or not the work tree has a file of that name. Unmerged entries
 * are not among them: git writes these to the work tree. Fetches nothing.
 * @throws PlanError no_git, git_failed.
 */
export function listLeftOutFiles(root: string, paths: readonly string[]): LeftOutFile[] {
  // Without the setting git clears the mark of a file that is present, for as long as it is.
  const settings = ['--literal-pathspecs', '-c', 'sparse.expectFilesOutsideOfPatterns=true']
  const lines = runGit(root, [...settings, 'ls-files', '-t', '--stage', '-z', '--', ...paths])
    .toString()
    .split('\0')
  return lines.flatMap(line => {
    const [, mode, blob, path] = /^S (\d+) (\w+) 0\t([\s\S]+)$/.exec(line) ?? []
    return mode && blob && path ? [{ path, mode, blob }] : []
  })
}

/** Returns the command that brings a left-out file or folder, named from the root, into the work tree. */
export function checkOutCommand(root: string, path: string, isFile = true): string {
  const setting = (key: string) => findGitConfig(root, key)?.toLowerCase() ?? ''
  if (!['true', 'yes', 'on', '1'].includes(setting('core.sparseCheckout')))
    return `git update-index --no-skip-worktree ${shellArgument(path)} && git restore ${shellArgument(path)}`
  // In cone mode, git's default, the patterns are folders.
  const isCone = !['false', 'no', 'off', '0'].includes(setting('core.sparseCheckoutCone'))
  return `git sparse-checkout add ${shellArgument(isCone && isFile && path.includes('/') ? dirname(path) : path)}`
}
