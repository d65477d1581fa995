/**
 * Takes over the claims of a folder that was used without git and is a git repository now.
 *
 * Invariant: a fencing token is never given a second time. The claims are in git's folder before the old folder is moved there
 * too, so that a crash in between only repeats the copy. A process that was started before `git init` writes nothing more.
 */
import { copyFileSync, existsSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Claims } from '../claims/claims.ts'
import { copyLeases } from '../claims/moved-leases.ts'
import { readFencingMark, writeFencingMark } from '../database/fencing-mark.ts'
import { type LocalDatabase, localDatabase } from '../database/local-database.ts'
import { findMainRoot } from '../files/main-worktree.ts'
import { hasGitFolder, type Repository } from '../files/repository.ts'
import { checkStateFolder, createStateFolder, PLAIN_DIR } from '../files/state-folder.ts'
import { runGit } from '../git/git.ts'
import { count } from '../model/count.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { MANIFEST_FILE } from '../setup/init-manifest.ts'

/** What the old folder is called beside the databases of the clone. */
const MOVED = 'before-git'

/** Moves the claims where there are any, with a notice. Returns why they cannot be moved; undefined where nothing is left. */
export function findMoveProblem(
  repository: Repository,
  local: LocalDatabase,
  timeoutMs: number,
  notify: (message: string) => void,
): PlanError | undefined {
  for (const folder of plainFolders(repository)) {
    try {
      if (isTracked(folder)) continue
      move(folder, repository, local, timeoutMs, notify)
    } catch (error) {
      const cause = (error as Error).message
      const message = `${folder} has the claims from before this folder was a git repository, and they cannot be moved into ${repository.localDir}: ${cause}; nothing is claimed until they are`
      const data = { path: folder, syscallCode: (error as NodeJS.ErrnoException).code ?? 'EIO' }
      return new PlanError('io', message, isPlanError(error, 'io') ? error.data : data, error)
    }
  }
  return undefined
}

/** Returns the claims; where the earlier ones could not be moved, none is taken: its token may have been given before. */
export function afterMove(problem: PlanError | undefined, claims: Claims): Claims {
  if (!problem) return claims
  return {
    ...claims,
    acquire() {
      throw problem
    },
  }
}

/** Returns the database of a folder outside git; it refuses to write once the folder is a git repository. */
export function whileOutsideGit({ root, commonDir }: Repository, local: LocalDatabase): LocalDatabase {
  if (commonDir !== null) return local
  const check = () => {
    if (!hasGitFolder(root)) return
    const message = `${root} has become a git repository since this process was started, and its claims are in git's folder now: nothing was written; start the process again`
    throw new PlanError('contended', message, { path: root })
  }
  return {
    ...local,
    locked(action) {
      check()
      return local.locked(action)
    },
    write(action) {
      check()
      return local.write(action)
    },
  }
}

/** Returns the folders with claims from before git: at the root, and at that of the main worktree. */
function plainFolders({ root, gitDir, commonDir }: Repository): string[] {
  if (commonDir === null) return []
  const main = gitDir === commonDir ? undefined : findMainRoot(commonDir)
  return (main === undefined ? [root] : [root, main])
    .map(folder => join(folder, PLAIN_DIR))
    .filter(folder => existsSync(join(folder, 'local.db')))
}

/** True where the file came with a commit: it says nothing of this clone. */
function isTracked(folder: string): boolean {
  try {
    return runGit(dirname(folder), ['ls-files', '--', join(PLAIN_DIR, 'local.db')]).length > 0
  } catch (error) {
    if (isPlanError(error, 'no_git')) return false
    throw error
  }
}

function move(
  folder: string,
  { localDir }: Repository,
  local: LocalDatabase,
  timeoutMs: number,
  notify: (message: string) => void,
): void {
  checkStateFolder(folder)
  createStateFolder(localDir)
  const old = localDatabase(join(folder, 'local.db'), timeoutMs, notify)
  let copied = 0
  try {
    local.write(to => {
      const token = old.write(from => {
        const result = copyLeases(from, to)
        copied = result.copied
        return Math.max(result.token, readFencingMark(folder))
      })
      if (token > readFencingMark(localDir)) writeFencingMark(localDir, token)
    })
  } finally {
    old.close()
  }
  const place = freePlace(join(localDir, MOVED))
  renameSync(folder, place)
  const manifest = join(localDir, MANIFEST_FILE)
  if (existsSync(join(place, MANIFEST_FILE)) && !existsSync(manifest))
    copyFileSync(join(place, MANIFEST_FILE), manifest)
  notify(
    `this folder is a git repository now: ${count(copied, 'claim')} of before, ended ones included, moved from ${folder} into ${localDir}`,
  )
}

function freePlace(path: string): string {
  let place = path
  for (let number = 2; existsSync(place); number++) place = `${path}-${number}`
  return place
}
