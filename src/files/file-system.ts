/** Reads what the system knows about a folder's file system and about a file. */
import { type Stats, statfsSync, statSync } from 'node:fs'

/** File systems that several machines share, or whose shared memory does not work: SQLite's WAL mode corrupts data there. */
const SHARED_FILE_SYSTEMS = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x786f4256, 0x65735546, 0x5346414f, 0x00c36400, 0x0bd00bd0,
  0x01161970, 0x7461636f, 0x7c7c6673,
])

/**
 * True where the folder is on a network or shared-folder file system, and where the system does not say: what is done for
 * those is slower, and right everywhere. The numbers are those of Linux.
 * @throws Error ENOENT and other errors of the folder itself.
 */
export function isSharedFileSystem(folder: string): boolean {
  if (process.platform === 'win32') return folder.startsWith('\\\\')
  try {
    return SHARED_FILE_SYSTEMS.has(Number(statfsSync(folder).type) >>> 0)
  } catch (error) {
    if (['ENOSYS', 'EPERM', 'EOPNOTSUPP'].includes((error as NodeJS.ErrnoException).code ?? '')) return true
    throw error
  }
}

/** Returns the inode of a file, or null where there is none. It shows whether a connection still has the file of that name. */
export function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null
}

/** Returns a text that differs after every change of the file or folder; empty where there is none. */
export function statKey(stat: Stats | undefined): string {
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}` : ''
}

let ownsProcess = false

/** Lets `inFolder` change the working folder. Only for a program that has the process to itself: all of it sees the change. */
export function allowFolderChange(): void {
  ownsProcess = true
}

/**
 * Runs the action with the prefix that makes paths from the folder into paths of the system. Where allowed, the folder is the
 * working folder meanwhile and the prefix is empty: the system finds files by short paths faster.
 */
export function inFolder<T>(folder: string, action: (prefix: string) => T): T {
  const before = ownsProcess ? tryChange(folder) : undefined
  if (before === undefined) return action(`${folder}/`)
  try {
    return action('')
  } finally {
    try {
      process.chdir(before)
    } catch {} // it was removed meanwhile: nothing can be relative to it
  }
}

/** Changes the working folder; returns the one before, or undefined where nothing was changed, because there is no way back. */
function tryChange(folder: string): string | undefined {
  try {
    const before = process.cwd()
    process.chdir(before) // fails where the folder was removed, or cannot be reached by its path
    process.chdir(folder)
    return before
  } catch {
    return undefined
  }
}
