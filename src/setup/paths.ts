/** Checks paths before anything is written to them. A failed check names its path. */
import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, relative, sep } from 'node:path'
import { ioError } from '../files/io-error.ts'
import { isInside } from '../files/is-inside.ts'

/** Returns why a path must not be written to; null for a regular file or none. */
export function whyNotPlain(path: string): string | null {
  const stat = statOf(path, lstatSync)
  if (stat?.isSymbolicLink()) return 'it is a symbolic link'
  return !stat || stat.isFile() ? null : 'it is not a regular file'
}

/** Returns why a file below the root must not be changed: not regular, read-only, or not in a folder of this checkout; else null. */
export function whyNotOurs(root: string, path: string): string | null {
  for (let folder = dirname(path); isInside(folder, root); folder = dirname(folder)) {
    const stat = statOf(folder, lstatSync)
    if (!stat) continue
    if (stat.isSymbolicLink()) return `its folder ${shownPath(root, folder)} is a symbolic link`
    if (!stat.isDirectory()) return `${shownPath(root, folder)} is not a folder`
    if (!(stat.mode & 0o222)) return `its folder ${shownPath(root, folder)} is read-only`
  }
  const stat = statOf(path, lstatSync)
  return whyNotPlain(path) ?? (stat && !(stat.mode & 0o222) ? 'it is read-only' : null)
}

/** True where a folder, or the nearest existing one above it, is a link to a place outside of all these existing folders. */
export function isLinkedOutside(folder: string, places: readonly string[]): boolean {
  if (!isFolder(folder)) {
    const parent = dirname(folder)
    return parent !== folder && isFolder(parent) && isLinkedOutside(parent, places)
  }
  const real = realpathSync(folder)
  return (
    real !== folder && !places.map(place => realpathSync(place)).some(place => real === place || isInside(real, place))
  )
}

/** True for a file, or a link to one. */
export function isFile(path: string): boolean {
  return statOf(path)?.isFile() === true
}

/** True for a folder, or a link to one. */
export function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() === true
}

/** Returns the status of a path, links followed unless `stat` is lstatSync; undefined where there is nothing. @throws PlanError io. */
export function statOf(path: string, stat: typeof statSync | typeof lstatSync = statSync): Stats | undefined {
  try {
    return stat(path) as Stats
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw ioError(error, path)
  }
}

/** Returns a path for people: relative to the root, with "/", where it is below it. */
export function shownPath(root: string, path: string): string {
  return isInside(path, root) ? relative(root, path).split(sep).join('/') : path
}
