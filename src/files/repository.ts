/**
 * Finds the places of one checkout: the root, the tickets folder, and the folders of the two databases.
 *
 * Reads git's own files for its layout (`.git`, `commondir`), because starting git costs as much as the rest of a query. Ignores
 * GIT_* in the environment: a hook sets them for another purpose.
 */
import { existsSync, lstatSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { PlanError } from '../model/errors.ts'
import { checkNoBareAround, checkNotBare } from './bare-repository.ts'
import { type Config, readConfig } from './config.ts'
import { readGitDir, readGitPath } from './git-folder.ts'
import { ioError } from './io-error.ts'
import { isInside } from './is-inside.ts'
import { checkStateFolder, PLAIN_DIR } from './state-folder.ts'

/** The places of one checkout, and its configuration. All paths are absolute. */
export interface Repository {
  root: string
  /** Git's folder for this worktree; null outside git. */
  gitDir: string | null
  /** Git's folder that all worktrees of the clone share; null outside git. */
  commonDir: string | null
  ticketsDir: string
  /** The folder of index.db: one for each worktree. */
  indexDir: string
  /** The folder of local.db: one for each clone. */
  localDir: string
  config: Config
}

/** The name of the configuration file at the root. */
export const CONFIG_FILE = 'ticketplan.json'

/**
 * Finds the repository around a folder, by default the working folder: the nearest git repository or, outside git, the
 * nearest folder with a `ticketplan.json` or `.ticketplan`, else the folder itself.
 * @throws PlanError bad_config, io; unsafe_path where the place has a bare repository and no worktree, or its state folder is a
 * link.
 */
export function findRepository(from = '.'): Repository {
  const start = absolutePath(from)
  if (!existsSync(start)) throw new PlanError('io', `${start}: no such folder`, { path: start, syscallCode: 'ENOENT' })
  let plainRoot: string | null = null
  for (let folder = realpathSync(start); ; folder = dirname(folder)) {
    const gitDir = readGitDir(join(folder, '.git'))
    if (gitDir) {
      checkNotBare(folder, gitDir)
      return describe(folder, gitDir)
    }
    if (!plainRoot && (existsSync(join(folder, CONFIG_FILE)) || existsSync(join(folder, PLAIN_DIR)))) plainRoot = folder
    if (dirname(folder) === folder) break
  }
  if (plainRoot !== null) return describe(plainRoot, null)
  const root = realpathSync(start)
  checkNoBareAround(root)
  return describe(root, null)
}

/** Resolves a path; a relative one needs the working folder, which another program may have removed. @throws PlanError io. */
function absolutePath(path: string): string {
  if (isAbsolute(path)) return path
  try {
    return resolve(path)
  } catch (error) {
    const message =
      'the working folder no longer exists; change to another folder, or name one by its absolute path with -C'
    throw new PlanError('io', message, { path, syscallCode: 'ENOENT' }, error)
  }
}

function describe(root: string, gitDir: string | null): Repository {
  const config = readConfig(join(root, CONFIG_FILE))
  const indexDir = gitDir ? join(gitDir, 'ticketplan') : join(root, PLAIN_DIR)
  const commonDir = gitDir && commonDirOf(gitDir)
  const localDir = commonDir ? join(commonDir, 'ticketplan') : join(root, PLAIN_DIR)
  for (const folder of [indexDir, localDir]) checkStateFolder(folder)
  return { root, gitDir, commonDir, ticketsDir: join(root, config.ticketsDir), indexDir, localDir, config }
}

/** True where the folder itself has a git folder now. */
export function hasGitFolder(folder: string): boolean {
  return readGitDir(join(folder, '.git')) !== null
}

/** Returns the git folder that all worktrees of a clone share, given git's folder for one of them. */
function commonDirOf(gitDir: string): string {
  const file = join(gitDir, 'commondir')
  return existsSync(file) ? resolve(gitDir, readGitPath(file)) : gitDir
}

/**
 * Fails unless the tickets folder is a real folder inside the root: nothing outside the root is read or written.
 * @param isElsewhere true where the Ticket files are known although the folder does not exist.
 * @param findOther returns the root of another worktree that has a tickets folder: a second one here would be merged with it.
 * @throws PlanError not_initialized, unsafe_path, io.
 */
export function checkTicketsDir(
  { root, ticketsDir }: Repository,
  isElsewhere = () => false,
  findOther: () => string | undefined = () => undefined,
): void {
  if (checkFolders(root, ticketsDir) || isElsewhere()) return
  const other = findOther()
  const advice =
    other === undefined
      ? 'run "ticketplan init" there, or name another folder with -C'
      : `the worktree ${other} has one: name it with -C, or merge its branch; claims, renew, and release without --state work here`
  throw new PlanError('not_initialized', `there is no tickets folder in ${root}; ${advice}`, { root })
}

/**
 * True where the folder exists. Fails where it, or a folder between it and the root, is a link or not a folder.
 * @throws PlanError unsafe_path, io.
 */
export function checkFolders(root: string, lowest: string): boolean {
  let exists = true
  for (let folder = lowest; isInside(folder, root); folder = dirname(folder)) {
    try {
      const stat = lstatSync(folder, { throwIfNoEntry: false })
      if (!stat && folder === lowest) exists = false
      if (!stat || stat.isDirectory()) continue
    } catch (error) {
      throw ioError(error, folder)
    }
    const message = `${folder} is a link or not a folder; the tickets folder and its parents must be real folders`
    throw new PlanError('unsafe_path', message, { path: folder })
  }
  return exists
}
