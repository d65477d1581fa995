/**
 * The place of a resident's socket: a folder of its own in git's folder of the worktree.
 *
 * Invariant: the folder is this user's and closed to all others, so that a process that answers in it is of the same user, and nobody else
 * can ask. It is reached through an open descriptor: the path of a socket has about a hundred bytes, and nothing can take the
 * folder's place between the check and the connection. That needs /proc, as Linux has it; elsewhere there is no resident.
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readGitDir } from '../files/git-folder.ts'

/** The open folder of a resident. */
export interface ResidentPlace {
  /** Returns a path to a file in the folder that is short, and valid until `close`. */
  path(name: string): string
  close(): void
}

/** The name of the socket in its folder. */
export const SOCKET = 'socket'
/** Set to anything, no resident is asked. */
export const OFF_VARIABLE = 'TICKETPLAN_NO_RESIDENT'

/** True where there can be a resident: file events come in order there, and a descriptor has a path. */
export const CAN_RESIDE = process.platform === 'linux'

/** Returns the folder of a resident, given git's folder of a worktree. */
export function residentFolder(gitDir: string): string {
  return join(gitDir, 'ticketplan', 'resident')
}

/** Opens the place of the resident for a folder of a worktree; undefined where there can be none. */
export function findPlace(folder: string): ResidentPlace | undefined {
  try {
    for (let at = realpathSync(folder); ; at = dirname(at)) {
      const gitDir = readGitDir(join(at, '.git'))
      if (gitDir) return openPlace(residentFolder(gitDir))
      if (dirname(at) === at) return undefined
    }
  } catch {
    return undefined
  }
}

/** Creates the folder if needed, and opens it; undefined where it is not closed to others. @throws the system's error. */
export function createPlace(gitDir: string): ResidentPlace | undefined {
  const folder = residentFolder(gitDir)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return openPlace(folder)
}

/** @throws the system's error. */
function openPlace(folder: string): ResidentPlace | undefined {
  const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
  const descriptor = openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  const { uid, mode } = fstatSync(descriptor)
  if (uid === process.getuid?.() && (mode & 0o077) === 0)
    return { path: name => `/proc/self/fd/${descriptor}/${name}`, close: () => closeSync(descriptor) }
  closeSync(descriptor)
  return undefined
}
