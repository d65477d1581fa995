/**
 * Creates and checks the folder of the databases, `.ticketplan` or `<git dir>/ticketplan`, and the files in it.
 *
 * Invariant: none of them is reached through a link, which an unpacked archive can hold, and the folder is not one that another
 * user put there: nothing elsewhere is read, written or replaced. Group members may write them where they may write the folder above, as git does with core.sharedRepository.
 */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { PlanError } from '../model/errors.ts'

/** The name of the folder that holds both databases outside git. */
export const PLAIN_DIR = '.ticketplan'

/** Read and write for the group. */
const GROUP_ACCESS = 0o060
/** The bits that a shared folder passes on: those of the group, and the one that makes new files belong to the group. */
const SHARED_FOLDER = 0o2070

/**
 * Fails where the folder exists and is a link, not a folder, or that of another user. It may be that of the owner of the folder
 * above and, where group members may write there, of any of them. @throws PlanError unsafe_path, the system's error.
 */
export function checkStateFolder(folder: string): void {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  if (!stat) return
  if (!stat.isDirectory()) refuse(folder, 'is a link or not a folder')
  const own = process.getuid?.()
  if (own === undefined || stat.uid === own) return
  const above = statSync(dirname(folder))
  if (stat.uid === above.uid || isShared(dirname(folder))) return
  refuse(folder, `belongs to another user (uid ${stat.uid}), who is not the owner of ${dirname(folder)}`)
}

/**
 * Fails where one of the files is a link, or a FIFO, a socket or a device, which are no better places for data. A folder is
 * left to the opening to report. @throws PlanError unsafe_path, the system's error.
 */
export function checkStateFiles(paths: readonly string[]): void {
  for (const path of paths) {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat?.isSymbolicLink()) refuse(path, 'is a link')
    if (stat && !stat.isFile() && !stat.isDirectory()) refuse(path, 'is not a regular file')
  }
}

function refuse(path: string, what: string): never {
  const message = `${path} ${what}: nothing was written; remove it, and run the command again`
  throw new PlanError('unsafe_path', message, { path })
}

/** Creates the folder, but not its parents: a missing git folder is never created. @throws the system's error. */
export function createStateFolder(folder: string): void {
  checkStateFolder(folder)
  if (lstatSync(folder, { throwIfNoEntry: false })) return
  try {
    mkdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return // another process was faster
    throw error
  }
  shareFolder(folder)
  if (basename(folder) === PLAIN_DIR) writeFileSync(join(folder, '.gitignore'), '*\n')
}

/** Gives a folder that was just created the access of the group to the folder above. @throws the system's error. */
export function shareFolder(folder: string): void {
  if (isShared(dirname(folder)))
    chmodSync(folder, statSync(folder).mode | (statSync(dirname(folder)).mode & SHARED_FOLDER))
}

/** Creates an empty file where there is none. Must not be called for a database that this process has open. @throws the system's error. */
export function createStateFile(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })) createNewStateFile(path)
}

/** Creates a file with a content; returns false where there is one. @throws the system's error. */
export function createNewStateFile(path: string, content: string | Uint8Array = ''): boolean {
  let file: number
  try {
    file = openSync(path, 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  try {
    shareFile(file, path)
    if (content.length > 0) writeFileSync(file, content)
  } finally {
    closeSync(file)
  }
  return true
}

/** Gives an open file that was just created the access of the group to its folder. @throws the system's error. */
export function shareFile(file: number, path: string): void {
  if (isShared(dirname(path))) fchmodSync(file, (fstatSync(file).mode & 0o777) | GROUP_ACCESS)
}

function isShared(folder: string): boolean {
  return process.platform !== 'win32' && (statSync(folder).mode & 0o020) !== 0
}
