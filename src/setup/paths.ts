/** Looking at paths before anything is written to them. A failure names its path. */
import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, relative, sep } from 'node:path'
import { ioError } from '../files/io-error.ts'

/** Why a file is not one to write to; null for a regular file or none. */
export function notPlain(path: string): string | null {
  const stat = statOf(path, lstatSync)
  if (stat?.isSymbolicLink()) return 'it is a symbolic link'
  return !stat || stat.isFile() ? null : 'it is not a regular file'
}

/** Why a file below the root is not one to change: not plain, read-only, or not in a folder of this checkout; null for one that is. */
export function notOurs(root: string, path: string): string | null {
  for (let folder = dirname(path); isInside(folder, root); folder = dirname(folder)) {
    const stat = statOf(folder, lstatSync)
    if (!stat) continue
    if (stat.isSymbolicLink()) return `its folder ${shownPath(root, folder)} is a symbolic link`
    if (!stat.isDirectory()) return `${shownPath(root, folder)} is not a folder`
    if (!(stat.mode & 0o222)) return `its folder ${shownPath(root, folder)} is read-only`
  }
  const stat = statOf(path, lstatSync)
  return notPlain(path) ?? (stat && !(stat.mode & 0o222) ? 'it is read-only' : null)
}

/** True where links on the way to a folder lead out of all these places, which are there. */
export function isLinkedOutside(folder: string, places: readonly string[]): boolean {
  if (!isFolder(folder))
    return isFolder(dirname(folder)) && dirname(folder) !== folder && isLinkedOutside(dirname(folder), places)
  const real = realpathSync(folder)
  return real !== folder && !places.some(place => `${real}${sep}`.startsWith(`${realpathSync(place)}${sep}`))
}

/** True for a file, or a link to one. */
export function isFile(path: string): boolean {
  return statOf(path)?.isFile() === true
}

/** True for a folder, or a link to one. */
export function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() === true
}

/** What is at a path, at the end of links; undefined for nothing. */
export function statOf(path: string, stat: typeof statSync | typeof lstatSync = statSync): Stats | undefined {
  try {
    return stat(path) as Stats
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw ioError(error, path)
  }
}

/** True for a path below the folder. */
export function isInside(path: string, folder: string): boolean {
  return path.startsWith(folder + sep)
}

/** A path as it is shown: from the root, where it lies below it. */
export function shownPath(root: string, path: string): string {
  return isInside(path, root) ? relative(root, path).split(sep).join('/') : path
}
