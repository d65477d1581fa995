import { sep } from 'node:path'

/** True for an absolute path below a folder, which may be the root of the file system. */
export function isInside(path: string, folder: string): boolean {
  return path !== folder && path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}
